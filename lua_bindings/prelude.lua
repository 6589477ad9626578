-- What every runtime executes before a script: the table `freeswitch`, the objects of its classes, the checks of
-- their arguments, the budget of uninterrupted Lua time, and the functions through which the host runs scripts.
-- It works in LuaJIT and in Lua 5.1 to 5.5. The chunk's name is "=[C]", so that tracebacks show its functions as
-- what they stand for: functions of the host.
--
-- `bind(class, name)` returns the byte code of a wrapper and the host's function behind it, or nothing. The tables
-- `classes` (name -> C type, base, whether it can be made), `functions` and `constants` stand before this text.
local bind, judge, address, handle, interval, use_jit = ...

local type, select, error, pcall, xpcall, tostring, tonumber = type, select, error, pcall, xpcall, tostring, tonumber
local pairs, rawget, rawset, rawequal, setmetatable, next = pairs, rawget, rawset, rawequal, setmetatable, next
local load_chunk = loadstring or load
local sethook, traceback, getinfo = debug.sethook, debug.traceback, debug.getinfo
local get_metatable, set_metatable = debug.getmetatable, debug.setmetatable
local gsub, find, sub, dump = string.gsub, string.find, string.sub, string.dump
local table_unpack = table.unpack or unpack
local new_proxy, create, resume = newproxy, coroutine.create, coroutine.resume
local os_date, memory = os.date, collectgarbage
local globals = _G

python = nil
package.loaded.python, package.loaded.lupa = nil, nil

-- `shared[1]` is set by each call of the host: the budget counts the time in which none is made.
local shared = { false }

-- objects -------------------------------------------------------------------------------------------------------

-- For each class: userdata -> the host's object. Weak keys: what a script drops is dropped by the host, too.
local backing, class_of = {}, {}

local function make_class(name, ctype, base)
  local objects = base and backing[base] or setmetatable({}, { __mode = "k" })
  backing[name] = objects
  local methods = setmetatable({}, {
    __index = function(methods, key)
      if type(key) ~= "string" then return nil end
      local code, host = bind(name, key)
      if code == nil then return nil end
      local method = load_chunk(code)(host, backing, shared, select, type, error)
      rawset(methods, key, method)
      return method
    end,
  })
  local prototype, metatable
  if new_proxy then
    prototype = new_proxy(true)
    metatable = get_metatable(prototype)
  else
    metatable = {}
  end
  class_of[metatable] = ctype
  local members = bind(name, false) -- reads and writes attributes: members(object, name, is_setting, value)
  metatable.__index = function(object, key)
    local method = methods[key]
    if method ~= nil then return method end
    if members == nil or type(key) ~= "string" then return nil end
    local host = objects[object]
    if host == nil then return nil end
    local value, opaque = members(host, key)
    if opaque then return backing.wrap(value, opaque) end
    return value
  end
  metatable.__newindex = function(object, key, value)
    local refusal
    if members ~= nil and type(key) == "string" and objects[object] ~= nil then
      if type(value) == "userdata" or type(value) == "table" or type(value) == "function" then value = type(value) end
      refusal = members(objects[object], key, true, value)
    else
      refusal = backing.no_member
    end
    if refusal then error(refusal, 2) end
  end
  metatable.__tostring = function(object)
    return "<userdata of type '" .. ctype .. " *' at " .. address(objects[object]) .. ">"
  end
  metatable[".type"] = ctype
  return function(host)
    local object
    if new_proxy then
      object = new_proxy(prototype)
    else
      object = handle()
      set_metatable(object, metatable)
    end
    objects[object] = host
    return object
  end
end

local makers = setmetatable({}, {
  __index = function(makers, name)
    local class = classes[name]
    local maker
    if class then
      maker = make_class(name, class[1], class[2])
    else
      maker = make_class(name, name) -- a C type of which scripts only see pointers
    end
    makers[name] = maker
    return maker
  end,
})

-- Tables of objects are made with their class, so that a check before the first object finds one.
setmetatable(backing, {
  __index = function(_, name)
    local _ = makers[name]
    return rawget(backing, name)
  end,
})

rawset(backing, "wrap", function(host, class) return makers[class](host) end)
rawset(backing, "no_member", "Assignment not possible. No setter/member with this name. "
  .. "For custom assignments implement __setitem method.")

-- arguments -----------------------------------------------------------------------------------------------------

local function type_name(value)
  local name = type(value)
  if name == "userdata" then
    local ctype = class_of[get_metatable(value)]
    return ctype and ctype .. " *" or "userdata (unknown type)"
  end
  return name
