"""Rocks that scripts require, under their names from LuaRocks: Lua texts of ours and functions of the host."""
