-- What few scripts need of the host's part in Lua: errors of wrong arguments, callbacks, rows of databases, programs,
-- `print`, paths and the time of simulated calls. The prelude compiles it when one of them is first asked for; `core` is
-- what it shares. Scripts may have changed every global by then.
local core = ...

local ask, backing, class_of, makers, shared, settle =
  core.ask, core.backing, core.class_of, core.makers, core.shared, core.settle
local get_metatable, set_metatable, globals, traceback =
  core.get_metatable, core.set_metatable, core.globals, core.traceback
local type, select, error, pcall, xpcall = core.type, core.select, core.error, core.pcall, core.xpcall
local tostring, tonumber, pairs, gsub, io, os = core.tostring, core.tonumber, core.pairs, core.gsub, core.io, core.os
local rawget, rawset, setmetatable, load_chunk = core.rawget, core.rawset, core.setmetatable, core.load_chunk
local new_proxy, getinfo, package, reads = core.new_proxy, core.getinfo, core.package, core.reads
local concat, table_unpack = core.concat, core.unpack
local parts = {}

-- objects -------------------------------------------------------------------------------------------------------

function parts.show_object(object)
  local metatable = get_metatable(object)
  local name = core.class_named[metatable]
  local host = backing[name][object]
  -- SWIG knows how to show objects of classes only.
  if not ask("describe", name) then return "userdata: " .. ask("address", host) end
  return "<userdata of type '" .. class_of[metatable] .. " *' at " .. ask("address", host) .. ">"
end

function parts.set_member(object, key, value)
  local refusal
  local name = core.class_named[get_metatable(object)]
  local members, host = core.members_of[name], backing[name][object]
  if members and type(key) == "string" and host ~= nil then
    local got = parts.type_name(value)
    if got ~= "string" and got ~= "number" then value = nil end
    refusal = members(host, key, true, value, got, value and tonumber(value))
  else
    refusal = "Assignment not possible. No setter/member with this name. "
      .. "For custom assignments implement __setitem method."
  end
  if refusal then error(refusal, 3) end
end

-- The finalizer of objects made of the host's handles: what the host keeps for a handle is found by its first metatable.
if not new_proxy then
  local of_handles, bare = get_metatable(ask("handle")), {}
  local let_go = of_handles.__gc
  function parts.release(object)
    if type(object) ~= "userdata" then return end
    set_metatable(object, of_handles)
    let_go(object)
    set_metatable(object, bare)
  end
end

local cast, pointer
local function number(what, object)
  if not pointer then
    local loaded, former = package.loaded, package.loaded.ffi
    local ffi = core.load_ffi("ffi")
    loaded.ffi = former
    cast, pointer = ffi.cast, ffi.typeof("int32_t *")
  end
  local where = ask("number", what, object)
  return where and cast(pointer, where)
end
parts.number = number

function parts.read_from(object, session)
  local ready, changes = number("ready", session), number("variables", session)
  if ready and changes then
    reads[object] = { ready = ready, changes = changes, known = changes[0], values = {}, count = 0 }
  end
end

-- A session object stands for another call, or none.
function parts.forget_reads()
  for object in pairs(reads) do reads[object] = nil end
end

-- arguments -----------------------------------------------------------------------------------------------------

local function type_name(value)
  local name = type(value)
  if name == "userdata" then
    local ctype = class_of[get_metatable(value)]
    if not ctype then return "userdata (unknown type)" end
    return ctype .. (ctype:sub(-1) == "*" and "*" or " *")
  end
  return name
end

parts.type_name = type_name
function parts.swig_type(...)
  if select("#", ...) == 0 then return "no value" end
  return type_name((...))
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
function parts.check(spec, count, ...)
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
      values[i] = value == value and tostring(value) or "-nan"
    elseif name == "string" and (kind == "N" or kind == "U") then
      values[i] = tonumber(value)
    elseif argument[3] then
      local _, object = pointed(argument[3], value)
      values[i] = object
    end
  end
  return nil, table_unpack(values, 1, count)
end

-- what the host calls --------------------------------------------------------------------------------------------

-- Calls the global function `name` with the session, a word and what `thing` stands for: a key's digit and duration,
-- or an event, then the global `argument`. Returns true and what lua_tostring makes of the result and its type.
function parts.callback(name, argument, uuid, leg, what, thing, ...)
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

function parts.get(name) return globals[name] end

