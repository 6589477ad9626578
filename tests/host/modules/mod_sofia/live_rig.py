"""Live calls: the two profiles with all that calls need, callers that hear, speak and press keys, a leak check."""

from __future__ import annotations

import gc
import os
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from host.session import Session
from media.source import Samples
from media.tone import ToneSource
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, two_profiles

# What the two profiles load beyond what a plain call needs.
MORE_MODULES = (
    "mod_native_file", "mod_local_stream", "mod_hash", "mod_db", "mod_conference", "mod_fifo", "mod_valet_parking",
    "mod_voicemail", "mod_say_en", "mod_flite", "mod_opus",
)  # fmt: skip
RATE = 8000
_FRAME = 160


class Ear:
    """What one leg receives from its far end, int16 at the line's rate, from the moment it is put on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: list[NDArray[np.int16]] = []

    def write(self, samples: NDArray[np.int16]) -> None:
        """Take what was received; called by the engine."""
        with self._lock:
            self._parts.append(samples.copy())

    @property
    def heard(self) -> NDArray[np.int16]:
        """All that was received so far, int16 of shape (n,)."""
        with self._lock:
            return np.concatenate(self._parts) if self._parts else np.zeros(0, np.int16)

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._parts.clear()


def level_of(samples: NDArray[np.int16], frequency: float, rate: int = RATE) -> float:
    """Return the amplitude of one frequency in `samples` (a sine of amplitude 1000 gives 1000)."""
    if not len(samples):
        return 0.0
    turns = np.exp(-2j * np.pi * frequency / rate * np.arange(len(samples)))
    return float(2 * abs(np.dot(samples, turns)) / len(samples))


def best_level(samples: NDArray[np.int16], frequency: float, rate: int = RATE) -> float:
    """Return the amplitude of one frequency in those 100 ms that have most of it."""
    size = rate // 10
    return max(
        (level_of(samples[at : at + size], frequency, rate) for at in range(0, len(samples) - size, size)),
        default=0.0,
    )


def hears(ear: Ear, frequency: float, rate: int = RATE, above: float = 300.0) -> bool:
    """Return whether the last 100 ms that were heard hold a tone of this frequency."""
    recent = ear.heard[-rate // 10 :]
    return len(recent) == rate // 10 and level_of(recent, frequency, rate) > above


def read_wav(path: Path) -> NDArray[np.int16]:
    """Return a file's samples, of shape (n, channels)."""
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return data.reshape(-1, file.getnchannels())


