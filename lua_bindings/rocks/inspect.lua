-- The rock inspect (3.1): shows Lua values as text for people.
local type, tostring, ipairs, rawget, select, getmetatable, setmetatable, next = type, tostring, ipairs, rawget, select,
  getmetatable, setmetatable, next
local format, gsub, match, rep, find = string.format, string.gsub, string.match, string.rep,
  string.find
local concat, sort, floor, huge = table.concat, table.sort, math.floor, math.huge


local inspect = {
  _VERSION = "inspect.lua 3.1.0",
  _DESCRIPTION = "human-readable representations of tables",
  KEY = setmetatable({}, { __tostring = function() return "inspect.KEY" end }),
  METATABLE = setmetatable({}, { __tostring = function() return "inspect.METATABLE" end }),
}

-- texts ---------------------------------------------------------------------------------------------------------

local short, long = { ["\a"] = "\\a", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
  ["\v"] = "\\v", ["\127"] = "\\127" }, { ["\127"] = "\127" }
for code = 0, 31 do
  local letter = string.char(code)
  if not short[letter] then
    short[letter] = "\\" .. code
    long[letter] = format("\\%03d", code)
  end
end

local function quoted(text)
  if find(text, '"', 1, true) and not find(text, "'", 1, true) then return "'" .. text .. "'" end
  return '"' .. gsub(text, '"', '\\"') .. '"'
end

local function escaped(text)
  text = gsub(text, "\\", "\\\\")
  text = gsub(text, "(%c)%f[0-9]", long)
  return (gsub(text, "%c", short))
end

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch("%a+") do
  keywords[word] = true
end

local function is_name(text)
  return type(text) == "string" and match(text, "^[_%a][_%a%d]*$") ~= nil and not keywords[text]
end

-- keys ----------------------------------------------------------------------------------------------------------

local rank = { number = 1, boolean = 2, string = 3, table = 4, ["function"] = 5, userdata = 6, thread = 7 }

local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a == kind_b and (kind_a == "string" or kind_a == "number") then return a < b end
  local first, second = rank[kind_a] or 100, rank[kind_b] or 100
  if first == second then return kind_a < kind_b end
  return first < second
end

-- Returns the keys outside the list 1…length, sorted, and that length.
local function other_keys(value)
  local length = 0
  while rawget(value, length + 1) ~= nil do length = length + 1 end
  local keys = {}
  for key in next, value do
    local in_list = type(key) == "number" and floor(key) == key and key >= 1 and key <= length
    if not in_list then keys[#keys + 1] = key end
  end
  sort(keys, before)
  return keys, length
end

-- processing ----------------------------------------------------------------------------------------------------

local function extended(path, ...)
  local made = {}
  for i = 1, #path do made[i] = path[i] end
  for i = 1, select("#", ...) do made[#made + 1] = (select(i, ...)) end
  return made
end

local function processed(process, item, path, seen)
  if item == nil then return nil end
  if seen[item] then return seen[item] end
  local done = process(item, path)
  if type(done) == "table" then
    local copy = {}
    seen[item] = copy
    for key, value in next, done do
      local new_key = processed(process, key, extended(path, key, inspect.KEY), seen)
      if new_key ~= nil then copy[new_key] = processed(process, value, extended(path, new_key), seen) end
    end
    local metatable = processed(process, getmetatable(done), extended(path, inspect.METATABLE), seen)
    if type(metatable) ~= "table" then metatable = nil end
    setmetatable(copy, metatable)
    done = copy
  end
  return done
end

-- writing -------------------------------------------------------------------------------------------------------

local function count_tables(value, counts)
  if type(value) ~= "table" then return end
  if counts[value] then
    counts[value] = counts[value] + 1
    return
  end
  counts[value] = 1
  count_tables(getmetatable(value), counts)
  for key, inner in next, value do
    count_tables(key, counts)
    count_tables(inner, counts)
  end
end

local write

local function line(state) state.out[#state.out + 1] = state.newline .. rep(state.indent, state.level) end
local function put(state, text) state.out[#state.out + 1] = text end

local function id_of(state, value)
  local id = state.ids[value]
  if not id then
    local kind = type(value)
    id = (state.last[kind] or 0) + 1
    state.last[kind], state.ids[value] = id, id
  end
  return tostring(id)
end

local function write_table(state, value)
  if value == inspect.KEY or value == inspect.METATABLE then return put(state, tostring(value)) end
  if state.ids[value] then return put(state, "<table " .. state.ids[value] .. ">") end
  if state.level >= state.depth then return put(state, "{...}") end
  if state.counts[value] > 1 then put(state, "<" .. id_of(state, value) .. ">") end
  local keys, length = other_keys(value)
  local metatable = getmetatable(value)
  if metatable ~= nil and type(metatable) ~= "table" then metatable = nil end
  put(state, "{")
  state.level = state.level + 1
  local written = 0
  for i = 1, length do
    if written > 0 then put(state, ",") end
    put(state, " ")
    write(state, rawget(value, i))
    written = written + 1
  end
  for _, key in ipairs(keys) do
    if written > 0 then put(state, ",") end
    line(state)
    if is_name(key) then
      put(state, key)
    else
      put(state, "[")
      write(state, key)
      put(state, "]")
    end
    put(state, " = ")
    write(state, rawget(value, key))
    written = written + 1
  end
  if metatable then
    if written > 0 then put(state, ",") end
    line(state)
    put(state, "<metatable> = ")
    write(state, metatable)
  end
  state.level = state.level - 1
  if #keys > 0 or metatable then
    line(state)
  elseif length > 0 then
    put(state, " ")
  end
  put(state, "}")
end

function write(state, value)
  local kind = type(value)
  if kind == "string" then
    put(state, quoted(escaped(value)))
  elseif kind == "number" or kind == "boolean" or kind == "nil" or kind == "cdata" or kind == "ctype" then
    put(state, tostring(value))
  elseif kind == "table" then
    write_table(state, value)
  else
    put(state, "<" .. kind .. " " .. id_of(state, value) .. ">")
  end
end

-- Options: `depth`, `newline`, `indent`, and `process(item, path)`, which answers what is shown instead.
function inspect.inspect(root, options)
  options = options or {}
  if options.process then root = processed(options.process, root, {}, {}) end
  local state = {
    out = {}, level = 0, ids = {}, last = {}, counts = {}, depth = options.depth or huge,
    newline = options.newline or "\n", indent = options.indent or "  ",
  }
  count_tables(root, state.counts)
  write(state, root)
  return concat(state.out)
end

return setmetatable(inspect, { __call = function(_, root, options) return inspect.inspect(root, options) end })
