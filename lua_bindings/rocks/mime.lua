-- The rock mime: encodings of mail as filters (LuaSocket). The low-level ones are the host's.
local host, border = ...
local select, type, tostring, error, ipairs = select, type, tostring, error, ipairs
local ltn12 = require("ltn12")

local mime = { encodet = {}, decodet = {}, wrapt = {}, _VERSION = "MIME 1.0.3" }
local cycle = ltn12.filter.cycle

-- These take two chunks, of which the first is what is left from before; without a second they finish the text.
local function of_text(name)
  mime[name] = function(first, second, marker)
    if first == nil then return nil, nil end
    first = border.text(1, name, first)
    second = border.optional_text(2, name, second)
    if name == "qp" then return host.qp(first, second, border.optional_text(3, name, marker)) end
    return host[name](first, second)
  end
end
for _, name in ipairs { "b64", "unb64", "qp", "unqp" } do of_text(name) end

function mime.wrp(left, chunk, length) return host.wrp(left, chunk, length) end
function mime.qpwrp(left, chunk, length) return host.qpwrp(left, chunk, length) end
function mime.eol(last, chunk, marker) return host.eol(last, chunk, marker) end
function mime.dot(state, chunk) return host.dot(state, chunk) end

local function choose(filters)
  return function(name, ...)
    local count = select("#", ...)
    local first, second = ...
    if type(name) ~= "string" then first, second, name, count = name, first, "default", count + 1 end
    local filter = filters[name]
    if not filter then error("unknown key (" .. tostring(name) .. ")", 2) end
    return filter(first, second)
  end
end

mime.encodet.base64 = function() return cycle(mime.b64, "") end
mime.encodet["quoted-printable"] = function(mode)
  return cycle(mime.qp, "", mode == "binary" and "=0D=0A" or "\r\n")
end
mime.decodet.base64 = function() return cycle(mime.unb64, "") end
mime.decodet["quoted-printable"] = function() return cycle(mime.unqp, "") end
mime.wrapt.text = function(length)
  length = length or 76
  return cycle(mime.wrp, length, length)
end
mime.wrapt.base64, mime.wrapt.default = mime.wrapt.text, mime.wrapt.text
mime.wrapt["quoted-printable"] = function(length)
  length = length or 76
  return cycle(mime.qpwrp, length, length)
end

mime.encode, mime.decode, mime.wrap = choose(mime.encodet), choose(mime.decodet), choose(mime.wrapt)

function mime.normalize(marker) return cycle(mime.eol, 0, marker) end
function mime.stuff() return cycle(mime.dot, 2) end

return mime
