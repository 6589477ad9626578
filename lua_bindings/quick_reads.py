"""Lua source of the calls that scripts make most and that need no call of the host: they read shared numbers.

`session:ready()`, `session:getVariable(name)` and `freeswitch.getGlobalVariable(name)` keep what the host answered,
and ask again once the number that the host changes with every change (`host.shared_number`) is another. LuaJIT reads
it through its `ffi`, of which scripts see nothing; the other versions of Lua ask each time.
"""

from __future__ import annotations

from typing import Final

# What is kept of one script's global variables, and of each session's variables; a script reads a few dozen.
_KEPT: Final = 1000

_READY: Final = b"""
local reads = backing.reads
return function(...)
  local object = ...
  local read = reads[object]
  if read then
    if read.ready[0] == 1 and select("#", ...) == 1 then
      shared[1] = true
      return true
    end
  elseif objects[object] then
    backing.read_from(object, objects[object])
  end
  return asked(...)
end
"""

_GET_VARIABLE: Final = b"""
local reads = backing.reads
return function(...)
  local object, name = ...
  local read = reads[object]
  if read then
    local value = read.values[name]
    if value ~= nil and read.changes[0] == read.known and select("#", ...) == 2 then
      shared[1] = true
      return value
    end
    if type(name) == "string" and select("#", ...) == 2 then
      local now = read.changes[0]
      if now ~= read.known or read.count > KEPT then
        read.known, read.values, read.count = now, {}, 0
      end
      shared[1] = true
      local found, _, _, own = host(objects[object], name)
      if own then
        read.values[name] = found
        read.count = read.count + 1
      end
      return found
    end
  elseif objects[object] then
    backing.read_from(object, objects[object])
  end
  return asked(...)
end
"""

_GET_GLOBAL: Final = b"""
local changes = backing.number("global variables")
local known, values, count, nothing = changes[0], {}, 0, {}
return function(...)
  local name = ...
  local value = values[name]
  if value ~= nil and changes[0] == known and select("#", ...) == 1 then
    shared[1] = true
    if value == nothing then return nil end
    return value
  end
  if type(name) ~= "string" or select("#", ...) ~= 1 then return asked(...) end
  local now = changes[0]
  if now ~= known or count > KEPT then known, values, count = now, {}, 0 end
  shared[1] = true
  value = host(name)
  if value == nil then values[name] = nothing else values[name] = value end
  count = count + 1
  return value
end
"""

_SOURCES: Final = {
    "CoreSession::getVariable": _GET_VARIABLE,
    "LUA::Session::ready": _READY,
    "getGlobalVariable": _GET_GLOBAL,
}


def with_quick_read(label: str, wrapper: bytes) -> bytes:
    """Return a wrapper's source with the quick way before it, as it is when there is none."""
    quick = _SOURCES.get(label)
    if quick is None:
        return wrapper
    head, _, body = wrapper.partition(b"return function(...)")
    return b"%slocal function asked(...)%s%s" % (head, body, quick.replace(b"KEPT", b"%d" % _KEPT))