end

local function fits(kind, value)
  local name = type(value)
  if kind == "S" or kind == "C" then return value == nil or name == "string" or name == "number" end
  if kind == "N" or kind == "U" then return name == "number" or (name == "string" and tonumber(value) ~= nil) end
  if kind == "B" then return name == "boolean" end
  if kind == "T" then return name == "table" end
  if kind == "F" then return name == "function" end
  return name == "userdata" or (kind == "P" and value == nil)
end

-- Returns whether `value` points to a `class`, and the host's object.
local function pointed(class, value)
  if value == nil then return true, nil end
  if class ~= "void" then
    local object = backing[class][value]
    return object ~= nil, object
  end
  for _, objects in pairs(backing) do
    if type(objects) == "table" and objects[value] ~= nil then return true, objects[value] end
  end
  return false, nil
end

-- A signature is { least, most, { kind, ctype, class, pointer }, … }; class and pointer of objects only.
local function matches(signature, count, values)
  if count < signature[1] or count > signature[2] then return false end
  for i = 1, count do
    local argument, value = signature[i + 2], values[i]
    if not fits(argument[1], value) then return false end
    if argument[3] and not pointed(argument[3], value) then return false end
  end
  return true
end

local function complaint(spec, signature, count, values)
  if count < signature[1] or count > signature[2] then
    return "Error in " .. spec.label .. " expected " .. signature[1] .. ".." .. signature[2] .. " args, got " .. count
  end
  for i = 1, count do
    local argument, value = signature[i + 2], values[i]
    if not fits(argument[1], value) or (i == 1 and value == nil and spec.method) then
      return "Error in " .. spec.label .. " (arg " .. i .. "), expected '" .. argument[2] .. "' got '"
        .. type_name(value) .. "'"
    end
    if argument[1] == "U" and tonumber(value) < 0 then return "number must not be negative" end
  end
  for i = 1, count do
    local argument, value = signature[i + 2], values[i]
    if argument[3] and not pointed(argument[3], value) then
      return "Error in " .. spec.symbol .. " (arg " .. i .. "), expected '" .. argument[4] .. "' got '"
        .. type_name(value) .. "'"
    end
  end
  return nil
end

-- Checks the arguments of a call as SWIG's wrappers do. Returns the error's text, or nil and the arguments as the
-- host takes them: numbers for strings as text, numeric strings as numbers, objects as the host's.
rawset(backing, "check", function(spec, count, ...)
  local values = { ... }
  local signature = spec[1]
  if spec[2] then
    signature = nil
    for _, candidate in pairs(spec.order) do
      if matches(spec[candidate], count, values) then
        signature = spec[candidate]
        break
      end
    end
    if signature == nil then return spec.overloaded end
  end
  local text = complaint(spec, signature, count, values)
  if text then return text end
  for i = 1, count do
    local argument, value = signature[i + 2], values[i]
    local kind, name = argument[1], type(value)
    if name == "number" and (kind == "S" or kind == "C") then
      values[i] = tostring(value)
    elseif name == "string" and (kind == "N" or kind == "U") then
      values[i] = tonumber(value)
    elseif argument[3] then
      local _, object = pointed(argument[3], value)
      values[i] = object
    end
  end
  return nil, table_unpack(values, 1, count)
end)

-- the table freeswitch ------------------------------------------------------------------------------------------

-- Names come into the table when they are first looked at: most scripts use a handful. What a script sets or
-- removes stays so.
freeswitch = {}
for name, value in pairs(constants) do freeswitch[name] = value end
local looked_at = {}

local function make_name(name)
  if looked_at[name] then return nil end
  local made
  local class = classes[name]
  if class then
    made = setmetatable({}, {
      __call = class[3] and function(class_table, ...)
        local code, host = bind(name, true)
        local constructor = load_chunk(code)(host, backing, shared, select, type, error)
        get_metatable(class_table).__call = constructor
        return constructor(class_table, ...)
      end or nil,
    })
  elseif functions[name] then
    local code, host = bind(nil, name)
    if code == nil then return nil end
    made = load_chunk(code)(host, backing, shared, select, type, error)
  end
  looked_at[name] = true
  return made
end

setmetatable(freeswitch, {
  __index = function(t, name)
    local made = make_name(name)
    if made ~= nil then rawset(t, name, made) end
    return made
  end,
  __newindex = function(t, name, value)
    looked_at[name] = true
    rawset(t, name, value)
  end,
  __pairs = function(t)
    for name in pairs(classes) do local _ = t[name] end
    for name in pairs(functions) do local _ = t[name] end
    return next, t, nil
  end,
})

