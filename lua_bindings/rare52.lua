-- What of Lua 5.2's library few scripts come to and LuaJIT and Lua 5.1 have otherwise. library52.lua compiles it when one of
-- these is first called; `core` is what the prelude shares, `originals` the library's functions as they were. They are
-- called in place of what the script called, so that errors name its line.
local core, originals = ...

local type, select, error, tonumber, tostring, pairs = core.type, core.select, core.error, core.tonumber, core.tostring, core.pairs
local rawget, globals, gsub, floor, concat, unpack = core.rawget, core.globals, core.gsub, core.floor, core.concat, core.unpack
local find, match, sub = originals.find, originals.match, originals.sub
local parts = {}

local collect = originals.collectgarbage
function parts.collectgarbage(...)
  local option = ...
  if option == "generational" or option == "incremental" then return 0 end
  if option == "count" then
    local kilobytes = collect("count")
    return kilobytes, floor(kilobytes * 1024 % 1024)
  end
  return collect(...)
end

local insert = originals.insert
function parts.insert_at(...)
  local t, position = ...
  position = tonumber(position)
  if position and type(t) == "table" and (position < 1 or floor(position) > #t + 1) then
    error("bad argument #2 to 'insert' (position out of bounds)", 2)
  end
  return insert(...)
end

-- numbers -------------------------------------------------------------------------------------------------------

local absolute, pi = math.abs, math.pi
local function scaled(factor)
  return function(...)
    local x = tonumber((...))
    if not x then return absolute(...) end -- fails
    return x * factor
  end
end
parts.deg, parts.rad = scaled(180 / pi), scaled(pi / 180)

local log, random = originals.log, originals.random
function parts.log(...)
  local x, base = ...
  if base == nil and x ~= nil then return log(x) end
  return log(...)
end

function parts.random(...)
  local count = select("#", ...)
  if count > 2 then error("wrong number of arguments", 2) end
  if count == 1 then
    local most = tonumber((...))
    if most and most < 1 then error("bad argument #1 to 'random' (interval is empty)", 2) end
  end
  return random(...)
end

-- As infinity NaNs are as long.
local format = originals.format
function parts.format(...)
  local values, count = { ... }, select("#", ...)
  for i = 1, count do
    if values[i] ~= values[i] then values[i] = -1 / 0 end
  end
  return (gsub(format(unpack(values, 1, count)), "%-inf", "-nan"))
end

-- files and time ------------------------------------------------------------------------------------------------

local open, rename, date = originals.open, originals.rename, originals.date
function parts.open(...)
  local _, mode = ...
  if type(mode) == "string" and not find(mode, "^[rwa]%+?b*$") then
    error("bad argument #2 to 'open' (invalid mode)", 2)
  end
  return open(...)
end

function parts.rename(...)
  for i = 1, 2 do
    local kind = type((select(i, ...)))
    if kind ~= "string" and kind ~= "number" then return rename(...) end
  end
  local done, message, code = rename(...)
  if done then return done end
  return done, gsub(message, "^.*: ", ""), code
end

function parts.date(...)
  local form = ...
  if type(form) == "string" and find(form, "%", 1, true) then
    local rest = gsub(form, "%%[%%ABCDFGHIMRSTUVWXYZabcdeghjmnprtuwxyz]", "")
    rest = gsub(gsub(rest, "%%E[CXYcxy]", ""), "%%O[HIMSUVWdemuwy]", "")
    local bad = match(rest, "%%[EO].") or match(rest, "%%.?")
    if bad then error("bad argument #1 to 'date' (invalid conversion specifier '" .. bad .. "')", 2) end
  end
  return date(...)
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
        for name, value in core.next, functions do
          if type(value) == "function" then names[value] = library .. "." .. tostring(name) end
        end
      end
    end
    for name, value in core.next, globals do
      local known = type(value) == "function" and (names[value] or "")
      name = tostring(name)
      -- `loadstring` is `load`: the order of a table, which differs from run to run, must not choose.
      if known == "" or known and #name < #known and not find(known, ".", 1, true) then names[value] = name end
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
    if select(2, originals.coroutine.running()) then return "attempt to yield from outside a coroutine" end
    return "attempt to yield across a C-call boundary"
  end,
  ["unbalanced pattern"] = function(message)
    return (gsub(message, "unbalanced pattern$", "malformed pattern (missing arguments to '%%b')"))
  end,
}

function parts.reworded(message, f)
  if f ~= nil and find(message, "^bad argument #%d+ to '") then
    local name = name_of(f)
    if name then message = gsub(message, "to '[^']*'", "to '" .. name .. "'", 1) end
  end
  for part, reword in pairs(rewordings) do
    if find(message, part, 1, true) then return reword(message) end
  end
  return message
end

-- patterns ------------------------------------------------------------------------------------------------------

-- Returns a set's items from `position` on as LuaJIT takes them, and the place behind the set.
local function translated_set(pattern, position, parts)
  local first = true
  while true do
    local letter = sub(pattern, position, position)
    if letter == "" then return position end
    if letter == "]" and not first then
      parts[#parts + 1] = "]"
      return position + 1
    end
    first = false
    if letter == "%" then
      local escaped = sub(pattern, position + 1, position + 1)
      parts[#parts + 1] = escaped == "\0" and "%z" or letter .. escaped
      position = position + 2
    else
      local last = sub(pattern, position + 2, position + 2)
      if sub(pattern, position + 1, position + 1) == "-" and last ~= "" and last ~= "]" then
        if letter ~= "\0" then
          if last ~= "\0" then parts[#parts + 1] = letter .. "-" .. last end -- else a range of nothing
        else
          parts[#parts + 1] = last == "\0" and "%z" or "%z\1-" .. last
        end
        position = position + 3
      else
        parts[#parts + 1] = letter == "\0" and "%z" or letter
        position = position + 1
      end
    end
  end
end

local function translated(pattern)
  local parts, position = {}, 1
  while position <= #pattern do
    local letter = sub(pattern, position, position)
    if letter == "%" then
      local escaped = sub(pattern, position + 1, position + 1)
      parts[#parts + 1] = escaped == "\0" and "%z" or letter .. escaped
      position = position + 2
    elseif letter == "[" then
      local negated = sub(pattern, position + 1, position + 1) == "^"
      parts[#parts + 1] = negated and "[^" or "["
      position = translated_set(pattern, position + (negated and 2 or 1), parts)
    else
      parts[#parts + 1] = letter == "\0" and "%z" or letter
      position = position + 1
    end
  end
  return concat(parts)
end

-- Each has few patterns, and uses them often.
local known, count = {}, 0
local function known_translation(pattern)
  local made = known[pattern]
  if made == nil then
    if count > 100 then known, count = {}, 0 end
    made = translated(pattern)
    known[pattern], count = made, count + 1
  end
  return made
end

-- Calls `original` with a pattern in which zero octets are written as LuaJIT takes them.
function parts.zero_octets(original, text, pattern, ...)
  if original == find and not find(pattern, "[%^%$%*%+%?%.%(%[%%%-]") then return original(text, pattern, (...), true) end
  return original(text, known_translation(pattern), ...)
end

return parts
