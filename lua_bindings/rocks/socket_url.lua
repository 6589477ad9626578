-- The rock socket.url: parsing, composing and resolving URLs (RFC 3986).
local tonumber, type, pairs, ipairs, tostring = tonumber, type, pairs, ipairs, tostring
local gsub, match, find, sub, format, char, byte, gmatch = string.gsub, string.match, string.find, string.sub,
  string.format, string.char, string.byte, string.gmatch
local concat = table.concat

local url = { _VERSION = "URL 1.0.3" }

-- Writes everything but letters and digits as %xx.
function url.escape(text)
  return (gsub(text, "([^A-Za-z0-9_])", function(letter) return format("%%%02x", byte(letter)) end))
end

-- What may stand in a path segment as it is.
local function escape_segment(text)
  return (gsub(text, "([^A-Za-z0-9_%-%.!~*'():@&=+$,])", function(letter) return format("%%%02x", byte(letter)) end))
end

function url.unescape(text)
  return (gsub(text, "%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end))
end

-- Cuts what `pattern` finds off the text and returns the rest and the captures' first.
local function cut(text, pattern)
  local from, to, found = find(text, pattern)
  if not from then return text, nil end
  return sub(text, 1, from - 1) .. sub(text, to + 1), found
end

-- Returns a table of what the URL holds (scheme, authority, userinfo, user, password, host, port, path, params,
-- query, fragment) over a copy of `default`; nil and an error for an empty one.
function url.parse(text, default)
  local parsed = {}
  for key, value in pairs(default or parsed) do parsed[key] = value end
  if not text or text == "" then return nil, "invalid url" end
  local function take(key, pattern)
    local found
    text, found = cut(text, pattern)
    if found then parsed[key] = found end
  end
  take("fragment", "#(.*)$")
  take("scheme", "^([%w][%w%+%-%.]*)%:")
  take("authority", "^//([^/%?;]*)")
  take("query", "%?(.*)$")
  take("params", "%;(.*)$")
  if text ~= "" then parsed.path = text end
  local authority = parsed.authority
  if not authority then return parsed end
  local rest, userinfo = cut(authority, "^(.*)@")
  if userinfo then
    parsed.userinfo = userinfo
    local user, password = cut(userinfo, ":([^:]*)$")
    parsed.user, parsed.password = user, password or parsed.password
  end
  local host, port = cut(rest, ":([^:%]]*)$")
  if port then parsed.port = port end
  if host ~= "" then parsed.host = match(host, "^%[(.+)%]$") or host end
  return parsed
end

function url.build(parsed)
  local text = parsed.path or ""
  if parsed.params then text = text .. ";" .. parsed.params end
  if parsed.query then text = text .. "?" .. parsed.query end
  local authority = parsed.authority
  if parsed.host then
    authority = parsed.host
    if find(authority, ":", 1, true) then authority = "[" .. authority .. "]" end
    if parsed.port then authority = authority .. ":" .. tostring(parsed.port) end
    local userinfo = parsed.userinfo
    if parsed.user then
      userinfo = parsed.user
      if parsed.password then userinfo = userinfo .. ":" .. parsed.password end
    end
    if userinfo then authority = userinfo .. "@" .. authority end
  end
  if authority then text = "//" .. authority .. text end
  if parsed.scheme then text = parsed.scheme .. ":" .. text end
  if parsed.fragment then text = text .. "#" .. parsed.fragment end
  return text
end

-- Takes `.` and `..` out of a path (RFC 3986, 5.2.4).
local function without_dots(path)
  local rooted = sub(path, 1, 1) == "/"
  local kept, ends_open = {}, false
  for segment in gmatch(path .. "/", "([^/]*)/") do
    ends_open = segment == "." or segment == ".."
    if segment == ".." then
      if #kept > 1 or (not rooted and #kept > 0) then kept[#kept] = nil end
    elseif segment ~= "." then
      kept[#kept + 1] = segment
    end
  end
  if ends_open then kept[#kept + 1] = "" end
  local made = concat(kept, "/")
  if rooted and sub(made, 1, 1) ~= "/" then made = "/" .. made end
  return made
end

local function resolved_path(base, relative)
  if sub(relative, 1, 1) == "/" then return without_dots(relative) end
  local folder = gsub(base, "[^/]*$", "")
  if sub(folder, 1, 1) ~= "/" then folder = "/" .. folder end
  return without_dots(folder .. relative)
end

-- Resolves a URL against a base, which may be a parsed one.
function url.absolute(base, relative)
  local from = base
  if type(base) == "table" then
    base = url.build(base)
  else
    from = url.parse(base)
  end
  local parsed = url.parse(relative)
  if not from then return relative end
  if not parsed then return base end
  if parsed.scheme then return relative end
  parsed.scheme = from.scheme
  if not parsed.authority then
    parsed.authority = from.authority
    parsed.host, parsed.port, parsed.userinfo = from.host, from.port, from.userinfo
    parsed.user, parsed.password = from.user, from.password
    if not parsed.path then
      parsed.path = from.path
      if not parsed.params then
        parsed.params = from.params
        if not parsed.query then parsed.query = from.query end
      end
    else
      if parsed.params and find(parsed.params, "/", 1, true) then -- a semicolon within the path, not parameters
        parsed.path, parsed.params = parsed.path .. ";" .. parsed.params, nil
      end
      parsed.path = resolved_path(from.path or "", parsed.path)
    end
  end
  return url.build(parsed)
end

-- Returns the unescaped segments, with is_absolute and is_directory set to 1 where a slash begins or ends the path.
function url.parse_path(path)
  local parsed = {}
  path = path or ""
  for segment in gmatch(path, "([^/]+)") do parsed[#parsed + 1] = url.unescape(segment) end
  if sub(path, 1, 1) == "/" then parsed.is_absolute = 1 end
  if sub(path, -1) == "/" then parsed.is_directory = 1 end
  return parsed
end

-- Composes a path of its segments; `unsafe` leaves them unescaped.
function url.build_path(parsed, unsafe)
  local parts = {}
  for i, segment in ipairs(parsed) do parts[i] = unsafe and segment or escape_segment(segment) end
  local path = concat(parts, "/")
  if parsed.is_directory and #parts > 0 then path = path .. "/" end
  if parsed.is_absolute then path = "/" .. path end
  return path
end

return url
