-- What every runtime executes before a script: the table `freeswitch`, the objects of its classes, the checks of
-- their arguments, the budget of uninterrupted Lua time, and the functions through which the host runs scripts.
-- It works in LuaJIT and in Lua 5.1 to 5.5. The chunk's name is "=[C]", so that tracebacks show its functions as
-- what they stand for: functions of the host.
--
-- `bind(class, name)` returns the byte code of a wrapper and the host's function behind it, or nothing.
-- `ask(what, …)` answers what is needed more rarely: `describe` a name of the table `freeswitch` (a class's C type, its
-- base, whether it can be made; false for a function, a number for a constant) and all `names`; the byte code of the
-- `late` parts and the host's `functions` for them; a `rock`'s byte code, a table of the host's functions it is made of
-- and the byte code of the border; the `address` of an object; a new `handle`; where a number of the host's lies
-- that tells of changes; and for a chunk whose `syntax` is refused, what stands for it or Lua 5.2's words for that.
local bind, judge, ask, interval, use_jit = ...

local type, select, error, pcall, xpcall, tostring, tonumber = type, select, error, pcall, xpcall, tostring, tonumber
local pairs, rawget, rawset, setmetatable, next = pairs, rawget, rawset, setmetatable, next
local load_chunk = loadstring or load
local sethook, traceback, getinfo = debug.sethook, debug.traceback, debug.getinfo
local get_metatable, set_metatable = debug.getmetatable, debug.setmetatable
local gsub, find, sub, dump = string.gsub, string.find, string.sub, string.dump
local new_proxy, create, resume = newproxy, coroutine.create, coroutine.resume
local memory = collectgarbage
local globals = _G

-- A short script ends before there is anything to collect; `host.run` lets the collector go on.
if newproxy then memory("stop") end

python = nil
package.loaded.python, package.loaded.lupa = nil, nil

-- `shared[1]` is set by each call of the host: the budget counts the time in which none is made.
local shared = { false }

-- objects -------------------------------------------------------------------------------------------------------

-- For each class: userdata -> the host's object. Weak keys: what a script drops is dropped by the host, too.
local backing, class_of, class_named = {}, {}, {}
local late

-- Reads and writes of what is no method go through `members(object, name, is_setting, value)`, if the class has any.
local members_of = setmetatable({}, {
  __index = function(t, name)
    local members = bind(name, false) or false
    t[name] = members
    return members
  end,
})
local function member(object, key)
  local name = class_named[get_metatable(object)]
  local members = members_of[name]
  if not members or type(key) ~= "string" then return nil end
  local host = backing[name][object]
  if host == nil then return nil end
  local value, opaque = members(host, key)
  if opaque then return backing.wrap(value, opaque) end
  return value
end
local function set_member(...) late("set_member")(...) end
local function show_object(object) return late("show_object")(object) end
local function same_object(...) return late("same_object")(...) end

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
    __pairs = function(methods)
      for _, own in pairs { ask("names", name) } do local _ = methods[own] end
      return next, methods, nil
    end,
  })
  local prototype, metatable
  if new_proxy then
    prototype = new_proxy(true)
    metatable = get_metatable(prototype)
  else
    metatable = {}
  end
  class_of[metatable], class_named[metatable] = ctype, name
  metatable.__index = function(object, key)
    local method = methods[key]
    if method ~= nil then return method end
    return member(object, key)
  end
  metatable.__newindex, metatable.__tostring, metatable.__eq = set_member, show_object, same_object
  metatable[".type"], metatable[".fn"] = name, methods
  if new_proxy then
    return function(host)
      local object = new_proxy(prototype)
      objects[object] = host
      return object
    end
  end
  metatable.__gc = late("release")
  return function(host)
    local object = ask("handle")
    set_metatable(object, metatable)
    objects[object] = host
    return object
  end
end

