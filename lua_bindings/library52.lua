-- Functions of LuaJIT's and Lua 5.1's library that answer or fail otherwise than Lua 5.2's. It stands behind the
-- prelude in one chunk, as compat52.lua does.
--
-- Where a call is as in 5.2, the function ends in a tail call of the original: an error there then names the script's
-- line and the function as the script calls it. What most scripts do not come to is compiled when it is first called for: rare52.lua.
local globals = _G
local type, select, error, tonumber, tostring, rawget, rawset = type, select, error, tonumber, tostring, rawget, rawset
local getmetatable, pairs, find, sub = getmetatable, pairs, string.find, string.sub
local floor, is_file = math.floor, io.type

globals._VERSION = "Lua 5.2"

local rare_parts, originals
local function rare(name)
  if rare_parts == nil then rare_parts = load_chunk(ask("rare"))(core, originals) end
  return rare_parts[name]
end

-- the base library ----------------------------------------------------------------------------------------------

-- 5.2 puts the place before the text.
globals.assert = function(...)
  if (...) then return ... end
  local _, message = ...
  local kind = type(message)
  if kind ~= "nil" and kind ~= "string" and kind ~= "number" then
    error("bad argument #2 to 'assert' (string expected, got " .. kind .. ")", 2)
  end
  error(message == nil and "assertion failed!" or tostring(message), 2)
end

-- C's `strtod` knows more numbers than Lua 5.2: names such as Nan and Inf are none there, nor is 0b1. With a base the
-- text is digits alone.
globals.tonumber = function(...)
  local value, base = ...
  local kind = type(value)
  if base == nil then
    if kind == "string" and find(value, "^[^xX]*[bBnN]") then return nil end
  elseif kind ~= "string" and kind ~= "number" then
    error("bad argument #1 to 'tonumber' (string expected, got " .. kind .. ")", 2)
  elseif tonumber(base) == 10 and not find(value, "^%s*[+-]?%d+%s*$") then
    return nil
  end
  return tonumber(...)
end

local collect = collectgarbage
globals.collectgarbage = function(...) return rare("collectgarbage")(...) end

-- tables --------------------------------------------------------------------------------------------------------

local insert, remove = table.insert, table.remove
table.insert = function(...)
  if select("#", ...) == 3 then return rare("insert_at")(...) end
  return insert(...)
end

table.remove = function(...)
  local t, position = ...
  if type(t) ~= "table" then return remove(...) end
  local size = #t
  if position == nil then
    position = size
  else
    position = tonumber(position)
    if not position then return remove(...) end
    position = position < 0 and -floor(-position) or floor(position)
    if position ~= size and (position < 1 or position > size + 1) then
      error("bad argument #1 to 'remove' (position out of bounds)", 2)
    end
  end
  if position >= 1 and position <= size then return (remove(t, position)) end
  local value = rawget(t, position)
  rawset(t, position, nil)
  return value
end

-- numbers -------------------------------------------------------------------------------------------------------

math.deg = function(...) return rare("deg")(...) end
math.rad = function(...) return rare("rad")(...) end
local log, random = math.log, math.random
math.log = function(...)
  if select("#", ...) > 1 then return rare("log")(...) end
  return log(...)
end
math.random = function(...)
  if select("#", ...) > 0 then return rare("random")(...) end
  return random()
end

-- C writes what 0/0 gives with its sign, which an x86 processor sets; of other NaNs the sign is not known here.
local format = string.format
if tostring(0 / 0) ~= "-nan" then
  globals.tostring = function(...)
    local value = ...
    if value ~= value then return "-nan" end
    return tostring(...)
  end
  string.format = function(...)
    local form, a, b, c, d, e, f = ...
    if a ~= a or b ~= b or c ~= c or d ~= d or e ~= e or f ~= f then
      if type(form) == "string" then return rare("format")(...) end
    end
    return format(...)
  end
end

-- files ---------------------------------------------------------------------------------------------------------

-- Returns whether all that follows the first value is text, so that writing it raises no error.
local function all_text(...)
  for i = 2, select("#", ...) do
    local kind = type((select(i, ...)))
    if kind ~= "string" and kind ~= "number" then return false end
  end
  return true
end
local function written(file, ok, ...)
  if ok then return file end
  return ok, ...
end
local methods = getmetatable(io.stdout).__index
local write_file, write, output, open = methods.write, io.write, io.output, io.open
methods.write = function(...)
  local file = ...
  if is_file(file) ~= "file" or not all_text(...) then return write_file(...) end
  return written(file, write_file(...))
end
io.write = function(...)
  if is_file(output()) ~= "file" or not all_text(nil, ...) then return write(...) end
  return written(output(), write(...))
end
io.open = function(...)
  if select("#", ...) > 1 then return rare("open")(...) end
  return open(...)
end

local rename, date = os.rename, os.date
os.rename = function(...) return rare("rename")(...) end
os.date = function(...) return rare("date")(...) end

-- modules -------------------------------------------------------------------------------------------------------

-- Where Lua 5.2 looks for modules that are Lua alone comes before LuaJIT's own places.
if sub(package.path, 1, 9) == "./?.lua;/" then
  package.path = "/usr/local/share/lua/5.2/?.lua;/usr/local/share/lua/5.2/?/init.lua;/usr/local/lib/lua/5.2/?.lua;"
    .. "/usr/local/lib/lua/5.2/?/init.lua;/usr/share/lua/5.2/?.lua;/usr/share/lua/5.2/?/init.lua;" .. package.path
end

-- errors --------------------------------------------------------------------------------------------------------

reworded = function(message, f)
  if type(message) ~= "string" then return message end
  return rare("reworded")(message, f)
end

-- patterns ------------------------------------------------------------------------------------------------------

-- Zero octets stand for themselves in 5.2's patterns; here they end one.
for _, name in pairs { "find", "match", "gmatch", "gsub" } do
  local original, searches = string[name], name == "find"
  string[name] = function(...)
    local _, pattern, _, plain = ...
    if type(pattern) == "string" and find(pattern, "\0", 1, true) and not (searches and plain) then
      return rare("zero_octets")(original, ...)
    end
    return original(...)
  end
end

originals = {
  collectgarbage = collect, coroutine = coroutine, date = date, find = find, format = format, insert = insert,
  log = log, match = string.match, open = open, random = random, rename = rename, sub = sub,
}
