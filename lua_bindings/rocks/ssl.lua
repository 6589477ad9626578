-- The rock ssl (LuaSec 1): TLS over a connected TCP socket. As LuaSec, it verifies what the parameters say and
-- nothing more: without `verify = "peer"` every certificate will do, and names are not compared.
local host, border = ...
local type, error, concat, tostring, pairs = type, error, table.concat, tostring, pairs
local own, bad, text = border.own, border.bad, border.text

require("socket")

local ssl = { _VERSION = "1.3.2", config = {
  protocols = { tlsv1 = true, tlsv1_1 = true, tlsv1_2 = true, tlsv1_3 = true },
  capabilities = { alpn = true, dane = false },
  algorithms = { ec = true },
} }

border.kind("SSL context", {})

local connection = {}
border.kind("SSL connection", connection)

for _, name in pairs { "dirty", "getfd", "getstats", "gettimeout", "close", "want" } do
  local f = host[name]
  connection[name] = function(self)
    own(self, "SSL connection", name)
    return f(self)
  end
end

function connection.dohandshake(self)
  own(self, "SSL connection", "dohandshake")
  local done, failure = host.dohandshake(self)
  if done then return true end
  return false, failure
end

function connection.receive(self, pattern, prefix)
  own(self, "SSL connection", "receive")
  local wanted = border.receive_pattern(pattern)
  if wanted == nil then bad(1, "receive", "invalid receive pattern") end
  return host.receive(self, wanted, border.optional_text(2, "receive", prefix) or "")
end

function connection.send(self, data, from, to)
  own(self, "SSL connection", "send")
  data = text(1, "send", data)
  return host.send(self, data, border.optional_number(2, "send", from, 1), border.optional_number(3, "send", to, -1))
end

local modes = { b = false, t = true, r = true }

function connection.settimeout(self, seconds, mode)
  own(self, "SSL connection", "settimeout")
  seconds = border.optional_number(1, "settimeout", seconds)
  mode = (border.optional_text(2, "settimeout", mode) or "b"):sub(1, 1)
  if modes[mode] == nil then bad(2, "settimeout", "invalid timeout mode") end
  return host.settimeout(self, seconds, modes[mode])
end

function connection.setstats(self, received, sent, age)
  own(self, "SSL connection", "setstats")
  return host.setstats(self, border.optional_number(1, "setstats", received),
    border.optional_number(2, "setstats", sent), border.optional_number(3, "setstats", age))
end

function connection.sni(self, name)
  own(self, "SSL connection", "sni")
  host.sni(self, text(1, "sni", name))
end

function connection.info(self, field)
  own(self, "SSL connection", "info")
  local protocol, cipher, bits = host.info(self)
  if not protocol then return nil end
  local facts = { protocol = protocol, cipher = cipher, bits = bits }
  if field then return facts[field] end
  return facts
end

local certificate = {}
certificate.__index = certificate
function certificate.pem(self) return self.text end

function connection.getpeercertificate(self)
  own(self, "SSL connection", "getpeercertificate")
  local pem = host.peer(self)
  return pem and setmetatable({ text = pem }, certificate)
end

-- A parameter may be one word or a list of them.
local function joined(value)
  if type(value) == "table" then return concat(value, ",") end
  return value and tostring(value) or nil
end

function ssl.newcontext(parameters)
  if type(parameters) ~= "table" then bad(1, "newcontext", "table expected, got " .. type(parameters)) end
  local mode, protocol = parameters.mode, parameters.protocol
  if type(protocol) ~= "string" then
    error("bad argument #1 to 'create' (string expected, got " .. type(protocol) .. ")", 2)
  end
  if mode ~= nil and mode ~= "client" and mode ~= "server" then
    return nil, "invalid mode (" .. tostring(mode) .. ")"
  end
  return host.newcontext(mode or "client", protocol, joined(parameters.verify) or "none", parameters.cafile,
    parameters.capath, parameters.certificate, parameters.key, parameters.password, parameters.ciphers,
    type(parameters.alpn) ~= "function" and joined(parameters.alpn) or nil)
end

function ssl.wrap(plain, parameters)
  local kind = border.kind_of(plain)
  if not (kind and kind:find("^tcp{")) then bad(1, "wrap", "tcp{client} expected, got " .. type(plain)) end
  local context = parameters
  if type(parameters) == "table" then
    local failure
    context, failure = ssl.newcontext(parameters)
    if not context then return nil, failure end
  end
  if border.kind_of(context) ~= "SSL context" then bad(2, "wrap", "table expected, got " .. type(parameters)) end
  return host.wrap(plain, context)
end

return ssl
