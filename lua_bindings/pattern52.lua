-- Patterns with zero octets, which end a pattern in LuaJIT and Lua 5.1, but stand for themselves in Lua 5.2. It stands
-- behind the prelude in one chunk, as compat52.lua does.
local type, pairs, select, concat = type, pairs, select, table.concat
local byte, plain_find, sub = string.byte, string.find, string.sub

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
      local negated = byte(pattern, position + 1) == 94 -- ^
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

for _, name in pairs { "find", "match", "gmatch", "gsub" } do
  local original = string[name]
  string[name] = function(...)
    local text, pattern, _, plain = ...
    if type(pattern) == "string" and plain_find(pattern, "\0", 1, true) and not (name == "find" and plain) then
      if select("#", ...) < 3 then return original(text, known_translation(pattern)) end
      return original(text, known_translation(pattern), select(3, ...))
    end
    return original(...)
  end
end
