-- The rock rex_pcre (lrexlib 2.9): PCRE patterns, for whom Lua's are too few.
local host, border = ...
local text, bad, optional_text, optional_number = border.text, border.bad, border.optional_text, border.optional_number
local type, select, tostring, error, pcall, floor = type, select, tostring, error, pcall, math.floor
local sub, byte, char, gmatch, format, concat = string.sub, string.byte, string.char, string.gmatch, string.format,
  table.concat
local unpack = table.unpack or unpack

local rex = { _VERSION = "Lrexlib 2.9.1" }

-- patterns ------------------------------------------------------------------------------------------------------

local flags = { CASELESS = 1, MULTILINE = 2, DOTALL = 4, EXTENDED = 8, ANCHORED = 16, UNGREEDY = 512, UTF8 = 2048 }
local letters = { { 1, "i" }, { 2, "m" }, { 4, "s" }, { 8, "x" }, { 512, "U" } }

local function has(number, flag) return floor(number / flag) % 2 == 1 end

-- Returns the letters of compile flags, which are a number or the letters themselves, and whether texts are UTF-8.
local function options_of(value, index, name)
  if value == nil then return "", false, false end
  if type(value) == "string" then
    for letter in gmatch(value, ".") do
      if not ("imsxU"):find(letter, 1, true) then bad(index, name, "invalid flag") end
    end
    return value, false, false
  end
  local number, given, known = optional_number(index, name, value, 0), "", 0
  for _, flag in ipairs(letters) do
    if has(number, flag[1]) then given = given .. flag[2] end
  end
  for _, flag in pairs(flags) do
    if has(number, flag) then known = known + flag end
  end
  if known ~= number then bad(index, name, "flag is not supported") end
  return given, has(number, flags.UTF8), has(number, flags.ANCHORED)
end

-- The patterns that must match where the search begins.
local anchored = setmetatable({}, { __mode = "k" })

-- Returns the compiled pattern that an argument is or means.
local function pattern_of(index, name, value, options)
  if border.kind_of(value) == "pcre" then return value end
  value = text(index, name, value)
  local given, utf8, at_start = options_of(options, index + 2, name)
  local made, compiled = pcall(host.compile, value, given, utf8)
  if not made then error(compiled, 3) end
  if at_start then anchored[compiled] = true end
  return compiled
end

local function run(pattern, subject, place)
  return { host.execute(pattern, subject, place, anchored[pattern] or false) }
end

local function place_of(index, name, value, subject)
  local place = optional_number(index, name, value, 1)
  if place < 0 then place = #subject + place + 1 end
  return place < 1 and 1 or place
end

-- Returns what a match gives: its groups, or all of it if there are none.
local function groups(subject, found, whole_anyway)
  local values, count = {}, 0
  for i = 3, #found, 2 do
    count = count + 1
    values[count] = found[i] and sub(subject, found[i], found[i + 1])
  end
  if count == 0 and whole_anyway then return { sub(subject, found[1], found[2]) }, 1 end
  return values, count
end

-- matching ------------------------------------------------------------------------------------------------------

local function found_at(name, index, subject, pattern, init)
  subject = text(1, name, subject)
  local place = place_of(index, name, init, subject)
  if place > #subject + 1 then return subject, {} end
  return subject, run(pattern, subject, place)
end

local function match(subject, pattern, init, index)
  local found
  subject, found = found_at("match", index, subject, pattern, init)
  if not found[1] then return nil end
  local values, count = groups(subject, found, true)
  return unpack(values, 1, count)
end

local function find(subject, pattern, init, index)
  local found
  subject, found = found_at("find", index, subject, pattern, init)
  if not found[1] then return nil end
  local values, count = groups(subject, found, false)
  return found[1], found[2], unpack(values, 1, count)
end

function rex.match(subject, pattern, init, options)
  return match(subject, pattern_of(2, "match", pattern, options), init, 3)
end

function rex.find(subject, pattern, init, options)
  return find(subject, pattern_of(2, "find", pattern, options), init, 3)
end

-- What follows an empty match is looked for one octet further on.
local function next_place(found) return found[2] < found[1] and found[1] + 1 or found[2] + 1 end

function rex.gmatch(subject, pattern, options)
  subject = text(1, "gmatch", subject)
  pattern = pattern_of(2, "gmatch", pattern, options)
  local place = 1
  return function()
    if place > #subject + 1 then return nil end
    local found = run(pattern, subject, place)
    if not found[1] then
      place = #subject + 2
      return nil
    end
    place = next_place(found)
    local values, count = groups(subject, found, true)
    return unpack(values, 1, count)
  end
