-- The rock socket (LuaSocket 3): TCP, UDP, names, select, sources and sinks, exceptions.
local host, border = ...

local type, select, error, pcall, tostring, tonumber, setmetatable, getmetatable = type, select, error, pcall,
  tostring, tonumber, setmetatable, getmetatable
local pairs, ipairs, unpack = pairs, ipairs, table.unpack or unpack
local own, bad, text, number = border.own, border.bad, border.text, border.number
local optional_number, optional_text = border.optional_number, border.optional_text

local socket = {
  _VERSION = "LuaSocket 3.0.0", BLOCKSIZE = 2048, _SETSIZE = 1024, _DATAGRAMSIZE = 8192, _SOCKETINVALID = -1,
  sourcet = {}, sinkt = {}, dns = {},
}

local BACKLOG = 32

-- A port may be a number or a service's name.
local function port_text(index, name, value, count)
  if type(value) == "number" then return ("%d"):format(value) end
  return text(index, name, value, count)
end

-- Methods that take nothing.
local function bare_methods(methods, kind, prefix, names)
  for _, name in pairs(names) do
    local f = host[prefix .. name]
    methods[name] = function(self)
      own(self, kind, name)
      return f(self)
    end
  end
end

local function binding(kind, name, f)
  return function(self, address, port)
    own(self, kind, name)
    address = text(1, name, address)
    port = port_text(2, name, port)
    local done, failure = f(self, address, port)
    if not done then return nil, failure end
    return 1
  end
end

-- tcp -----------------------------------------------------------------------------------------------------------

local tcp = {}
tcp.class = "tcp{client}"

bare_methods(tcp, "tcp{", "tcp_", { "close", "dirty", "getfamily", "getfd", "getpeername", "getsockname", "gettimeout" })

function tcp.connect(self, address, port, ...)
  own(self, "tcp{", "connect")
  address = text(1, "connect", address)
  port = port_text(2, "connect", port)
  border.become(self, "tcp{client}")
  local done, failure = host.tcp_connect(self, address, port)
  if not done then return nil, failure end
  return 1
end
tcp.setpeername = tcp.connect

tcp.bind = binding("tcp{", "bind", host.tcp_bind)
tcp.setsockname = tcp.bind

function tcp.listen(self, backlog)
  own(self, "tcp{master}", "listen")
  local done, failure = host.tcp_listen(self, optional_number(1, "listen", backlog, BACKLOG))
  if not done then return nil, failure end
  border.become(self, "tcp{server}")
  return 1
end

function tcp.accept(self)
  own(self, "tcp{server}", "accept")
  return host.tcp_accept(self)
end

-- Returns the pattern as the host takes it, nil when it is none; ssl, which needs this rock, takes the same.
function border.receive_pattern(pattern)
  if pattern == nil then return "l" end
  if type(pattern) == "number" then return pattern >= 0 and pattern or nil end
  if type(pattern) ~= "string" then return nil end
  local letter = pattern:match("^%*?([la])")
  if letter then return letter end
  local count = tonumber(pattern)
  return count and count >= 0 and count or nil
end

function tcp.receive(self, pattern, prefix)
  own(self, "tcp{client}", "receive")
  local wanted = border.receive_pattern(pattern)
  if wanted == nil then bad(1, "receive", "invalid receive pattern") end
  return host.tcp_receive(self, wanted, optional_text(2, "receive", prefix) or "")
end

function tcp.send(self, data, from, to)
  own(self, "tcp{client}", "send")
  data = text(1, "send", data)
  return host.tcp_send(self, data, optional_number(2, "send", from, 1), optional_number(3, "send", to, -1))
end

local ways = { both = true, send = true, receive = true }

function tcp.shutdown(self, how)
  own(self, "tcp{client}", "shutdown")
  how = optional_text(1, "shutdown", how) or "both"
  if not ways[how] then bad(1, "shutdown", "invalid shutdown method") end
  host.tcp_shutdown(self, how)
  return 1
end