os.exit = function() freeswitch.consoleLog("err", "Surely you jest! exiting is a bad plan....\n") end

-- the budget ----------------------------------------------------------------------------------------------------

-- `judge(touched, kilobytes)` returns nil while the script may go on, else why it must stop; then every instruction fails,
-- so that neither pcall nor a coroutine can hold the error back.
local verdict, stopped_at
local script_hook, script_events = nil, ""

local function watch(event, line)
  if verdict == nil then
    if event == "count" then
      local touched = shared[1]
      shared[1] = false
      verdict = judge(touched, (memory("count")))
    end
    if verdict == nil then
      if script_hook and find(script_events, event == "count" and "#" or gsub(event, "^tail ", ""), 1, true) then
        return script_hook(event, line)
      end
      return
    end
    stopped_at = traceback("", 2)
    sethook(watch, "", 1)
  end
  local running = getinfo(2, "S")
  if running and running.source == "=[C]" then return end
  error(verdict, 2)
end

local function guard(coroutine_)
  if coroutine_ then
    sethook(coroutine_, watch, "", verdict and 1 or interval)
  elseif interval > 0 then
    sethook(watch, "", verdict and 1 or interval)
  end
end

if jit then
  -- Compiled traces never look at hooks, so a runaway script could not be stopped.
  if not use_jit then jit.off() end
  jit = nil
  for _, name in pairs { "jit", "jit.opt", "jit.util", "jit.profile", "ffi" } do
    package.loaded[name], package.preload[name] = nil, nil
  end
else
  -- Plain Lua's hooks belong to one coroutine.
  coroutine.create = function(f)
    local made = create(f)
    if interval > 0 then guard(made) end
    return made
  end
  local function pass(ok, ...)
    if not ok then error((...), 0) end
    return ...
  end
  coroutine.wrap = function(f)
    local made = coroutine.create(f)
    return function(...) return pass(resume(made, ...)) end
  end
end

-- The error that stops a script is raised from a hook, where no other hook runs: its handlers are passed by.
local function with_handler(f, handler, ...)
  return xpcall(f, function(message)
    if verdict then return message end
    return handler(message)
  end, ...)
end
globals.xpcall = function(f, ...)
  local handler = ...
  if type(handler) ~= "function" then return xpcall(f, ...) end
  return with_handler(f, ...)
end
newproxy = nil -- not in Lua 5.2, and its finalizers run where no hook does

-- A script's own hook is called beside the watch, which stays.
local event_names = { c = "call", r = "return", l = "line" }
debug.sethook = function(hook, mask, count, ...)
  if type(hook) == "thread" then return end
  script_hook, script_events = hook, ""
  if hook == nil then return guard() end
  for letter in string.gmatch(mask or "", "[crl]") do script_events = script_events .. event_names[letter] .. " " end
  if count and count > 0 then script_events = script_events .. "#" end
  sethook(watch, mask or "", count and count > 0 and count or interval)
end
debug.gethook = function() return script_hook end

-- The host's own functions keep what they refer to for themselves.
local function is_host(f) return type(f) == "function" and getinfo(f, "S").source == "=[C]" end
for _, name in pairs { "getupvalue", "setupvalue", "upvalueid", "upvaluejoin", "getfenv", "setfenv" } do
  local original = debug[name]
  if original then
    debug[name] = function(f, ...)
      if is_host(f) or is_host((select(2, ...))) then return nil end
      return original(f, ...)
    end
  end
end
for _, name in pairs { "getlocal", "setlocal" } do
  local original = debug[name]
  debug[name] = function(target, ...)
    if type(target) == "number" then
      local info = getinfo(target + 1, "S")
      if info and info.source == "=[C]" then return nil end
      return original(target + 1, ...)
    end
    if is_host(target) then return nil end
    return original(target, ...)
  end
end
debug.getregistry = nil
debug.getuservalue, debug.setuservalue = nil, nil
debug.traceback = function(...)
  local text
  if type((...)) == "thread" or select("#", ...) == 0 then
    text = traceback(...)
  else
    local message, level = ...
    text = traceback(message, (level or 1) + 1)
  end
  return type(text) == "string" and (gsub(text, "%[C%]:%d+:", "[C]:")) or text
end

-- running -------------------------------------------------------------------------------------------------------

