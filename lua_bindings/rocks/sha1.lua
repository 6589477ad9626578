-- The rock sha1 (0.6): `sha1(text)` and `sha1.hmac(key, text)` in hexadecimal, `binary` and `hmac_binary` in octets.
local host, border = ...
local text = border.text
local format, gsub, byte = string.format, string.gsub, string.byte

local sha1 = { version = "0.6.0" }

local function hexadecimal(octets)
  return (gsub(octets, ".", function(letter) return format("%02x", byte(letter)) end))
end

function sha1.binary(message)
  message = text(1, "binary", message)
  return host.sha1(message)
end

function sha1.sha1(message)
  message = text(1, "sha1", message)
  return hexadecimal(host.sha1(message))
end

function sha1.hmac_binary(key, message)
  key, message = text(1, "hmac_binary", key), text(2, "hmac_binary", message)
  return host.hmac_sha1(key, message)
end

function sha1.hmac(key, message)
  key, message = text(1, "hmac", key), text(2, "hmac", message)
  return hexadecimal(host.hmac_sha1(key, message))
end

return setmetatable(sha1, { __call = function(_, message)
  message = text(1, "sha1", message)
  return hexadecimal(host.sha1(message))
end })
