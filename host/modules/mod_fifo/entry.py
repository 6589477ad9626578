"""The application `fifo`: its words, and which side of a queue the call is on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_fifo.caller import CallerOptions, wait_in_line
from host.modules.mod_fifo.consumer import consumer_options, serve
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_fifo.queue import Queue
    from host.modules.mod_fifo.queues import Queues
    from host.modules.mod_fifo.tracking import Tracking
    from host.session import Session

SYNTAX: Final = (
    "<fifo name>[!<importance_number>] [in [<announce file>|undef] [<music file>|undef] [early|noans] | "
    "out [wait|nowait] [<announce file>|undef] [<music file>|undef]]"
)
_QUEUES: Final = 25  # FreeSWITCH: so many can a consumer serve


def fifo(queues: Queues, tracking: Tracking, session: Session, data: str) -> None:
    """Run the application."""
    channel = session.channel
    if not data:
        channel.log(LogLevel.ERR, "No Args")
        return
    channel.variables.set("fifo_hangup_check", None)
    words = separate(data, " ", 5)
    names = separate(words[0], ",", _QUEUES) if words else []
    side = words[1].lower() if len(words) > 1 else ""
    wrong_wait = side == "out" and len(words) > 2 and words[2].lower() not in ("wait", "nowait")
    if side not in ("in", "out") or not names or wrong_wait or (side == "in" and len(names) > 1):
        channel.log(LogLevel.ERR, f"USAGE {SYNTAX}")
        return
    served = [_open(queues, name) for name in names]
    try:
        if side == "in":
            options = CallerOptions(
                announce=_sound(session, words, 2, "fifo_announce"),
                music=_sound(session, words, 3, "fifo_music"),
                answered=words[4].lower() not in ("early", "noans") if len(words) > 4 else True,
            )
            wait_in_line(queues, session, served[0], options)
        else:
            _serve(queues, tracking, session, served, words)
    finally:
        if is_true(channel.get_variable("fifo_destroy_after_use")):
            for queue in served:
                queues.drop_if_unused(queue)


def _serve(
    queues: Queues, tracking: Tracking, session: Session, served: list[Queue], words: list[str]
) -> None:
    channel = session.channel
    outbound_id = channel.get_variable("fifo_outbound_uuid")
    tracking.untrack(session)
    options = consumer_options(session, words[0], words[2:])
    if options is None:
        return
    options.announce = _sound(session, words, 3, "fifo_announce")
    options.music = _sound(session, words, 4, "fifo_music")
    serve(queues, session, served, options)
    if outbound_id and channel.up:
        channel.log(LogLevel.DEBUG, f"{channel.name} is still alive, tracking call.")
        tracking.track(session, outbound_id)


def _open(queues: Queues, name: str) -> Queue:
    """Return the queue of `name[!importance]`."""
    plain, mark, importance = name.rpartition("!")
    return queues.open(plain, max(0, leading_int(importance))) if mark else queues.open(name)


def _sound(session: Session, words: list[str], place: int, variable: str) -> str:
    """Return the file that a word names, else the variable; empty for none, `undef` and `silence`."""
    given = words[place] if len(words) > place else session.channel.get_variable(variable) or ""
    return "" if given.lower() in ("undef", "silence") else given
