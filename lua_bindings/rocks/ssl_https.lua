-- The rock ssl.https (LuaSec 1): HTTPS requests. As LuaSec's, it verifies no certificate unless the request says
-- `verify = "peer"` with `cafile` or `capath`.
local socket, ssl, ltn12, http, url = require("socket"), require("ssl"), require("ltn12"), require("socket.http"),
  require("socket.url")

local type, pairs, concat = type, pairs, table.concat

local https = { _VERSION = "1.3.2", PORT = 443, TIMEOUT = 60 }

local defaults = { protocol = "any", options = { "all", "no_sslv2", "no_sslv3", "no_tlsv1" }, verify = "none" }

-- Returns what makes sockets that speak TLS as soon as they are connected, with a request's parameters.
function https.tcp(parameters)
  local given = {}
  for name, value in pairs(parameters or {}) do given[name] = value end
  for name, value in pairs(defaults) do
    if given[name] == nil then given[name] = value end
  end
  given.mode = "client"
  return function()
    local made = {}
    local plain, secured = socket.try(socket.tcp()), nil

    function made:settimeout(...) return (secured or plain):settimeout(...) end

    function made:connect(host, port)
      socket.try(plain:connect(host, port))
      secured = socket.try(ssl.wrap(plain, given))
      if not host:find("^[%d.]+$") and not host:find(":", 1, true) then secured:sni(host) end
      secured:settimeout(https.TIMEOUT)
      socket.try(secured:dohandshake())
      return 1
    end

    function made:close()
      if secured then secured:close() end
      return plain:close()
    end

    for _, name in pairs { "send", "receive", "getfd", "dirty", "getstats", "setstats", "info", "want",
      "getpeercertificate" } do
      made[name] = function(_, ...)
        local at = secured or plain
        return at[name](at, ...)
      end
    end
    return made
  end
end

function https.request(request, body)
  local chunks = {}
  local given = {}
  if type(request) == "string" then
    given.url = request
    given.sink = ltn12.sink.table(chunks)
    if body then
      given.method = "POST"
      given.source = ltn12.source.string(body)
      given.headers = { ["content-length"] = #body, ["content-type"] = "application/x-www-form-urlencoded" }
    end
  else
    for name, value in pairs(request) do given[name] = value end
    if http.PROXY or given.proxy then return nil, "proxy not supported" end
    if given.redirect and given.redirect ~= "all" then return nil, "redirect not supported" end
    if given.create then return nil, "create function not permitted" end
  end
  -- An address without a port, or with another scheme, is asked for by TLS all the same.
  local parsed = url.parse(given.url or "", { port = https.PORT })
  if not parsed then return nil, "invalid url" end
  given.url = url.build({ scheme = "https", host = parsed.host, port = parsed.port, path = parsed.path,
    params = parsed.params, query = parsed.query, user = parsed.user, password = parsed.password })
  given.create = https.tcp(given)
  local done, code, headers, status = http.request(given)
  if done and type(request) == "string" then return concat(chunks), code, headers, status end
  return done, code, headers, status
end

return https
