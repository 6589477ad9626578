"""`fsctl`: steer the switch as a whole, and its end."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary, ref

from host.api_table import ApiTable, UsageError
from host.arguments import separate
from host.hangup_cause import HangupCause
from host.interfaces import ApiRequest
from host.leading_number import leading_float, leading_int
from host.log import LogLevel, level_of
from host.session_control import MOST_DETAILED, Shutdown
from host.sql_store import statement_watchers
from host.switch import Switch
from host.truth import is_true

commands: Final = ApiTable("mod_commands")
command = commands.command

_FSCTL: Final = (
    "[api_expansion [on|off]|recover|send_sighup|hupall|pause [inbound|outbound]|resume [inbound|outbound]"
    "|shutdown [cancel|elegant|asap|now|restart]|uuid_version [4|7]|sps|sps_peak_reset|sync_clock"
    "|sync_clock_when_idle|reclaim_mem|max_sessions|min_dtmf_duration [num]|max_dtmf_duration [num]"
    "|default_dtmf_duration [num]|min_idle_cpu|loglevel [level]|debug_level [level]"
    "|mdns_resolve [enable|disable]]"
)
_WRONG: Final = f"-ERR Invalid command\nUSAGE: fsctl {_FSCTL}\n"
# Bounds of what may be set: FreeSWITCH's of a digit in samples, and more sessions than a process can have.
_SHORTEST_DIGIT: Final = 400
_LONGEST_DIGIT: Final = 192_000
_MOST_SESSIONS: Final = 1_000_000


@command("fsctl", _FSCTL, "FS control messages")
def fsctl(request: ApiRequest) -> str:
    words = separate(request.argument, " ", 6)
    if not words:
        raise UsageError
    run = _CONTROLS.get(words[0].lower())
    return _WRONG if run is None else run(request.switch, words[1:])


def shut_down(switch: Switch, *, patient: bool = False, restart: bool = False) -> str:
    """Begin no more calls and end the switch: at once, or, `patient`, with its last call."""
    if switch.bus.wants("SHUTDOWN_REQUESTED"):
        switch.fire(switch.new_event("SHUTDOWN_REQUESTED"))
    if not patient:
        switch.hang_up_all(HangupCause.SYSTEM_SHUTDOWN)
    switch.control.request_shutdown(Shutdown(patient, restart), len(switch.sessions))
    return "+OK\n"


def _ctl_shutdown(switch: Switch, words: list[str]) -> str:
    wanted = {word.lower() for word in words}
    if "cancel" in wanted:
        switch.control.cancel_shutdown()
        return "+OK\n"
    return shut_down(switch, patient=bool(wanted & {"elegant", "asap"}), restart="restart" in wanted)


def _ctl_hupall(switch: Switch, words: list[str]) -> str:
    switch.hang_up_all(HangupCause.MANAGER_REQUEST)
    return "+OK\n"


def _ctl_pause(paused: bool) -> Callable[[Switch, list[str]], str]:
    def run(switch: Switch, words: list[str]) -> str:
        which = words[0].lower() if words else ""
        if which != "outbound":
            switch.control.inbound_paused = paused
        if which != "inbound":
            switch.control.outbound_paused = paused
        return "+OK\n"

    return run


def _ctl_pause_check(switch: Switch, words: list[str]) -> str:
    control = switch.control
    match words[0].lower() if words else "":
        case "inbound":
            paused = control.inbound_paused
        case "outbound":
            paused = control.outbound_paused
        case _:
            paused = control.inbound_paused and control.outbound_paused
    return "true" if paused else "false"


def _ctl_ready_check(switch: Switch, words: list[str]) -> str:
    return "true" if switch.running and switch.control.shutdown is None else "false"


def _ctl_shutdown_check(switch: Switch, words: list[str]) -> str:
    return "false" if switch.control.shutdown is None else "true"


def _ctl_number(attribute: str, label: str, least: int, most: int) -> Callable[[Switch, list[str]], str]:
    """Return what sets a number of the control within bounds, where one is given, and tells it."""

    def run(switch: Switch, words: list[str]) -> str:
        if words:
            number = leading_int(words[0])
            if number:
                bounded = most if number < 0 and least > 1 else max(least, min(most, number))
                setattr(switch.control, attribute, bounded)
        return f"+OK {label}: {getattr(switch.control, attribute)}\n"

    return run


def _ctl_digit(attribute: str, label: str) -> Callable[[Switch, list[str]], str]:
    """Return what sets a length of digits; FreeSWITCH: shortest and longest make room for it."""
    set_number = _ctl_number(attribute, label, _SHORTEST_DIGIT, _LONGEST_DIGIT)

    def run(switch: Switch, words: list[str]) -> str:
        reply = set_number(switch, words)
        control = switch.control
        length = getattr(control, attribute)
        control.shortest_digit = min(control.shortest_digit, length)
        control.longest_digit = max(control.longest_digit, length)
        return reply

    return run


def _ctl_switch(attribute: str) -> Callable[[Switch, list[str]], str]:
    def run(switch: Switch, words: list[str]) -> str:
        if words:
            setattr(switch.control, attribute, is_true(words[0]))
        return f"+OK {attribute} is {'on' if getattr(switch.control, attribute) else 'off'} \n"

    return run


def _ctl_last_sps(switch: Switch, words: list[str]) -> str:
    return f"+OK last sessions per second: {switch.control.last_sessions_per_second}\n"


def _ctl_sps_peak_reset(switch: Switch, words: list[str]) -> str:
    switch.control.reset_rate_peak()
    return "+OK max sessions per second counter reset\n"


def _ctl_min_idle_cpu(switch: Switch, words: list[str]) -> str:
    wanted = leading_float(words[0]) if words else -1.0
    if wanted >= 0:  # FreeSWITCH: a negative one changes nothing
        switch.control.min_idle_cpu = min(100.0, wanted)
    limit = switch.control.min_idle_cpu
    # FreeSWITCH: the percent sign and the line's end are lost on the way.
    return f"+OK min idle cpu: {limit:.2f}" if limit else "+OK min idle cpu: DISABLED\n"


def _ctl_loglevel(switch: Switch, words: list[str]) -> str:
    """Set up to which level is logged; FreeSWITCH: without a word nothing is logged any more."""
    level = level_of(words[0]) if words else LogLevel.DISABLE
    if level is None:
        return "-ERR syntax error, log level not set!\n"
    switch.logs.set_limit(level)
    return f"+OK log level: {level.name} [{int(level)}]\n"


def _ctl_debug_level(switch: Switch, words: list[str]) -> str:
    """Tell, and perhaps set, how fine what is logged for who looks for a fault is (FreeSWITCH: DEBUG1 to DEBUG10)."""
    number = leading_int(words[0]) if words else -1
    if number >= 0:
        switch.control.debug_level = min(MOST_DETAILED, number)
    return f"+OK DEBUG level: {switch.control.debug_level}\n"


def _ctl_mdns_resolve(switch: Switch, words: list[str]) -> str:
    """Have names of the link (`….local`) asked for by multicast DNS, or no more."""
    what = words[0].lower() if words else ""
    if what not in ("enable", "disable"):
        return _WRONG
    switch.control.mdns_resolve = what == "enable"
    return "+OK\n"


def _ctl_reclaim_mem(switch: Switch, words: list[str]) -> str:
    gc.collect()
    return "+OK\n"


def _ctl_send_sighup(switch: Switch, words: list[str]) -> str:
    """Tell with TRAP that files are to be opened anew, as log writers do (FreeSWITCH: HUP)."""
    if switch.bus.wants("TRAP"):
        event = switch.new_event("TRAP")
        event.add_header("Trapped-Signal", "HUP")
        switch.fire(event)
    return "+OK\n"


def _ctl_uuid_version(switch: Switch, words: list[str]) -> str:
    """Tell, and perhaps set, which UUIDs are made: 4 (random) or 7 (ordered by time)."""
    version = leading_int(words[0]) if words else 0
    if version > 0:  # FreeSWITCH: those of all but 7 are random
        switch.uuid_version = version
    return f"+OK set uuid version: {switch.uuid_version}\n"


def _ctl_sync_clock(switch: Switch, words: list[str]) -> str:
    """Say so: the system's time is read anew whenever it is asked for, so it is never behind."""
    return "+OK clock synchronized\n"


