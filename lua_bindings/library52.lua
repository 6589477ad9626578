-- Functions of LuaJIT's and Lua 5.1's library that answer or fail otherwise than Lua 5.2's. It stands behind the
-- prelude in one chunk, as compat52.lua does.
--
-- Where a call is as in 5.2, the function ends in a tail call of the original: an error there then names the script's
-- line and the function as the script calls it.
local globals, _VERSION_ = _G, "Lua 5.2"
local type, select, error, tonumber, tostring, rawget, rawset = type, select, error, tonumber, tostring, rawget, rawset
local getmetatable, pairs, find, gsub, match = getmetatable, pairs, string.find, string.gsub, string.match
local floor, is_file = math.floor, io.type

globals._VERSION = _VERSION_

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
globals.collectgarbage = function(...)
  local option = ...
  if option == "generational" or option == "incremental" then return 0 end
  if option == "count" then
    local kilobytes = collect("count")
    return kilobytes, floor(kilobytes * 1024 % 1024)
  end
  return collect(...)
end

-- tables --------------------------------------------------------------------------------------------------------

local insert, remove = table.insert, table.remove
table.insert = function(...)
  if select("#", ...) == 3 then
    local t, position = ...
    position = tonumber(position)
    if position and type(t) == "table" and (position < 1 or floor(position) > #t + 1) then
      error("bad argument #2 to 'insert' (position out of bounds)", 2)
    end
  end
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

local absolute, logarithm, random, pi = math.abs, math.log, math.random, math.pi
local function scaled(factor)
  return function(...)
    local x = tonumber((...))
    if not x then return absolute(...) end -- fails
    return x * factor
  end
end
math.deg, math.rad = scaled(180 / pi), scaled(pi / 180)
if select(2, globals.pcall(logarithm, 8, 2)) == 3 then
  math.log = function(...)
    local x, base = ...
    if base == nil and x ~= nil then return logarithm(x) end
    return logarithm(...)
  end
end
math.random = function(...)
  local count = select("#", ...)
  if count > 2 then error("wrong number of arguments", 2) end
  if count == 1 then
    local most = tonumber((...))
    if most and most < 1 then error("bad argument #1 to 'random' (interval is empty)", 2) end
  end
  return random(...)
end

-- C writes what 0/0 gives with its sign, which an x86 processor sets; of other NaNs the sign is not known here.
local not_a_number, format = "-nan", string.format
local numbered
if globals.tostring(0 / 0) ~= not_a_number then
  globals.tostring = function(...)
    local value = ...
    if value ~= value then return not_a_number end
    return tostring(...)
  end
  -- As infinity they are as long.
  numbered = function(...)
    local values, count = { ... }, select("#", ...)
    for i = 1, count do
      if values[i] ~= values[i] then values[i] = -1 / 0 end
    end
    return (gsub(format(globals.table.unpack(values, 1, count)), "%-inf", not_a_number))
  end
  string.format = function(...)
    local form, a, b, c, d, e, f = ...
    if a ~= a or b ~= b or c ~= c or d ~= d or e ~= e or f ~= f then
      if type(form) == "string" then return numbered(...) end
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
  local _, mode = ...
  if type(mode) == "string" and not find(mode, "^[rwa]%+?b*$") then
    error("bad argument #2 to 'open' (invalid mode)", 2)
  end
  return open(...)
end

local rename = os.rename
os.rename = function(...)
  local from, to = ...
  if not all_text(nil, from, to) then return rename(...) end
  local done, message, code = rename(...)
  if done then return done end
  return done, gsub(message, "^.*: ", ""), code
end

-- time ----------------------------------------------------------------------------------------------------------

local date = os.date
os.date = function(...)
  local form = ...
  if type(form) == "string" and find(form, "%", 1, true) then
    local rest = gsub(form, "%%[%%ABCDFGHIMRSTUVWXYZabcdeghjmnprtuwxyz]", "")
    rest = gsub(gsub(rest, "%%E[CXYcxy]", ""), "%%O[HIMSUVWdemuwy]", "")
    local bad = match(rest, "%%[EO].") or match(rest, "%%.?")
    if bad then error("bad argument #1 to 'date' (invalid conversion specifier '" .. bad .. "')", 2) end
  end
  return date(...)
end

-- modules -------------------------------------------------------------------------------------------------------

-- Where Lua 5.2 looks for modules that are Lua alone comes before LuaJIT's own places.
do
  local places, here, own = "", "./?.lua", package.path
  for _, folder in pairs { "/usr/local/share/lua/5.2/", "/usr/local/lib/lua/5.2/", "/usr/share/lua/5.2/" } do
    places = places .. folder .. "?.lua;" .. folder .. "?/init.lua;"
  end
  if find(own, here .. ";/", 1, true) == 1 then package.path = places .. here .. gsub(own, "^%./%?%.lua", "") end
end

-- errors --------------------------------------------------------------------------------------------------------

-- Names of the library's functions as 5.2 finds them where it does not know how they were called.
local names
local function name_of(f)
  if names == nil then
    names = {}
    for _, library in pairs { "string", "table", "math", "io", "os", "coroutine", "debug", "bit32", "package" } do
      local functions = rawget(globals, library)
      if type(functions) == "table" then
        for name, value in globals.next, functions do
          if type(value) == "function" then names[value] = library .. "." .. tostring(name) end
        end
      end
    end
    for name, value in globals.next, globals do
      if type(value) == "function" and names[value] == nil then names[value] = tostring(name) end
    end
  end
  return names[f]
end

-- LuaJIT's texts where 5.2 has others.
local rewordings = {
  ["bad argument"] = function(message)
    local before, number, name, reason = match(message, "^(.-)bad argument #(%d+) to '([^']+)' %((.+)%)$")
    if name == nil then return message end
    if name == "(for generator)" then
      name = "for iterator"
    elseif reason == "value expected" and (name == "format" or name == "string.format") then
      reason = "no value"
    elseif reason == "invalid value" and (name == "char" or name == "string.char") then
      reason = "value out of range"
    elseif reason == "value expected" and (name == "pairs" or name == "ipairs") then
      reason = "table expected, got no value"
    elseif find(name, "^i?o?%.?lines$") or find(name, "^i?o?%.?[inout]+put$") then
      local file, cause = match(reason, "^(.*): ([^:]+)$")
      if file then return before .. "cannot open file '" .. file .. "' (" .. cause .. ")" end
    end
    return before .. "bad argument #" .. number .. " to '" .. name .. "' (" .. reason .. ")"
  end,
  ["cannot resume"] = function(message) return (gsub(message, "cannot resume running", "cannot resume non-suspended")) end,
  ["attempt to yield"] = function(message)
    if not find(message, "attempt to yield across C-call boundary", 1, true) then return message end
    if select(2, coroutine.running()) then return "attempt to yield from outside a coroutine" end
    return "attempt to yield across a C-call boundary"
  end,
  ["unbalanced pattern"] = function(message)
    return (gsub(message, "unbalanced pattern$", "malformed pattern (missing arguments to '%%b')"))
  end,
}

reworded = function(message, f)
  if type(message) ~= "string" then return message end
  if f ~= nil and find(message, "^bad argument #%d+ to '") then
    local name = name_of(f)
    if name then message = gsub(message, "to '[^']*'", "to '" .. name .. "'", 1) end
  end
  for part, reword in pairs(rewordings) do
    if find(message, part, 1, true) then return reword(message) end
  end
  return message
end