function tcp.getstats(self)
  own(self, "tcp{client}", "getstats")
  return host.tcp_getstats(self)
end

function tcp.setstats(self, received, sent, age)
  own(self, "tcp{client}", "setstats")
  return host.tcp_setstats(self, optional_number(1, "setstats", received), optional_number(2, "setstats", sent),
    optional_number(3, "setstats", age))
end

local modes = { b = false, t = true, r = true }

local function settimeout(kind, f)
  return function(self, seconds, mode)
    own(self, kind, "settimeout")
    seconds = optional_number(1, "settimeout", seconds)
    mode = (optional_text(2, "settimeout", mode) or "b"):sub(1, 1)
    if modes[mode] == nil then bad(2, "settimeout", "invalid timeout mode") end
    return f(self, seconds, modes[mode])
  end
end
tcp.settimeout = settimeout("tcp{", host.tcp_settimeout)

local booleans = { keepalive = true, reuseaddr = true, reuseport = true, dontroute = true, broadcast = true,
  ["tcp-nodelay"] = true, ["ipv6-v6only"] = true }
local numbers = { ["recv-buffer-size"] = true, ["send-buffer-size"] = true, ["tcp-keepidle"] = true,
  ["tcp-keepcnt"] = true, ["tcp-keepintvl"] = true }

local function options_of(methods, kind, set, get)
  function methods.setoption(self, name, value)
    own(self, kind, "setoption")
    name = text(1, "setoption", name)
    local seconds
    if name == "linger" then
      if type(value) ~= "table" then bad(2, "setoption", "table expected, got " .. type(value)) end
      if type(value.on) ~= "boolean" then bad(2, "setoption", "boolean 'on' field expected") end
      if type(value.timeout) ~= "number" then bad(2, "setoption", "number 'timeout' field expected") end
      value, seconds = value.on, value.timeout
    elseif booleans[name] then
      if type(value) ~= "boolean" then bad(2, "setoption", "boolean expected, got " .. type(value)) end
    elseif numbers[name] then
      value = number(2, "setoption", value)
    else
      bad(1, "setoption", "unsupported option `" .. name .. "'")
    end
    local done, failure = set(self, name, value, seconds)
    if not done then return nil, failure end
    return 1
  end

  function methods.getoption(self, name)
    own(self, kind, "getoption")
    name = text(1, "getoption", name)
    if not (booleans[name] or numbers[name] or name == "linger" or name == "error") then
      bad(1, "getoption", "unsupported option `" .. name .. "'")
    end
    local value, second = get(self, name)
    if name == "linger" and type(second) == "number" then return { on = value, timeout = second } end
    if value == nil and second ~= nil then return nil, second end
    return value
  end
end
options_of(tcp, "tcp{", host.tcp_setoption, host.tcp_getoption)

for _, kind in pairs { "master", "client", "server" } do
  border.kind("tcp{" .. kind .. "}", tcp)
end

function socket.tcp() return host.tcp() end
function socket.tcp4() return host.tcp("inet4") end
function socket.tcp6() return host.tcp("inet6") end

function socket.connect(address, port, local_address, local_port, family)
  address = text(1, "connect", address)
  port = port_text(2, "connect", port)
  local made
  if family == "inet" then family = "inet4" end
  made = host.tcp(family)
  if local_address then
    local done, failure = made:bind(local_address, local_port or 0)
    if not done then
      made:close()
      return nil, failure
    end
  end
  local done, failure = made:connect(address, port)
  if done then return made end
  made:close()
  return nil, failure
end
function socket.connect4(address, port, local_address, local_port)
  return socket.connect(address, port, local_address, local_port, "inet")
end
function socket.connect6(address, port, local_address, local_port)
  return socket.connect(address, port, local_address, local_port, "inet6")
end

function socket.bind(address, port, backlog)
  if address == "*" then address = "0.0.0.0" end
  local found, failure = socket.dns.getaddrinfo(address)
  if not found then return nil, failure end
  failure = "no info on address"
  for _, entry in pairs(found) do
    local made = host.tcp(entry.family == "inet6" and "inet6" or "inet4")
    local done
    made:setoption("reuseaddr", true)
    done, failure = made:bind(entry.addr, port)
    if done then done, failure = made:listen(backlog) end
    if done then return made end
    made:close()
  end
  return nil, failure
