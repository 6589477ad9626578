-- What few scripts need of the host's part in Lua: errors of wrong arguments, callbacks, rows of databases,
-- paths and the time of simulated calls. The prelude compiles it when one of them is first asked for; `core` is
-- what it shares. Scripts may have changed every global by then. late_library.lua stands behind it in one chunk.
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

-- SWIG's objects are equal when they point to the same.
function parts.same_object(...)
  local a, b = ...
  local of_a = backing[core.class_named[get_metatable(a)] or false]
  local of_b = backing[core.class_named[get_metatable(b)] or false]
  local host_a, host_b = of_a and of_a[a], of_b and of_b[b]
  return host_a ~= nil and host_b ~= nil and ask("address", host_a) == ask("address", host_b)
end

function parts.set_member(object, key, value)
  local refusal, has_place
  local name = core.class_named[get_metatable(object)]
  local members, host = core.members_of[name], backing[name][object]
  if members and type(key) == "string" and host ~= nil then
    local got, number = parts.type_name(value), nil
    if got == "string" or got == "number" then
      number = tonumber(value)
    else
      local _, pointed = parts.pointed("void", value)
      value = pointed
    end
    refusal, has_place = members(host, key, true, value, got, number)
  else
    refusal, has_place = "Assignment not possible. No setter/member with this name. "
      .. "For custom assignments implement __setitem method.", true
  end
  -- What refuses a value is a function of C that one of C has called: it names no place.
  if refusal then error(refusal, has_place and 3 or 0) end
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

parts.pointed = pointed

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
  -- As an int of C: a number that is none becomes the lowest one.
  return true, result ~= nil and (result >= 1 or result <= -1 or result ~= result)
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
    if code == false then error("error loading module '" .. name .. "':\n\t" .. functions, 0) end
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