-- `debug.traceback` itself is the handler: it needs no Lua stack, of which a runaway recursion leaves none.
-- Returns true and the results, or false, the message and the traceback.
local function settle(ok, failure, ...)
  if ok then return true, failure, ... end
  local message, trace = failure, ""
  if type(message) == "string" then
    local start = 1
    local from = find(message, "\nstack traceback:\n", 1, true)
    while from do -- an error's own text may hold a traceback, too: the last is this error's
      start = from
      from = find(message, "\nstack traceback:\n", from + 1, true)
    end
    if start > 1 then message, trace = sub(message, 1, start - 1), sub(message, start) end
  elseif type(message) ~= "number" then
    local metatable = get_metatable(message)
    local described = type(metatable) == "table" and metatable.__tostring
    local done, text = pcall(tostring, message)
    message = described and done and text or "(error object is a " .. type(message) .. " value)"
  end
  return false, tostring(message), verdict and stopped_at or trace
end

local host = {}

function host.compile(code, name)
  local chunk, message = load_chunk(code, name)
  if chunk == nil then return nil, message end
  return dump(chunk)
end

function host.run(code)
  guard()
  local chunk, message = load_chunk(code)
  if chunk == nil then return false, message, "" end
  return settle(xpcall(chunk, traceback))
end

-- Makes `leg` the global of its UUID.
function host.session(uuid, leg) globals[uuid] = makers.Session(leg) end

-- Calls the global function `name` with the session, a word and what `thing` stands for: a key's digit and duration,
-- or an event, then the global `argument`. Returns true and what lua_tostring makes of the result and its type.
function host.callback(name, argument, uuid, leg, what, thing, ...)
  local f, self = globals[name], globals[uuid]
  if backing.Session[self or false] ~= leg then self = makers.Session(leg) end
  local values, count = { self, what }, 2
  if what == "dtmf" then
    count = 3
    values[3] = { digit = thing, duration = ... }
  elseif what == "event" then
    count = 3
    values[3] = makers.Event(thing)
    globals.__Input_Event__ = values[3]
  end
  if argument then
    count = count + 1
    values[count] = globals[argument]
  end
  local ok, result, trace = settle(xpcall(function() return f(table_unpack(values, 1, count)) end, traceback))
  if not ok then return false, result, trace end
  local kind = type(result)
  if kind == "number" then return true, tostring(result), kind end
  if kind ~= "string" then return true, nil, kind end
  return true, result, kind
end

-- Calls a row function with a table of the names and values that follow.
function host.row(f, count, ...)
  local row, pairs_ = {}, { ... }
  for i = 1, count * 2, 2 do row[pairs_[i]] = pairs_[i + 1] end
  local ok, result, trace = settle(xpcall(function() return f(row) end, traceback))
  if not ok then return false, result, trace end
  result = tonumber(result)
  return true, result ~= nil and (result >= 1 or result <= -1)
end

function host.rows(count, width, names, next_row)
  local rows, columns = {}, { names() }
  for i = 1, count do
    local row, values = {}, { next_row() }
    for j = 1, width do row[columns[j]] = values[j] end
    rows[i] = row
  end
  return rows
end

function host.global(name, object, class)
  if class then object = makers[class](object) end
  globals[name] = object
end

function host.wrap(object, class) return makers[class](object) end

function host.share(name, other) globals[other] = globals[name] end

function host.get(name) return globals[name] end

-- Sets where `require` looks, `;;` standing for Lua's own path.
function host.paths(path, c_path)
  local function set(name, wanted)
    if wanted == "" then return end
    local own = package[name]
    package[name] = (gsub(wanted, ";;", function() return ";" .. own .. ";" end))
  end
  set("path", path)
  set("cpath", c_path)
end

function host.finish()
  sethook()
  verdict = nil
end

-- Time follows the host's clock: `now()` is µs since the epoch, `ticks()` µs since the start.
function host.virtual_time(now, ticks)
  local os_time = os.time
  os.time = function(...)
    if (...) ~= nil then return os_time(...) end
    return now()
  end
  os.clock = function() return ticks() end
  os.date = function(format, time, ...)
    if time == nil then time = now() end
    return os_date(format or "%c", time, ...)
  end
end

function host.print(write)
  print = function(...)
    local parts = { ... }
    local count = select("#", ...)
    for i = 1, count do
      local text = globals.tostring(parts[i])
      if type(text) ~= "string" then error("'tostring' must return a string to 'print'", 2) end
      parts[i] = text
    end
    write(table.concat(parts, "\t", 1, count))
  end
end

return host