end

function rex.count(subject, pattern, options)
  subject = text(1, "count", subject)
  pattern = pattern_of(2, "count", pattern, options)
  local place, count = 1, 0
  while place <= #subject + 1 do
    local found = run(pattern, subject, place)
    if not found[1] then break end
    count, place = count + 1, next_place(found)
  end
  return count
end

-- Each turn gives what stands before a separator, and the separator's groups or all of it; the last gives the rest.
function rex.split(subject, pattern, options)
  subject = text(1, "split", subject)
  pattern = pattern_of(2, "split", pattern, options)
  local begin, place = 1, 1
  return function()
    if begin == nil then return nil end
    local found = place <= #subject and run(pattern, subject, place) or {}
    if found[1] and found[1] > #subject then found = {} end
    if not found[1] then
      local rest = sub(subject, begin)
      begin = nil
      return rest
    end
    local section = sub(subject, begin, found[1] - 1)
    begin, place = found[2] + 1, next_place(found)
    local values, count = groups(subject, found, true)
    return section, unpack(values, 1, count)
  end
end

-- replacing -----------------------------------------------------------------------------------------------------

-- Returns what stands for a match, as a text that names groups says.
local function filled_in(wanted, subject, found)
  local values, count = groups(subject, found, true)
  return (wanted:gsub("%%(.?)", function(letter)
    if letter == "0" then return sub(subject, found[1], found[2]) end
    if letter:find("^%d$") then
      local number = byte(letter) - 48
      if number > count then error("invalid capture index", 0) end
      return values[number] or ""
    end
    return letter
  end))
end

local function replacement(by, kind, subject, found)
  if kind == "string" then return filled_in(by, subject, found) end
  local values, count = groups(subject, found, true)
  local value
  if kind == "table" then
    value = by[values[1]]
  else
    value = by(unpack(values, 1, count))
  end
  local got = type(value)
  if got == "string" or got == "number" then return tostring(value) end
  if value then error("invalid replacement value (a " .. got .. ")", 3) end
  return nil
end

-- Returns the new text, how many matches there were, and how many of them were replaced.
function rex.gsub(subject, pattern, by, limit, options)
  subject = text(1, "gsub", subject)
  pattern = pattern_of(2, "gsub", pattern, options)
  local kind = type(by)
  if kind == "number" then by, kind = tostring(by), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    bad(3, "gsub", "string, table or function expected, got " .. kind)
  end
  limit = optional_number(4, "gsub", limit, nil)
  local parts, begin, place, matches, replaced = {}, 1, 1, 0, 0
  while place <= #subject + 1 and (limit == nil or matches < limit) do
    local found = run(pattern, subject, place)
    if not found[1] then break end
    matches = matches + 1
    local value = replacement(by, kind, subject, found)
    parts[#parts + 1] = sub(subject, begin, found[1] - 1)
    if value then replaced = replaced + 1 end
    parts[#parts + 1] = value or sub(subject, found[1], found[2])
    begin, place = found[2] + 1, next_place(found)
  end
  parts[#parts + 1] = sub(subject, begin)
  return concat(parts), matches, replaced
end

-- compiled patterns ---------------------------------------------------------------------------------------------

local methods = {}

function methods.match(pattern, subject, init) return match(subject, border.own(pattern, "pcre", "match"), init, 2) end
function methods.find(pattern, subject, init) return find(subject, border.own(pattern, "pcre", "find"), init, 2) end

-- Like `find`, but all groups in one table.
function methods.tfind(pattern, subject, init)
  local found
  subject, found = found_at("tfind", 2, subject, border.own(pattern, "pcre", "tfind"), init)
  if not found[1] then return nil end
  return found[1], found[2], (groups(subject, found, false))
end

-- Like `tfind`, but the places of the groups instead of what they hold.
function methods.exec(pattern, subject, init)
  local found
  subject, found = found_at("exec", 2, subject, border.own(pattern, "pcre", "exec"), init)
  if not found[1] then return nil end
  local places = {}
  for i = 3, #found do places[i - 2] = found[i] end
  return found[1], found[2], places
end

function methods.fullinfo(pattern) return { CAPTURECOUNT = host.groups(border.own(pattern, "pcre", "fullinfo")) } end

border.kind("pcre", methods, "rex_pcre_regex")

function rex.new(pattern, options) return pattern_of(1, "new", pattern, options) end

function rex.flags(into)
  into = into or {}
  for name, value in pairs(flags) do into[name] = value end
  return into
end

function rex.version() return "10 PCRE2" end

return rex
