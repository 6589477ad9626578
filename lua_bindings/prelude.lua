-- What every runtime executes before a script: the table `freeswitch`, the objects of its classes, the checks of
-- their arguments, the budget of uninterrupted Lua time, and the functions through which the host runs scripts.
-- It works in LuaJIT and in Lua 5.1 to 5.5. The chunk's name is "=[C]", so that tracebacks show its functions as
-- what they stand for: functions of the host.
--
-- `address_of(what, object)` is where a number of the host's lies that tells of changes.
-- `bind(class, name)` returns the byte code of a wrapper and the host's function behind it, or nothing. The tables
-- `classes` (name -> C type, base, whether it can be made), `functions` and `constants` stand before this text.
-- `rock(name)` returns the byte code of a rock, a table of the host's functions it is made of, and that of the border.
local bind, judge, address, handle, interval, use_jit, address_of, rock, late_code = ...

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

-- A short script ends before there is anything to collect; `host.run` lets the collector go on.
if newproxy then memory("stop") end

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

-- Numbers of the host's that Lua reads from memory: `reads[object]` has `ready` and `changes` of a session's channel.
local reads = setmetatable({}, { __mode = "k" })
local load_ffi, pointer, cast = package.preload.ffi, nil, nil

local function number(what, object)
  if not pointer then
    local loaded, former = package.loaded, package.loaded.ffi
    local ffi = load_ffi("ffi")
    loaded.ffi = former
    cast, pointer = ffi.cast, ffi.typeof("int32_t *")
  end
  local where = address_of(what, object)
  return where and cast(pointer, where)
end
rawset(backing, "number", number)
rawset(backing, "reads", reads)
rawset(backing, "read_from", function(object, session)
  local ready, changes = number("ready", session), number("variables", session)
  if ready and changes then
    reads[object] = { ready = ready, changes = changes, known = changes[0], values = {}, count = 0 }
  end
end)

-- late parts ----------------------------------------------------------------------------------------------------

-- What most scripts never need is compiled when it is first asked for: `late_code()` is its byte code. `core` is what
-- it knows of this chunk.
local core = { programs = setmetatable({}, { __mode = "k" }), open = io.open, kind = io.type }
local parts

local function late(name)
  if parts == nil then parts = load_chunk(late_code())(core) end
  return parts[name]
end

rawset(backing, "check", function(...) return late("check")(...) end)
print = function(...) return late("print")(...) end
io.popen = function(...) return late("popen")(...) end
os.execute = function(...) return late("execute")(...) end

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

-- Returns why the script must stop, if it must. A traceback may fail where no Lua stack is left.
local function look(level)
  local touched = shared[1]
  shared[1] = false
  verdict = judge(touched, (memory("count")))
  if verdict ~= nil then
    local done, text = pcall(traceback, "", level + 2)
    stopped_at = done and text or ""
  end
  return verdict
end

local function watch()
  if verdict == nil then
    if look(1) == nil then return end
    sethook(watch, "", 1)
  end
  local running = getinfo(2, "S")
  if running and running.source == "=[C]" then return end
  error(verdict, 2)
end

-- Where a recursion has used up the stack, the watch itself fails, and only a script that catches the error goes on:
-- so every so many errors that it catches are looked at, too, by pcall and its like at the place where they return.
local errors_caught = 0
local function caught(ok, ...)
  if not ok and interval > 0 then
    errors_caught = errors_caught + 1
    if verdict == nil and errors_caught > 10 then
      errors_caught = 0
      if look(1) ~= nil then sethook(watch, "", 1) end
    end
    if verdict ~= nil then
      local level, place = 2, getinfo(2, "S")
      while place and place.what == "tail" do -- Lua 5.1 counts tail calls as levels
        level = level + 1
        place = getinfo(level, "S")
      end
      error(verdict, level)
    end
  end
  return ok, ...
