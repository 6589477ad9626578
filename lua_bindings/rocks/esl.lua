-- The rock ESL (FreeSWITCH's libs/esl): a client of the event socket. As the real one it is also the global `ESL`.
-- Numbers that tell how a call went are those of C: 0 is success.
local socket, json = require("socket"), require("json")

local type, tostring, tonumber, error, pcall, select, pairs, ipairs, setmetatable, getmetatable = type, tostring,
  tonumber, error, pcall, select, pairs, ipairs, setmetatable, getmetatable
local format, byte, char, find, gsub, lower, match, sub, concat = string.format, string.byte, string.char, string.find,
  string.gsub, string.lower, string.match, string.sub, table.concat
local remove, insert = table.remove, table.insert

-- `connect` waits so many seconds for a server's answers.
local PATIENCE = 30
-- FreeSWITCH: ESL_MAX_CONTENT_LENGTH.
local LARGEST = 64 * 1024 * 1024

local ESL = {}

-- events --------------------------------------------------------------------------------------------------------

local ESLevent = {}
ESLevent.__index = ESLevent

local ARRAY = "^ARRAY::(.*)$"

local function split_array(text)
  local elements, rest = {}, text
  while true do
    local first, last = find(rest, "|:", 1, true)
    elements[#elements + 1] = first and sub(rest, 1, first - 1) or rest
    if not first then return elements end
    rest = sub(rest, last + 1)
  end
end

local function joined(value)
  if type(value) ~= "table" then return value end
  return #value == 1 and value[1] or "ARRAY::" .. concat(value, "|:")
end

-- Headers are kept in their order; a value is a text, or a list where there are several.
local function new_event(name) return setmetatable({ headers = {}, name = name, position = 0 }, ESLevent) end

local function add(event, name, value)
  local elements = match(value, ARRAY)
  event.headers[#event.headers + 1] = { name = name, value = elements and split_array(elements) or value }
end

local function header(event, name)
  local wanted = lower(name)
  for _, one in ipairs(event.headers) do
    if lower(one.name) == wanted then return one end
  end
end

local function copy(event)
  if not event then return nil end
  local made = new_event(event.name)
  for _, one in ipairs(event.headers) do add(made, one.name, joined(one.value)) end
  made.body = event.body
  return made
end

-- The name as the switch writes it; what it does not know is a MESSAGE.
local function known_name(name) return freeswitch.Event(name):getType() end

local function from_json(text)
  local ok, values = pcall(json.decode, text)
  if not ok or type(values) ~= "table" then return nil end
  local event = new_event("CLONE")
  for name, value in pairs(values) do
    if name == "_body" then
      event.body = tostring(value)
    else
      if lower(name) == "event-name" then event.name = tostring(value) end
      local elements = type(value) == "table" and {} or nil
      for i = 1, elements and #value or 0 do elements[i] = tostring(value[i]) end
      event.headers[#event.headers + 1] = { name = name, value = elements or tostring(value) }
    end
  end
  return event
end

function ESL.ESLevent(name, subclass)
  if type(name) == "table" and getmetatable(name) == ESLevent then return copy(name) end
  name = tostring(name)
  if lower(name) == "json" and subclass ~= nil and subclass ~= "" then
    return from_json(subclass) or new_event("CLONE")
  end
  local has_subclass = subclass ~= nil and subclass ~= ""
  local event = new_event(has_subclass and "CUSTOM" or known_name(name))
  add(event, "Event-Name", event.name)
  if has_subclass then add(event, "Event-Subclass", tostring(subclass)) end
  return event
end

local function escaped(text)
  return (gsub(text, '[^!$\'()*,%-./0-9A-Z_a-z~]', function(letter) return format("%%%02X", byte(letter)) end))
end

local function unescaped(text)
  return (gsub(text, "%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end))
end

local function plain_text(event, encode)
  local lines = {}
  for _, one in ipairs(event.headers) do
    local value = joined(one.value)
    lines[#lines + 1] = one.name .. ": " .. (encode and escaped(value) or value) .. "\n"
  end
  if event.body and event.body ~= "" then
    lines[#lines + 1] = "Content-Length: " .. #event.body .. "\n\n" .. event.body
  else
    lines[#lines + 1] = "\n"
  end
  return concat(lines)
end

function ESLevent:serialize(form)
  if not (form and lower(form) == "json") then return plain_text(self, true) end
  local members = {}
  for _, one in ipairs(self.headers) do
    members[#members + 1] = json.encode(one.name) .. ":" .. json.encode(one.value)
  end
  if self.body and self.body ~= "" then
    members[#members + 1] = format('"Content-Length":"%d","_body":%s', #self.body, json.encode(self.body))
  end
  return "{" .. concat(members, ",") .. "}"
end

function ESLevent:getHeader(name, index)
  if name == "_body" then return self.body end
  local found = header(self, tostring(name))
  if not found then return nil end
  if type(index) == "number" and index > -1 then
    return type(found.value) == "table" and found.value[index + 1] or nil
  end
  return joined(found.value)
end

function ESLevent:addHeader(name, value)
  if value == nil then return false end
  if name == "_body" then return self:addBody(value) end
  add(self, tostring(name), tostring(value))
  return true
end

local function put_element(event, name, value, at_end)
  if value == nil then return false end
  local found = header(event, tostring(name))
  if not found then return event:addHeader(name, value) end
  if type(found.value) ~= "table" then found.value = { found.value } end
  insert(found.value, at_end and #found.value + 1 or 1, tostring(value))
  return true
end

function ESLevent:pushHeader(name, value) return put_element(self, name, value, true) end
function ESLevent:unshiftHeader(name, value) return put_element(self, name, value, false) end

function ESLevent:delHeader(name)
  local wanted, found = lower(tostring(name)), false
  for i = #self.headers, 1, -1 do
    if lower(self.headers[i].name) == wanted then
      remove(self.headers, i)
      found = true
    end
  end
  return found
end

function ESLevent:getBody() return self.body end
function ESLevent:getType() return self.name end

function ESLevent:addBody(value)
  if value == nil then return false end
  self.body = tostring(value)
  return true
end

local priorities = { [0] = "NORMAL", "LOW", "HIGH" }

function ESLevent:setPriority(priority)
  self:delHeader("priority")
  add(self, "priority", priorities[tonumber(priority) or 0] or "INVALID")
  return true
end

function ESLevent:nextHeader()
  local one = self.position > 0 and self.headers[self.position]
  if not one then return nil end
  self.position = self.position + 1
  return one.name
end

function ESLevent:firstHeader()
  self.position = 1
  return self:nextHeader()
end

-- the connection ------------------------------------------------------------------------------------------------

local ESLconnection = {}
ESLconnection.__index = ESLconnection

local function lose(connection)
  connection.is_connected = 0
  return nil
end

-- Reads what is left of a message until `deadline`; nil while it is not complete. It may go on in the next call.
local function read_message(connection, deadline)
  local state = connection.state
  if not state then
    state = { message = new_event("SOCKET_DATA"), text = "" }
    add(state.message, "Event-Name", "SOCKET_DATA")
    connection.state = state
  end
  while true do
    local seconds = deadline and deadline - socket.gettime()
    connection.socket:settimeout(seconds and (seconds > 0 and seconds or 0))
    local data, failure, part = connection.socket:receive(state.wanted and state.wanted - #state.text or "*l")
    if not data then
      state.text = state.text .. (part or "")
      if failure ~= "timeout" then lose(connection) end
      return nil
    end
    data, state.text = state.text .. data, ""
    if state.wanted then
      state.message.body = data
      connection.state = nil
      return state.message
    end
    if data ~= "" then
      local name, value = match(data, "^([^:]*):[ \t]*(.*)$")
      if name then add(state.message, name, unescaped(value)) end
    elseif #state.message.headers > 1 then
      local length = tonumber(state.message:getHeader("content-length"))
      if length and (length < 0 or length > LARGEST) then return lose(connection) end
      if not length or length == 0 then
        connection.state = nil
        return state.message
      end
      state.wanted = length
    end
  end
end

-- Returns the event that a message brings, nil without one.
local function inner_event(message)
  local kind = lower(message:getHeader("content-type") or "")
  if not message.body then return nil end
  if kind == "text/event-json" then return from_json(message.body) end
  if kind ~= "text/event-plain" then return nil end
  local event, head, body = new_event("CLONE"), match(message.body, "^(.-\n)\n(.*)$")
  for line in (head or message.body):gmatch("([^\n]*)\n") do
    local name, value = match(line, "^([^:]*): *(.*)$")
    if name then
      value = unescaped(value)
      if lower(name) == "event-name" then event.name = value end
      add(event, name, value)
    end
  end
  if event:getHeader("content-length") then event.body = body end
  return event
end

-- Takes a message: the last one and its event are kept. False when it tells that the server goes.
local function take(connection, message)
  connection.last_event = message
  local kind = lower(message:getHeader("content-type") or "")
  if kind == "text/disconnect-notice" and message.body then
    if lower(message:getHeader("content-disposition") or "") ~= "linger" then
      lose(connection)
      return false
    end
  end
  connection.last_inner = inner_event(message)
  return true
end

local function receive(connection, deadline)
  if connection.is_connected == 0 then return nil end
  connection.last_inner = nil
  local message = remove(connection.waiting, 1) or read_message(connection, deadline)
  if not message or not take(connection, message) then return nil end
  return copy(connection.last_inner or connection.last_event)
end

local function send(connection, command)
  if connection.is_connected == 0 then return 1 end
  if sub(command, -2) ~= "\n\n" then command = command .. "\n\n" end
  connection.socket:settimeout(nil)
  if connection.socket:send(command) then return 0 end
  lose(connection)
  return 1
end

-- Sends and waits for the answer; events that come before it wait for `recvEvent`.
local function ask(connection, command, deadline)
  if send(connection, command) ~= 0 then return nil end
  connection.last_inner = nil
  while true do
    local message = read_message(connection, deadline)
    if not message then return nil end
    local kind = lower(message:getHeader("content-type") or "")
    if kind == "" or kind == "api/response" or kind == "command/reply" then return message end
    connection.waiting[#connection.waiting + 1] = message
  end
end

local function true_word(value)
  value = lower(tostring(value))
  return value == "yes" or value == "on" or value == "true" or value == "t" or value == "enabled" or value == "active"
    or value == "allow" or (tonumber(value) or 0) ~= 0
end

-- (host, port, password) or (host, port, user, password).
function ESL.ESLconnection(...)
  local host, port, user, password = ...
  if select("#", ...) < 3 then error("Wrong arguments for overloaded function 'new_ESLconnection'", 2) end
  if select("#", ...) == 3 then user, password = nil, user end
  local made = setmetatable({ is_connected = 0, waiting = {}, event_lock = 0, async = 0 }, ESLconnection)
  made.socket = socket.tcp()
  made.socket:settimeout(PATIENCE)
  local deadline = socket.gettime() + PATIENCE
  if made.socket:connect(tostring(host), tonumber(port) or 0) then
    made.is_connected = 1
    local message = read_message(made, deadline)
    local accepted = false
    if message and take(made, message) and lower(message:getHeader("content-type") or "") == "auth/request" then
      local word = user and user ~= "" and format("userauth %s:%s", user, password) or "auth " .. tostring(password)
      send(made, word)
      message = read_message(made, deadline)
      accepted = message and take(made, message) and lower(message:getHeader("reply-text") or "") == "+ok accepted"
    end
    if accepted then return made end
  end
  made:disconnect()
  return made
end

function ESLconnection:connected() return self.is_connected end

function ESLconnection:disconnect()
  if not self.socket then return 0 end
  self.socket:close()
  self.socket, self.state = nil, nil
  lose(self)
  return 0
end

function ESLconnection:socketDescriptor() return self.is_connected == 1 and self.socket:getfd() or -1 end

-- Only a connection that the switch made has one.
function ESLconnection.getInfo() return nil end

function ESLconnection:send(command) return send(self, command) end
function ESLconnection:sendRecv(command) return ask(self, command) end

function ESLconnection:api(command, argument)
  if command == nil then return nil end
  return ask(self, "api " .. command .. " " .. tostring(argument or ""))
end

function ESLconnection:bgapi(command, argument, job)
  if command == nil then return nil end
  local text = "bgapi " .. command .. (argument ~= nil and " " .. argument or "")
  return ask(self, job ~= nil and text .. "\nJob-UUID: " .. job or text)
end

function ESLconnection:sendEvent(event)
  if ask(self, "sendevent " .. event.name .. "\n" .. plain_text(event, false)) and self.last_event then
    return copy(self.last_event)
  end
  return ESL.ESLevent("server_disconnected")
end

function ESLconnection:sendMSG(event, uuid)
  local head = uuid ~= nil and "sendmsg " .. uuid or "sendmsg"
  return ask(self, head .. "\n" .. plain_text(event, false)) and 0 or 1
end

function ESLconnection:recvEvent() return receive(self, nil) or ESL.ESLevent("server_disconnected") end

function ESLconnection:recvEventTimed(milliseconds)
  return receive(self, socket.gettime() + (tonumber(milliseconds) or 0) / 1000)
end

function ESLconnection:filter(name, value) return ask(self, format("filter %s %s", name, value or "")) end

function ESLconnection:events(kind, value)
  kind = (kind == "xml" or kind == "json") and kind or "plain"
  return ask(self, format("event %s %s", kind, value)) and 0 or 1
end

local function execute(connection, application, argument, uuid, async)
  local lines = { uuid ~= nil and "sendmsg " .. uuid or "sendmsg", "call-command: execute" }
  if application ~= nil then lines[#lines + 1] = "execute-app-name: " .. application end
  if argument ~= nil then lines[#lines + 1] = "execute-app-arg: " .. argument end
  if connection.event_lock == 1 then lines[#lines + 1] = "event-lock: true" end
  if async then lines[#lines + 1] = "async: true" end
  return ask(connection, concat(lines, "\n") .. "\n\n")
end

function ESLconnection:execute(application, argument, uuid)
  return execute(self, application, argument, uuid, self.async == 1)
end

function ESLconnection:executeAsync(application, argument, uuid)
  return execute(self, application, argument, uuid, true)
end

function ESLconnection:setAsyncExecute(value)
  if value ~= nil then self.async = true_word(value) and 1 or 0 end
  return self.async
end

function ESLconnection:setEventLock(value)
  if value ~= nil then self.event_lock = true_word(value) and 1 or 0 end
  return self.event_lock
end

_G.ESL = ESL
return ESL
