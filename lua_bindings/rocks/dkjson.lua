-- The rock dkjson (2.6): JSON with indents, an order of keys, `__tojson`, and positions of errors.
local _, border = ...

local type, pairs, ipairs, error, tonumber, getmetatable, setmetatable, select = type, pairs, ipairs, error, tonumber,
  getmetatable, setmetatable, select
local format, gsub, find, sub, rep, byte, match = string.format, string.gsub, string.find, string.sub, string.rep,
  string.byte, string.match
local concat, floor, huge = table.concat, math.floor, math.huge
local integer_type, utf8 = math.type or function() return nil end, border.utf8

local json = { version = "dkjson 2.6" }

json.null = setmetatable({}, { __tojson = function() return "null" end })

-- encoding ------------------------------------------------------------------------------------------------------

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }

-- What JavaScript takes for a line's end or shows as nothing is written as an escape, too.
local function escape_letter(letter)
  local known = escapes[letter]
  if known then return known end
  local a, b, c, d = byte(letter, 1, 4)
  a, b, c, d = a or 0, b or 0, c or 0, d or 0
  local code
  if a <= 0x7f then
    code = a
  elseif a >= 0xc0 and a <= 0xdf and b >= 0x80 then
    code = (a - 0xc0) * 0x40 + b - 0x80
  elseif a >= 0xe0 and a <= 0xef and b >= 0x80 and c >= 0x80 then
    code = ((a - 0xe0) * 0x40 + b - 0x80) * 0x40 + c - 0x80
  elseif a >= 0xf0 and a <= 0xf7 and b >= 0x80 and c >= 0x80 and d >= 0x80 then
    code = (((a - 0xf0) * 0x40 + b - 0x80) * 0x40 + c - 0x80) * 0x40 + d - 0x80
  else
    return ""
  end
  if code <= 0xffff then return format("\\u%.4x", code) end
  code = code - 0x10000
  return format("\\u%.4x\\u%.4x", 0xd800 + floor(code / 0x400), 0xdc00 + code % 0x400)
end

local function quote(text)
  text = gsub(text, '[%z\1-\31"\\\127]', escape_letter)
  if find(text, "[\194\216\220\225\226\239]") then
    text = gsub(text, "\194[\128-\159\173]", escape_letter)
    text = gsub(text, "\216[\128-\132]", escape_letter)
    text = gsub(text, "\220\143", escape_letter)
    text = gsub(text, "\225\158[\180\181]", escape_letter)
    text = gsub(text, "\226\128[\140-\143\168-\175]", escape_letter)
    text = gsub(text, "\226\129[\160-\175]", escape_letter)
    text = gsub(text, "\239\187\191", escape_letter)
    text = gsub(text, "\239\191[\176-\191]", escape_letter)
  end
  return '"' .. text .. '"'
end
json.quotestring = quote

-- A number with a point, whatever the locale writes.
local function number_text(value)
  if value ~= value or value == huge or value == -huge then return "null" end
  if integer_type(value) == "integer" then return format("%d", value) end
  return (gsub(gsub(format("%.14g", value), "[^0-9%-%+eE%.]", "."), ",", "."))
end

-- Whether the table is an array, and how long: keys are 1…n with few holes, `n` may name the length.
local function array_size(value)
  local longest, count, named = 0, 0, 0
  for key, inner in pairs(value) do
    if key == "n" and type(inner) == "number" then
      named = inner
      if inner > longest then longest = inner end
    else
      if type(key) ~= "number" or key < 1 or floor(key) ~= key then return false end
      if key > longest then longest = key end
      count = count + 1
    end
  end
  if longest > 10 and longest > named and longest > count * 2 then return false end
  return true, longest
end

local encode_value

local function add_line(level, state)
  local out = state.buffer
  state.bufferlen = state.bufferlen + 1
  out[state.bufferlen] = "\n" .. rep("  ", level)
end

function json.addnewline(state)
  if state.indent then
    state.bufferlen = state.bufferlen or #state.buffer
    add_line(state.level or 0, state)
  end
end

local function append(state, text)
  state.bufferlen = state.bufferlen + 1
  state.buffer[state.bufferlen] = text
end

