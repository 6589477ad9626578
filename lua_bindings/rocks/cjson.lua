-- The rock lua-cjson (2.1 with OpenResty's additions): JSON text from and to Lua values, with its options and error
-- texts. `cjson.new()` makes an instance with options of its own.
local _, border = ...

local type, error, tostring, tonumber, setmetatable, getmetatable = type, error, tostring, tonumber, setmetatable,
  getmetatable
local select, next, rawget, rawlen, pcall = select, next, rawget, rawlen, pcall
local byte, char, find, sub, format, gsub, rep, lower = string.byte, string.char, string.find, string.sub,
  string.format, string.gsub, string.rep, string.lower
local concat, floor, huge = table.concat, math.floor, math.huge
local integer_type, utf8 = math.type or function() return nil end, border.utf8

-- Values that are the same in every instance.
local null = border.token({ __tostring = function() return "userdata: (nil)" end })
local empty_array = border.token({ __tostring = function() return "userdata: 0x1" end })
local array_mt, empty_array_mt = {}, {}

local DEPTH_LIMIT = 2147483647

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
  ["\t"] = "\\t" }
for code = 0, 31 do
  local letter = char(code)
  escapes[letter] = escapes[letter] or format("\\u%04x", code)
end
escapes["\127"] = "\\u007f"

-- A fault deep inside travels as this, for `encode` and `decode` to raise it at their caller's place.
local fault = {}

local function fail(text)
  fault.text = text
  error(fault, 0)
end

-- encoding ------------------------------------------------------------------------------------------------------

-- Returns how long an array the table is, nil for an object, and whether it has too many holes to be one.
local function array_length(options, value)
  local longest, count = 0, 0
  for key in next, value do
    if type(key) ~= "number" or key < 1 or key ~= floor(key) then return nil end
    if key > longest then longest = key end
    count = count + 1
  end
  local ratio = options.sparse_ratio
  if ratio > 0 and longest > count * ratio and longest > options.sparse_safe then
    if not options.sparse_convert then
      fail("Cannot serialise table: excessively sparse array")
    end
    return nil
  end
  return longest
end

local function number_text(options, value)
  if integer_type(value) == "integer" then return format("%d", value) end
  if value ~= value or value == huge or value == -huge then
    local allowed = options.encode_invalid
    if allowed == "null" then return "null" end
    if not allowed then fail("Cannot serialise number: must not be NaN or Infinity") end
    if value ~= value then return "NaN" end
    return value > 0 and "Infinity" or "-Infinity"
  end
  return format(options.number_format, value)
end

local function string_text(options, value)
  value = gsub(value, '[%c"\\\127]', escapes)
  if find(value, "%z") then value = gsub(value, "%z", "\\u0000") end
  if options.escape_slash and find(value, "/", 1, true) then value = gsub(value, "/", "\\/") end
  return '"' .. value .. '"'
end

local encode_value

local function line(options, out, count, depth)
  if options.indent == "" then return count end
  out[count + 1] = "\n" .. rep(options.indent, depth)
  return count + 1
end

-- Begins a member behind `filled` others.
local function begin_member(options, out, count, filled, depth)
  if filled > 0 then
    count = count + 1
    out[count] = ","
  end
  if options.indent == "" then return count end -- the usual case, without a further call
  return line(options, out, count, depth)
end

-- Takes back what was written behind `before`: the beginning of a member that is left out.
local function take_back(out, before, count)
  for i = before + 1, count do out[i] = nil end
  return before
end

local function close(options, out, count, filled, depth, bracket)
  if filled > 0 then count = line(options, out, count, depth - 1) end
  out[count + 1] = bracket
  return count + 1
end

local function encode_array(options, out, count, value, length, depth)
  count = count + 1
  out[count] = "["
  local filled = 0
  for i = 1, length do
    local before = count
    count = begin_member(options, out, count, filled, depth)
    local done = encode_value(options, out, count, rawget(value, i), depth)
    if done then
      count, filled = done, filled + 1
    else
      count = take_back(out, before, count)
    end
  end
  return close(options, out, count, filled, depth, "]")
end

local function encode_object(options, out, count, value, depth)
  count = count + 1
  out[count] = "{"
  local filled = 0
  for key, inner in next, value do
    local before = count
    count = begin_member(options, out, count, filled, depth) + 1
    local kind = type(key)
    if kind == "number" then
      out[count] = '"' .. number_text(options, key) .. '"'
    elseif kind == "string" then
      out[count] = string_text(options, key)
    else
      fail("Cannot serialise " .. kind .. ": table key must be a number or string")
    end
    count = count + 1
    out[count] = options.indent == "" and ":" or ": "
    local done = encode_value(options, out, count, inner, depth)
    if done then
      count, filled = done, filled + 1
    else
      count = take_back(out, before, count)
    end
  end
  return close(options, out, count, filled, depth, "}")