end

-- udp -----------------------------------------------------------------------------------------------------------

local udp = { class = "udp" }
local DATAGRAM = socket._DATAGRAMSIZE

bare_methods(udp, "udp{", "udp_", { "close", "dirty", "getfamily", "getfd", "getsockname", "gettimeout" })

function udp.getpeername(self)
  own(self, "udp{connected}", "getpeername")
  return host.udp_getpeername(self)
end

udp.setsockname = binding("udp{", "setsockname", host.udp_setsockname)

function udp.setpeername(self, address, port)
  own(self, "udp{", "setpeername")
  address = text(1, "setpeername", address)
  if address ~= "*" then port = port_text(2, "setpeername", port) end
  local done, failure = host.udp_setpeername(self, address, port)
  if not done then return nil, failure end
  border.become(self, address == "*" and "udp{unconnected}" or "udp{connected}")
  return 1
end

function udp.send(self, data)
  own(self, "udp{connected}", "send")
  data = text(1, "send", data)
  local count, failure = host.udp_send(self, data)
  if not count then return nil, failure end
  return count
end

function udp.sendto(self, data, address, port)
  own(self, "udp{unconnected}", "sendto")
  data = text(1, "sendto", data)
  address = text(2, "sendto", address)
  port = port_text(3, "sendto", port)
  local count, failure = host.udp_sendto(self, data, address, port)
  if not count then return nil, failure end
  return count
end

function udp.receive(self, size)
  own(self, "udp{", "receive")
  local data, failure = host.udp_receivefrom(self, optional_number(1, "receive", size, DATAGRAM))
  if not data then return nil, failure end
  return data
end

function udp.receivefrom(self, size)
  own(self, "udp{unconnected}", "receivefrom")
  local data, address, port = host.udp_receivefrom(self, optional_number(1, "receivefrom", size, DATAGRAM))
  if not data then return nil, address end
  return data, address, tonumber(port)
end

udp.settimeout = settimeout("udp{", host.udp_settimeout)
options_of(udp, "udp{", host.udp_setoption, host.udp_getoption)

for _, kind in pairs { "connected", "unconnected" } do border.kind("udp{" .. kind .. "}", udp) end

function socket.udp() return host.udp() end
function socket.udp4() return host.udp("inet4") end
function socket.udp6() return host.udp("inet6") end

-- names ---------------------------------------------------------------------------------------------------------

function socket.dns.gethostname() return host.hostname() end

function socket.dns.getaddrinfo(address)
  local found = { host.addresses(text(1, "getaddrinfo", address)) }
  if found[1] == nil then return nil, found[2] end
  local entries = {}
  for i = 1, #found, 2 do entries[#entries + 1] = { family = found[i], addr = found[i + 1] } end
  return entries
end

