-- The rock json (json.lua 0.1): `encode` and `decode`. A JSON null is nil; what is no JSON raises an error.
local _, border = ...

local type, error, rawget, next, pairs, ipairs, tostring, tonumber = type, error, rawget, next, pairs, ipairs, tostring,
  tonumber
local format, byte, find, sub, gsub, match = string.format, string.byte, string.find, string.sub, string.gsub,
  string.match
local concat, huge, utf8 = table.concat, math.huge, border.utf8

local json = { _version = "0.1.2" }

-- encoding ------------------------------------------------------------------------------------------------------

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }

local function escape_letter(letter) return escapes[letter] or format("\\u%04x", byte(letter)) end

local function quote(text) return '"' .. gsub(text, '[%z\1-\31"\\]', escape_letter) .. '"' end

local write

-- An empty table is a list; one with anything at 1 must be one throughout.
local function write_table(value, parts, open)
  if open[value] then error("circular reference") end
  open[value] = true
  if rawget(value, 1) ~= nil or next(value) == nil then
    local count = 0
    for key in pairs(value) do
      if type(key) ~= "number" then error("invalid table: mixed or invalid key types") end
      count = count + 1
    end
    if count ~= #value then error("invalid table: sparse array") end
    parts[#parts + 1] = "["
    for index, element in ipairs(value) do
      if index > 1 then parts[#parts + 1] = "," end
      write(element, parts, open)
    end
    parts[#parts + 1] = "]"
  else
    local mark = "{"
    for key, element in pairs(value) do
      if type(key) ~= "string" then error("invalid table: mixed or invalid key types") end
      parts[#parts + 1] = mark .. quote(key) .. ":"
      write(element, parts, open)
      mark = ","
    end
    parts[#parts + 1] = "}"
  end
  open[value] = nil
end

write = function(value, parts, open)
  local kind = type(value)
  if kind == "table" then return write_table(value, parts, open) end
  local text
  if kind == "string" then
    text = quote(value)
  elseif kind == "number" then
    if value ~= value or value <= -huge or value >= huge then
      error("unexpected number value '" .. tostring(value) .. "'")
    end
    text = format("%.14g", value)
  elseif kind == "nil" then
    text = "null"
  elseif kind == "boolean" then
    text = tostring(value)
  else
    error("unexpected type '" .. kind .. "'")
  end
  parts[#parts + 1] = text
end

function json.encode(value)
  local parts = {}
  write(value, parts, {})
  return concat(parts)
end

-- decoding ------------------------------------------------------------------------------------------------------

local meanings = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local names = { ["true"] = true, ["false"] = false, ["null"] = nil }
local is_name = { ["true"] = true, ["false"] = true, ["null"] = true }

local function fail(text, position, message)
  local line, column = 1, 1
  for i = 1, position - 1 do
    column = column + 1
    if byte(text, i) == 10 then line, column = line + 1, 1 end
  end
  error(format("%s at line %d col %d", message, line, column))
end

local function skip_blanks(text, position) return find(text, "[^ \t\r\n]", position) or #text + 1 end

local function read_text(text, start)
  local parts, position = {}, start + 1
  while true do
    local stop = find(text, '[%z\1-\31"\\]', position)
    if not stop then fail(text, start, "expected closing quote for string") end
    parts[#parts + 1] = sub(text, position, stop - 1)
    local letter = sub(text, stop, stop)
    if letter == '"' then return concat(parts), stop + 1 end
    if letter ~= "\\" then fail(text, stop, "control character in string") end
    local following = sub(text, stop + 1, stop + 1)
    if following == "u" then
      local high, low = match(text, "^[dD][89aAbB]%x%x\\u%x%x%x%x", stop + 2), nil
      local code = high or match(text, "^%x%x%x%x", stop + 2)
      if not code then fail(text, stop, "invalid unicode escape in string") end
      if high then
        high, low = tonumber(sub(code, 1, 4), 16), tonumber(sub(code, 7, 10), 16)
        parts[#parts + 1] = utf8((high - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000)
      else
        parts[#parts + 1] = utf8(tonumber(code, 16))
      end
      position = stop + 2 + #code
    else
      local meaning = meanings[following]
      if not meaning then fail(text, stop, "invalid escape char '" .. following .. "' in string") end
      parts[#parts + 1] = meaning
      position = stop + 2
    end
  end
end

local read

local function read_list(text, position)
  local list, count = {}, 0
  position = position + 1
  while true do
    position = skip_blanks(text, position)
    if sub(text, position, position) == "]" then return list, position + 1 end
    count = count + 1
    list[count], position = read(text, position)
    position = skip_blanks(text, position)
    local letter = sub(text, position, position)
    position = position + 1
    if letter == "]" then return list, position end
    if letter ~= "," then fail(text, position, "expected ']' or ','") end
  end
end

local function read_object(text, position)
  local object = {}
  position = position + 1
  while true do
    position = skip_blanks(text, position)
    if sub(text, position, position) == "}" then return object, position + 1 end
    if sub(text, position, position) ~= '"' then fail(text, position, "expected string for key") end
    local key
    key, position = read(text, position)
    position = skip_blanks(text, position)
    if sub(text, position, position) ~= ":" then fail(text, position, "expected ':' after key") end
    object[key], position = read(text, skip_blanks(text, position + 1))
    position = skip_blanks(text, position)
    local letter = sub(text, position, position)
    position = position + 1
    if letter == "}" then return object, position end
    if letter ~= "," then fail(text, position, "expected '}' or ','") end
  end
end

read = function(text, position)
  local letter = sub(text, position, position)
  if letter == '"' then return read_text(text, position) end
  if letter == "[" then return read_list(text, position) end
  if letter == "{" then return read_object(text, position) end
  if find(letter, "[%d-]") then
    local word = match(text, "^[^ \t\r\n%]},]*", position)
    local number = tonumber(word)
    if not number then fail(text, position, "invalid number '" .. word .. "'") end
    return number, position + #word
  end
  if letter == "t" or letter == "f" or letter == "n" then
    local word = match(text, "^[^ \t\r\n%]},]*", position)
    if not is_name[word] then fail(text, position, "invalid literal '" .. word .. "'") end
    return names[word], position + #word
  end
  fail(text, position, "unexpected character '" .. letter .. "'")
end

function json.decode(...)
  local text = ...
  if type(text) ~= "string" then error("expected argument of type string, got " .. type(text)) end
  local value, position = read(text, skip_blanks(text, 1))
  position = skip_blanks(text, position)
  if position <= #text then fail(text, position, "trailing garbage") end
  return value
end

return json
