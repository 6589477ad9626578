"""Lua: runtimes, the `freeswitch` table, the `session` object and mod_lua."""
