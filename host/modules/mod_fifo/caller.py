"""The application `fifo NAME in`: a caller waits with music and announcements until a consumer takes the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.channel_state import ChannelState
from host.clock import MILLISECOND, SECOND, Timer
from host.hangup_cause import HangupCause
from host.inbox import Break, Digit
from host.ivr.digits import collect_digits_callback
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.leading_number import leading_int
from host.modules.mod_fifo.events import date_text, fire, tell_presence
from host.modules.mod_fifo.queue import SLOTS, Entry
from host.status import Status
from host.truth import is_true

if TYPE_CHECKING:
    from host.event import Event
    from host.modules.mod_fifo.queue import Queue
    from host.modules.mod_fifo.queues import Queues
    from host.session import Session

_CHIMES: Final = 25
_CHIME_SECONDS: Final = 30
_ORBIT_SECONDS: Final = 60
_CONTINUE: Final = "_continue_"  # an orbit that is the next application

# A file that is over sooner holds no sound.
SHORTEST_MUSIC: Final = 20 * MILLISECOND

# What a wait may end with and yet go on (FreeSWITCH: SWITCH_READ_ACCEPTABLE).
ACCEPTABLE: Final = frozenset({Status.SUCCESS, Status.BREAK})


@dataclass(slots=True)
class CallerOptions:
    """What the application's words say, beside the queue. `answered`: the call is answered first."""

    announce: str = ""
    music: str = ""
    answered: bool = True


@dataclass(slots=True)
class _Wait:
    """A caller's wait: what may end it beside a consumer, and the chimes between."""

    session: Session
    chimes: list[str] = field(default_factory=list)
    every: int = _CHIME_SECONDS
    next_chime: int = 0
    orbit_timer: Timer | None = None
    chime_timer: Timer | None = None
    orbit_due: bool = False
    exit_key: str = ""
    over: bool = False

    def begin(self, orbit_seconds: int | None) -> None:
        """Start the clock of the orbit and of the chimes."""
        if orbit_seconds is not None:
            self.orbit_timer = self.session.clock.call_later(orbit_seconds * SECOND, self._orbit)
        self._arm()

    def end(self) -> None:
        """Stop them, and forget what was to break the music off."""
        self.over = True
        for timer in (self.orbit_timer, self.chime_timer):
            if timer is not None:
                timer.cancel()
        while self.session.inbox.take(Break) is not None:
            pass

    def on_input(self, session: Session, item: Digit | Event) -> Status:
        """Leave on one of the keys of `fifo_caller_exit_key`."""
        keys = session.channel.get_variable("fifo_caller_exit_key") or ""
        if isinstance(item, Digit) and item.digit in keys:
            self.exit_key = item.digit
            return Status.BREAK
        return Status.SUCCESS

    def _orbit(self) -> None:
        self.orbit_due = True
        self.session.break_off()

    def _arm(self) -> None:
        if self.chimes and not self.over:
            self.chime_timer = self.session.clock.call_later(
                self.every * SECOND, lambda: self.session.run_in_session(self._chime)
            )

    def _chime(self, session: Session) -> None:
        """Play the next chime in the place of the music, which goes on afterwards."""
        if self.over:
            return
        chime = self.chimes[self.next_chime % len(self.chimes)]
        self.next_chime += 1
        status = play_file(session, chime, args=InputArgs(self.on_input))
        if session.playing is not None:
            session.playing.resume()
        if status is Status.BREAK:
            session.break_off()  # the music, too
        self._arm()


