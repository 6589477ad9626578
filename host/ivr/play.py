"""Play a file to a session (FreeSWITCH: switch_ivr_play_file), with keys, events and file commands meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.arguments import separate
from host.channel import Flag
from host.clock import SECOND
from host.inbox import Break, Wake
from host.ivr.file_tags import note_tags
from host.ivr.input_args import NO_INPUT, InputArgs
from host.ivr.sleep import sleep
from host.leading_number import leading_int
from host.sound_file import Sound, SoundFileError, open_sound
from host.status import Status
from media.mix import GRANULAR_LIMIT, STEP_FACTORS
from media.notice import PlaybackEnded
from media.source import SPEED_LIMIT, Speed

if TYPE_CHECKING:
    from host.session import Session
    from media.line import Playback

_READ_SAMPLES: Final = 16384
_FRAME_MS: Final = 20
# What is read as it comes, or part by part.
_READ_OTHERWISE: Final = ("local_stream://", "file_string://", "shell_stream://")
# FreeSWITCH: the kinds that the events of a playback tell.
_TOLD_SCHEMES: Final = ("local_stream", "tone_stream")
# What has no place to go to: it is played from its start, whatever is asked.
_UNSEEKABLE: Final = ("tone_stream://", "silence_stream://", "local_stream://", "shell_stream://")
# FreeSWITCH: of a path divided by `playback_delimiter`, so many parts are played, with so long a pause between them.
_PARTS_LIMIT: Final = 128
_PART_PAUSE_MS: Final = 250
_CUMULATIVE: Final = "playback_timeout_sec_cumulative"


class FilePlayback:
    """The file that a session plays: what callbacks and `uuid_fileman` command."""

    def __init__(self, session: Session, sound: Sound, playback: Playback) -> None:
        self.sound = sound
        self.rate = session.line.rate
        self.volume_step = 0
        self.speed_step = 0
        self._line = session.line
        self._inbox = session.inbox
        self._playback = playback
        self._gain = 1.0
        self.started = session.clock.now()
        self.done = False

    @property
    def path(self) -> str:
        """The full path that is played."""
        return self.sound.path

    @property
    def number(self) -> int:
        """The playback's number in the media engine."""
        return self._playback.number

    @property
    def position(self) -> int:
        """The sample of the file that is played next."""
        return self._playback.position * 4 // (4 - self.speed_step)

    @property
    def played(self) -> int:
        """How many samples were played so far, pauses not counted."""
        return self._playback.played

    @property
    def paused(self) -> bool:
        """Whether the playback is held."""
        return self._playback.paused

    def toggle_pause(self) -> None:
        """Hold, or go on."""
        self._playback.pause(not self._playback.paused)

    def seek(self, position: int) -> None:
        """Go to a sample of the file, where it has one; before the start is the start."""
        if seekable(self.sound):
            self._playback.seek(max(0, position) * (4 - self.speed_step) // 4)

    def restart(self) -> None:
        """Go to the start."""
        self.seek(0)

    def set_volume(self, step: int) -> None:
        """Set the volume in FreeSWITCH's steps, -4 (soft) to 4 (loud), 0 as recorded."""
        self.volume_step = max(-4, min(4, step))
        self._scale(STEP_FACTORS[self.volume_step])

    def set_decibels(self, decibels: int) -> None:
        """Set the volume in FreeSWITCH's granular steps: dB from -50 (silence) to 50."""
        level = max(-GRANULAR_LIMIT, min(GRANULAR_LIMIT, decibels))
        self._scale(0.0 if level == -GRANULAR_LIMIT else 10 ** (level / 20))

    def set_speed(self, step: int) -> None:
        """Set the speed in FreeSWITCH's steps, -2 (slow) to 2 (fast), 0 as recorded."""
        position = self.position
        self.speed_step = max(-SPEED_LIMIT, min(SPEED_LIMIT, step))
        self._play_from(position)

    def resume(self) -> None:
        """Go on after something else was played on the line."""
        if not self.done:
            self._play_from(self.position)

    def _scale(self, factor: float) -> None:
        self._gain = factor
        self._playback.gain(factor)

    def _play_from(self, position: int) -> None:
        """Play on from a sample of the file, as fast, as loud and as held as it is set to be."""
        paused, source = self.paused, self.sound.source
        if self.speed_step:
            source = Speed(source, self.speed_step)
        self._playback = self._line.play(source, position * (4 - self.speed_step) // 4)
        self._playback.gain(self._gain)
        self._playback.pause(paused)

    def stop(self) -> None:
        """End the playback; the operation that waits for it ends, too."""
        self.done = True
        self._playback.stop()
        self._inbox.put(Wake())


def seekable(sound: Sound) -> bool:
    """Tell whether the playback of a sound can go to another place of it."""
    return not sound.path.lower().startswith(_UNSEEKABLE)


class PlayBudget:
    """How long a playback of several parts may go on, and whether the present part was skipped.

    FreeSWITCH heeds `playback_timeout_sec` and `playback_timeout_sec_cumulative`, which wins, of two seconds and more.
    """

    def __init__(self, session: Session) -> None:
        get = session.channel.get_variable
        cumulative = get(_CUMULATIVE)
        seconds = leading_int(cumulative if cumulative is not None else get("playback_timeout_sec") or "")
        self.left: int | None = seconds * SECOND if seconds > 1 else None  # in µs
        self.skipped = False
        self._cumulative = cumulative is not None

    @property
    def spent(self) -> bool:
        """Whether nothing is left of it."""
        return self.left is not None and self.left <= 0

    def keep(self, session: Session) -> None:
        """Leave what is left to the next playback, in whole seconds (FreeSWITCH: not where nothing is)."""
        if self._cumulative and self.left is not None and self.left > 0:
            session.channel.variables.set(_CUMULATIVE, str(self.left // SECOND))


def play_file(
    session: Session, path: str, start: int = 0, args: InputArgs | None = None, volume: int = 0
) -> Status:
    """Play `path` from sample `start`; return SUCCESS at its end.

    BREAK when a key, an event or `uuid_break` ended it, TIMEOUT when `playback_timeout_sec` did (SUCCESS with
    `playback_timeout_as_success`), NOT_FOUND when there is nothing to play, FALSE when the call is not there (any
    more) or `path` is empty. A call without media gets early media first. `volume` is in dB, -50 to 50.
    With `playback_delimiter` the path is several, `playback_sleep_val` ms apart; one that is missing is passed over,
    one that `uuid_break` ends (without `all`) is not the last. `playback_timeout_sec` counts over all of them, and
    `playback_timeout_sec_cumulative` is left with what it has still to give.
    """
    channel = session.channel
    args = args or NO_INPUT
    if not channel.ready or not session.pre_answer() or not path:
        return Status.FALSE
    delimiter = channel.get_variable("playback_delimiter")
    budget = PlayBudget(session)
    if not delimiter:
        status = _play_part(session, path, start, args, volume, budget)
        budget.keep(session)
        return status
    pause = leading_int(channel.get_variable("playback_sleep_val") or str(_PART_PAUSE_MS))
    status = Status.SUCCESS
    for number, part in enumerate(separate(path, delimiter[0], _PARTS_LIMIT)):
        if number and pause:
            status = sleep(session, pause if pause > 0 else _PART_PAUSE_MS, args)
            if not status:
                break
        status = _play_part(session, part, start if number == 0 else 0, args, volume, budget)
        goes_on = status in (Status.SUCCESS, Status.NOT_FOUND) or budget.skipped
        if not goes_on or budget.spent or not channel.ready:
            break
    budget.keep(session)
    return status


def _play_part(
    session: Session, path: str, start: int, args: InputArgs, volume: int, budget: PlayBudget
) -> Status:
    # What speaks plays files itself, so it imports this module.
    from host.ivr import phrase, speak

    channel = session.channel
    budget.skipped = False
    if path[:7].lower() == "phrase:":
        name, colon, data = path[7:].partition(":")
        language = channel.get_variable("language")
        return phrase.phrase_macro(session, name, data if colon else "", language, args)
    if path[:4].lower() == "say:":
        return speak.say_text(session, path[4:], args)
    try:
        sound = open_sound(session.switch, channel, path, session.line.rate, asks=args.asks)
    except SoundFileError as error:
        session.switch.log(error.level, error.words)
        session.switch.observe("play_failed", channel, path=path, reason=str(error))
        session.forget_input(digits=True)  # FreeSWITCH: only where there was nothing to play
        return Status.NOT_FOUND
    return play_sound(session, sound, start, args, volume, budget)


def play_sound(
    session: Session,
    sound: Sound,
    start: int,
    args: InputArgs,
    volume: int = 0,
    budget: PlayBudget | None = None,
) -> Status:
    """Play an opened sound; as `play_file`, of whose `budget` it takes what it needs."""
    channel = session.channel
    budget = budget or PlayBudget(session)
    rate = session.line.rate
    start = _begin_at(sound, start)
    file = FilePlayback(session, sound, session.line.play(sound.source, start))
    if volume:
        file.set_decibels(volume)
    length = sound.source.length
    session.switch.observe(
        "play",
        channel,
        path=sound.path,
        spoken=sound.spoken,
        length_ms=None if length is None else max(0, length - start) * 1000 // rate,
    )
    note_tags(channel, sound.source)
    headers = playback_headers(sound.path)
    channel.fire("PLAYBACK_START", *headers)
    former, session.playing = session.playing, file
    try:
        status = _wait(session, file, args, budget)
    finally:
        session.playing = former
        position = file.position
        played = file.played
        file.stop()
        session.forget_input()
        if former is not None and channel.ready and Flag.BROADCAST not in channel.flags:
            former.resume()  # an input callback has played this file while that one was played
    played_ms = round(played * 1000 / rate)
    taken = _read_ahead(sound, played, None if length is None else max(0, length - start), rate)
    taken_ms = round(taken * 1000 / rate)
    variables = channel.variables
    variables.set("playback_last_offset_pos", str(position))
    variables.set("playback_seconds", str(taken_ms // 1000))
    variables.set("playback_ms", str(taken_ms))
    variables.set("playback_samples", str(taken))
    # FreeSWITCH: a script's callback ends a playback as if it were done, a terminating key breaks it off
    told = "break" if status is Status.BREAK else "done"
    channel.fire("PLAYBACK_STOP", *headers, ("Playback-Status", told))
    why = {Status.SUCCESS: "end", Status.TIMEOUT: "timeout"}.get(status, "input")
    if status is Status.FALSE and not channel.ready:
        why = "hangup"
    session.switch.observe("played", channel, path=sound.path, spoken=sound.spoken, ms=played_ms, ended=why)
    return status


def playback_headers(path: str) -> list[tuple[str, str]]:
    """Return what PLAYBACK_START and PLAYBACK_STOP tell of the sound at `path`."""
    headers = [("Playback-File-Path", path)]
    scheme = path.partition(":")[0].lower()
    if scheme in _TOLD_SCHEMES:
        headers.insert(0, ("Playback-File-Type", scheme))
    return headers


def _begin_at(sound: Sound, start: int) -> int:
    """Return the sample that a playback asked to begin at `start` begins at.

    FreeSWITCH: behind the end is the last sample, and a number below zero is read as one that is far behind it.
    """
    if not seekable(sound):
        return 0
    length = sound.source.length
    return length - 1 if length and not 0 <= start <= length else max(0, start)


def _read_ahead(sound: Sound, played: int, length: int | None, rate: int) -> int:
    """Return how many samples of a file were read when `played` of them had been heard.

    FreeSWITCH reads 16384 samples whenever it has no more, so a file that is broken off counts as played to the end
    of such a block.
    """
    if length is not None and 0 < played - length < rate * _FRAME_MS // 1000:
        played = length  # the last frame is filled up with silence
    if sound.spoken or sound.path.startswith(_READ_OTHERWISE):
        return played
    taken = (played // _READ_SAMPLES + 1) * _READ_SAMPLES
    return taken if length is None else min(taken, max(length, played))


def _wait(session: Session, file: FilePlayback, args: InputArgs, budget: PlayBudget) -> Status:
    if budget.left is None:
        return _wait_until(session, file, args, None, budget)
    deadline = session.clock.now() + budget.left
    try:
        return _wait_until(session, file, args, deadline, budget)
    finally:
        budget.left = deadline - session.clock.now()


def _wait_until(
    session: Session, file: FilePlayback, args: InputArgs, deadline: int | None, budget: PlayBudget
) -> Status:
    kinds: tuple[type[object], ...] = (PlaybackEnded, *args.kinds())
    while not file.done:
        item = session.receive(deadline, kinds, until=lambda: file.done)
        if item is None:
            if not session.channel.ready:
                return Status.FALSE
            if deadline is None or session.clock.now() < deadline:
                continue  # it was stopped
            in_time = session.channel.is_true("playback_timeout_as_success")
            return Status.SUCCESS if in_time else Status.TIMEOUT
        if isinstance(item, PlaybackEnded):
            if item.playback == file.number:
                return Status.SUCCESS
            continue  # of a playback that was replaced
        status = args.take(session, item)
        if not status:
            budget.skipped = isinstance(item, Break) and not item.all
            return status
        if not session.channel.ready:  # FreeSWITCH: a call that its callback has ended was played to the end
            return Status.SUCCESS
    return Status.SUCCESS
