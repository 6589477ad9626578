-- The rock redis (redis-lua 2): a client for Redis over a socket. Commands are methods; pipelines, transactions and
-- subscriptions as in the rock.
local socket, url = require("socket"), require("socket.url")

local type, pairs, ipairs, select, error, pcall, tostring, tonumber = type, pairs, ipairs, select, error, pcall,
  tostring, tonumber
local setmetatable, unpack = setmetatable, table.unpack or unpack
local concat, sub, match, gmatch, upper, lower, find = table.concat, string.sub, string.match,
  string.gmatch, string.upper, string.lower, string.find
local wrap, yield = coroutine.wrap, coroutine.yield

local redis = {
  _VERSION = "redis-lua 2.0.5",
  _DESCRIPTION = "A Lua client library for the redis key value storage system.",
  _COPYRIGHT = "Copyright (C) 2009-2012 Daniele Alessandri",
  commands = {},
}

local DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 6379

function redis.error(message, level) error(message, (level or 1) + 1) end

-- the protocol --------------------------------------------------------------------------------------------------

local network = {}

function network.write(client, text)
  local sent, failure = client.network.socket:send(text)
  if not sent then client.error(failure) end
end

-- Reads a line, or so many octets.
function network.read(client, length)
  local data, failure = client.network.socket:receive(length or "*l")
  if failure then client.error("connection error: " .. failure) end
  return data
end