def wait_in_line(queues: Queues, session: Session, queue: Queue, options: CallerOptions) -> None:
    """Wait in a queue; afterwards the call is in CS_HIBERNATE for its bridge, or goes on or away."""
    channel = session.channel
    variables = channel.variables
    extension, orbit_seconds = _orbit(session)
    if options.answered:
        session.answer()
    given = channel.get_variable("fifo_priority")
    slot = max(0, min(leading_int(given or ""), SLOTS - 1))
    fire(queues.switch, queue.name, "push", ("FIFO-Slot", str(slot)), session=session)
    variables.set("fifo_serviced_uuid", None)
    entry = Entry(session, session.event("CHANNEL_DATA"))
    variables.set("fifo_position", str(queues.push(queue, entry, slot)))
    if not given:
        variables.set("fifo_priority", str(slot))
    stamp = date_text(session.clock.time())
    variables.set("fifo_status", "WAITING")
    variables.set("fifo_timestamp", stamp)
    variables.set("fifo_push_timestamp", stamp)
    wait = _Wait(
        session,
        separate(channel.get_variable("fifo_chime_list") or "", ",", _CHIMES),
        max(0, leading_int(channel.get_variable("fifo_chime_freq") or "")) or _CHIME_SECONDS,
    )
    tell_presence(queues.switch, queue)
    wait.begin(orbit_seconds)
    try:
        served = _stay(session, wait, options)
    finally:
        wait.end()
    if served:
        consumer = queues.switch.find_session(variables.get("fifo_serviced_uuid") or "")
        if consumer is not None and not consumer.channel.ready:
            channel.hangup(HangupCause.NORMAL_CLEARING)
        if channel.ready and options.announce:
            play_file(session, options.announce)
        if channel.ready:
            channel.set_state(ChannelState.CS_HIBERNATE)
            _release(entry)
            return
    _release(entry)
    variables.set("fifo_status", "TIMEOUT" if wait.orbit_due else "ABORTED")
    variables.set("fifo_timestamp", date_text(session.clock.time()))
    fire(queues.switch, queue.name, "timeout" if wait.orbit_due else "abort", session=session)
    queues.leave(queue, entry)
    if extension and (wait.orbit_due or is_true(channel.get_variable("fifo_caller_exit_to_orbit"))):
        _go_to_orbit(session, extension)
    queues.cancel(queues.dialled_for, session.uuid, HangupCause.ORIGINATOR_CANCEL)


def _stay(session: Session, wait: _Wait, options: CallerOptions) -> bool:
    """Hear music until a consumer takes the call; False when the wait ended in another way."""
    channel = session.channel
    args = InputArgs(wait.on_input)
    music = options.music
    while channel.ready:
        if wait.orbit_due:
            return False
        if channel.variables.get("fifo_serviced_uuid"):
            return True
        if music:
            began = session.clock.now()
            status = play_file(session, music, args=args)
            if status is Status.SUCCESS and session.clock.now() - began < SHORTEST_MUSIC:
                music = ""  # it would be played over and over, and nothing else done
        else:
            status = collect_digits_callback(session, args)
        if status not in ACCEPTABLE:
            return False
        if wait.exit_key:
            channel.variables.set("fifo_caller_exit_key", wait.exit_key)
            return False
    return False


def _release(entry: Entry) -> None:
    """Tell the consumer who waits for it that this call does nothing else any more."""
    entry.released = True
    assert entry.session is not None
    entry.session.channel.tell_watchers()


def _orbit(session: Session) -> tuple[str, int | None]:
    """Return where the call goes when nobody takes it (`fifo_orbit_exten`), and after how many seconds."""
    given = session.channel.get_variable("fifo_orbit_exten")
    if not given:
        return "", None
    extension, colon, text = given.partition(":")
    seconds = leading_int(text) if colon else _ORBIT_SECONDS
    return extension, seconds if seconds >= 0 else _ORBIT_SECONDS


def _go_to_orbit(session: Session, extension: str) -> None:
    channel = session.channel
    announce = channel.get_variable("fifo_orbit_announce")
    if announce:
        play_file(session, announce)
    if extension != _CONTINUE:
        dialplan = channel.get_variable("fifo_orbit_dialplan") or ""
        session.transfer(extension, dialplan, channel.get_variable("fifo_orbit_context") or "")
