-- The second half of the late parts: what stands for functions of Lua's own library, once a script comes to them. It goes
-- on in late.lua's chunk, whose locals it sees, and ends it.

-- programs and print ----------------------------------------------------------------------------------------------

-- Programs behind pipes: file -> number. A pipe that a script leaves open is closed at its end.
do
  local programs, open, kind = core.programs, core.open, core.type_of_file
  local write, start, opened, wait, execute
  local function ask_functions()
    if write == nil then write, start, opened, wait, execute = ask("functions") end
  end
  local methods = get_metatable(io.stdout).__index
  local close_file, close_any = methods.close, io.close
  local function text_of(name, ...)
    local value = ...
    if type(value) == "number" then return tostring(value) end
    if type(value) == "string" then return value end
    local got = select("#", ...) == 0 and "no value" or type(value)
    error("bad argument #1 to '" .. name .. "' (string expected, got " .. got .. ")", 3)
  end
  local function close_program(file)
    local number = programs[file]
    programs[file] = nil
    close_file(file)
    shared[1] = true
    return wait(number)
  end
  methods.close = function(file, ...)
    if file ~= nil and programs[file] then return close_program(file) end
    return close_file(file, ...)
  end
  io.close = function(file, ...)
    if file == nil then return close_any() end
    if programs[file] then return close_program(file) end
    return close_any(file, ...)
  end
  function parts.popen(...)
    local command, mode = text_of("popen", ...), select(2, ...)
    if mode == nil then mode = "r" end
    if mode ~= "r" and mode ~= "w" then return nil, command .. ": Invalid argument", 22 end
    ask_functions()
    shared[1] = true
    local path, number, code = start(command, mode)
    if path == nil then return nil, command .. ": " .. number, code end
    local file, message
    file, message, code = open(path, mode)
    opened(number)
    if file == nil then
      wait(number)
      return nil, command .. ": " .. message, code
    end
    programs[file] = number
    return file
  end
  function parts.execute(command)
    if command == nil then return true end
    command = text_of("execute", command)
    ask_functions()
    shared[1] = true
    return execute(command)
  end
  -- What Lua's own end would do with the host's lock held: finalizers, and waiting for what `io.popen` started.
  function parts.finish()
    if parts.finalize_all then parts.finalize_all() end
    for file in pairs(programs) do
      if kind(file) == "file" then pcall(close_program, file) end
    end
  end

  function parts.print(...)
    local texts, count = { ... }, select("#", ...)
    for i = 1, count do
      local text = globals.tostring(texts[i])
      if type(text) ~= "string" then error("'tostring' must return a string to 'print'", 2) end
      texts[i] = text
    end
    ask_functions()
    write(concat(texts, "\t", 1, count))
  end
end

-- Lua's own functions -------------------------------------------------------------------------------------------

do
  local deepest, depth = core.deepest, 0

  -- A function as replacement: each turn of a recursion through it takes 10 kB of C's stack.
  function parts.gsub(text, pattern, by, ...)
    if depth >= deepest then error("C stack overflow", 2) end
    depth = depth + 1
    local own, replace = true, by -- whether the error is not the script's function's
    replace = function(...)
      own = false
      local value = by(...)
      own = true
      return value
    end
    local ok, failure, count = pcall(gsub, text, pattern, replace, ...)
    depth = depth - 1
    if not ok then error(failure, own and 2 or 0) end
    return failure, count
  end
end

