"""The application `page`: record a message, and play it to many, a few at a time. Also the paging itself."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.application_table import ApplicationTable
from host.channel_watch import wait_until
from host.dial_string import parse_variables
from host.ivr.originate import originate
from host.ivr.play import play_file
from host.ivr.record import record_file
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_dptools.terminators import terminator_args

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.session import Session
    from host.switch import Switch

_applications: Final = ApplicationTable("mod_dptools")

_SEPARATOR: Final = ":_:"
_CHUNK: Final = 10  # FreeSWITCH: calls there are at a time, unless page_chunk_size says otherwise
_MOST_AT_A_TIME: Final = 100
_BEEP: Final = "tone_stream://%(500,0, 620)"


@dataclass(frozen=True, slots=True)
class Page:
    """What is played, to which extension those who answer are sent, and how many calls there are at a time."""

    path: str
    extension: str
    dialplan: str
    context: str
    at_a_time: int

    @classmethod
    def of(cls, path: str, get: Callable[[str], str | None]) -> Page:
        """Read `page_exten` (by default one that plays the file), `page_dp`, `page_context`, `page_chunk_size`."""
        chunk = leading_int(get("page_chunk_size") or "")
        return cls(
            path,
            get("page_exten") or f"playback:{path}",
            get("page_dp") or "inline",
            get("page_context") or "",
            min(chunk if chunk > 0 else _CHUNK, _MOST_AT_A_TIME),
        )


def place_page(switch: Switch, page: Page, targets: str, after: Callable[[], object] = lambda: None) -> None:
    """Call `<name=value,…>target:_:target…` in threads of their own; `after()` is called when all calls are over."""
    targets = targets.strip(" ")
    variables: dict[str, str] = {}
    while targets.startswith("<"):
        inside, closed, rest = targets[1:].partition(">")
        if not closed:
            switch.log(LogLevel.ERR, "Parse Error!")
            after()
            return
        variables.update(parse_variables(inside))
        targets = rest.lstrip(" ")
    waiting = deque(target for target in targets.split(_SEPARATOR) if target)
    if not waiting:
        switch.log(LogLevel.ERR, "No channels specified.")
        after()
        return
    workers = min(page.at_a_time, len(waiting))
    left = [workers]
    lock = threading.Lock()

    def work() -> None:
        while switch.running:
            try:
                target = waiting.popleft()
            except IndexError:
                break
            _call(switch, page, target, variables)
        with lock:
            left[0] -= 1
            last = not left[0]
        if last:
            after()

    for number in range(workers):
        switch.clock.spawn(work, f"page-{number}")


def _call(switch: Switch, page: Page, target: str, variables: dict[str, str]) -> None:
    """Call one, send it to the extension, and wait for the end of the call."""
    leg, cause = originate(switch, target, variables=variables)
    if leg is None:
        switch.log(LogLevel.WARNING, f"originate failed: {cause.name} [{target}]")
        return
    leg.channel.set_variable("page_file", page.path)
    leg.transfer(page.extension, page.dialplan, page.context)
    wait_until(switch.clock, lambda: leg.channel.down, leg.channel)


@_applications.application("page", "<var1=val1,var2=val2><chan1>[:_:<chanN>]", "", media=True)
def page(session: Session, data: str) -> None:
    """Record a message after `page_beep` and place the page; with `page_path` it is that file, and nothing is recorded.

    The channels may come from `page_data`; `page_record_limit` (seconds), `page_record_thresh` and
    `page_record_silence_hits` end the recording, as does a terminator. What was recorded is deleted afterwards.
    """
    channel = session.channel
    get = channel.get_variable
    targets = data or get("page_data") or ""
    if not targets:
        channel.log(LogLevel.ERR, "No channels specified.")
        return
    path = get("page_path") or ""
    recorded = "" if path else os.path.join(get("temp_dir") or ".", f"{session.uuid}.wav")
    if recorded:
        play_file(session, get("page_beep") or _BEEP)
        record_file(
            session,
            recorded,
            max(0, leading_int((get("page_record_limit") or "").removeprefix("+"))),
            max(0, leading_int(get("page_record_thresh") or "")),
            max(0, leading_int(get("page_record_silence_hits") or "")),
            terminator_args(session),
        )
    path = path or recorded
    if not os.path.exists(path):
        channel.log(LogLevel.ERR, f"File {path} does not exist")
        return

    def after() -> None:
        if recorded:
            with contextlib.suppress(OSError):  # somebody has taken it away already
                os.unlink(recorded)

    place_page(session.switch, Page.of(path, get), targets, after)


def load(switch: Switch) -> None:
    """Register the application."""
    _applications.register(switch)
