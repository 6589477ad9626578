-- The rock socket.http: HTTP/1.1 requests over sources and sinks (LuaSocket 3).
local socket, url, ltn12, mime = require("socket"), require("socket.url"), require("ltn12"), require("mime")

local type, pairs, tonumber, tostring, error = type, pairs, tonumber, tostring, error
local lower, find, match, gsub, format = string.lower, string.find, string.match, string.gsub, string.format
local concat = table.concat

local http = { TIMEOUT = 60, USERAGENT = socket._VERSION }

http.schemes = {
  http = { port = 80, create = function() return socket.tcp end },
  https = { port = 443, create = function(request) return require("ssl.https").tcp(request) end },
}

-- How many redirections are followed unless the request says otherwise.
local REDIRECT_LIMIT = 5
-- A response that sends more header lines than this is no answer to a request.
local HEADER_LIMIT = 10000

-- Names that are sent in their usual spelling; others go out as the script wrote them, in small letters.
local spelling = {}
for name in ([[Accept Accept-Charset Accept-Encoding Accept-Language Accept-Ranges Age Allow Authorization
  Cache-Control Connection Content-Disposition Content-Encoding Content-ID Content-Language Content-Length
  Content-Location Content-MD5 Content-Range Content-Transfer-Encoding Content-Type Cookie Date ETag Expect Expires
  From Host If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Last-Modified Location Max-Forwards
  MIME-Version Pragma Proxy-Authenticate Proxy-Authorization Range Referer Retry-After Server Set-Cookie TE Trailer
  Transfer-Encoding Upgrade User-Agent Vary Via Warning WWW-Authenticate]]):gmatch("%S+") do
  spelling[lower(name)] = name
end

-- receiving -----------------------------------------------------------------------------------------------------

-- Returns a table of header fields in small letters, or nil and an error; fields that come again are joined.
local function read_headers(connection, headers)
  headers = headers or {}
  local line, failure = connection:receive()
  if failure then return nil, failure end
  local count = 0
  while line ~= "" do
    local name, value = match(line, "^(.-):%s*(.*)")
    if not (name and value) then return nil, "malformed reponse headers" end
    name = lower(name)
    count = count + 1
    if count > HEADER_LIMIT then return nil, "too many response headers" end
    line, failure = connection:receive()
    if failure then return nil, failure end
    while find(line, "^%s") do -- a field that goes on in the next line
      value = value .. line
      line, failure = connection:receive()
      if failure then return nil, failure end
    end
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

-- A body in chunks (RFC 9112, 7.1); the fields after it join the headers.
socket.sourcet["http-chunked"] = function(connection, headers)
  local done = false
  return function()
    if done then return nil end
    local line, failure = connection:receive()
    if failure then return nil, failure end
    local size = tonumber((gsub(line, ";.*", "")), 16)
    if not size then return nil, "invalid chunk size" end
    if size > 0 then
      local chunk
      chunk, failure = connection:receive(size)
      if chunk then connection:receive() end
      return chunk, failure
    end
    done = true
    local _, trouble = read_headers(connection, headers)
    if trouble then return nil, trouble end
    return nil
  end
end

