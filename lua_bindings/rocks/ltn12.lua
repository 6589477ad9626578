-- The rock ltn12: filters, sources, sinks and pumps (LTN 12 of LuaSocket).
-- A filter takes a chunk, nil at the end, "" to be asked for more; a source answers a chunk, nil at the end, or nil
-- and an error; a sink takes a chunk, or nil and an error, and answers 1, or nil and an error.
local type, select, error, assert = type, select, error, assert
local insert = table.insert
local sub = string.sub

local BLOCK = 2048
local ltn12 = { filter = {}, source = {}, sink = {}, pump = {}, BLOCKSIZE = BLOCK, _VERSION = "LTN12 1.0.3" }
local filter, source, sink, pump = ltn12.filter, ltn12.source, ltn12.sink, ltn12.pump

-- filters -------------------------------------------------------------------------------------------------------

-- A filter of a low-level one, which takes (context, chunk, extra) and answers (chunk, new context).
function filter.cycle(low, context, extra)
  assert(low)
  return function(chunk)
    local result
    result, context = low(context, chunk, extra)
    return result
  end
end

-- Asks `f` for what a chunk becomes, all of it: a filter may hold back more than fits one answer.
function filter.chain(...)
  local links, count = { ... }, select("#", ...)
  -- At the end (nil) each link in turn is asked for its rest until it has none; what it gives goes through the rest
  -- of the chain. `draining` is the link whose rest is being asked for.
  local draining = 1
  local function through(from, chunk)
    for i = from, count do
      chunk = links[i](chunk)
      if chunk == nil or chunk == "" then return chunk end
    end
    return chunk
  end
  return function(chunk)
    if chunk ~= nil then return through(1, chunk) end
    while draining <= count do
      local rest = links[draining](nil)
      if rest == nil then
        draining = draining + 1
      elseif rest ~= "" then
        local made = through(draining + 1, rest)
        if made ~= nil and made ~= "" then return made end
      end
    end
    return nil
  end
end

-- sources -------------------------------------------------------------------------------------------------------

local nothing = function() return nil end

function source.empty() return nothing end

function source.error(message)
  return function() return nil, message end
end

function source.file(handle, message)
  if not handle then return source.error(message or "unable to open file") end
  return function()
    local chunk = handle:read(BLOCK)
    if not chunk then handle:close() end
    return chunk
  end
end

-- Turns a source that answers its successor beside the chunk into one that does not.
function source.simplify(fancy)
  assert(fancy)
  return function()
    local chunk, other = fancy()
    fancy = other or fancy
    if not chunk then return nil, other end
    return chunk
  end
end

function source.string(text)
  if not text then return source.empty() end
  local from = 1
  return function()
    local chunk = sub(text, from, from + BLOCK - 1)
    from = from + BLOCK
    if chunk ~= "" then return chunk end
    return nil
  end
end

function source.table(chunks)
  assert("table" == type(chunks))
  local index = 0
  return function()
    index = index + 1
    return chunks[index]
  end
end

-- A source to which chunks can be given back.
function source.rewind(inner)
  assert(inner)
  local returned = {}
  return function(chunk)
    if chunk then
      insert(returned, chunk)
      return nil
    end
    local count = #returned
    if count == 0 then return inner() end
    chunk, returned[count] = returned[count], nil
    return chunk
  end
end

local function filtered(inner, f)
  local ended, drained = false, false
  return function()
    if drained then error("source is empty!", 2) end
    while true do
      local chunk, message
      if not ended then
        chunk, message = inner()
        if message then return nil, message end
        if chunk == nil then ended = true end
      end
      local made = f(chunk)
      if made == nil then
        if not ended then error("filter returned inappropriate nil") end
        drained = true
        return nil
      end
      if made ~= "" then return made end
    end
  end
end

function source.chain(inner, ...)
  assert(inner and (...))
  for i = 1, select("#", ...) do inner = filtered(inner, (select(i, ...))) end
  return inner
end

function source.cat(...)
  local parts, index = { ... }, 1
  return function()
    while parts[index] do
      local chunk, message = parts[index]()
      if chunk then return chunk end
      if message then return nil, message end
      index = index + 1
    end
    return nil
  end
end

-- sinks ---------------------------------------------------------------------------------------------------------

local function swallow() return 1 end

function sink.null() return swallow end

function sink.error(message)
  return function() return nil, message end
end

function sink.table(chunks)
  chunks = chunks or {}
  return function(chunk)
    if chunk then chunks[#chunks + 1] = chunk end
    return 1
  end, chunks
end

function sink.simplify(fancy)
  assert(fancy)
  return function(chunk, message)
    local done, other = fancy(chunk, message)
    if not done then return nil, other end
    fancy = other or fancy
    return 1
  end
end

function sink.file(handle, message)
  if not handle then return sink.error(message or "unable to open file") end
  return function(chunk)
    if not chunk then
      handle:close()
      return 1
    end
    return handle:write(chunk)
  end
end

-- The last argument is the sink, the others are filters in front of it.
local function filtering(f, inner)
  return function(chunk, message)
    if chunk == "" then return 1 end
    local made = f(chunk)
    while true do
      if made ~= "" or chunk == nil then
        local done, failure = inner(made, message)
        if not done then return nil, failure end
      end
      -- A chunk gives one answer; at the end the filter is asked until it has no more.
      if chunk ~= nil or made == nil then return 1 end
      made = f(nil)
    end
  end
end

function sink.chain(...)
  assert((...) and select("#", ...) > 1)
  local links, count = { ... }, select("#", ...)
  local made = links[count]
  for i = count - 1, 1, -1 do made = filtering(links[i], made) end
  return made
end

-- pumps ---------------------------------------------------------------------------------------------------------

function pump.step(from, to)
  local chunk, failure = from()
  local done, message = to(chunk, failure)
  if chunk and done then return 1 end
  return nil, failure or message
end

function pump.all(from, to, step)
  assert(from and to)
  step = step or pump.step
  while true do
    local done, failure = step(from, to)
    if not done then
      if failure then return nil, failure end
      return 1
    end
  end
end

return ltn12