end

-- Appends a value's text to `out` and returns the new count; nil for what is left out by option.
function encode_value(options, out, count, value, depth)
  local kind = type(value)
  local text
  if kind == "string" then
    text = string_text(options, value)
  elseif kind == "number" then
    text = number_text(options, value)
  elseif kind == "boolean" then
    text = value and "true" or "false"
  elseif value == nil or value == null then
    text = "null"
  elseif kind == "table" then
    depth = depth + 1
    if depth > options.encode_depth then
      fail("Cannot serialise, excessive nesting (" .. depth .. ")")
    end
    local metatable = getmetatable(value)
    if metatable == array_mt then
      return encode_array(options, out, count, value, rawlen and rawlen(value) or #value, depth)
    end
    local length = array_length(options, value)
    if length and length > 0 then return encode_array(options, out, count, value, length, depth) end
    if length and (metatable == empty_array_mt or not options.empty_as_object) then
      out[count + 1] = "[]"
      return count + 1
    end
    return encode_object(options, out, count, value, depth)
  elseif value == empty_array then
    text = "[]"
  elseif options.skip_unsupported then
    return nil
  else
    fail("Cannot serialise " .. kind .. ": type not supported")
  end
  out[count + 1] = text
  return count + 1
end

-- decoding ------------------------------------------------------------------------------------------------------

local unescapes = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local punctuation = { ["{"] = "T_OBJ_BEGIN", ["}"] = "T_OBJ_END", ["["] = "T_ARR_BEGIN", ["]"] = "T_ARR_END",
  [","] = "T_COMMA", [":"] = "T_COLON" }

local function four_digits(text, at)
  local from, _, digits = find(text, "^(%x%x%x%x)", at)
  return from and tonumber(digits, 16)
end

-- Returns the string whose opening quote is at `at` and the place after it, or nil, what is wrong and where.
local function read_string(text, at)
  local start = at + 1
  local stop = find(text, '["\\]', start)
  if stop and byte(text, stop) == 34 then return sub(text, start, stop - 1), stop + 1 end
  local parts, count = {}, 0
  while stop do
    count = count + 1
    parts[count] = sub(text, start, stop - 1)
    if byte(text, stop) == 34 then return concat(parts, "", 1, count), stop + 1 end
    local letter = sub(text, stop + 1, stop + 1)
    start = stop + 2
    if letter == "u" then
      local code = four_digits(text, start)
      start = start + 4
      if code and code >= 0xD800 and code < 0xE000 then
        local second = code < 0xDC00 and sub(text, start, start + 1) == "\\u" and four_digits(text, start + 2)
        code = nil
        if second and second >= 0xDC00 and second < 0xE000 then
          code = 0x10000 + (four_digits(text, start - 4) - 0xD800) * 0x400 + second - 0xDC00
          start = start + 6
        end
      end
      if not code then return nil, "invalid unicode escape code", stop end
      count = count + 1
      parts[count] = utf8(code)
    elseif unescapes[letter] then
      count = count + 1
      parts[count] = unescapes[letter]
    else
      return nil, "invalid escape code", stop
    end
    stop = find(text, '["\\]', start)
  end
  return nil, "unexpected end of string", #text + 1
end

local special = { nan = -(0 / 0), ["-nan"] = 0 / 0, inf = huge, ["-inf"] = -huge, infinity = huge, ["-infinity"] = -huge }

-- Returns the number at `at` and the place after it, nil when what stands there is none.
local function read_number(options, text, at)
  local _, stop = find(text, "^-?0[xX]%x+", at)
  if stop then
    if not options.decode_invalid then return nil end
    local digits = sub(text, at, stop)
    local negative = byte(digits) == 45
    local value = tonumber(negative and sub(digits, 2) or digits)
    return negative and -value or value, stop + 1
  end
  _, stop = find(text, "^-?%d+", at)
  if not stop then
    _, stop = find(text, "^-?%a+", at)
    local value = stop and special[lower(sub(text, at, stop))]
    if value and options.decode_invalid then return value, stop + 1 end
    return nil
  end
  if not options.decode_invalid and find(text, "^-?0%d", at) then return nil end
  local _, fraction = find(text, "^%.%d*", stop + 1)
  stop = fraction or stop
  local _, exponent = find(text, "^[eE][+-]?%d+", stop + 1)
  stop = exponent or stop
  return tonumber(sub(text, at, stop)), stop + 1
end

-- Returns the kind of token at `at`, its value, the place after it and, for what is no token, where that is.
local function token(options, text, at)
  at = find(text, "[^ \t\r\n]", at) or #text + 1
  while options.allow_comment and byte(text, at) == 47 do
    local _, stop = find(text, "^/%*.-%*/", at)
    if not stop then _, stop = find(text, "^//[^\n]*", at) end
    if not stop then break end
    at = find(text, "[^ \t\r\n]", stop + 1) or #text + 1
  end
  local letter = sub(text, at, at)
  if letter == '"' then
    local value, stop, where = read_string(text, at)
    if value then return "T_STRING", value, stop, at end
    return stop, nil, nil, where
  end
  if punctuation[letter] then return punctuation[letter], nil, at + 1, at end
  if letter == "" or letter == "\0" then return "T_END", nil, at, at end
  if sub(text, at, at + 3) == "true" then return "T_BOOLEAN", true, at + 4, at end
  if sub(text, at, at + 4) == "false" then return "T_BOOLEAN", false, at + 5, at end
  if sub(text, at, at + 3) == "null" then return "T_NULL", null, at + 4, at end
  if find(letter, "[%d-]") or (options.decode_invalid and find(lower(sub(text, at, at + 2)), "^inf"))
    or (options.decode_invalid and find(lower(sub(text, at, at + 2)), "^nan")) then
    local value, stop = read_number(options, text, at)
    if not value then return "invalid number", nil, nil, at end
    return integer_type(value) == "integer" and "T_INTEGER" or "T_NUMBER", value, stop, at
  end
  return "invalid token", nil, nil, at
end

local function refuse(wanted, found, at)
  fail("Expected " .. wanted .. " but found " .. found .. " at character " .. at)
end

local is_value = { T_STRING = true, T_BOOLEAN = true, T_NULL = true, T_NUMBER = true, T_INTEGER = true }
local decode_value

local function decode_object(options, text, at, depth)
  local made = {}
  local kind, key, stop, where = token(options, text, at)
  if kind == "T_OBJ_END" then return made, stop end
  while true do
    if kind ~= "T_STRING" then refuse("object key string", kind, where) end
    kind, _, stop, where = token(options, text, stop)
    if kind ~= "T_COLON" then refuse("colon", kind, where) end
    local value
    value, stop = decode_value(options, text, stop, depth)
    made[key] = value
    kind, _, stop, where = token(options, text, stop)
    if kind == "T_OBJ_END" then return made, stop end
    if kind ~= "T_COMMA" then refuse("comma or object end", kind, where) end
    kind, key, stop, where = token(options, text, stop)
  end
end

local function decode_array(options, text, at, depth)
  local made, count = {}, 0
  if options.with_array_mt then setmetatable(made, array_mt) end
  local kind, value, stop, where = token(options, text, at)
  if kind == "T_ARR_END" then return made, stop end
  stop = at
  while true do
    count = count + 1
    value, stop = decode_value(options, text, stop, depth)
    made[count] = value
    kind, _, stop, where = token(options, text, stop)
    if kind == "T_ARR_END" then return made, stop end
    if kind ~= "T_COMMA" then refuse("comma or array end", kind, where) end
  end
end

function decode_value(options, text, at, depth)
  local kind, value, stop, where = token(options, text, at)
  if is_value[kind] then return value, stop end
  if kind ~= "T_OBJ_BEGIN" and kind ~= "T_ARR_BEGIN" then refuse("value", kind, where) end
  depth = depth + 1
  if depth > options.decode_depth then
    fail("Found too many nested data structures (" .. depth .. ") at character " .. where)
  end
  if kind == "T_OBJ_BEGIN" then return decode_object(options, text, stop, depth) end
  return decode_array(options, text, stop, depth)
end

-- options -------------------------------------------------------------------------------------------------------

local function bad(index, name, text, level)
  error(format("bad argument #%d to '%s' (%s)", index, name, text), level or 4)
end

local function at_most(limit, name, ...)
  if select("#", ...) > limit then bad(limit + 1, name, "found too many arguments") end
end

local function whole(name, index, value, least, most)
  local number = tonumber(value)
  if type(value) ~= "number" and not (type(value) == "string" and number) then
    bad(index, name, "number expected, got " .. type(value))
  end
  number = number < 0 and -floor(-number) or floor(number)
  if number < least or number > most then
    bad(index, name, format("expected integer between %d and %d", least, most))
  end
  return number
end

local function switch(name, index, value, words)
  if type(value) == "boolean" then return value end
  if type(value) ~= "string" then bad(index, name, "string expected, got " .. type(value)) end
  if value == "on" then return true end
  if value == "off" then return false end
  if not (words and words[value]) then bad(index, name, "invalid option '" .. value .. "'") end
  return value
end

local NULL_TOO = { null = true }

local function new()
  local options = {
    sparse_convert = false, sparse_ratio = 2, sparse_safe = 10, encode_depth = 1000, decode_depth = 1000,
    encode_invalid = false, decode_invalid = true, keep_buffer = true, precision = 14, number_format = "%.14g",
    empty_as_object = true, with_array_mt = false, escape_slash = true, skip_unsupported = false, indent = "",
    allow_comment = false,
  }
  local cjson = {
    _NAME = "cjson", _VERSION = "2.1.0", null = null, empty_array = empty_array, array_mt = array_mt,
    empty_array_mt = empty_array_mt, new = new,
  }

  local function encode(value)
    local out = {}
    local count = encode_value(options, out, 0, value, 0) or 0
    local text = concat(out, "", 1, count)
    return text
  end

  local function decode(text)
    if #text >= 2 and (byte(text, 1) == 0 or byte(text, 2) == 0) then
      fail("JSON parser does not support UTF-16 or UTF-32")
    end
    local value, stop = decode_value(options, text, 1, 0)
    local kind, _, _, where = token(options, text, stop)
    if kind ~= "T_END" then refuse("the end", kind, where) end
    return value
  end

  function cjson.encode(...)
    if select("#", ...) ~= 1 then bad(1, "encode", "expected 1 argument", 3) end
    local ok, result = pcall(encode, (...))
    if ok then return result end
    if result == fault then error(fault.text, 2) end
    error(result, 0)
  end

  function cjson.decode(...)
    local text = ...
    if select("#", ...) ~= 1 then bad(1, "decode", "expected 1 argument", 3) end
    if type(text) == "number" then text = tostring(text) end
    if type(text) ~= "string" then bad(1, "decode", "string expected, got " .. type(text), 3) end
    local ok, result = pcall(decode, text)
    if ok then return result end
    if result == fault then error(fault.text, 2) end
    error(result, 0)
  end

  local function limit(name, field, least, most, after)
    cjson[name] = function(...)
      at_most(1, name, ...)
      local value = ...
      if value ~= nil then options[field] = whole(name, 1, value, least, most) end
      if after then after() end
      local now = options[field]
      return now
    end
  end

  local function flag(name, field, words)
    cjson[name] = function(...)
      at_most(1, name, ...)
      local value = ...
      if value ~= nil then options[field] = switch(name, 1, value, words) end
      local now = options[field]
      return now
    end
  end

  limit("encode_max_depth", "encode_depth", 1, DEPTH_LIMIT)
  limit("decode_max_depth", "decode_depth", 1, DEPTH_LIMIT)
  limit("encode_number_precision", "precision", 1, 16, function()
    options.number_format = "%." .. options.precision .. "g"
  end)
  flag("encode_keep_buffer", "keep_buffer")
  flag("encode_invalid_numbers", "encode_invalid", NULL_TOO)
  flag("decode_invalid_numbers", "decode_invalid")
  flag("encode_empty_table_as_object", "empty_as_object")
  flag("decode_array_with_array_mt", "with_array_mt")
  flag("decode_allow_comment", "allow_comment")
  flag("encode_escape_forward_slash", "escape_slash")
  flag("encode_skip_unsupported_value_types", "skip_unsupported")

  function cjson.encode_sparse_array(...)
    at_most(3, "encode_sparse_array", ...)
    local convert, ratio, safe = ...
    if convert ~= nil then options.sparse_convert = switch("encode_sparse_array", 1, convert) end
    if ratio ~= nil then options.sparse_ratio = whole("encode_sparse_array", 2, ratio, 0, DEPTH_LIMIT) end
    if safe ~= nil then options.sparse_safe = whole("encode_sparse_array", 3, safe, 0, DEPTH_LIMIT) end
    return options.sparse_convert, options.sparse_ratio, options.sparse_safe
  end

  function cjson.encode_indent(...)
    at_most(1, "encode_indent", ...)
    local text = ...
    if text ~= nil then
      if type(text) ~= "string" then bad(1, "encode_indent", "string expected, got " .. type(text)) end
      options.indent = text
    end
    return options.indent
  end

  return cjson
end

return new()
