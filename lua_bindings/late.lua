-- What few scripts need of the host's part in Lua: errors of wrong arguments, callbacks, rows of databases, programs,
-- `print`, paths and the time of simulated calls. The prelude compiles it when one of them is first asked for; `core` is
-- what it shares. Scripts may have changed every global by then.
local core = ...

local backing, class_of, makers, shared, settle = core.backing, core.class_of, core.makers, core.shared, core.settle
local get_metatable, globals, table_unpack, traceback = core.get_metatable, core.globals, core.table_unpack, core.traceback
local type, select, error, pcall, xpcall = core.type, core.select, core.error, core.pcall, core.xpcall
local tostring, tonumber, pairs, gsub, io, os = core.tostring, core.tonumber, core.pairs, core.gsub, core.io, core.os
local package = core.package
local parts = {}

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
      values[i] = tostring(value)
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
  os.date = function(format, time, ...)
    if time == nil then time = now() end
    return os_date(format or "%c", time, ...)
  end
end

-- programs and print ----------------------------------------------------------------------------------------------

-- Programs behind pipes: file -> number. A pipe that a script leaves open is closed at its end.
do
  local programs = core.programs
  local _, start, opened, wait, execute = table_unpack(core.host or {})
  local open, kind = core.open, core.kind
  local methods = get_metatable(io.stdout).__index
  local close_file, close_any = methods.close, io.close
  local function text_of(value, name)
    if type(value) == "number" then return tostring(value) end
    if type(value) == "string" then return value end
    local got = value == nil and "no value" or type(value)
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
  function parts.popen(command, mode)
    command = text_of(command, "popen")
    if mode == nil then mode = "r" end
    if mode ~= "r" and mode ~= "w" then error("bad argument #2 to 'popen' (invalid mode)", 2) end
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
    shared[1] = true
    return execute((text_of(command, "execute")))
  end
  function parts.close_pipes()
    for file in pairs(programs) do
      if kind(file) == "file" then pcall(close_program, file) end
    end
  end
end

do
  local write = core.host and core.host[1]
  function parts.print(...)
    local texts, count = { ... }, select("#", ...)
    for i = 1, count do
      local text = globals.tostring(texts[i])
      if type(text) ~= "string" then error("'tostring' must return a string to 'print'", 2) end
      texts[i] = text
    end
    write(core.concat(texts, "\t", 1, count))
  end
end

return parts