-- What cannot be written is left to `state.exception(reason, value, state, message)`, which answers a text, or true
-- when it has appended one, or nil and an error.
local function refuse(reason, value, state, message)
  local handler = state.exception
  if not handler then return nil, message end
  local text, failure = handler(reason, value, state, message)
  if not text then return nil, failure or message end
  if type(text) == "string" then append(state, text) end
  return true
end

function json.encodeexception(reason, value, state, message) return quote("<" .. message .. ">") end

local function add_pair(key, value, is_first, level, state)
  local kind = type(key)
  if kind ~= "string" and kind ~= "number" then
    return nil, "type '" .. kind .. "' is not supported as a key by JSON."
  end
  if not is_first then append(state, ",") end
  if state.indent then add_line(level, state) end
  append(state, quote(kind == "number" and number_text(key) or key))
  append(state, ":")
  return encode_value(value, level, state)
end

local function encode_array(value, length, level, state)
  append(state, "[")
  for i = 1, length do
    local done, failure = encode_value(value[i], level, state)
    if not done then return nil, failure end
    if i < length then append(state, ",") end
  end
  append(state, "]")
  return true
end

local function encode_object(value, metatable, level, state)
  append(state, "{")
  local order = metatable and metatable.__jsonorder or state.keyorder
  local is_first, used = true, {}
  for _, key in ipairs(order or {}) do
    local inner = value[key]
    if inner ~= nil then
      used[key] = true
      local done, failure = add_pair(key, inner, is_first, level, state)
      if not done then return nil, failure end
      is_first = false
    end
  end
  for key, inner in pairs(value) do
    if not used[key] then
      local done, failure = add_pair(key, inner, is_first, level, state)
      if not done then return nil, failure end
      is_first = false
    end
  end
  if state.indent then add_line(level - 1, state) end
  append(state, "}")
  return true
end

function encode_value(value, level, state)
  local kind = type(value)
  local metatable = getmetatable(value)
  metatable = type(metatable) == "table" and metatable or nil
  local to_json = metatable and metatable.__tojson
  if to_json then
    if state.tables[value] then return refuse("reference cycle", value, state, "reference cycle") end
    state.tables[value] = true
    local text, failure = to_json(value, state)
    if not text then return refuse("custom encoder failed", value, state, failure or "custom encoder failed") end
    state.tables[value] = nil
    if type(text) == "string" then append(state, text) end
    return true
  elseif value == nil then
    append(state, "null")
  elseif kind == "number" then
    append(state, number_text(value))
  elseif kind == "boolean" then
    append(state, value and "true" or "false")
  elseif kind == "string" then
    append(state, quote(value))
  elseif kind == "table" then
    if state.tables[value] then return refuse("reference cycle", value, state, "reference cycle") end
    state.tables[value] = true
    local is_array, length = array_size(value)
    if length == 0 and metatable and metatable.__jsontype == "object" then is_array = false end
    local done, failure
    if is_array then
      done, failure = encode_array(value, length, level + 1, state)
    else
      done, failure = encode_object(value, metatable, level + 1, state)
    end
    if not done then return nil, failure end
    state.tables[value] = nil
  else
    return refuse("unsupported type", value, state, "type '" .. kind .. "' is not supported by JSON.")
  end
  return true
end

-- Returns the text, or true when it went into `state.buffer`. Fields of the state: indent, keyorder, level, buffer,
-- bufferlen, tables, exception.
function json.encode(value, state)
  state = state or {}
  local own = state.buffer
  state.buffer = own or {}
  state.bufferlen = state.bufferlen or #state.buffer
  state.tables = state.tables or {}
  local done, failure = encode_value(value, state.level or 0, state)
  if not done then error(failure, 2) end
  if own == state.buffer then return true end
  local text = concat(state.buffer, "", 1, state.bufferlen)
  state.buffer, state.bufferlen = nil, nil
  return text
end

-- decoding ------------------------------------------------------------------------------------------------------

local function place_of(text, at)
  local number, from, last = 1, 1, 0
  while true do
    from = find(text, "\n", from, true)
    if not from or from >= at then break end
    number, last = number + 1, from
    from = from + 1
  end
  return "line " .. number .. ", column " .. (at - last)
end

local function unterminated(text, what, at)
  return nil, #text + 1, "unterminated " .. what .. " at " .. place_of(text, at)
end

