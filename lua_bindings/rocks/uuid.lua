-- The rock uuid (Tieske's): `uuid()` and `uuid.new()` make random UUIDs of version 4. The switch gives the random
-- octets, so that there is nothing to seed; a hardware address replaces the last twelve digits, as in the rock.
local host = ...
local type, error, setmetatable, math = type, error, setmetatable, math
local gsub, sub, lower, floor, format, byte = string.gsub, string.sub, string.lower, math.floor, string.format,
  string.byte

local uuid = { _VERSION = "uuid 1.0.0" }
local generator

-- `generate(count)` gives that many random octets.
function uuid.set_rng(generate) generator = generate end

local function random_digits()
  if not generator then return (gsub(host.new(), "-", "")) end
  local octets = generator(16)
  return (gsub(octets, ".", function(letter) return format("%02x", byte(letter)) end))
end

function uuid.new(hardware)
  local digits = random_digits()
  local variant = ({ [0] = "8", "9", "a", "b" })[tonumber(sub(digits, 17, 17), 16) % 4]
  local node = sub(digits, 21, 32)
  if hardware ~= nil then
    if type(hardware) ~= "string" then
      error("Expected hex string, got " .. type(hardware), 2)
    end
    local cleaned = lower(gsub(hardware, "[^%x]", ""))
    if #cleaned < 12 then
      error("Provided string did not contain at least 12 hex characters, retrieved '" .. cleaned .. "' from '"
        .. hardware .. "'", 2)
    end
    node = sub(cleaned, 1, 12)
  end
  return sub(digits, 1, 8) .. "-" .. sub(digits, 9, 12) .. "-4" .. sub(digits, 14, 16) .. "-" .. variant
    .. sub(digits, 18, 20) .. "-" .. node
end

-- Both seed Lua's own generator, and answer what they seeded it with.
function uuid.randomseed(seed)
  seed = floor(math.abs(seed)) % 2147483647
  math.randomseed(seed)
  return seed
end

function uuid.seed() return uuid.randomseed(os.time()) end

return setmetatable(uuid, { __call = function(self, hardware) return self.new(hardware) end })
