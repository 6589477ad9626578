-- What Lua 5.2 has and LuaJIT or Lua 5.1 lacks, so that scripts written for FreeSWITCH's Lua 5.2 run unchanged.
-- The syntax of 5.2 that LuaJIT refuses is dealt with in the host; `__len` and `__gc` of tables cannot be had.

local type, select, error, getmetatable = type, select, error, getmetatable
local loaded = package.loaded

table.pack = table.pack or function(...) return { n = select("#", ...), ... } end
table.unpack = table.unpack or unpack

if not rawlen then
  function rawlen(value)
    local name = type(value)
    if name ~= "table" and name ~= "string" then error("table or string expected", 2) end
    return #value -- neither has a metamethod for it here
  end
end

local raw_pairs, raw_ipairs = pairs, ipairs
local function overridden(plain, event)
  return function(value)
    local metatable = getmetatable(value)
    local method = type(metatable) == "table" and metatable[event]
    if method then
      local iterate, state, first = method(value)
      return iterate, state, first
    end
    return plain(value)
  end
end
pairs = overridden(raw_pairs, "__pairs")
ipairs = overridden(raw_ipairs, "__ipairs")

-- load takes a text, a mode and an environment.
if not pcall(load, "return") then
  local plain_load, load_text, set_environment = load, loadstring, setfenv
  load = function(chunk, name, mode, ...)
    local f, message
    if type(chunk) == "function" then -- read here: the parser calls it where no hook runs
      local parts = {}
      local done, failure = pcall(function()
        local part = chunk()
        while part ~= nil and part ~= "" do
          if type(part) ~= "string" then error("reader function must return a string", 0) end
          parts[#parts + 1] = part
          part = chunk()
        end
      end)
      if not done then return nil, failure end
      chunk, name = table.concat(parts), name or "=(load)"
    end
    if type(chunk) == "string" then
      local binary = chunk:byte(1) == 27
      if mode and not mode:find(binary and "b" or "t", 1, true) then
        return nil, ("attempt to load a %s chunk (mode is '%s')"):format(binary and "binary" or "text", mode)
      end
      f, message = load_text(chunk, name or chunk)
    else
      f, message = plain_load(chunk, name or "=(load)")
    end
    if f == nil then return nil, message end
    if select("#", ...) > 0 then set_environment(f, (...)) end
    return f
  end
  local plain_loadfile = loadfile
  loadfile = function(name, mode, ...)
    local f, message = plain_loadfile(name)
    if f == nil then return nil, message end
    if select("#", ...) > 0 then set_environment(f, (...)) end
    return f
  end
end

if select("#", xpcall(function(...) if select("#", ...) == 0 then error() end end, function() end, 1)) ~= 1 then
  local plain_xpcall, unpack = xpcall, table.unpack
  xpcall = function(f, handler, ...)
    local arguments, count = { ... }, select("#", ...)
    if count == 0 then return plain_xpcall(f, handler) end
    return plain_xpcall(function() return f(unpack(arguments, 1, count)) end, handler)
  end
end

package.searchers = package.loaders
package.searchpath = package.searchpath or function(name, path, separator, replacement)
  local file_name = name:gsub("%" .. (separator or "."), replacement or "/")
  local tried = ""
  for template in path:gmatch("[^;]+") do
    local file_path = template:gsub("%?", (file_name:gsub("%%", "%%%%")))
    local file = io.open(file_path, "r")
    if file then
      file:close()
      return file_path
    end
    tried = tried .. "\n\tno file '" .. file_path .. "'"
  end
  return nil, tried
end

local log = math.log
if select(2, pcall(log, 8, 2)) ~= 3 then
  math.log = function(x, base)
    if base == nil then return log(x) end
    return log(x) / log(base)
  end
end

local running = coroutine.running
coroutine.running = function()
  local current, is_main = running()
  if current == nil then return nil, true end
  return current, is_main or false
end

if not bit32 then
  local bit = bit
  if bit then
    local function unsigned(n) return n % 4294967296 end
    local function whole(n) return bit.tobit(n % 4294967296) end
    local function fold(operation, start)
      return function(...)
        local result = start
        for i = 1, select("#", ...) do result = operation(result, whole((select(i, ...)))) end
        return unsigned(result)
      end
    end
    bit32 = {
      band = fold(bit.band, -1),
      bor = fold(bit.bor, 0),
      bxor = fold(bit.bxor, 0),
      bnot = function(n) return unsigned(bit.bnot(whole(n))) end,
      lshift = function(n, by)
        if by < 0 then return bit32.rshift(n, -by) end
        return by > 31 and 0 or unsigned(bit.lshift(whole(n), by))
      end,
      rshift = function(n, by)
        if by < 0 then return bit32.lshift(n, -by) end
        return by > 31 and 0 or unsigned(bit.rshift(whole(n), by))
      end,
      arshift = function(n, by)
        if by < 0 then return bit32.lshift(n, -by) end
        return unsigned(bit.arshift(whole(n), by > 31 and 31 or by))
      end,
      lrotate = function(n, by) return unsigned(bit.rol(whole(n), by % 32)) end,
      rrotate = function(n, by) return unsigned(bit.ror(whole(n), by % 32)) end,
      extract = function(n, field, width) return bit32.band(bit32.rshift(n, field), 2 ^ (width or 1) - 1) end,
      replace = function(n, value, field, width)
        local mask = 2 ^ (width or 1) - 1
        local cleared = bit32.band(n, bit32.bnot(bit32.lshift(mask, field)))
        return bit32.bor(cleared, bit32.lshift(bit32.band(value, mask), field))
      end,
    }
    bit32.btest = function(...) return bit32.band(...) ~= 0 end
    loaded.bit32 = bit32
  end
end