-- Returns the place of the next token, nil at the text's end; comments are passed over.
local function skip(text, at)
  while true do
    at = find(text, "%S", at)
    if not at then return nil end
    local two = sub(text, at, at + 1)
    if two == "\239\187" and sub(text, at + 2, at + 2) == "\191" then
      at = at + 3
    elseif two == "//" then
      at = find(text, "[\n\r]", at + 2)
      if not at then return nil end
    elseif two == "/*" then
      at = find(text, "*/", at + 2, true)
      if not at then return nil end
      at = at + 2
    else
      return at
    end
  end
end

local unescapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function read_string(text, from)
  local at, parts = from + 1, {}
  while true do
    local stop = find(text, '["\\]', at)
    if not stop then return unterminated(text, "string", from) end
    parts[#parts + 1] = sub(text, at, stop - 1)
    if byte(text, stop) == 34 then return concat(parts), stop + 1 end
    local letter = sub(text, stop + 1, stop + 1)
    at = stop + 2
    local made = unescapes[letter] or letter
    if letter == "u" then
      local code = tonumber(match(text, "^%x%x%x%x", at) or "", 16)
      if code then
        local second = 0xD800 <= code and code <= 0xDBFF and tonumber(match(text, "^\\u(%x%x%x%x)", at + 4) or "", 16)
        if second and 0xDC00 <= second and second <= 0xDFFF then
          made, at = utf8((code - 0xD800) * 0x400 + (second - 0xDC00) + 0x10000), at + 10
        else
          made, at = utf8(code), at + 4
        end
      end
    end
    parts[#parts + 1] = made
  end
end

local scan

local function read_table(text, from, is_array, null, object_mt, array_mt)
  local made, count = {}, 0
  local closing, what = is_array and "]" or "}", is_array and "array" or "object"
  local metatable = array_mt
  if not is_array then metatable = object_mt end
  if metatable then setmetatable(made, metatable) end
  local at = from + 1
  while true do
    at = skip(text, at)
    if not at then return unterminated(text, what, from) end
    if sub(text, at, at) == closing then return made, at + 1 end
    local value, failure
    value, at, failure = scan(text, at, null, object_mt, array_mt)
    if failure then return nil, at, failure end
    at = skip(text, at)
    if not at then return unterminated(text, what, from) end
    local letter = sub(text, at, at)
    if letter == ":" then
      if value == nil then
        return nil, at, "cannot use nil as table index (at " .. place_of(text, at) .. ")"
      end
      at = skip(text, at + 1)
      if not at then return unterminated(text, what, from) end
      local inner
      inner, at, failure = scan(text, at, null, object_mt, array_mt)
      if failure then return nil, at, failure end
      made[value] = inner
      at = skip(text, at)
      if not at then return unterminated(text, what, from) end
      letter = sub(text, at, at)
    else
      count = count + 1
      made[count] = value
    end
    if letter == "," then at = at + 1 end
  end
end

function scan(text, at, null, object_mt, array_mt)
  at = skip(text, at or 1)
  if not at then return nil, #text + 1, "no valid JSON value (reached the end)" end
  local letter = sub(text, at, at)
  if letter == "{" then return read_table(text, at, false, null, object_mt, array_mt) end
  if letter == "[" then return read_table(text, at, true, null, object_mt, array_mt) end
  if letter == '"' then return read_string(text, at) end
  local _, stop = find(text, "^%-?[%d%.]+[eE]?[%+%-]?%d*", at)
  if stop then
    local number = tonumber(sub(text, at, stop))
    if number then return number, stop + 1 end
  end
  _, stop = find(text, "^%a%w*", at)
  if stop then
    local word = sub(text, at, stop)
    if word == "true" then return true, stop + 1 end
    if word == "false" then return false, stop + 1 end
    if word == "null" then return null, stop + 1 end
  end
  return nil, at, "no valid JSON value at " .. place_of(text, at)
end

local function metatables(...)
  if select("#", ...) > 0 then return ... end
  return { __jsontype = "object" }, { __jsontype = "array" }
end

-- Returns the value and the place after it, or nil, the place and what is wrong. `null` stands for null; metatables of
-- objects and arrays may follow it.
function json.decode(text, at, null, ...)
  local object_mt, array_mt = metatables(...)
  return scan(text, at, null, object_mt, array_mt)
end

-- There is no LPeg to decode with; the answer is the same.
function json.use_lpeg() return json end
json.using_lpeg = false

return json