local makers = setmetatable({}, {
  __index = function(makers, name)
    local ctype, base = ask("describe", name)
    local maker
    if ctype then
      maker = make_class(name, ctype, base)
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

rawset(backing, "maker", function(class) return makers[class] end)
rawset(backing, "wrap", function(host, class) return makers[class](host) end)

-- Numbers of the host's that Lua reads from memory: `reads[object]` has `ready` and `changes` of a session's channel.
local reads = setmetatable({}, { __mode = "k" })
rawset(backing, "number", function(...) return late("number")(...) end)
rawset(backing, "read_from", function(...) return late("read_from")(...) end)
rawset(backing, "reads", reads)

-- late parts ----------------------------------------------------------------------------------------------------

-- What most scripts never need is compiled when it is first asked for. `core` is what it knows of this chunk.
local programs, load_ffi = setmetatable({}, { __mode = "k" }), package.preload.ffi
local core, parts

late = function(name)
  if parts == nil then parts = load_chunk(ask("late"))(core) end
  return parts[name]
end

-- A table that a late part fills when it is first looked at for what it lacks.
local function filled_later(incomplete, part)
  local function fill()
    setmetatable(incomplete, nil)
    late(part)(incomplete)
  end
  return setmetatable(incomplete, {
    __index = function(t, key)
      fill()
      return t[key]
    end,
    __pairs = function(t)
      fill()
      return next, t, nil
    end,
  })
end

rawset(backing, "check", function(...) return late("check")(...) end)
print = function(...) return late("print")(...) end
swig_type = function(...) return late("swig_type")(...) end
swig_equals = function(...)
  local a, b = ...
  if type(a) == "userdata" and type(b) == "userdata" then return a == b end
end
io.popen = function(...) return late("popen")(...) end
os.execute = function(...) return late("execute")(...) end

-- the table freeswitch ------------------------------------------------------------------------------------------

-- Names come into the table when they are first looked at: most scripts use a handful. What a script sets or
-- removes stays so.
freeswitch = {}
local looked_at = {}

local function make_name(name)
  if looked_at[name] or type(name) ~= "string" then return nil end
  local made
  local described, _, can_be_made = ask("describe", name)
  if type(described) == "number" then
    made = described
  elseif described then
    made = setmetatable({}, {
      __call = can_be_made and function(class_table, ...)
        local code, host = bind(name, true)
        local constructor = load_chunk(code)(host, backing, shared, select, type, error)
        get_metatable(class_table).__call = constructor
        return constructor(class_table, ...)
      end or nil,
    })
  elseif described == false then
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
    for _, name in pairs { ask("names") } do local _ = t[name] end
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
-- Set below for versions whose errors read otherwise than Lua 5.2's: returns the text, of a call of `f` if it is known.
local reworded = function(message) return message end
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
local function caught_from(f, ok, ...)
  if ok then return true, ... end
  return caught(false, reworded((...), f))
end
globals.pcall = function(...)
  if select("#", ...) == 0 then error("bad argument #1 to 'pcall' (value expected)", 2) end
  return caught_from((...), pcall(...))
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
  local function load_text(chunk, ...)
    local f, message = plain_load(chunk, ...)
    if f then return f end
    -- What this parser refuses may be Lua 5.2, and else the text is to be that of 5.2.
    local code, other = ask("syntax", chunk, ...)
    if code then return plain_load(code, (...) or chunk, select(2, ...)) end
    return nil, other or message
  end
  local function is_text(value) return value == nil or type(value) == "string" end
  load = function(...)
    local chunk, name, mode = ...
    if type(chunk) == "string" and is_text(name) and is_text(mode) then return load_text(...) end
    if type(chunk) ~= "function" then return plain_load(...) end
    return late("load_parts")(load_text, ...)
  end
  loadstring = load
  for _, name in pairs { "jit", "jit.opt", "jit.util", "jit.profile", "ffi" } do
    package.loaded[name], package.preload[name] = nil, nil
  end
end

-- Plain Lua's hooks belong to one coroutine. LuaJIT and Lua 5.1 do not count coroutines that resume each other, until
-- no stack of C is left, and the process dies.
local depth, deepest = 0, 190
local function leave(ok, ...)
  depth = depth - 1
  if ok then return true, ... end
  return caught(false, reworded((...)))
end
-- The place of the call goes before a text, as in Lua; what stops a script stays as it is.
local function pass(ok, ...)
  if not ok then error((...), verdict == nil and 2 or 0) end
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
local function wrap(...)
  local f = ...
  if type(f) ~= "function" then
    local got = select("#", ...) == 0 and "no value" or type(f)
    error("bad argument #1 to 'wrap' (function expected, got " .. got .. ")", 2)
  end
  local made = coroutine.create(f)
  local resume_it = new_proxy and resume_counted or resume
  return function(...) return pass(resume_it(made, ...)) end
end
coroutine.wrap = wrap
if new_proxy then
  string.gsub = function(...)
    local text, pattern, by = ...
    if type(by) == "string" then
      if find(by, "%", 1, true) and find(gsub(by, "%%[%d%%]", ""), "%", 1, true) and find(text, pattern) then
        error("invalid use of '%' in replacement string", 2)
      end
    elseif type(by) == "function" and type(text) == "string" and type(pattern) == "string" then
      return late("gsub")(...)
    end
    return gsub(...)
  end
end

-- The error that stops a script is raised from a hook, where no other hook runs: its handlers are passed by.
local function with_handler(f, handler, ...)
  return xpcall(f, function(message)
    if verdict then return message end
    return handler(reworded(message))
  end, ...)
end
-- Lua 5.2 takes what is no function for a handler that fails.
local function without_handler(ok, ...)
  if ok then return true, ... end
  return false, "error in error handling"
end
globals.xpcall = function(f, ...)
  local handler = ...
  if type(handler) ~= "function" then
    if select("#", ...) == 0 then error("bad argument #2 to 'xpcall' (value expected)", 2) end
    if not new_proxy then return xpcall(f, ...) end
    return without_handler(caught(pcall(f, select(2, ...))))
  end
  return caught(with_handler(f, ...))
end
newproxy = nil -- not in Lua 5.2, and its finalizers run where no hook does

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
  return false, tostring(reworded(message)), verdict and stopped_at or trace
end

core = {
  ask = ask, backing = backing, bit = bit, class_named = class_named, class_of = class_of,
  concat = table.concat, debug = debug, deepest = deepest, error = error, find = find, floor = math.floor, get_metatable = get_metatable, getinfo = getinfo, globals = globals,
  gsub = gsub, io = io, load_chunk = load_chunk, load_ffi = load_ffi, makers = makers, members_of = members_of, memory = memory,
  new_proxy = new_proxy, next = next, open = io.open, os = os, package = package, pairs = pairs, pcall = pcall, programs = programs,
  rawget = rawget, rawset = rawset, reads = reads, remove = table.remove, select = select, set_metatable = set_metatable,
  setmetatable = setmetatable, settle = settle, shared = shared, stopped = function() return verdict ~= nil end,
  tonumber = tonumber, tostring = tostring, traceback = traceback, type = type, type_of_file = io.type,
  unpack = table.unpack or unpack, xpcall = xpcall,
}

if not new_proxy then late("own_finalizers")() end

-- The host's functions keep what they refer to for themselves. `debug.traceback` must be there from the start: see
-- `steady`.
debug = filled_later({
  getinfo = getinfo, getmetatable = get_metatable, setmetatable = debug.setmetatable,
  traceback = function(...)
    local text
    if type((...)) == "thread" or select("#", ...) == 0 then
      text = traceback(...)
    else
      local message, level = ...
      text = traceback(message, (level or 1) + 1)
    end
    return type(text) == "string" and (gsub(text, "%[C%]:%d+:", "[C]:")) or text
  end,
}, "debug")
package.loaded.debug = debug

-- rocks ---------------------------------------------------------------------------------------------------------

-- The second place where `require` looks, after package.preload and before the file system. Rocks with names that many
-- modules have give way to a script's own.
table.insert(package.searchers or package.loaders, 2, function(name) return late("rock")(name) end)

-- running -------------------------------------------------------------------------------------------------------

-- Whoever calls Lua from the host looks for `debug.traceback` where no error may happen: in a script that has taken it
-- away, metamethods could raise one, and the process would end. So the host turns this into text before each call.
local steady = setmetatable({}, {
  __tostring = function()
    local d = rawget(globals, "debug")
    if d == nil and get_metatable(globals) ~= nil then
      rawset(globals, "debug", false)
    elseif type(d) == "table" and rawget(d, "traceback") == nil and get_metatable(d) ~= nil then
      rawset(d, "traceback", false)
    end
    return ""
  end,
})

local host = {}

function host.compile(code, name)
  local chunk, message = load_chunk(code, name)
  if chunk == nil then return nil, message end
  return dump(chunk)
end

-- Gives the script what it was started with: the stream and the event `env` if there are any, the UUID under which its
-- session is known already, and `argv` with so many words from 0 on.
function host.begin(stream, env, uuid, count, ...)
  if stream then globals.stream = makers.Stream(stream) end
  if env then globals.env = makers.Event(env) end
  if uuid then globals.session = globals[uuid] end
  if count then
    local argv = { select(2, ...) }
    argv[0] = ...
    globals.argv = argv
  end
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

function host.global(name, object, class)
  if class then object = makers[class](object) end
  globals[name] = object
end

-- A function of the late parts.
host.late = late
