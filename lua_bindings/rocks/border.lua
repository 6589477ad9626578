-- What stands between the rocks' Lua texts and the host: the host's functions as Lua functions that take and give
-- plain values, its objects as userdata, and the checks of arguments in the words of Lua's own C functions; and the one thing that
-- several rocks make in Lua.
local new_object, set_metatable, get_metatable, address, shared, select, type, error, tostring, unpack, pairs,
  file_address = ...

local format, find, match, char, floor = string.format, string.find, string.match, string.char, math.floor
local border = {}

-- userdata -> the host's object, and -> its kind. What a script drops is dropped by the host, too.
local backing, kind_of, kinds = {}, {}, {}
local weak = { __mode = "k" }
set_metatable(backing, weak)
set_metatable(kind_of, weak)

local function make(kind, host, ...)
  local object = new_object()
  backing[object], kind_of[object] = host, kind
  set_metatable(object, kinds[kind])
  return object, ...
end

-- Takes what `crossing` answers. The time inside a call of the host does not count as the script's own.
local function settle(status, ...)
  shared[1] = true
  if status == true then return ... end
  if status == false then error((...), 0) end
  return make(status, ...)
end

local plain = { string = true, number = true, boolean = true }

-- Only plain values and the host's own objects cross; everything else arrives as nil.
local function enclosed(f)
  return function(...)
    local count, values = select("#", ...), { ... }
    for i = 1, count do
      local value = values[i]
      local name = type(value)
      if not plain[name] then values[i] = name == "userdata" and backing[value] or nil end
    end
    return settle(f(unpack(values, 1, count)))
  end
end

function border.enclose(functions)
  local made = {}
  for name, f in pairs(functions) do made[name] = enclosed(f) end
  return made
end

-- Returns the UTF-8 of a code point, which LuaJIT's own library cannot tell.
function border.utf8(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64,
    0x80 + code % 64)
end

-- objects -------------------------------------------------------------------------------------------------------

-- Says what objects of a kind can do. `shown` is how they call themselves, in front of an address.
function border.kind(kind, methods, shown, extra)
  local metatable = {
    __index = methods,
    __tostring = function(object)
      local host = backing[object]
      return (shown or kind) .. ": " .. (host ~= nil and address(host) or "(nil)")
    end,
  }
  for name, value in pairs(extra or {}) do metatable[name] = value end
  kinds[kind] = metatable
  return metatable
end

function border.become(object, kind)
  kind_of[object] = kind
  set_metatable(object, kinds[kind])
end

function border.kind_of(value)
  if type(value) ~= "userdata" then return nil end
  return kind_of[value]
end

function border.address(object) return address(backing[object]) end

-- A userdata that stands for nothing of the host's.
function border.token(metatable)
  local object = new_object()
  set_metatable(object, metatable)
  return object
end

-- Returns the address of the C FILE behind an open file, nil and what is wrong without one.
function border.file(value)
  if type(value) ~= "userdata" then return nil, "FILE* expected, got " .. type(value) end
  local metatable = get_metatable(value)
  if type(metatable) ~= "table" or metatable ~= get_metatable(io.stdout) then return nil, "FILE* expected" end
  local found = match(file_address(value), "^file %((0x%x+)%)$")
  if not found then return nil, "closed file" end
  return found
end

-- arguments -----------------------------------------------------------------------------------------------------

-- These are called from a rock's function and raise at its caller's place.
function border.bad(index, name, text) error(format("bad argument #%d to '%s' (%s)", index, name, text), 3) end

local function wrong_type(index, name, wanted, value, is_absent)
  local got = is_absent and "no value" or type(value)
  error(format("bad argument #%d to '%s' (%s expected, got %s)", index, name, wanted, got), 4)
end

-- A string, or a number as one. `count` is how many arguments there were.
function border.text(index, name, value, count)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return tostring(value) end
  wrong_type(index, name, "string", value, count and index > count)
end

function border.optional_text(index, name, value)
  if value == nil then return nil end
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return tostring(value) end
  wrong_type(index, name, "string", value)
end

function border.number(index, name, value, count)
  local number = type(value) == "number" and value or type(value) == "string" and tonumber(value)
  if number then return number end
  wrong_type(index, name, "number", value, count and index > count)
end

function border.optional_number(index, name, value, default)
  if value == nil then return default end
  local number = type(value) == "number" and value or type(value) == "string" and tonumber(value)
  if number then return number end
  wrong_type(index, name, "number", value)
end

function border.table(index, name, value, count)
  if type(value) == "table" then return value end
  wrong_type(index, name, "table", value, count and index > count)
end

-- The object a method was called on, which must be of one of the kinds whose names begin so.
function border.own(value, kind, name)
  local found = border.kind_of(value)
  if found and (found == kind or find(found, kind, 1, true) == 1) then return value end
  error(format("calling '%s' on bad self (%s expected)", name, kind), 3)
end

return border
