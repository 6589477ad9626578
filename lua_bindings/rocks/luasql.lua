-- The rocks luasql.sqlite3, luasql.postgres, luasql.mysql and luasql.odbc (LuaSQL 2.6): environments, connections
-- and cursors. Which of them this is tells the name it is required by.
local host, border, name = ...
local type, error, select, pairs = type, error, select, pairs
local format, match, find = string.format, string.match, string.find
local text = border.text

local driver = match(name, "^luasql%.(%w+)$")
local titles = { sqlite3 = "SQLite3", postgres = "PostgreSQL", mysql = "MySQL", odbc = "ODBC" }
local title = titles[driver]
local ENVIRONMENT, CONNECTION, CURSOR = title .. " environment", title .. " connection", title .. " cursor"

local luasql = { _VERSION = "LuaSQL 2.6.0 (for " .. _VERSION .. ")",
  _DESCRIPTION = "LuaSQL is a simple interface from Lua to a DBMS",
  _COPYRIGHT = "Copyright (C) 2003-2020 Kepler Project" }
if driver == "sqlite3" then luasql._CLIENTVERSION = host.sqlite_version() end

local function kind(name_of, methods, is_open)
  border.kind(name_of, methods, nil, {
    __metatable = "LuaSQL: you're not allowed to get this metatable",
    __tostring = function(object)
      return name_of .. " (" .. (is_open(object) and border.address(object) or "closed") .. ")"
    end,
  })
end

-- The object a method was called on, which must be open.
local function open(value, wanted, method, is_open, called)
  if border.kind_of(value) ~= wanted then
    error(format("bad argument #1 to '%s' (%s expected, got %s)", method, wanted,
      value == nil and "no value" or type(value)), 3)
  end
  if not is_open(value) then error(format("calling '%s' on bad self (LuaSQL: %s is closed)", method, called), 3) end
end

-- environments --------------------------------------------------------------------------------------------------

-- An environment holds nothing of the host's.
local environment, opened = {}, setmetatable({}, { __mode = "k" })
local environment_metatable = {
  __index = environment,
  __metatable = "LuaSQL: you're not allowed to get this metatable",
  __tostring = function(object)
    return ENVIRONMENT .. " (" .. (opened[object] and "0x1" or "closed") .. ")"
  end,
}

luasql[driver] = function()
  local made = border.token(environment_metatable)
  opened[made] = true
  return made
end

local function check_environment(value, method)
  if type(value) ~= "userdata" or opened[value] == nil then
    error(format("bad argument #1 to '%s' (%s expected, got %s)", method, ENVIRONMENT,
      value == nil and "no value" or type(value)), 3)
  end
  if not opened[value] then
    error(format("calling '%s' on bad self (LuaSQL: environment is closed)", method), 3)
  end
end

function environment.connect(self, source, user, password, server, port)
  check_environment(self, "connect")
  source = text(1, "connect", source)
  if driver == "sqlite3" then
    user = border.optional_number(2, "connect", user)
  else
    user = border.optional_text(2, "connect", user)
  end
  password = border.optional_text(3, "connect", password)
  server = border.optional_text(4, "connect", server)
  if type(port) == "number" then port = format("%d", port) end
  return host.connect(driver, CONNECTION, source, user, password, server, border.optional_text(5, "connect", port))
end

function environment.close(self)
  if type(self) == "userdata" and opened[self] == false then return false end
  check_environment(self, "close")
  opened[self] = false
  return true
end

-- connections ---------------------------------------------------------------------------------------------------

local connection = {}
kind(CONNECTION, connection, host.is_open)

function connection.execute(self, statement)
  open(self, CONNECTION, "execute", host.is_open, "connection")
  statement = text(1, "execute", statement)
  return host.execute(self, CURSOR, statement)
end

for _, word in pairs { "commit", "rollback" } do
  local f = host[word]
  connection[word] = function(self)
    open(self, CONNECTION, word, host.is_open, "connection")
    return f(self)
  end
end

function connection.setautocommit(self, on)
  open(self, CONNECTION, "setautocommit", host.is_open, "connection")
  return host.autocommit(self, on and true or false)
end

function connection.escape(self, value)
  open(self, CONNECTION, "escape", host.is_open, "connection")
  value = text(1, "escape", value)
  return host.escape(self, value)
end

function connection.close(self)
  if border.kind_of(self) ~= CONNECTION then open(self, CONNECTION, "close", host.is_open, "connection") end
  local done = host.close(self)
  if done == nil then error("LuaSQL: there are open cursors", 2) end
  return done
end

if driver == "sqlite3" or driver == "mysql" then
  function connection.getlastautoid(self)
    open(self, CONNECTION, "getlastautoid", host.is_open, "connection")
    return host.last_id(self)
  end
end

-- cursors -------------------------------------------------------------------------------------------------------

local cursor = {}
kind(CURSOR, cursor, host.cursor_open)

local function fill(self, row, mode, status, ...)
  if status == nil then return nil, (...) end
  if status == false then return nil end
  local values = { ... }
  local by_name = find(mode, "a", 1, true) and { host.names(self) }
  local by_place = find(mode, "n", 1, true)
  for i = 1, select("#", ...) do
    if by_place then row[i] = values[i] end
    if by_name then row[by_name[i]] = values[i] end
  end
  return row
end

local function pass(status, ...)
  if status == nil then return nil, (...) end
  if status == false then return nil end
  return ...
end

function cursor.fetch(self, row, mode)
  open(self, CURSOR, "fetch", host.cursor_open, "cursor")
  if type(row) ~= "table" then return pass(host.fetch(self)) end
  return fill(self, row, border.optional_text(2, "fetch", mode) or "n", host.fetch(self))
end

function cursor.close(self)
  if border.kind_of(self) ~= CURSOR then open(self, CURSOR, "close", host.cursor_open, "cursor") end
  return host.cursor_close(self)
end

function cursor.getcolnames(self)
  open(self, CURSOR, "getcolnames", host.cursor_open, "cursor")
  return { host.names(self) }
end

function cursor.getcoltypes(self)
  open(self, CURSOR, "getcoltypes", host.cursor_open, "cursor")
  return { host.types(self) }
end

if driver == "postgres" or driver == "mysql" then
  function cursor.numrows(self)
    open(self, CURSOR, "numrows", host.cursor_open, "cursor")
    return host.count(self)
  end
end

return luasql