function socket.dns.toip(address)
  local found = { host.addresses(text(1, "toip", address)) }
  if found[1] == nil then return nil, "host not found" end
  local resolved = { name = address, alias = {}, ip = {} }
  for i = 1, #found, 2 do
    if found[i] == "inet" then resolved.ip[#resolved.ip + 1] = found[i + 1] end
  end
  if not resolved.ip[1] then return nil, "host not found" end
  return resolved.ip[1], resolved
end

function socket.dns.tohostname(address)
  local found = { host.names(text(1, "tohostname", address)) }
  if found[1] == nil then return nil, found[2] end
  local resolved = { name = found[1], alias = {}, ip = { address } }
  for i = 2, #found do resolved.alias[#resolved.alias + 1] = found[i] end
  return found[1], resolved
end

function socket.dns.getnameinfo(address)
  local found = { host.names(text(1, "getnameinfo", address)) }
  if found[1] == nil then return nil, found[2] end
  return { found[1] }
end

-- time and readiness --------------------------------------------------------------------------------------------

function socket.gettime() return host.gettime() end
function socket.sleep(seconds)
  host.sleep(number(1, "sleep", seconds, 1))
end

-- Adds the sockets of a list that can be waited for to `files`, and those with octets in their buffer to `ready`.
local function collect(list, files, order, ready)
  for _, each in ipairs(list or {}) do
    local file = each:getfd()
    if file and file >= 0 then
      if ready and each.dirty and each:dirty() then
        ready[#ready + 1] = each
      end
      files[#files + 1], order[#order + 1] = file, each
    end
  end
end

local function listed(sockets)
  local made, seen = {}, {}
  for _, each in ipairs(sockets) do
    if not seen[each] then
      seen[each] = true
      made[#made + 1] = each
      made[each] = #made
    end
  end
  return made
end

function socket.select(readers, writers, seconds)
  if readers ~= nil then border.table(1, "select", readers) end
  if writers ~= nil then border.table(2, "select", writers) end
  local files, order, can_read, can_write = {}, {}, {}, {}
  collect(readers, files, order, can_read)
  local count = #files
  collect(writers, files, order)
  seconds = optional_number(3, "select", seconds)
  if #can_read > 0 then seconds = 0 end
  for _, index in ipairs { host.select(seconds, count, unpack(files)) } do
    local into = index <= count and can_read or can_write
    into[#into + 1] = order[index]
  end
  if #can_read == 0 and #can_write == 0 then return {}, {}, "timeout" end
  return listed(can_read), listed(can_write), nil
end

-- exceptions ----------------------------------------------------------------------------------------------------

local exception = {}

function socket.newtry(finalizer)
  return function(...)
    local value, failure = ...
    if value then return ... end
    if finalizer then pcall(finalizer) end
    error(setmetatable({ failure }, exception), 0)
  end
end
socket.try = socket.newtry()

local function settle(ok, ...)
  if ok then return ... end
  local failure = ...
  if type(failure) == "table" and getmetatable(failure) == exception then return nil, failure[1] end
  error(failure, 0)
end

function socket.protect(f)
  return function(...) return settle(pcall(f, ...)) end
end

function socket.skip(count, ...) return select(count + 1, ...) end

-- sources and sinks ---------------------------------------------------------------------------------------------

function socket.choose(kinds)
  return function(name, first, second)
    if type(name) ~= "string" then name, first, second = "default", name, first end
    local make = kinds[name or "nil"]
    if not make then error("unknown key (" .. tostring(name) .. ")", 3) end
    return make(first, second)
  end
end

local function of_socket(connection, call)
  return setmetatable({
    getfd = function() return connection:getfd() end,
    dirty = function() return connection:dirty() end,
  }, { __call = call })
end

socket.sinkt["close-when-done"] = function(connection)
  return of_socket(connection, function(_, chunk, failure)
    if chunk then return connection:send(chunk) end
    connection:close()
    return 1
  end)
end
socket.sinkt["keep-open"] = function(connection)
  return of_socket(connection, function(_, chunk, failure)
    if chunk then return connection:send(chunk) end
    return 1
  end)
end
socket.sinkt.default = socket.sinkt["keep-open"]
socket.sink = socket.choose(socket.sinkt)

socket.sourcet["by-length"] = function(connection, left)
  return of_socket(connection, function()
    if left <= 0 then return nil end
    local chunk, failure = connection:receive(left < socket.BLOCKSIZE and left or socket.BLOCKSIZE)
    if failure then return nil, failure end
    left = left - #chunk
    return chunk
  end)
end
socket.sourcet["until-closed"] = function(connection)
  local done = false
  return of_socket(connection, function()
    if done then return nil end
    local chunk, failure, partial = connection:receive(socket.BLOCKSIZE)
    if not failure then return chunk end
    if failure ~= "closed" then return nil, failure end
    connection:close()
    done = true
    return partial ~= "" and partial or nil
  end)
end
socket.sourcet.default = socket.sourcet["until-closed"]
socket.source = socket.choose(socket.sourcet)

return socket
