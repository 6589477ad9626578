"""The rock lfs, on real folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from host.switch import Switch
from tests.lua_bindings.scripted import MOST, SHOW, text_of

LFS = 'local lfs = require("lfs")' + SHOW


@pytest.mark.parametrize("version", MOST)
def test_folders(switch: Switch, tmp_path: Path, version: str) -> None:
    code = f"""
      local base = "{tmp_path}/new"
      show(lfs.mkdir(base))
      show(lfs.mkdir(base))
      io.open(base .. "/b\\xff", "w"):close()
      lfs.link(base .. "/b\\xff", base .. "/link", true)
      local names = {{}}
      for name in lfs.dir(base) do names[#names + 1] = name end
      table.sort(names)
      show(table.concat(names, ","))
      local next_name, folder = lfs.dir(base)
      folder:close()
      show(pcall(folder.next, folder))
      show(pcall(lfs.dir, "/nope"))
      show(lfs.rmdir(base))
      show(lfs.rmdir("/nope"))
      show(lfs.currentdir() == "{os.getcwd()}", lfs.chdir("."), lfs.chdir("/nope"))
      show(lfs.chdir("/"))
    """
    assert text_of(switch, LFS + code, version) == (
        "true;nil|File exists|17;.,..,b\udcff,link;"
        "false|bad argument #1 to 'next' (closed directory);"
        "false|cannot open /nope: No such file or directory;"
        "nil|Directory not empty|39;nil|No such file or directory|2;"
        "true|true|nil|Unable to change working directory to '/nope'\nNo such file or directory\n;"
        "nil|Unable to change working directory to '/'\nthe working directory belongs to all calls\n;"
    )


@pytest.mark.parametrize("version", MOST)
def test_attributes(switch: Switch, tmp_path: Path, version: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    file.chmod(0o640)
    (tmp_path / "link").symlink_to(file)
    code = f"""
      local file, link = "{file}", "{tmp_path}/link"
      local all = lfs.attributes(file)
      show(all.mode, all.size, all.permissions, all.nlink, all.target)
      show(lfs.attributes(link, "mode"), lfs.symlinkattributes(link, "mode"),
        lfs.symlinkattributes(link).target == file)
      local given = {{ mine = 1 }}
      show(lfs.attributes("{tmp_path}", given) == given, given.mode, given.mine)
      show(lfs.attributes("/nope"))
      show(pcall(lfs.attributes, file, "zz"))
      show(lfs.touch(file, 1000, 2000), lfs.attributes(file, "access"), lfs.attributes(file, "modification"))
      show(lfs.touch("/nope/x"))
      show(lfs.touch(file), lfs.attributes(file, "modification") == os.time())
      show(lfs.setmode(io.stdout, "binary"))
    """
    assert text_of(switch, LFS + code, version) == (
        "file|5|rw-r-----|1|nil;file|link|true;true|directory|1;"
        "nil|cannot obtain information from file '/nope': No such file or directory|2;"
        "false|invalid attribute name 'zz';true|1000|2000;nil|No such file or directory|2;true|true;true|binary;"
    )


@pytest.mark.parametrize("version", MOST)
def test_locks(switch: Switch, tmp_path: Path, version: str) -> None:
    code = f"""
      local file = io.open("{tmp_path}/locked", "w+")
      show(lfs.lock(file, "w"), lfs.lock(file, "r", 2, 4), lfs.unlock(file))
      show(pcall(lfs.lock, file, "z"))
      file:close()
      show(pcall(lfs.lock, file, "w"))
      show(pcall(lfs.lock, 1, "w"))
      local lock = lfs.lock_dir("{tmp_path}")
      show(type(lock), lfs.lock_dir("{tmp_path}"))
      show(lock:free(), type(lfs.lock_dir("{tmp_path}")))
      show(type(lfs.lock_dir("{tmp_path}", -1)))
    """
    assert text_of(switch, LFS + code, version) == (
        "true|true|true;false|lock: invalid mode;false|lock: closed file;"
        "false|bad argument #1 to 'lock' (FILE* expected, got number);"
        "userdata|nil|File exists;nil|userdata;userdata;"
    )


def test_a_lock_is_the_systems(switch: Switch, tmp_path: Path) -> None:
    """Another process cannot have it meanwhile."""
    code = f"""
      local file = io.open("{tmp_path}/locked", "w+")
      lfs.lock(file, "w")
      local asked = "import fcntl; fcntl.lockf(open('{tmp_path}/locked', 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
      show((os.execute('python3 -c "' .. asked .. '" 2>/dev/null')))
      lfs.unlock(file)
      show((os.execute('python3 -c "' .. asked .. '" 2>/dev/null')))
    """
    assert text_of(switch, LFS + code) == "nil;true;"


@pytest.mark.parametrize("version", MOST)
def test_it_is_a_global_as_well(switch: Switch, version: str) -> None:
    code = "require('lfs') stream:write(lfs.attributes('/', 'mode') .. tostring(lfs == package.loaded.lfs))"
    assert text_of(switch, code, version) == "directorytrue"