local function command_text(...)
  local parts, count = { "" }, select("#", ...)
  for i = 1, count do
    local value = tostring((select(i, ...)))
    parts[#parts + 1] = "$" .. #value .. "\r\n" .. value .. "\r\n"
  end
  parts[1] = "*" .. count .. "\r\n"
  return concat(parts)
end

-- Returns a reply, or nil and the text of an error; `nil` within a list stays a hole.
local function read_reply(client)
  local line = client.network.read(client)
  local kind, rest = sub(line, 1, 1), sub(line, 2)
  if kind == "+" then
    if rest == "OK" then return true end
    if rest == "QUEUED" then return { queued = true } end
    return rest
  elseif kind == "-" then
    return nil, rest
  elseif kind == ":" then
    return tonumber(rest)
  elseif kind == "$" then
    local length = tonumber(rest)
    if not length or length < 0 then return nil end
    local data = length > 0 and client.network.read(client, length) or ""
    client.network.read(client, 2)
    return data
  elseif kind == "*" then
    local count = tonumber(rest)
    if not count or count < 0 then return nil end
    local list = {}
    for i = 1, count do
      local value, failure = read_reply(client)
      if failure then value = { error = failure } end
      list[i] = value
    end
    return list, nil, count
  end
  client.error("unknown response prefix: " .. kind)
end

-- what commands make of their arguments and replies -------------------------------------------------------------

local function to_boolean(reply)
  if type(reply) == "number" then return reply >= 1 end
  return reply
end

local function as_pairs(reply)
  if type(reply) ~= "table" then return reply end
  local made = {}
  for i = 1, #reply, 2 do made[reply[i]] = reply[i + 1] end
  return made
end

local requests, replies = {}, {}

-- Fields of a table as arguments: `mset{ a = 1 }`, `hmset(key, { a = 1 })`.
local function fields_after(count)
  return function(...)
    local values = { ... }
    local fields = values[count + 1]
    if select("#", ...) == count + 1 and type(fields) == "table" then
      values[count + 1] = nil
      for name, value in pairs(fields) do
        values[#values + 1] = name
        values[#values + 1] = value
      end
    end
    return unpack(values)
  end
end

local function list_after(count)
  return function(...)
    local values = { ... }
    local list = values[count + 1]
    if select("#", ...) == count + 1 and type(list) == "table" then
      values[count + 1] = nil
      for _, value in ipairs(list) do values[#values + 1] = value end
    end
    return unpack(values)
  end
end

function requests.sort(key, options)
  if type(options) ~= "table" then return key end
  local made = { key }
  if options.by then
    made[#made + 1], made[#made + 2] = "BY", options.by
  end
  if type(options.limit) == "table" then
    made[#made + 1], made[#made + 2], made[#made + 3] = "LIMIT", options.limit[1], options.limit[2]
  end
  local patterns = type(options.get) == "table" and options.get or { options.get }
  for _, pattern in ipairs(patterns) do
    made[#made + 1], made[#made + 2] = "GET", pattern
  end
  if type(options.sort) == "string" then made[#made + 1] = options.sort end
  if options.alpha then made[#made + 1] = "ALPHA" end
  if options.store then
    made[#made + 1], made[#made + 2] = "STORE", options.store
  end
  return unpack(made)
end

-- `withscores` and `limit` come as words or in a table.
local function range(...)
  local values = { ... }
  local options = values[#values]
  if type(options) == "table" then
    values[#values] = nil
    if options.limit then
      values[#values + 1], values[#values + 2] = "LIMIT", options.limit.offset or options.limit[1]
      values[#values + 1] = options.limit.count or options.limit[2]
    end
    if options.withscores then values[#values + 1] = "WITHSCORES" end
  end
  return unpack(values)
end

local function scored(reply, ...)
  if type(reply) ~= "table" then return reply end
  local last = select("#", ...) > 0 and select(select("#", ...), ...)
  local with_scores = type(last) == "string" and lower(last) == "withscores"
    or type(last) == "table" and last.withscores
  if not with_scores then return reply end
  local made = {}
  for i = 1, #reply, 2 do made[#made + 1] = { reply[i], reply[i + 1] } end
  return made
end

for _, name in ipairs { "zrange", "zrevrange", "zrangebyscore", "zrevrangebyscore" } do
  requests[name], replies[name] = range, scored
end

local function store(target, keys, ...)
  if type(keys) ~= "table" then return target, keys, ... end
  local values = { target, #keys }
  for _, key in ipairs(keys) do values[#values + 1] = key end
  local options = ...
  if type(options) == "table" then
    if options.weights then
      values[#values + 1] = "WEIGHTS"
      for _, weight in ipairs(options.weights) do values[#values + 1] = weight end
    end
    if options.aggregate then
      values[#values + 1], values[#values + 2] = "AGGREGATE", options.aggregate
    end
  end
  return unpack(values)
end
requests.zunionstore, requests.zinterstore = store, store

local function scan(...)
  local values = { ... }
  local options = values[#values]
  if type(options) == "table" then
    values[#values] = nil
    if options.match then
      values[#values + 1], values[#values + 2] = "MATCH", options.match
    end
    if options.count then
      values[#values + 1], values[#values + 2] = "COUNT", options.count
    end
  end
  return unpack(values)
end
for _, name in ipairs { "scan", "sscan", "hscan", "zscan" } do requests[name] = scan end

function replies.hscan(reply)
  if type(reply) ~= "table" or type(reply[2]) ~= "table" then return reply end
  return { reply[1], as_pairs(reply[2]) }
end

function replies.zscan(reply)
  if type(reply) ~= "table" or type(reply[2]) ~= "table" then return reply end
  local made = {}
  for i = 1, #reply[2], 2 do made[#made + 1] = { reply[2][i], tonumber(reply[2][i + 1]) } end
  return { reply[1], made }
end

function replies.info(reply)
  if type(reply) ~= "string" then return reply end
  local facts = {}
  local section = facts
  for line in gmatch(reply, "[^\r\n]+") do
    local title = match(line, "^# (.+)")
    if title then
      section = {}
      facts[lower(title)] = section
    else
      local name, value = match(line, "^([^:]*):(.*)$")
      if name then
        if find(name, "^db%d+$") or find(value, "^%w+=[^,]+,") then
          local parts = {}
          for key, part in gmatch(value, "([%w_]+)=([^,]*)") do parts[key] = part end
          section[name] = parts
        else
          section[name] = value
        end
      end
    end
  end
  return facts
end

function replies.config(reply, word)
  if type(reply) == "table" and lower(tostring(word)) == "get" then return as_pairs(reply) end
  return reply
end

function replies.ping(reply)
  if reply == "PONG" then return true end
  return reply
end

for name in ([[exists expire expireat pexpire pexpireat persist move renamenx setnx msetnx hset hsetnx hexists
  sismember smove]]):gmatch("%S+") do
  replies[name] = to_boolean
end
replies.hgetall = as_pairs
requests.mset, requests.msetnx, requests.hmset = fields_after(0), fields_after(0), fields_after(1)
for name in ("del mget exists watch sinter sunion sdiff subscribe unsubscribe psubscribe punsubscribe"):gmatch("%S+") do
  requests[name] = list_after(0)
end
for name in ("hmget hdel sadd srem rpush lpush zrem sinterstore sunionstore sdiffstore"):gmatch("%S+") do
  requests[name] = list_after(1)
end

-- commands ------------------------------------------------------------------------------------------------------

local function failed(client, text) client.error("redis error: " .. text, 3) end

-- Makes a method of a command: `options.request` changes the arguments, `options.response` the reply.
function redis.command(word, options)
  local request, response
  if type(options) == "function" then
    response = options
  elseif options then
    request, response = options.request, options.response
  end
  word = upper(word)
  return function(client, ...)
    if request then
      client.network.write(client, command_text(word, request(...)))
    else
      client.network.write(client, command_text(word, ...))
    end
    local queue = client.queue
    if queue then
      queue[#queue + 1] = { response, select("#", ...), ... }
      if queue.is_pipeline then return nil end
    end
    local reply, failure = read_reply(client)
    if failure then
      if queue then queue[#queue] = nil end
      client.error("redis error: " .. failure, 2)
    end
    if queue or not response then return reply end
    if type(reply) == "table" and reply.queued then return reply end
    return (response(reply, ...))
  end
end

for name in ([[append auth bgrewriteaof bgsave bitcount bitop blpop brpop brpoplpush client config dbsize decr decrby
  del discard echo eval evalsha exec exists expire expireat flushall flushdb get getbit getdel getex getrange getset
  hdel hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hscan hset hsetnx hstrlen hvals incr incrby
  incrbyfloat info keys lastsave lindex linsert llen lmove lpop lpos lpush lpushx lrange lrem lset ltrim mget monitor
  move mset msetnx multi object persist pexpire pexpireat ping psetex psubscribe pttl publish punsubscribe randomkey
  rename renamenx rpop rpoplpush rpush rpushx sadd save scan scard script sdiff sdiffstore select set setbit setex
  setnx setrange sinter sinterstore sismember slaveof slowlog smembers smove sort spop srandmember srem sscan strlen
  subscribe substr sunion sunionstore time touch ttl type unlink unsubscribe unwatch watch zadd zcard zcount zincrby
  zinterstore zlexcount zpopmax zpopmin zrange zrangebyscore zrank zrem zremrangebyrank zremrangebyscore zrevrange
  zrevrangebyscore zrevrank zscan zscore zunionstore]]):gmatch("%S+") do
  redis.commands[name] = redis.command(name, { request = requests[name], response = replies[name] })
end

-- a client ------------------------------------------------------------------------------------------------------

local methods = {}

function redis.define_command(name, options)
  redis.commands[name] = redis.command(type(options) == "table" and options.command or name, options)
end
function redis.undefine_command(name) redis.commands[name] = nil end

function methods.define_command(client, name, options)
  client[name] = redis.command(type(options) == "table" and options.command or name, options)
end
function methods.undefine_command(client, name) client[name] = nil end

function methods.raw_cmd(client, text)
  client.network.write(client, text)
  local reply, failure = read_reply(client)
  if failure then failed(client, failure) end
  return reply
end

function methods.quit(client)
  client.network.write(client, command_text("QUIT"))
  client.network.socket:shutdown()
  client.network.socket:close()
  return true
end

function methods.shutdown(client)
  client.network.write(client, command_text("SHUTDOWN"))
  client.network.socket:shutdown()
  client.network.socket:close()
end

-- A stand-in for a client inside a pipeline or transaction, whose commands join a queue.
local function standing_in(client, queue)
  local made = { network = client.network, error = client.error, queue = queue }
  return setmetatable(made, { __index = client })
end

-- Turns the replies of a queue into what the commands answer.
local function answered(queue, got)
  local made = {}
  for i, entry in ipairs(queue) do
    local reply, response = got[i], entry[1]
    if response and reply ~= nil and not (type(reply) == "table" and reply.error) then
      reply = response(reply, unpack(entry, 3, entry[2] + 2))
    end
    made[i] = reply
  end
  return made, #queue
end

-- Sends the commands that `block` calls at once, and returns a table of their answers and how many there are.
function methods.pipeline(client, block)
  local written = {}
  local queue = { is_pipeline = true }
  local stand_in = standing_in(client, queue)
  stand_in.network = setmetatable({
    write = function(_, text) written[#written + 1] = text end,
  }, { __index = client.network })
  local done, failure = pcall(block, stand_in)
  if not done then error(failure, 0) end
  client.network.write(client, concat(written))
  local got, trouble = {}, nil
  for i = 1, #queue do
    local reply, refused = read_reply(client)
    got[i], trouble = reply, trouble or refused
  end
  if trouble then failed(client, trouble) end
  return answered(queue, got)
end

local function attempt(client, options, block)
  local queue = {}
  local stand_in = standing_in(client, nil)
  local is_queuing = false

  function stand_in.multi()
    methods.raw_cmd(client, command_text("MULTI"))
    is_queuing = true
    stand_in.queue = queue
    return true
  end
  function stand_in.discard()
    if is_queuing then methods.raw_cmd(client, command_text("DISCARD")) end
    is_queuing, stand_in.queue, queue.discarded = false, nil, true
    return true
  end
  function stand_in.exec() client.error("cannot use EXEC inside a transaction block", 2) end

  local watched = options.watch
  if watched then
    client:watch(unpack(type(watched) == "table" and watched or { watched }))
  end
  if not options.cas then stand_in.multi() end
  local done, failure = pcall(block, stand_in, client)
  if not done then
    if is_queuing then methods.raw_cmd(client, command_text("DISCARD")) end
    error(failure, 0)
  end
  if queue.discarded or not is_queuing or #queue == 0 then
    if is_queuing then methods.raw_cmd(client, command_text("DISCARD")) end
    return {}, 0
  end
  local got = methods.raw_cmd(client, command_text("EXEC"))
  if got == nil then return nil end
  return answered(queue, got)
end

-- Runs the commands of `block` in MULTI and EXEC. Options: keys to `watch`, `cas` (the block calls `multi` itself),
-- `retry` (how often it is tried again when a watched key changed).
function methods.transaction(client, ...)
  local options, block = {}, nil
  for i = 1, select("#", ...) do
    local value = select(i, ...)
    if type(value) == "function" then
      block = value
    elseif type(value) == "table" then
      for name, option in pairs(value) do options[name] = option end
    else
      options.watch = options.watch or {}
      options.watch[#options.watch + 1] = value
    end
  end
  if not block then client.error("the transaction has no function", 2) end
  for _ = 0, tonumber(options.retry) or 0 do
    local made, count = attempt(client, options, block)
    if made then return made, count end
  end
  client.error("MULTI/EXEC transaction aborted by the server", 2)
end

-- Iterates over the messages of channels: `for message, abort in client:pubsub{ subscribe = { "a" } } do`.
function methods.pubsub(client, subscriptions)
  local left, is_aborting = 0, false

  local function ask(word, list)
    if list == nil then return end
    for _, channel in ipairs(type(list) == "table" and list or { list }) do
      client.network.write(client, command_text(word, channel))
      left = left + 1
    end
  end
  ask("SUBSCRIBE", subscriptions.subscribe)
  ask("PSUBSCRIBE", subscriptions.psubscribe)

  local function abort()
    if is_aborting then return end
    is_aborting = true
    if subscriptions.subscribe then client.network.write(client, command_text("UNSUBSCRIBE")) end
    if subscriptions.psubscribe then client.network.write(client, command_text("PUNSUBSCRIBE")) end
  end

  return wrap(function()
    while true do
      local reply, failure = read_reply(client)
      if failure then client.error("redis error: " .. failure) end
      local kind = reply[1]
      local message = { kind = kind, channel = reply[2], payload = reply[3] }
      if kind == "pmessage" then
        message.pattern, message.channel, message.payload = reply[2], reply[3], reply[4]
      end
      if is_aborting then
        if find(kind, "unsubscribe$") and reply[3] == 0 then return nil end
      else
        yield(message, abort)
      end
    end
  end)
end

local function connected(parameters)
  local connection = parameters.socket
  if connection then return connection end
  if parameters.path or parameters.scheme == "unix" then
    redis.error("UNIX sockets are not supported", 3)
  end
  connection = socket.tcp()
  if parameters.timeout then connection:settimeout(parameters.timeout, "t") end
  local done, failure = connection:connect(parameters.host, tonumber(parameters.port))
  if not done then
    connection:close()
    redis.error("could not connect to " .. parameters.host .. ":" .. parameters.port .. " [" .. failure .. "]", 3)
  end
  connection:setoption("tcp-nodelay", parameters.tcp_nodelay ~= false)
  return connection
end

-- Connects to `host, port[, timeout]`, to a table of host, port, timeout, or to an address `redis://host:port`.
function redis.connect(...)
  local first, port, timeout = ...
  local parameters = { host = DEFAULT_HOST, port = DEFAULT_PORT }
  if type(first) == "table" then
    for name, value in pairs(first) do parameters[name] = value end
  elseif type(first) == "string" and port == nil and find(first, "^%w+://") then
    local parsed = url.parse(first)
    if parsed.scheme ~= "redis" and parsed.scheme ~= "tcp" and parsed.scheme ~= "unix" then
      redis.error('"' .. parsed.scheme .. '" is an invalid scheme', 2)
    end
    parameters.scheme = parsed.scheme
    parameters.host, parameters.port = parsed.host or DEFAULT_HOST, parsed.port or DEFAULT_PORT
    for name, value in gmatch(parsed.query or "", "([^=&]+)=([^&]*)") do parameters[name] = url.unescape(value) end
    parameters.password = parameters.password or parsed.password
    parameters.timeout = tonumber(parameters.timeout)
  elseif first ~= nil then
    parameters.host, parameters.port, parameters.timeout = first, port or DEFAULT_PORT, timeout
  end
  local client = {
    error = redis.error,
    network = { socket = connected(parameters), read = network.read, write = network.write },
    requests = { multibulk = function(to, word, ...) to.network.write(to, command_text(word, ...)) end },
  }
  for name, method in pairs(methods) do client[name] = method end
  for name, command in pairs(redis.commands) do client[name] = command end
  if parameters.password and parameters.password ~= "" then client:auth(parameters.password) end
  if parameters.db then client:select(parameters.db) end
  return client
end

return redis