-- Calls a row function with a table of the names and values that follow.
function parts.row(f, count, ...)
  local row, pairs_ = {}, { ... }
  for i = 1, count * 2, 2 do row[pairs_[i]] = pairs_[i + 1] end
  local ok, result, trace = settle(xpcall(function() return f(row) end, traceback))
  if not ok then return false, result, trace end
  result = tonumber(result)
  return true, result ~= nil and (result >= 1 or result <= -1)
end

function parts.rows(count, width, names, next_row)
  local rows, columns = {}, { names() }
  for i = 1, count do
    local row, values = {}, { next_row() }
    for j = 1, width do row[columns[j]] = values[j] end
    rows[i] = row
  end
  return rows
end

-- Sets where `require` looks, `;;` standing for Lua's own path.
function parts.paths(path, c_path)
  local function set(name, wanted)
    if wanted == "" then return end
    local own = package[name]
    package[name] = (gsub(wanted, ";;", function() return ";" .. own .. ";" end))
  end
  set("path", path)
  set("cpath", c_path)
end

-- Time follows the host's clock: `now()` is µs since the epoch, `ticks()` µs since the start.
function parts.virtual_time(now, ticks)
  local os_time, os_date = os.time, os.date
  os.time = function(...)
    if (...) ~= nil then return os_time(...) end
    return now()
  end
  os.clock = function() return ticks() end
  os.date = function(...)
    local format, time = ...
    if format ~= nil and time ~= nil then return os_date(...) end
    return os_date(format == nil and "%c" or format, time == nil and now() or time)
  end
end

-- programs and print ----------------------------------------------------------------------------------------------

-- Programs behind pipes: file -> number. A pipe that a script leaves open is closed at its end.
do
  local programs, open, kind = core.programs, core.open, core.type_of_file
  local write, start, opened, wait, execute
  local function ask_functions()
    if write == nil then write, start, opened, wait, execute = ask("functions") end
  end
  local methods = get_metatable(io.stdout).__index
  local close_file, close_any = methods.close, io.close
  local function text_of(name, ...)
    local value = ...
    if type(value) == "number" then return tostring(value) end
    if type(value) == "string" then return value end
    local got = select("#", ...) == 0 and "no value" or type(value)
    error("bad argument #1 to '" .. name .. "' (string expected, got " .. got .. ")", 3)
  end
  local function close_program(file)
    local number = programs[file]
    programs[file] = nil
    close_file(file)
    shared[1] = true
    return wait(number)
  end
  methods.close = function(file, ...)
    if file ~= nil and programs[file] then return close_program(file) end
    return close_file(file, ...)
  end
  io.close = function(file, ...)
    if file == nil then return close_any() end
    if programs[file] then return close_program(file) end
    return close_any(file, ...)
  end
  function parts.popen(...)
    local command, mode = text_of("popen", ...), select(2, ...)
    if mode == nil then mode = "r" end
    if mode ~= "r" and mode ~= "w" then return nil, command .. ": Invalid argument", 22 end
    ask_functions()
    shared[1] = true
    local path, number, code = start(command, mode)
    if path == nil then return nil, command .. ": " .. number, code end
    local file, message
    file, message, code = open(path, mode)
    opened(number)
    if file == nil then
      wait(number)
      return nil, command .. ": " .. message, code
    end
    programs[file] = number
    return file
  end
  function parts.execute(command)
    if command == nil then return true end
    command = text_of("execute", command)
    ask_functions()
    shared[1] = true
    return execute(command)
  end
  -- What Lua's own end would do with the host's lock held: finalizers, and waiting for what `io.popen` started.
  function parts.finish()
    if parts.finalize_all then parts.finalize_all() end
    for file in pairs(programs) do
      if kind(file) == "file" then pcall(close_program, file) end
    end
  end

  function parts.print(...)
    local texts, count = { ... }, select("#", ...)
    for i = 1, count do
      local text = globals.tostring(texts[i])
      if type(text) ~= "string" then error("'tostring' must return a string to 'print'", 2) end
      texts[i] = text
    end
    ask_functions()
    write(concat(texts, "\t", 1, count))
  end
end

-- Lua's own functions -------------------------------------------------------------------------------------------

do
  local deepest, depth = core.deepest, 0

  -- A function as replacement: each turn of a recursion through it takes 10 kB of C's stack.
  function parts.gsub(text, pattern, by, ...)
    if depth >= deepest then error("C stack overflow", 2) end
    depth = depth + 1
    local own, replace = true, by -- whether the error is not the script's function's
    replace = function(...)
      own = false
      local value = by(...)
      own = true
      return value
    end
    local ok, failure, count = pcall(gsub, text, pattern, replace, ...)
    depth = depth - 1
    if not ok then error(failure, own and 2 or 0) end
    return failure, count
  end
