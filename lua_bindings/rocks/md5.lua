-- The rock md5 (1.2): digests, and the cipher made of them.
local host, border = ...
local text, bad = border.text, border.bad
local format, gsub, byte, char = string.format, string.gsub, string.byte, string.char

local md5 = { _VERSION = "MD5 1.2", _DESCRIPTION = "Checksum facilities for Lua",
  _COPYRIGHT = "Copyright (C) 2003-2013 PUC-Rio" }

function md5.sum(message)
  message = text(1, "sum", message)
  return host.md5(message)
end

function md5.sumhexa(message)
  message = text(1, "sumhexa", message)
  return (gsub(host.md5(message), ".", function(letter) return format("%02x", byte(letter)) end))
end

function md5.exor(first, second)
  first, second = text(1, "exor", first), text(2, "exor", second)
  if #first ~= #second then bad(2, "exor", "lengths must be equal") end
  return host.exclusive_or(first, second)
end

-- Without a seed of its own a message gets the time as one.
function md5.crypt(message, key, seed)
  message, key = text(1, "crypt", message), text(2, "crypt", key)
  seed = border.optional_text(3, "crypt", seed)
  if seed == nil then
    seed = ""
    local now = os.time()
    for _ = 1, 8 do
      seed = seed .. char(now % 256)
      now = (now - now % 256) / 256
    end
  end
  if #seed > 16 then bad(3, "crypt", "seed too long") end
  return host.encrypt(message, key, seed)
end

function md5.decrypt(message, key)
  message, key = text(1, "decrypt", message), text(2, "decrypt", key)
  local made = host.decrypt(message, key)
  if made == nil then bad(1, "decrypt", "invalid cyphered string") end
  return made
end

return md5
