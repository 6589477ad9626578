-- The rock cjson.safe: cjson whose `encode` and `decode` answer nil and the error's text instead of raising it.
local pcall, select = pcall, select

local function settle(ok, ...)
  if ok then return ... end
  return nil, (...)
end

local function safe(made)
  for _, name in pairs { "encode", "decode" } do
    local plain = made[name]
    made[name] = function(...)
      if select("#", ...) ~= 1 then
        error("bad argument #1 to '" .. name .. "' (expected 1 argument)", 2)
      end
      return settle(pcall(plain, ...))
    end
  end
  local new = made.new
  made.new = function() return safe(new()) end
  return made
end

return safe(require("cjson").new())