def _ctl_sync_clock_when_idle(switch: Switch, words: list[str]) -> str:
    if switch.sessions:
        return "+OK clock will synchronize when there are no more calls\n"
    return "+OK clock synchronized\n"


def _ctl_recover(switch: Switch, words: list[str]) -> str:
    """Say that no call was recovered: none is kept for that."""
    if words and words[0].lower() == "flush":
        return "+OK flushed\n"
    return "+OK 0 session(s) recovered in total\n"


class _Toggles:
    """What the words below switch on and off, for one switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = ref(switch)
        self.threaded_system_exec = False

    def log_statement(self, sql: str) -> None:
        """Log a statement of one of the switch's databases."""
        switch = self._switch()
        if switch is not None:
            switch.log(LogLevel.DEBUG, f"SQL: {sql}")


_toggles: Final[WeakKeyDictionary[Switch, _Toggles]] = WeakKeyDictionary()


def _toggles_of(switch: Switch) -> _Toggles:
    found = _toggles.get(switch)
    if found is None:
        found = _toggles[switch] = _Toggles(switch)
    return found


def _ctl_debug_sql(switch: Switch, words: list[str]) -> str:
    """Log each statement of the databases, or no more."""
    watcher = _toggles_of(switch).log_statement
    if watcher in statement_watchers:
        statement_watchers.remove(watcher)
        return "+OK SQL DEBUG [off]\n"
    statement_watchers.append(watcher)
    return "+OK SQL DEBUG [on]\n"


