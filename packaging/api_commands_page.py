#!/usr/bin/env python3
"""Write `docs/api_commands.md`: every API command of FreeSWITCH's usual modules, and whether Moonline has it.

`.venv/bin/python packaging/api_commands_page.py` writes the page; with `--check` it only tells whether the page is
what it should be. What works is asked of a switch with all modules; the names of what does not stand below.
"""

from __future__ import annotations

import pkgutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import host.modules  # noqa: E402
from host.clock import RealClock  # noqa: E402
from host.interfaces import ApiCommand  # noqa: E402
from host.modules.mod_event_socket import event_sink  # noqa: E402
from host.switch import Switch  # noqa: E402

PAGE = ROOT / "docs" / "api_commands.md"

# They need sockets or servers of their own, which SIP without profiles does not. What they bring beside those is
# added by hand.
NOT_LOADED = frozenset({"mod_event_socket", "mod_hiredis"})

# FreeSWITCH's commands that may be missing here, by their module.
OF_MODULES = {
    "CORE_VPX_MODULE": "vpx",
    "mod_cdr_csv": "cdr_csv",
    "mod_conference": "conference",
    "mod_enum": "enum enum_auto",
    "mod_fifo": "fifo fifo_add_outbound fifo_check_bridge fifo_member",
    "mod_httapi": "httapi",
    "mod_local_stream": "local_stream",
    "mod_opus": "opus_debug",
    "mod_png": "uuid_write_png",
    "mod_signalwire": "signalwire",
    "mod_sndfile": "sndfile_debug",
    "mod_sofia": (
        "sofia sofia_contact sofia_count_reg sofia_dig sofia_gateway_data sofia_presence_data sofia_username_of"
    ),
    "mod_spandsp": (
        "spandsp_start_tone_detect spandsp_stop_tone_detect start_tdd_detect stop_tdd_detect uuid_send_tdd"
    ),
    "mod_valet_parking": "valet_info",
    "mod_verto": "verto verto_contact",
    "mod_voicemail": (
        "vm_boxcount vm_delete vm_fsdb_auth_login vm_fsdb_msg_count vm_fsdb_msg_delete vm_fsdb_msg_email"
        " vm_fsdb_msg_forward vm_fsdb_msg_get vm_fsdb_msg_list vm_fsdb_msg_purge vm_fsdb_msg_save"
        " vm_fsdb_msg_undelete vm_fsdb_pref_greeting_get vm_fsdb_pref_greeting_set vm_fsdb_pref_password_set"
        " vm_fsdb_pref_recname_set vm_inject vm_list vm_prefs vm_read voicemail voicemail_inject"
    ),
}

HEAD = """\
# API commands

Written by `packaging/api_commands_page.py` from the commands themselves; a test fails when it is out of date.

A command is *there* when `show api` lists it once its module is loaded. One that is *absent* answers as FreeSWITCH
does without the module: `-ERR NAME Command not found!`. {there} commands are there, {absent} are absent.

Commands of modules that Moonline lacks altogether are not listed.

| command | state | module | syntax | what it does |
| --- | --- | --- | --- | --- |
"""


def commands_there() -> list[ApiCommand]:
    """Return the commands of all modules that can be loaded without a server, and those of the event socket."""
    with tempfile.TemporaryDirectory() as folder:
        clock = RealClock()  # SIP knows no other; without profiles it opens no socket
        with clock.participating():
            switch = Switch(clock, Path(folder), media_process=False)
            for found in pkgutil.iter_modules(host.modules.__path__):
                if found.name not in NOT_LOADED:
                    switch.modules.load(found.name)
            switch.modules.load("mod_lua")
            event_sink.commands.register(switch)
            commands = list(switch.api_commands)
            switch.close()
    return commands


def page(commands: Iterable[ApiCommand]) -> str:
    """Return the page's text for these commands."""
    rows = {
        command.name: (command.name, "there", command.module, command.syntax, command.description)
        for command in commands
    }
    there = len(rows)
    for module, names in OF_MODULES.items():
        for name in names.split():
            rows.setdefault(name, (name, "absent", module, "", ""))
    lines = [
        f"| `{name}` | {state} | {module} | {_code(syntax)} | {_escaped(description)} |\n"
        for name, (_, state, module, syntax, description) in sorted(rows.items())
    ]
    return HEAD.format(there=there, absent=len(rows) - there) + "".join(lines)


def _code(text: str) -> str:
    """Return a text as code in a table's cell, where a bar has to be escaped even in code."""
    return f"`{_escaped(text)}`" if text else ""


def _escaped(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it; return 1 when it is out of date."""
    text = page(commands_there())
    if "--check" in arguments:
        return int(not PAGE.exists() or PAGE.read_text("utf-8") != text)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
