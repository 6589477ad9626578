-- The rock lfs (LuaFileSystem 1.8).
local host, border = ...
local type, error, ipairs, tostring = type, error, ipairs, tostring
local text, bad, own = border.text, border.bad, border.own

local lfs = { _VERSION = "LuaFileSystem 1.8.0", _COPYRIGHT = "Copyright (C) 2003-2017 Kepler Project",
  _DESCRIPTION = "LuaFileSystem is a Lua library developed to complement the set of functions related to file systems "
    .. "offered by the standard Lua distribution" }

local names = { "mode", "dev", "ino", "nlink", "uid", "gid", "rdev", "access", "modification", "change", "size",
  "permissions", "blocks", "blksize", "target" }
local place = {}
for i, name in ipairs(names) do place[name] = i end

local function attributes(label, follow)
  return function(path, wanted)
    path = text(1, label, path)
    local found = { host.attributes(path, follow) }
    if found[1] == nil then
      return nil, "cannot obtain information from file '" .. path .. "': " .. found[2], found[3]
    end
    if type(wanted) == "string" then
      local index = place[wanted]
      if index == nil or (wanted == "target" and follow) then error("invalid attribute name '" .. wanted .. "'", 2) end
      return found[index]
    end
    local made = type(wanted) == "table" and wanted or {}
    for i, name in ipairs(names) do made[name] = found[i] end
    return made
  end
end
lfs.attributes = attributes("attributes", true)
lfs.symlinkattributes = attributes("symlinkattributes", false)

local folder = {}
border.kind("directory metatable", folder, "userdata")

function folder.next(self)
  own(self, "directory metatable", "next")
  local is_open, name = host.next(self)
  if not is_open then bad(1, "next", "closed directory") end
  return name
end

function folder.close(self)
  own(self, "directory metatable", "close")
  host.close(self)
end

function lfs.dir(path)
  path = text(1, "dir", path)
  local made, failure = host.folder(path)
  if made == nil then error("cannot open " .. path .. ": " .. failure, 2) end
  return folder.next, made
end

function lfs.mkdir(path)
  path = text(1, "mkdir", path)
  local done, failure, number = host.mkdir(path)
  if done then return true end
  return nil, failure, number
end

function lfs.rmdir(path)
  path = text(1, "rmdir", path)
  local done, failure, number = host.rmdir(path)
  if done then return true end
  return nil, failure, number
end

function lfs.currentdir() return host.current() end

-- The working directory is the host's, and so the same for all calls: another one is refused.
function lfs.chdir(path)
  path = text(1, "chdir", path)
  local done, failure = host.change(path)
  if done then return true end
  return nil, "Unable to change working directory to '" .. path .. "'\n" .. failure .. "\n"
end

function lfs.touch(path, accessed, modified)
  path = text(1, "touch", path)
  accessed = border.optional_number(2, "touch", accessed)
  modified = border.optional_number(3, "touch", modified)
  local done, failure, number = host.touch(path, accessed, modified)
  if done then return true end
  return nil, failure, number
end

function lfs.link(old, new, symbolic)
  old, new = text(1, "link", old), text(2, "link", new)
  local done, failure, number = host.link(old, new, symbolic and true or false)
  if done then return true end
  return nil, failure, number
end

local function locked(label, mode_of)
  return function(file, ...)
    local address, trouble = border.file(file)
    if not address then
      if trouble == "closed file" then error(label .. ": closed file", 2) end
      bad(1, label, trouble)
    end
    local mode, start, length = mode_of(label, ...)
    if mode ~= "r" and mode ~= "w" and mode ~= "u" then error(label .. ": invalid mode", 2) end
    local done, failure = host.lock(address, mode, start, length)
    if done then return true end
    return nil, failure
  end
end

lfs.lock = locked("lock", function(label, mode, start, length)
  return text(2, label, mode):sub(1, 1), border.optional_number(3, label, start, 0),
    border.optional_number(4, label, length, 0)
end)
lfs.unlock = locked("unlock", function(label, start, length)
  return "u", border.optional_number(2, label, start, 0), border.optional_number(3, label, length, 0)
end)

local modes = { binary = true, text = true }

-- Files have one mode here, as on every system but Windows.
function lfs.setmode(file, mode)
  local address, trouble = border.file(file)
  if not address then
    if trouble == "closed file" then error("setmode: closed file", 2) end
    bad(1, "setmode", trouble)
  end
  if not modes[mode] then bad(2, "setmode", "invalid option '" .. tostring(mode) .. "'") end
  return true, "binary"
end

local lock = {}
border.kind("lock metatable", lock, "userdata")

function lock.free(self)
  own(self, "lock metatable", "free")
  host.free(self)
end

function lfs.lock_dir(path, stale)
  path = text(1, "lock_dir", path)
  stale = border.optional_number(2, "lock_dir", stale)
  local made, failure = host.lock_folder(path, stale)
  if made == nil then return nil, failure end
  return made
end

_G.lfs = lfs -- as LuaFileSystem's own: many scripts say no more than `require "lfs"`
return lfs