end
globals.pcall = function(...)
  if select("#", ...) == 0 then error("bad argument #1 to 'pcall' (value expected)", 2) end
  return caught(pcall(...))
end

local function guard(coroutine_)
  if coroutine_ then
    sethook(coroutine_, watch, "", verdict and 1 or interval)
  elseif interval > 0 then
    sethook(watch, "", verdict and 1 or interval)
  end
end

local is_luajit = jit ~= nil
if is_luajit then
  -- Compiled traces never look at hooks, so a runaway script could not be stopped.
  if not use_jit then jit.off() end
  jit = nil
  -- A function that hands out a chunk is called here, for the parser calls it where no hook runs.
  local plain_load = load
  load = function(chunk, ...)
    if type(chunk) ~= "function" then return plain_load(chunk, ...) end
    local parts = {}
    local done, failure = pcall(function()
      local part = chunk()
      while part ~= nil and part ~= "" do
        if type(part) ~= "string" then error("reader function must return a string", 0) end
        parts[#parts + 1] = part
        part = chunk()
      end
    end)
    if not done then return nil, failure end
    if (...) ~= nil then return plain_load(table.concat(parts), ...) end
    return plain_load(table.concat(parts), "=(load)", select(2, ...))
  end
  for _, name in pairs { "jit", "jit.opt", "jit.util", "jit.profile", "ffi" } do
    package.loaded[name], package.preload[name] = nil, nil
  end
end

-- Plain Lua's hooks belong to one coroutine. LuaJIT and Lua 5.1 do not count coroutines that resume each other, until
-- no stack of C is left, and the process dies.
local depth, deepest = 0, 190
local function leave(...)
  depth = depth - 1
  return caught(...)
end
local function pass(ok, ...)
  if not ok then error((...), 0) end
  return ...
end
local function resume_counted(...)
  if depth >= deepest then return caught(false, "C stack overflow") end
  depth = depth + 1
  return leave(resume(...))
end
if new_proxy then
  coroutine.resume = function(...)
    if type((...)) ~= "thread" then return resume(...) end
    return resume_counted(...)
  end
else
  coroutine.resume = function(...) return caught(resume(...)) end
end
if not is_luajit then
  coroutine.create = function(f)
    local made = create(f)
    if interval > 0 then guard(made) end
    return made
  end
end
local function wrap(f)
  local made = coroutine.create(f)
  local resume_it = new_proxy and resume_counted or resume
  return function(...) return pass(resume_it(made, ...)) end
end
coroutine.wrap = wrap
if new_proxy then
  local depth_of_gsub = 0
  -- A function as replacement: each turn of a recursion through it takes 10 kB of C's stack.
  string.gsub = function(...)
    if type((select(3, ...))) ~= "function" then return gsub(...) end
    if depth_of_gsub >= deepest then error("C stack overflow", 2) end
    depth_of_gsub = depth_of_gsub + 1
      local ok, failure, count = pcall(gsub, ...)
    depth_of_gsub = depth_of_gsub - 1
    if not ok then error(failure, 0) end
    return failure, count
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
  return caught(with_handler(f, ...))
end
newproxy = nil -- not in Lua 5.2, and its finalizers run where no hook does

-- A hook of the script's would run where no other hook does, so that nothing could stop it.
debug.sethook = function(hook)
  if type(hook) == "function" or type(hook) == "thread" then error("debug.sethook: the hook is the host's", 2) end
end
debug.gethook = function() return nil end

-- A finalizer would run where no hook does. So the collector only notes whose turn it is, and the script's functions
-- run at its next call of `collectgarbage` or `setmetatable`, and at its end.
local finalize_all
if not new_proxy then
  local plain_setmetatable, plain_debug_setmetatable, collect = setmetatable, set_metatable, collectgarbage
  local sentinels, due, finalizing = setmetatable({}, { __mode = "k" }), {}, false
  local announcing = { __gc = function(sentinel) due[#due + 1] = sentinel[1] end }
  local function finalize()
    if finalizing then return end
    finalizing = true
    while due[1] ~= nil and verdict == nil do
      local object = table.remove(due, 1)
      local metatable = get_metatable(object)
      local finalizer = type(metatable) == "table" and rawget(metatable, "__gc")
      if type(finalizer) == "function" then pcall(finalizer, object) end
    end
    finalizing = false
  end
  finalize_all = function()
    for object in pairs(sentinels) do due[#due + 1] = object end
    finalize()
  end
  local function without_finalizer(set, object, metatable)
    local finalizer = type(metatable) == "table" and rawget(metatable, "__gc")
    if finalizer then rawset(metatable, "__gc", nil) end
    local ok, failure = pcall(set, object, metatable)
    if finalizer then rawset(metatable, "__gc", finalizer) end
    if not ok then error(gsub(gsub(failure, "^%[C%]:%d+: ", ""), "'%?'", "'setmetatable'"), 3) end
    if finalizer and type(object) == "table" and sentinels[object] == nil then
      sentinels[object] = plain_setmetatable({ object }, announcing)
    end
    return failure
  end
  globals.setmetatable = function(...)
    if due[1] ~= nil then finalize() end
    local object, metatable = ...
    if select("#", ...) < 2 then metatable = false end
    return (without_finalizer(plain_setmetatable, object, metatable))
  end
  debug.setmetatable = function(object, metatable)
    return (without_finalizer(plain_debug_setmetatable, object, metatable))
  end
  globals.collectgarbage = function(...)
    local a, b, c = collect(...)
    finalize()
    return a, b, c
  end
end

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

-- rocks ---------------------------------------------------------------------------------------------------------

-- The second place where `require` looks, after package.preload and before the file system.
local file_address, border = get_metatable(io.stdout).__tostring, nil

local function find_rock(name)
  local code, functions, border_code = rock(name)
  if code == nil then return nil end
  if border == nil then
    local function new_object()
      if new_proxy then return new_proxy() end
      return handle()
    end
    border = load_chunk(border_code)(
      new_object, set_metatable, get_metatable, address, shared, select, type, error, tostring, table_unpack, pairs,
      file_address
    )
  end
  functions = border.enclose(functions)
  return function() return load_chunk(code)(functions, border, name) end
end

table.insert(package.searchers or package.loaders, 2, find_rock)

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
  if new_proxy then memory("restart", -1) end
  guard()
  local chunk, message = load_chunk(code)
  if chunk == nil then return false, message, "" end
  return settle(xpcall(chunk, traceback))
end

-- Makes `leg` the global of its UUID.
function host.session(uuid, leg) globals[uuid] = makers.Session(leg) end

-- A session object stands for another call, or none.
function host.forget_reads()
  for object in pairs(reads) do reads[object] = nil end
end

function host.global(name, object, class)
  if class then object = makers[class](object) end
  globals[name] = object
end

function host.wrap(object, class) return makers[class](object) end

function host.share(name, other) globals[other] = globals[name] end

function host.get(name) return globals[name] end

-- What Lua's own end would do with the host's lock held: finalizers, and waiting for what `io.popen` started.
function host.finish()
  if finalize_all then finalize_all() end
  if next(core.programs) ~= nil then late("close_pipes")() end
end

-- The host's functions: `write` of print, and those of programs (start, opened, wait, execute).
function host.begin(...) core.host = { ... } end

-- A function of the late parts.
host.late = late

core.backing, core.class_of, core.makers, core.shared, core.settle = backing, class_of, makers, shared, settle
core.get_metatable, core.globals, core.table_unpack, core.traceback = get_metatable, globals, table_unpack, traceback
core.type, core.select, core.error, core.pcall, core.xpcall = type, select, error, pcall, xpcall
core.tostring, core.tonumber, core.pairs, core.next = tostring, tonumber, pairs, next
core.gsub, core.io, core.os, core.package, core.concat = gsub, io, os, package, table.concat

return host