def _ctl_debug_pool(switch: Switch, words: list[str]) -> str:
    """Tell how many threads run: one for each session, and the scheduler's."""
    threads = len(switch.sessions) + 1
    return f"Thread pool: running:{threads} busy:{threads} popping:0\n"


def _ctl_sql(switch: Switch, words: list[str]) -> str:
    """Say so, without a word nothing: what is shown is no queue of statements that could be held up."""
    return "+OK\n" if words else ""


def _ctl_threaded_system_exec(switch: Switch, words: list[str]) -> str:
    """Tell, and perhaps set, what FreeSWITCH forks or not for; here nothing of a call waits for it either way."""
    toggles = _toggles_of(switch)
    if words:
        toggles.threaded_system_exec = is_true(words[0])
    return f"+OK threaded_system_exec is {str(toggles.threaded_system_exec).lower()} \n"


def _ctl_nothing_kept(switch: Switch, words: list[str]) -> str:
    """Say so: consoles save their history themselves, the clock needs no measuring, idle databases are not kept."""
    return "+OK\n"


_CONTROLS: Final[dict[str, Callable[[Switch, list[str]], str]]] = {
    "hupall": _ctl_hupall,
    "pause": _ctl_pause(True),
    "resume": _ctl_pause(False),
    "pause_check": _ctl_pause_check,
    "ready_check": _ctl_ready_check,
    "shutdown_check": _ctl_shutdown_check,
    "shutdown": _ctl_shutdown,
    "max_sessions": _ctl_number("max_sessions", "max sessions", 0, _MOST_SESSIONS),
    "sps": _ctl_number("max_sessions_per_second", "sessions per second", 1, _MOST_SESSIONS),
    "last_sps": _ctl_last_sps,
    "sps_peak_reset": _ctl_sps_peak_reset,
    "min_idle_cpu": _ctl_min_idle_cpu,
    "max_dtmf_duration": _ctl_digit("longest_digit", "max dtmf duration"),
    "min_dtmf_duration": _ctl_digit("shortest_digit", "min dtmf duration"),
    "default_dtmf_duration": _ctl_digit("default_digit", "default dtmf duration"),
    "verbose_events": _ctl_switch("verbose_events"),
    "api_expansion": _ctl_switch("api_expansion"),
    "loglevel": _ctl_loglevel,
    "debug_level": _ctl_debug_level,
    "mdns_resolve": _ctl_mdns_resolve,
    "uuid_version": _ctl_uuid_version,
    "sync_clock": _ctl_sync_clock,
    "sync_clock_when_idle": _ctl_sync_clock_when_idle,
    "recover": _ctl_recover,
    "reclaim_mem": _ctl_reclaim_mem,
    "send_sighup": _ctl_send_sighup,
    "debug_sql": _ctl_debug_sql,
    "debug_pool": _ctl_debug_pool,
    "sql": _ctl_sql,
    "threaded_system_exec": _ctl_threaded_system_exec,
    "save_history": _ctl_nothing_kept,
    "calibrate_clock": _ctl_nothing_kept,
    "flush_db_handles": _ctl_nothing_kept,
}