-- `load` with a function that hands out the chunk's parts.
function parts.load_parts(load, chunk, ...)
  local texts = {}
  local done, failure = pcall(function()
    local part = chunk()
    while part ~= nil and part ~= "" do
      if type(part) ~= "string" then error("reader function must return a string", 0) end
      texts[#texts + 1] = part
      part = chunk()
    end
  end)
  if not done then return nil, failure end
  if (...) ~= nil then return load(concat(texts), ...) end
  return load(concat(texts), "=(load)", select(2, ...))
end

-- A finalizer would run where no hook does. So the collector only notes whose turn it is, and the script's functions
-- run at its next call of `collectgarbage` or `setmetatable`, and at its end.
function parts.own_finalizers()
  local collect, remove, stopped = core.memory, core.remove, core.stopped
  local sentinels, due, finalizing = setmetatable({}, { __mode = "k" }), {}, false
  local announcing = { __gc = function(sentinel) due[#due + 1] = sentinel[1] end }
  local function finalize()
    if finalizing then return end
    finalizing = true
    while due[1] ~= nil and not stopped() do
      local object = remove(due, 1)
      local metatable = get_metatable(object)
      local finalizer = type(metatable) == "table" and rawget(metatable, "__gc")
      if type(finalizer) == "function" then pcall(finalizer, object) end
    end
    finalizing = false
  end
  function parts.finalize_all()
    for object in pairs(sentinels) do due[#due + 1] = object end
    finalize()
  end
  local function without_finalizer(set, object, metatable)
    local finalizer = type(metatable) == "table" and rawget(metatable, "__gc")
    if finalizer then rawset(metatable, "__gc", nil) end
    local ok, failure = pcall(set, object, metatable)
    if finalizer then rawset(metatable, "__gc", finalizer) end
    if not ok then error(gsub(gsub(failure, "^%[C%]:%d+: ", ""), "'%?'", "'setmetatable'"), 3) end
    if finalizer and type(object) == "table" and sentinels[object] == nil then
      sentinels[object] = setmetatable({ object }, announcing)
    end
    return failure
  end
  globals.setmetatable = function(...)
    if due[1] ~= nil then finalize() end
    local object, metatable = ...
    if select("#", ...) < 2 then metatable = false end
    return (without_finalizer(setmetatable, object, metatable))
  end
  core.debug.setmetatable = function(object, metatable)
    return (without_finalizer(set_metatable, object, metatable))
  end
  local function finalized(...)
    finalize()
    return ...
  end
  globals.collectgarbage = function(...)
    if select("#", ...) > 0 and (...) ~= nil and not pcall(collect, ...) then
      error("bad argument #1 to 'collectgarbage' (invalid option '" .. tostring((...)) .. "')", 2)
    end
    return finalized(collect(...))
  end
end

-- Fills the table `debug`. Of the host's own functions it tells nothing that they refer to, and a script's hook would
-- run where no other hook does, so that nothing could stop it.
function parts.debug(made)
  local plain, inner = core.debug, {}
  local function is_host(f) return type(f) == "function" and getinfo(f, "S").source == "=[C]" end
  for _, name in pairs { "getupvalue", "setupvalue", "upvalueid", "upvaluejoin", "getfenv", "setfenv" } do
    local original = plain[name]
    if original then
      inner[name] = function(f, ...)
        if is_host(f) or is_host((select(2, ...))) then return nil end
        return original(f, ...)
      end
    end
  end
  for _, name in pairs { "getlocal", "setlocal" } do
    local original = plain[name]
    inner[name] = function(target, ...)
      if type(target) == "number" then
        local info = getinfo(target + 1, "S")
        if info and info.source == "=[C]" then return nil end
        return original(target + 1, ...)
      end
      if is_host(target) then return nil end
      return original(target, ...)
    end
  end
  inner.sethook = function(hook)
    if type(hook) == "function" or type(hook) == "thread" then error("debug.sethook: the hook is the host's", 2) end
  end
  inner.gethook = function() return nil end
  inner.getregistry, inner.getuservalue, inner.setuservalue = false, false, false
  for name, f in pairs(plain) do
    if inner[name] == nil then inner[name] = f end
  end
  for name, f in pairs(inner) do
    if f and rawget(made, name) == nil then made[name] = f end
  end
end

-- Fills the table `bit32` of Lua 5.2 with what LuaJIT's `bit` can do.
function parts.bit32(made)
  local bit, floor = core.bit, core.floor
  local function unsigned(n) return n % 4294967296 end
  -- The function of that name calls it: `level` 3 is the script.
  local function argument(name, index, count, value, level)
    local number = tonumber(value)
    if type(value) == "number" or (type(value) == "string" and number) then return number end
    local got = index > count and "no value" or type(value)
    error("bad argument #" .. index .. " to '" .. name .. "' (number expected, got " .. got .. ")", level or 3)
  end
  -- Lua 5.2 rounds to the nearest, and to the even one of two.
  local function whole(...)
    local n = argument(...)
    local low = floor(n)
    if n - low > 0.5 or (n - low == 0.5 and low % 2 == 1) then low = low + 1 end
    return bit.tobit(low % 4294967296)
  end
  local function integer(...)
    local n = argument(...)
    return n < 0 and -floor(-n) or floor(n)
  end
  local function fold(name, operation, start)
    return function(...)
      local result, count = start, select("#", ...)
      for i = 1, count do result = operation(result, whole(name, i, count, (select(i, ...)), 4)) end
      return unsigned(result)
    end
  end
  local test = fold("btest", bit.band, -1)
  local function shift(n, by) -- to the left
    if by > 31 or by < -31 then return 0 end
    return unsigned(by < 0 and bit.rshift(n, -by) or bit.lshift(n, by))
  end
  local function shifting(name, operation)
    return function(...)
      local count, n, by = select("#", ...), ...
      if name == "arshift" then argument(name, 1, count, n) end -- the others look at the second first
      local by_ = integer(name, 2, count, by, 4)
      return operation(whole(name, 1, count, n, 4), by_)
    end
  end
  local function field_mask(name, at, count, field, width)
    field = integer(name, at, count, field, 5)
    width = width == nil and 1 or integer(name, at + 1, count, width, 5)
    if field < 0 then error("bad argument #" .. at .. " to '" .. name .. "' (field cannot be negative)", 3) end
    if width < 1 then error("bad argument #" .. at + 1 .. " to '" .. name .. "' (width must be positive)", 3) end
    if field + width > 32 then error("trying to access non-existent bits", 3) end
    return field, 2 ^ width - 1
  end
  local ready = {
    band = fold("band", bit.band, -1), bor = fold("bor", bit.bor, 0), bxor = fold("bxor", bit.bxor, 0),
    btest = function(...)
      local count = select("#", ...)
      for i = 1, count do argument("btest", i, count, (select(i, ...))) end
      return test(...) ~= 0
    end,
    bnot = function(...) return unsigned(bit.bnot(whole("bnot", 1, select("#", ...), (...), 4))) end,
    lshift = shifting("lshift", shift),
    rshift = shifting("rshift", function(n, by) return shift(n, -by) end),
    arshift = shifting("arshift", function(n, by)
      if by < 0 then return shift(n, -by) end
      return unsigned(bit.arshift(n, by > 31 and 31 or by))
    end),
    lrotate = shifting("lrotate", function(n, by) return unsigned(bit.rol(n, by % 32)) end),
    rrotate = shifting("rrotate", function(n, by) return unsigned(bit.ror(n, by % 32)) end),
    extract = function(...)
      local count, n, field, width = select("#", ...), ...
      n = whole("extract", 1, count, n, 4)
      local at, mask = field_mask("extract", 2, count, field, width)
      return unsigned(bit.band(bit.rshift(n, at), mask))
    end,
    replace = function(...)
      local count, n, value, field, width = select("#", ...), ...
      n, value = whole("replace", 1, count, n, 4), whole("replace", 2, count, value, 4)
      local at, mask = field_mask("replace", 3, count, field, width)
      local there = bit.lshift(bit.tobit(mask), at)
      return unsigned(bit.bor(bit.band(n, bit.bnot(there)), bit.lshift(bit.band(value, bit.tobit(mask)), at)))
    end,
  }
  for name, f in pairs(ready) do
    if rawget(made, name) == nil then made[name] = f end
  end
end

return parts
