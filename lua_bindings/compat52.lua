-- What Lua 5.2 has and LuaJIT or Lua 5.1 lacks, so that scripts written for FreeSWITCH's Lua 5.2 run unchanged.
-- The syntax of 5.2 that LuaJIT refuses is dealt with in the host; `__len` and `__gc` of tables cannot be had.

-- It stands behind the prelude in one chunk, whose locals are what the globals were before the prelude.
local globals = _G
local type, select, error, getmetatable = type, select, error, getmetatable
local pcall, xpcall, load = globals.pcall, globals.xpcall, globals.load

table.pack = table.pack or function(...) return { n = select("#", ...), ... } end
table.unpack = table.unpack or unpack

if not globals.rawlen then
  function globals.rawlen(value)
    local name = type(value)
    if name ~= "table" and name ~= "string" then
      error("bad argument #1 to 'rawlen' (table or string expected)", 2)
    end
    return #value -- neither has a metamethod for it here
  end
end

local function overridden(plain, event)
  return function(...)
    local value = ...
    local metatable = getmetatable(value)
    local method = type(metatable) == "table" and metatable[event]
    if method then
      local iterate, state, first = method(value)
      return iterate, state, first
    end
    return plain(...)
  end
end
globals.pairs = overridden(pairs, "__pairs")
globals.ipairs = overridden(ipairs, "__ipairs")

-- load takes a text, a mode and an environment.
if not pcall(load, "return") then
  local plain_load, load_text, set_environment = load, loadstring, setfenv
  globals.load = function(chunk, name, mode, ...)
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
  globals.xpcall = function(f, ...)
    local arguments, count = { ... }, select("#", ...)
    if count < 2 then return plain_xpcall(f, ...) end
    return plain_xpcall(function() return f(unpack(arguments, 2, count)) end, arguments[1])
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

-- The main thread has no object here: one that cannot be resumed stands for it.
local running, status, main = coroutine.running, coroutine.status, nil
coroutine.running = function()
  local current, is_main = running()
  if current ~= nil then return current, is_main or false end
  main = main or coroutine.create(function() error("cannot resume non-suspended coroutine", 0) end)
  return main, true
end
coroutine.status = function(...)
  if main ~= nil and (...) == main then return running() == nil and "running" or "normal" end
  return status(...)
end

-- Most scripts never look at it.
if bit and not bit32 then
  bit32 = filled_later({}, "bit32")
  package.loaded.bit32 = bit32
end
