"""`lua ps` and `lua kill NUMBER`: which scripts run, and stopping one.

Both are additions to FreeSWITCH's command `lua`. A script file named `ps` or `kill` in the script folder goes first, so
that no script is hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lua_bindings.script import find_script, running

if TYPE_CHECKING:
    from host.switch import Switch

_HEADER: Final = "number,uuid,seconds,limit,script"


def answer(switch: Switch, text: str) -> str | None:
    """Return the answer to `ps` and `kill NUMBER`; None for everything else, which is a script."""
    words = text.split()
    if not words or words[0] not in ("ps", "kill") or len(words) != (1 if words[0] == "ps" else 2):
        return None
    if find_script(switch, words[0]).is_file():
        return None
    if words[0] == "ps":
        return _list(switch)
    for script in running():
        if script.switch is switch and str(script.number) == words[1]:
            script.kill("killed by the command lua kill")
            return "+OK\n"
    return f"-ERR no script runs under the number {words[1]}\n"


def _list(switch: Switch) -> str:
    now = switch.clock.time()
    lines = [_HEADER]
    for script in running():
        if script.switch is switch:
            uuid = script.session.uuid if script.session is not None else None
            seconds = (now - script.started) // 1_000_000
            name = script.name.split("\n", 1)[0]
            lines.append(f"{script.number},{uuid or ''},{seconds},{script.limits.wall_s:g},{name}")
    return "\n".join(lines) + f"\n\n{len(lines) - 1} total.\n"
