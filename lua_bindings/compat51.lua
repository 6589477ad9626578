-- What FreeSWITCH's Lua 5.2 keeps of Lua 5.1 and a Lua 5.2 that is built without that lacks. It stands behind the
-- prelude in one chunk.
local globals, loaded, log = _G, package.loaded, math.log
local setupvalue = core.debug.setupvalue

globals.loadstring = globals.loadstring or load
globals.unpack = globals.unpack or table.unpack
package.loaders = package.loaders or package.searchers

-- Raises at the caller's place, in the words of Lua's own C functions.
local function wrong_type(name, wanted, ...)
  local got = select("#", ...) == 0 and "no value" or type((...))
  error("bad argument #1 to '" .. name .. "' (" .. wanted .. " expected, got " .. got .. ")", 3)
end

math.log10 = math.log10 or function(...)
  local x = ...
  if type(x) ~= "number" then
    x = type(x) == "string" and tonumber(x)
    if not x then wrong_type("log10", "number", ...) end
  end
  return (log(x, 10))
end

table.maxn = table.maxn or function(...)
  local t = ...
  if type(t) ~= "table" then wrong_type("maxn", "table", ...) end
  local largest = 0
  for key in next, t do
    if type(key) == "number" and key > largest then largest = key end
  end
  return largest
end

package.seeall = package.seeall or function(...)
  local module_ = ...
  if type(module_) ~= "table" then wrong_type("seeall", "table", ...) end
  local metatable = get_metatable(module_)
  if metatable == nil then
    metatable = {}
    setmetatable(module_, metatable)
  end
  metatable.__index = globals
end

-- Returns the table at a name with dots, made where there is none; nil where something else is in the way.
local function table_at(name)
  local place = globals
  for part in name:gmatch("[^.]+") do
    local inner = rawget(place, part)
    if inner == nil then
      inner = {}
      rawset(place, part, inner)
    elseif type(inner) ~= "table" then
      return nil
    end
    place = inner
  end
  return place
end

globals.module = globals.module or function(...)
  local name = ...
  if type(name) == "number" then name = tostring(name) end
  if type(name) ~= "string" then wrong_type("module", "string", ...) end
  local made = loaded[name]
  if type(made) ~= "table" then
    made = table_at(name)
    if made == nil then error("name conflict for module '" .. name .. "'", 2) end
    loaded[name] = made
  end
  if made._NAME == nil then
    made._M, made._NAME, made._PACKAGE = made, name, name:match("^(.*%.)[^.]*$") or ""
  end
  local caller = getinfo(2, "fS")
  if caller == nil or caller.what == "C" then error("'module' not called from a Lua function", 2) end
  setupvalue(caller.func, 1, made) -- its _ENV
  for i = 2, select("#", ...) do
    local option = select(i, ...)
    if type(option) == "function" then option(made) end
  end
end