socket.sinkt["http-chunked"] = function(connection)
  return function(chunk)
    if not chunk then return connection:send("0\r\n\r\n") end
    if chunk == "" then return 1 end
    return connection:send(format("%X\r\n", #chunk) .. chunk .. "\r\n")
  end
end

-- a connection --------------------------------------------------------------------------------------------------

local connected = {}
connected.__index = connected

function http.open(host, port, create)
  local made = setmetatable({ c = socket.try((create or socket.tcp)()) }, connected)
  made.try = socket.newtry(function() made:close() end)
  made.try(made.c:settimeout(http.TIMEOUT))
  made.try(made.c:connect(host, port))
  return made
end

function connected:sendrequestline(method, target)
  return self.try(self.c:send(format("%s %s HTTP/1.1\r\n", method or "GET", target)))
end

function connected:sendheaders(headers)
  local lines = {}
  for name, value in pairs(headers) do
    lines[#lines + 1] = (spelling[lower(name)] or name) .. ": " .. tostring(value) .. "\r\n"
  end
  lines[#lines + 1] = "\r\n"
  self.try(self.c:send(concat(lines)))
  return 1
end

function connected:sendbody(headers, source, step)
  local mode = headers["content-length"] and "keep-open" or "http-chunked"
  return self.try(ltn12.pump.all(source or ltn12.source.empty(), socket.sink(mode, self.c), step))
end

-- Returns the status code and line; nil and the octets read for an answer without a status line (HTTP/0.9).
function connected:receivestatusline()
  local status, failure = self.try(self.c:receive(5))
  if status ~= "HTTP/" then return nil, status end
  local line = self.try(self.c:receive("*l", status))
  local code = socket.skip(2, find(line, "HTTP/%d*%.%d* (%d%d%d)"))
  return self.try(tonumber(code), line)
end

function connected:receiveheaders() return self.try(read_headers(self.c)) end

function connected:receivebody(headers, sink, step)
  local length, encoding = tonumber(headers["content-length"]), headers["transfer-encoding"]
  local mode = "default"
  if encoding and lower(encoding) ~= "identity" then
    mode = "http-chunked"
  elseif length then
    mode = "by-length"
  end
  local source = socket.source(mode, self.c, mode == "http-chunked" and headers or length)
  return self.try(ltn12.pump.all(source, sink or ltn12.sink.null(), step))
end

function connected:receive09body(status, sink, step)
  local source = ltn12.source.rewind(socket.source("until-closed", self.c))
  source(status)
  return self.try(ltn12.pump.all(source, sink, step))
end

function connected:close() return self.c:close() end

-- requests ------------------------------------------------------------------------------------------------------

local function target_of(request)
  if request.proxy or http.PROXY then
    return url.build({ scheme = request.scheme, host = request.host, port = request.explicit_port,
      path = request.path, params = request.params, query = request.query })
  end
  return url.build({ path = socket.try(request.path, "invalid path 'nil'"), params = request.params,
    query = request.query })
end

local function basic(user, password)
  return "Basic " .. mime.b64(url.unescape(user) .. ":" .. url.unescape(password or ""))
end

local function headers_of(request)
  local host = request.host or ""
  if find(host, ":", 1, true) then host = "[" .. host .. "]" end
  if request.port and tonumber(request.port) ~= http.schemes[request.scheme].port then
    host = host .. ":" .. tostring(request.port)
  end
  local made = { ["user-agent"] = http.USERAGENT, host = host, connection = "close, TE", te = "trailers" }
  if request.user and request.password then made.authorization = basic(request.user, request.password) end
  local proxy = request.proxy or http.PROXY
  if proxy then
    proxy = url.parse(proxy)
    if proxy.user and proxy.password then made["proxy-authorization"] = basic(proxy.user, proxy.password) end
  end
  for name, value in pairs(request.headers or {}) do made[lower(name)] = value end
  if request.source and not made["content-length"] and not made["transfer-encoding"] then
    made["transfer-encoding"] = "chunked"
  end
  return made
end

local function adjusted(given)
  local defaults = { path = "/", scheme = "http" }
  local request = given.url and url.parse(given.url, defaults) or {}
  if given.url and request.host == nil then request.host = "" end
  for name, value in pairs(given) do request[name] = value end
  request.scheme = request.scheme or "http"
  local scheme = http.schemes[request.scheme]
  if not scheme then socket.try(nil, "unknown scheme '" .. tostring(request.scheme) .. "'") end
  request.explicit_port = request.port
  if request.port == nil or request.port == "" then request.port = scheme.port end
  socket.try(request.host and request.host ~= "", "invalid host '"
    .. (request.host == "" and "nil" or tostring(request.host)) .. "'")
  if request.path == nil or request.path == "" then request.path = "/" end
  request.uri = given.uri or target_of(request)
  request.headers = headers_of(request)
  request.create = request.create or scheme.create(request)
  return request
end

local redirecting = { [301] = true, [302] = true, [303] = true, [307] = true }
local may_follow = { GET = true, HEAD = true }

local function follows(request, code, headers)
  local location = headers.location
  if not location then return false end
  location = gsub(location, "%s", "")
  if location == "" then return false end
  local scheme = url.parse(location) and url.parse(location).scheme
  if scheme and not http.schemes[lower(scheme)] then return false end
  -- What came over TLS is not asked for again without it.
  if request.scheme == "https" and scheme == "http" and request.redirect ~= "all" then return false end
  local limit = request.maxredirects
  if limit == nil then limit = REDIRECT_LIMIT end
  return request.redirect ~= false and redirecting[code] and (not request.method or may_follow[request.method])
    and (not limit or (request.nredirects or 0) < limit)
end

local function has_body(request, code)
  return request.method ~= "HEAD" and code ~= 204 and code ~= 304 and not (code >= 100 and code < 200)
end

local perform

local function redirected(request, location)
  local result, code, headers, status = perform {
    url = url.absolute(request.url or url.build({ scheme = request.scheme, host = request.host,
      port = request.explicit_port, path = request.path }), location),
    source = request.source, sink = request.sink, headers = request.given_headers, proxy = request.proxy,
    nredirects = (request.nredirects or 0) + 1, maxredirects = request.maxredirects, redirect = request.redirect,
    create = request.given_create, method = request.method, step = request.step,
    user = request.given_user, password = request.given_password,
  }
  headers = headers or {}
  headers.location = headers.location or location
  return result, code, headers, status
end

function perform(given)
  local request = adjusted(given)
  request.given_headers, request.given_create = given.headers, given.create
  request.given_user, request.given_password = given.user, given.password
  local host, port = request.host, request.port
  local proxy = request.proxy or http.PROXY
  if proxy then
    proxy = url.parse(proxy)
    socket.try(proxy and proxy.host, "invalid proxy")
    host, port = proxy.host, proxy.port or 3128
  end
  local connection = http.open(host, port, request.create)
  connection:sendrequestline(request.method, request.uri)
  connection:sendheaders(request.headers)
  if request.source then connection:sendbody(request.headers, request.source, request.step) end
  local code, status = connection:receivestatusline()
  if not code then
    connection:receive09body(status, request.sink or ltn12.sink.null(), request.step)
    return 1, 200
  end
  while code == 100 do -- the server goes on when it has read the body
    connection:receiveheaders()
    code, status = connection:receivestatusline()
  end
  local headers = connection:receiveheaders()
  if follows(request, code, headers) and not request.source then
    connection:close()
    return redirected(request, headers.location)
  end
  if has_body(request, code) then connection:receivebody(headers, request.sink, request.step) end
  connection:close()
  return 1, code, headers, status
end

-- Makes the generic form of a request for an address, and a body to post; and the table its answer goes to.
function http.genericform(address, body)
  local chunks = {}
  local request = { url = address, sink = (ltn12.sink.table(chunks)), target = chunks }
  if body then
    request.source = ltn12.source.string(body)
    request.headers = { ["content-length"] = #body, ["content-type"] = "application/x-www-form-urlencoded" }
    request.method = "POST"
  end
  return request
end

http.request = socket.protect(function(request, body)
  if type(request) == "string" then
    local simple = http.genericform(request, body)
    local _, code, headers, status = perform(simple)
    return concat(simple.target), code, headers, status
  end
  if type(request) ~= "table" then error("bad argument #1 to 'request' (string or table expected, got "
    .. type(request) .. ")", 0) end
  return perform(request)
end)

return http