def write_wav(path: Path, samples: NDArray[np.int16], rate: int = RATE) -> None:
    """Write mono samples to a file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


class Caller:
    """A call from `near` to a number of `far`: the leg that calls, with an ear on it."""

    def __init__(self, rig: LiveRig, number: str, variables: str = "", *, answered: bool = True) -> None:
        self.rig = rig
        uuid = rig.switch.new_uuid()
        given = ",".join(part for part in (f"origination_uuid={uuid},sip_h_X-Call={uuid}", variables) if part)
        rig.api(f"bgapi originate {{{given}}}{rig.address(number)} &park()")
        self.session = rig.wait(lambda: self._made(uuid))
        self.ear = Ear()
        self.session.line.tap(self.ear, read=True, write=False)
        if answered:
            rig.wait(lambda: self.session.channel.answered)

    def _made(self, uuid: str) -> Session | None:
        return next((one for one in self.rig.made if one.uuid == uuid), None)

    @property
    def far(self) -> Session:
        """The leg of `far` that takes the call, also after its end."""
        return self.rig.wait(self._far_end)

    def _far_end(self) -> Session | None:
        for one in self.rig.made:
            if one.channel.direction == "inbound" and one.channel.variables.get("sip_h_X-Call") == self.uuid:
                return one
        return None

    @property
    def uuid(self) -> str:
        return self.session.uuid

    def press(self, keys: str) -> None:
        """Press keys, each for 60 ms, as RFC 4733 events."""
        self.rig.api(f"uuid_send_dtmf {self.uuid} {keys}@60")

    def say_tone(self, frequency: int, ms: int = 60_000) -> None:
        """Say a tone from now on."""
        line = self.session.line
        line.play(ToneSource(f"v=-13;%({ms},0,{frequency})", line.rate))

    def say(self, samples: NDArray[np.int16]) -> None:
        """Say something."""
        self.session.line.play(Samples(samples, self.session.line.rate))

    def wait_for(self, frequency: int, seconds: float = 20.0) -> None:
        """Wait until it hears a tone."""
        self.rig.wait(lambda: self.hears(frequency), seconds)

    def wait_for_both(self, first: int, second: int) -> None:
        """Wait until it hears two tones at once."""
        self.rig.wait(lambda: self.hears(first) and self.hears(second))

    def wait_for_only(self, frequency: int, *, without: int) -> None:
        """Wait until it hears a tone, and another one not any more: a gap in the sound is neither."""
        self.rig.wait(lambda: self.hears(frequency) and not self.hears(without))

    def wait_for_passing(self, frequency: int) -> None:
        """Wait until it has heard a tone since its ear was put on or forgot, which may be over by then."""
        rate = self.session.line.rate
        self.rig.wait(lambda: best_level(self.ear.heard, frequency, rate) > 300)

    def wait_for_end_of(self, frequency: int) -> None:
        """Wait until it does not hear a tone any more."""
        self.rig.wait(lambda: not self.hears(frequency))

    def hears(self, frequency: int) -> bool:
        return hears(self.ear, frequency, self.session.line.rate)

    def hang_up(self) -> None:
        self.session.channel.hangup()


class LiveRig(Rig):
    """The rig with all sessions that there ever were."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(rig.switch)
        self.made: list[Session] = []
        add = self.switch.add_session

        def note(session: Session) -> None:
            self.made.append(session)
            add(session)

        self.switch.add_session = note  # type: ignore[method-assign]

    def variable(self, session: Session, name: str, value: str = "") -> str:
        """Return a channel variable as soon as it is set, to `value` where that is given."""

        def found() -> str | None:
            text = session.channel.variables.get(name)
            return text if not value or text == value else None

        return self.wait(found)

    def quiet(self) -> None:
        """Wait until no call and no line is left."""
        super().quiet()
        self.wait(lambda: self.switch.engine.line_count == 0)


# Threads that a switch has one or a few of, made when they are first needed.
_SERVICES = ("MainThread", "sip", "sip-worker", "media-notices", "lua-runtimes", "clock-timers")


def _threads() -> list[str]:
    """Return the names of the threads that calls have."""
    return sorted(one.name for one in threading.enumerate() if not one.name.startswith(_SERVICES))


def _files(process: str, folder: Path) -> int:
    """Return how many files and sockets a process has open, databases of the switch aside."""
    count = 0
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            count += not os.readlink(entry).startswith((str(folder), "/memfd:"))
    return count


def _engine_process() -> str:
    """Return the number of the media engine's process, the only child of ours."""
    children = [
        text for task in Path("/proc/self/task").iterdir() for text in (task / "children").read_text().split()
    ]
    return children[0]


def _left_open(folder: Path) -> tuple[list[str], int, int]:
    gc.collect()
    return _threads(), _files("self", folder), _files(_engine_process(), folder)


@contextmanager
def live(
    folder: Path, extensions: str, *, directory: str = "", more: str = "", sections: str = "", far: str = ""
) -> Iterator[LiveRig]:
    """Run the two profiles with all modules; at the end nothing that calls opened may be left.

    `more` is further `<configuration>`s, `sections` further `<section>`s. The first call opens what stays (the engine's
    process, workers); it is made before counting.
    """
    text = configuration(extensions, directory=directory, far=far)
    loads = "".join(f'<load module="{name}"/>' for name in MORE_MODULES)
    text = text.replace("</modules>", f"{loads}</modules>")
    text = text.replace("</profiles></configuration>", f"</profiles></configuration>{more}")
    text = text.replace("</document>", f"{sections}</document>")
    text = text.replace('value="PCMU,PCMA"', 'value="PCMU,PCMA,G722,opus"')
    with two_profiles(folder, text) as plain:
        rig = LiveRig(plain)
        first = Caller(rig, "park")
        first.hang_up()
        rig.quiet()
        threads, files, engine_files = _left_open(folder)
        yield rig
        rig.api("hupall")
        rig.quiet()
        rig.made.clear()
        rig.wait(lambda: _threads() == threads)
        left = _left_open(folder)
        assert left[0] == threads
        assert left[1] <= files
        assert left[2] <= engine_files
