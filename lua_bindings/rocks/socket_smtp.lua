-- The rock socket.smtp: sends mail over SMTP (RFC 5321), and composes messages of parts (LuaSocket 3).
local socket, ltn12, mime = require("socket"), require("ltn12"), require("mime")

local type, pairs, ipairs, tostring = type, pairs, ipairs, tostring
local lower, upper, find, match, format, sub = string.lower, string.upper, string.find, string.match, string.format,
  string.sub
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield

local smtp = { TIMEOUT = 60, SERVER = "localhost", PORT = 25, DOMAIN = os.getenv("SERVER_NAME") or "localhost",
  ZONE = "-0000" }

-- the protocol --------------------------------------------------------------------------------------------------

local session = {}
session.__index = session

-- Reads a reply of one or several lines and returns its code and text, or nil and an error.
local function reply(connection)
  local line, failure = connection:receive()
  if failure then return nil, failure end
  local code, separator = match(line, "^(%d%d%d)(.?)")
  if not code then return nil, "invalid server reply" end
  local text = line
  while separator == "-" do
    line, failure = connection:receive()
    if failure then return nil, failure end
    separator = sub(line, 1, 3) == code and sub(line, 4, 4) or "-"
    text = text .. "\n" .. line
  end
  return code, text
end

-- Returns the reply's text when its code matches the pattern, else nil and the text.
function session:check(wanted)
  local code, text = reply(self.c)
  if not code then return nil, text end
  if not find(code, "^" .. wanted) then return nil, text end
  return text
end

function session:command(name, argument)
  return self.c:send(upper(name) .. (argument and " " .. argument or "") .. "\r\n")
end

function session:ask(wanted, name, argument)
  self.try(self:command(name, argument))
  return self.try(self:check(wanted))
end

function session:greet(domain)
  self.try(self:check("2.."))
  return self:ask("2..", "EHLO", domain or smtp.DOMAIN)
end

function session:mail(from) return self:ask("2..", "MAIL", "FROM:" .. from) end
function session:rcpt(to) return self:ask("2..", "RCPT", "TO:" .. to) end

function session:data(source, step)
  self:ask("3..", "DATA")
  self.try(ltn12.pump.all(source, socket.sink("keep-open", self.c), step))
  self.try(self.c:send("\r\n.\r\n"))
  return self.try(self:check("2.."))
end

function session:quit() return self:ask("2..", "QUIT") end
function session:close() return self.c:close() end

function session:login(user, password)
  self:ask("3..", "AUTH", "LOGIN")
  self.try(self.c:send((mime.b64(user)) .. "\r\n"))
  self.try(self:check("3.."))
  self.try(self.c:send((mime.b64(password)) .. "\r\n"))
  return self.try(self:check("2.."))
end

function session:plain(user, password)
  return self:ask("2..", "AUTH", "PLAIN " .. mime.b64("\0" .. user .. "\0" .. password))
end

function session:auth(user, password, extensions)
  if not user or not password then return 1 end
  local offered = upper(match(extensions, "AUTH[ =]([^\r\n]+)") or "")
  if find(offered, "LOGIN", 1, true) then return self:login(user, password) end
  if find(offered, "PLAIN", 1, true) then return self:plain(user, password) end
  self.try(nil, "authentication not supported")
end

function session:send(mail)
  self:mail(mail.from)
  if type(mail.rcpt) == "table" then
    for _, to in ipairs(mail.rcpt) do self:rcpt(to) end
  else
    self:rcpt(mail.rcpt)
  end
  self:data(ltn12.source.chain(mail.source, mime.stuff()), mail.step)
end

function smtp.open(server, port, make)
  local connection = socket.try((make or socket.tcp)())
  connection:settimeout(smtp.TIMEOUT)
  local done, failure = connection:connect(server or smtp.SERVER, port or smtp.PORT)
  if not done then
    connection:close()
    socket.try(nil, failure)
  end
  local made = setmetatable({ c = connection }, session)
  made.try = socket.newtry(function() made:close() end)
  return made
end

smtp.send = socket.protect(function(mail)
  local made = smtp.open(mail.server, mail.port, mail.create)
  local extensions = made:greet(mail.domain)
  made:auth(mail.user, mail.password, extensions)
  made:send(mail)
  made:quit()
  return made:close()
end)

-- messages ------------------------------------------------------------------------------------------------------

local spelling = { ["mime-version"] = "MIME-Version", ["message-id"] = "Message-ID", ["content-id"] = "Content-ID",
  ["content-md5"] = "Content-MD5" }

local function spelled(name)
  local written = spelling[name]
  if written then return written end
  return (name:gsub("^%l", upper):gsub("%-%l", upper))
end

local boundaries = 0

local function new_boundary()
  boundaries = boundaries + 1
  return format("%s%05d==%05u", os.date("%d%m%Y%H%M%S"), math.random(0, 99999), boundaries)
end

local function lower_names(headers)
  local made = {}
  for name, value in pairs(headers or {}) do made[lower(name)] = value end
  return made
end

local function send_headers(headers)
  local text = "\r\n"
  for name, value in pairs(headers) do text = spelled(name) .. ": " .. tostring(value) .. "\r\n" .. text end
  yield(text)
end

local send_message

local function send_multipart(message, headers)
  local boundary = new_boundary()
  local kind = headers["content-type"] or "multipart/mixed"
  headers["content-type"] = kind .. '; boundary="' .. boundary .. '"'
  send_headers(headers)
  if message.body.preamble then
    yield(message.body.preamble)
    yield("\r\n")
  end
  for _, part in ipairs(message.body) do
    yield("\r\n--" .. boundary .. "\r\n")
    send_message(part)
  end
  yield("\r\n--" .. boundary .. "--\r\n\r\n")
  if message.body.epilogue then
    yield(message.body.epilogue)
    yield("\r\n")
  end
end

function send_message(message)
  local headers = lower_names(message.headers)
  if type(message.body) == "table" then return send_multipart(message, headers) end
  headers["content-type"] = headers["content-type"] or 'text/plain; charset="iso-8859-1"'
  send_headers(headers)
  if type(message.body) ~= "function" then
    yield(message.body or "")
    return
  end
  while true do
    local chunk, failure = message.body()
    if failure then
      yield(nil, failure)
    elseif chunk then
      yield(chunk)
    else
      return
    end
  end
end

-- A source of a message with its headers, which get a date and a MIME version.
function smtp.message(message)
  local whole = { body = message.body, headers = lower_names(message.headers) }
  local headers = whole.headers
  headers.date = headers.date or os.date("!%a, %d %b %Y %H:%M:%S ") .. (message.zone or smtp.ZONE)
  headers["x-mailer"] = headers["x-mailer"] or socket._VERSION
  headers["mime-version"] = "1.0"
  local thread = create(function() send_message(whole) end)
  return function()
    local ok, chunk, failure = resume(thread)
    if ok then return chunk, failure end
    if chunk == "cannot resume dead coroutine" then return nil end
    return nil, chunk
  end
end

return smtp