end

-- `load` with a function that hands out the chunk's parts.
function parts.load_parts(load, chunk, ...)
  local texts = {}
  local done, failure = pcall(function()
    local part = chunk()
    while part ~= nil and part ~= "" do
      if type(part) ~= "string" then error("reader function must return a string", 0) end
      texts[#texts + 1] = part
      part = chunk()
    end
  end)
  if not done then return nil, failure end
  if (...) ~= nil then return load(concat(texts), ...) end
  return load(concat(texts), "=(load)", select(2, ...))
end

-- A finalizer would run where no hook does. So the collector only notes whose turn it is, and the script's functions
-- run at its next call of `collectgarbage` or `setmetatable`, and at its end.
function parts.own_finalizers()
  local collect, remove, stopped = core.memory, core.remove, core.stopped
  local sentinels, due, finalizing = setmetatable({}, { __mode = "k" }), {}, false
  local announcing = { __gc = function(sentinel) due[#due + 1] = sentinel[1] end }
  local function finalize()
    if finalizing then return end
    finalizing = true
    while due[1] ~= nil and not stopped() do
      local object = remove(due, 1)
      local metatable = get_metatable(object)
      local finalizer = type(metatable) == "table" and rawget(metatable, "__gc")
      if type(finalizer) == "function" then pcall(finalizer, object) end
    end
    finalizing = false
  end
  function parts.finalize_all()
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
      sentinels[object] = setmetatable({ object }, announcing)
    end
    return failure
  end
  globals.setmetatable = function(...)
    if due[1] ~= nil then finalize() end
    local object, metatable = ...
    if select("#", ...) < 2 then metatable = false end
    return (without_finalizer(setmetatable, object, metatable))
  end
  core.debug.setmetatable = function(object, metatable)
    return (without_finalizer(set_metatable, object, metatable))
  end
  local function finalized(...)
    finalize()
    return ...
  end
  globals.collectgarbage = function(...)
    if select("#", ...) > 0 and (...) ~= nil and not pcall(collect, ...) then
      error("bad argument #1 to 'collectgarbage' (invalid option '" .. tostring((...)) .. "')", 2)
    end
    return finalized(collect(...))
  end
end

-- Fills the table `debug`. Of the host's own functions it tells nothing that they refer to, and a script's hook would
-- run where no other hook does, so that nothing could stop it.
function parts.debug(made)
  local plain, inner = core.debug, {}
  local function is_host(f) return type(f) == "function" and getinfo(f, "S").source == "=[C]" end
  for _, name in pairs { "getupvalue", "setupvalue", "upvalueid", "upvaluejoin", "getfenv", "setfenv" } do
    local original = plain[name]
    if original then
      inner[name] = function(f, ...)
        if is_host(f) or is_host((select(2, ...))) then return nil end
        return original(f, ...)
      end
    end
  end
  for _, name in pairs { "getlocal", "setlocal" } do
    local original = plain[name]
    inner[name] = function(target, ...)
      if type(target) == "number" then
        local info = getinfo(target + 1, "S")
        if info and info.source == "=[C]" then return nil end
        return original(target + 1, ...)
      end
      if is_host(target) then return nil end
      return original(target, ...)
    end
  end
  inner.sethook = function(hook)
    if type(hook) == "function" or type(hook) == "thread" then error("debug.sethook: the hook is the host's", 2) end
  end
  inner.gethook = function() return nil end
  inner.getregistry, inner.getuservalue, inner.setuservalue = false, false, false
  for name, f in pairs(plain) do
    if inner[name] == nil then inner[name] = f end
  end
  for name, f in pairs(inner) do
    if f and rawget(made, name) == nil then made[name] = f end
  end
end

-- Fills the table `bit32` of Lua 5.2 with what LuaJIT's `bit` can do.
function parts.bit32(made)
  local bit, floor = core.bit, core.floor
  local function unsigned(n) return n % 4294967296 end
  -- The function of that name calls it: `level` 3 is the script.
  local function argument(name, index, count, value, level)
    local number = tonumber(value)
    if type(value) == "number" or (type(value) == "string" and number) then return number end
    local got = index > count and "no value" or type(value)
    error("bad argument #" .. index .. " to '" .. name .. "' (number expected, got " .. got .. ")", level or 3)
  end
  -- Lua 5.2 rounds to the nearest, and to the even one of two.
  local function whole(...)
    local n = argument(...)
    local low = floor(n)
    if n - low > 0.5 or (n - low == 0.5 and low % 2 == 1) then low = low + 1 end
    return bit.tobit(low % 4294967296)
  end
  local function integer(...)
    local n = argument(...)
    return n < 0 and -floor(-n) or floor(n)
  end
  local function fold(name, operation, start)
    return function(...)
      local result, count = start, select("#", ...)
      for i = 1, count do result = operation(result, whole(name, i, count, (select(i, ...)), 4)) end
      return unsigned(result)
    end
  end
  local test = fold("btest", bit.band, -1)
  local function shift(n, by) -- to the left
    if by > 31 or by < -31 then return 0 end
    return unsigned(by < 0 and bit.rshift(n, -by) or bit.lshift(n, by))
  end
  local function shifting(name, operation)
    return function(...)
      local count, n, by = select("#", ...), ...
      if name == "arshift" then argument(name, 1, count, n) end -- the others look at the second first
      local by_ = integer(name, 2, count, by, 4)
      return operation(whole(name, 1, count, n, 4), by_)
    end
  end
  local function field_mask(name, at, count, field, width)
    field = integer(name, at, count, field, 5)
    width = width == nil and 1 or integer(name, at + 1, count, width, 5)
    if field < 0 then error("bad argument #" .. at .. " to '" .. name .. "' (field cannot be negative)", 3) end
    if width < 1 then error("bad argument #" .. at + 1 .. " to '" .. name .. "' (width must be positive)", 3) end
    if field + width > 32 then error("trying to access non-existent bits", 3) end
    return field, 2 ^ width - 1
  end
  local ready = {
    band = fold("band", bit.band, -1), bor = fold("bor", bit.bor, 0), bxor = fold("bxor", bit.bxor, 0),
    btest = function(...)
      local count = select("#", ...)
      for i = 1, count do argument("btest", i, count, (select(i, ...))) end
      return test(...) ~= 0
    end,
    bnot = function(...) return unsigned(bit.bnot(whole("bnot", 1, select("#", ...), (...), 4))) end,
    lshift = shifting("lshift", shift),
    rshift = shifting("rshift", function(n, by) return shift(n, -by) end),
    arshift = shifting("arshift", function(n, by)
      if by < 0 then return shift(n, -by) end
      return unsigned(bit.arshift(n, by > 31 and 31 or by))
    end),
    lrotate = shifting("lrotate", function(n, by) return unsigned(bit.rol(n, by % 32)) end),
    rrotate = shifting("rrotate", function(n, by) return unsigned(bit.ror(n, by % 32)) end),
    extract = function(...)
      local count, n, field, width = select("#", ...), ...
      n = whole("extract", 1, count, n, 4)
      local at, mask = field_mask("extract", 2, count, field, width)
      return unsigned(bit.band(bit.rshift(n, at), mask))
    end,
    replace = function(...)
      local count, n, value, field, width = select("#", ...), ...
      n, value = whole("replace", 1, count, n, 4), whole("replace", 2, count, value, 4)
      local at, mask = field_mask("replace", 3, count, field, width)
      local there = bit.lshift(bit.tobit(mask), at)
      return unsigned(bit.bor(bit.band(n, bit.bnot(there)), bit.lshift(bit.band(value, bit.tobit(mask)), at)))
    end,
  }
  for name, f in pairs(ready) do
    if rawget(made, name) == nil then made[name] = f end
  end
end

-- rocks ---------------------------------------------------------------------------------------------------------

do
  local file_address, border = get_metatable(io.stdout).__tostring, nil

  local function new_object()
    if new_proxy then return new_proxy() end
    return ask("handle")
  end

  local search, find, rock_places = package.searchpath, core.find, { "/lua/%d%.%d/", "/luajit%-[^/]*/" }

  -- Whether a script has a module of its own by that name: one that lies elsewhere than where rocks are installed.
  local function is_own(name)
    local path = package.path
    if type(path) ~= "string" then return false end
    local file = search(name, path)
    if not file then return false end
    for _, place in pairs(rock_places) do
      if find(file, place) then return false end
    end
    return true
  end

  function parts.rock(name)
    local code, functions, border_code, yields = ask("rock", name)
    if code == nil or yields and is_own(name) then return nil end
    if border == nil then
      border = load_chunk(border_code)(
        new_object, set_metatable, get_metatable, function(host) return ask("address", host) end, shared, select, type,
        error, tostring, table_unpack, pairs, file_address
      )
    end
    functions = border.enclose(functions)
    return function() return load_chunk(code)(functions, border, name) end
  end
end

return parts
