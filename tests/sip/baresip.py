"""baresip as a phone: an account, a tone that it says, a file of what it heard, commands over its control port."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
import wave
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.sip.free_ports import free_port, free_ports
from tests.sip.host_configuration import DOMAIN, PASSWORDS
from tests.sip.peer_process import PeerProcess
from tests.sip.until import PATIENCE, until

RATE = 8000
_SAID_SECONDS = 30
_WINDOW = RATE // 10
_MODULE_FOLDERS = (
    "/usr/lib/baresip/modules",
    "/usr/lib/x86_64-linux-gnu/baresip/modules",
    "/usr/local/lib/baresip/modules",
)
_CONFIG = """\
sip_listen 127.0.0.1:{port}
rtp_ports {rtp}-{rtp_end}
audio_source aufile,{folder}/said.wav
audio_player aubridge,ear
audio_alert aubridge,bell
call_local_timeout 30
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {folder}/heard
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Baresip:
    """A running baresip. `events` are those of its control port, oldest first."""

    def __init__(
        self,
        folder: Path,
        account: str,
        *,
        tone: int,
        password: str = "",
        params: str = "",
    ) -> None:
        """Prepare a phone with the address `account` (`1000@example.com`); `tone` in Hz is what it says.

        `params` are those of baresip's accounts file: `outbound="sip:…;transport=tcp"`, `answermode=auto`.
        """
        program = shutil.which("baresip")
        modules = next((one for one in _MODULE_FOLDERS if Path(one).is_dir()), None)
        if program is None or modules is None:
            pytest.skip("baresip is not installed; `make peers` installs it on Debian (baresip-core)")
        self._program = program
        self.folder = folder
        self.port = free_port()
        self._control_port = free_port()
        self.events: list[Mapping[str, Any]] = []
        self._heard = threading.Condition()
        (folder / "heard").mkdir(parents=True)
        rtp = free_ports(20)
        (folder / "config").write_text(
            _CONFIG.format(
                port=self.port,
                rtp=rtp,
                rtp_end=rtp + 18,
                folder=folder,
                modules=modules,
                control=self._control_port,
            )
        )
        user = f'"Phone" <sip:{account}>;auth_user={account.partition("@")[0]};auth_pass={password}'
        (folder / "accounts").write_text(f"{user};audio_codecs=PCMU,PCMA;{params}\n")
        (folder / "contacts").write_text("")
        _write_tone(folder / "said.wav", tone)

    @classmethod
    def of_account(cls, folder: Path, user: str, outbound: str, *, tone: int, params: str = "") -> Baresip:
        """Return a phone of one of the host's accounts. It registers at `outbound`: `127.0.0.1:5060;transport=tcp`."""
        given = f'outbound="sip:{outbound}";regint=60;{params}'
        return cls(folder / user, f"{user}@{DOMAIN}", tone=tone, password=PASSWORDS[user], params=given)

    def __enter__(self) -> Baresip:
        """Start it and connect to its control port."""
        self._process = PeerProcess([self._program, "-f", str(self.folder)], self.folder / "printed.txt")
        self._process.wait_until(self._connected)
        self._reader = threading.Thread(target=self._read, name="baresip-events")
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: it hangs up and takes its registration back."""
        self._process.end()
        self._reader.join()
        self._control.close()

    def _connected(self) -> bool:
        try:
            self._control = socket.create_connection(("127.0.0.1", self._control_port))
        except ConnectionRefusedError:
            return False
        return True

    def printed(self) -> str:
        """Return what it printed."""
        return self._process.printed()

    def command(self, name: str, params: str = "") -> None:
        """Run a command of its menu: dial, hangup, hold, resume, transfer, sndcode."""
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def registered(self) -> None:
        """Wait until its registration is taken. It may be before somebody listens to its events."""
        until(lambda: "binding]" in self.printed(), "registered")

    def wait_for(self, kind: str, seconds: float = PATIENCE) -> Mapping[str, Any]:
        """Return the first event of that kind (CALL_ESTABLISHED, REGISTER_OK …), which may still come."""
        deadline = time.monotonic() + seconds
        with self._heard:
            while True:
                for event in self.events:
                    if event.get("type") == kind:
                        return event
                left = deadline - time.monotonic()
                assert left > 0, (
                    f"no {kind}: {[event.get('type') for event in self.events]}\n{self.printed()}"
                )
                self._heard.wait(left)

    def heard(self) -> npt.NDArray[np.int16]:
        """Return what it heard so far, int16 at 8 kHz; what came last may be missing while a call goes on.

        baresip begins a file, named by the second, whenever the other end changes the session.
        """
        files = sorted((self.folder / "heard").glob("*-dec.wav"))
        return np.concatenate([np.zeros(0, np.int16), *(read_wav(path) for path in files)])

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                data = self._control.recv(65_536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while b":" in buffer:
                length, _, rest = buffer.partition(b":")
                if len(rest) <= int(length):
                    break
                message = json.loads(rest[: int(length)])
                buffer = rest[int(length) + 1 :]
                with self._heard:
                    self.events.append(message)
                    self._heard.notify_all()


def _write_tone(path: Path, frequency: int) -> None:
    moments = np.arange(_SAID_SECONDS * RATE) / RATE
    samples = (8000 * np.sin(2 * np.pi * frequency * moments)).astype(np.int16)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(samples.tobytes())


def read_wav(path: Path) -> npt.NDArray[np.int16]:
    """Return the samples of a mono WAV file of 16 bits. One whose header was never finished is read to its end."""
    data = path.read_bytes()
    if b"data" not in data:
        return np.zeros(0, np.int16)  # it has just been begun
    start = data.index(b"data") + 8
    return np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], dtype=np.int16)


def share_of_tone(samples: npt.NDArray[np.int16], frequency: int) -> float:
    """Return how much of a sound is this tone: the share (0 to 1) of 100 ms windows in which it is the loudest."""
    count = len(samples) // _WINDOW
    return seconds_of_tone(samples, frequency) * RATE / _WINDOW / count if count else 0.0


def seconds_of_tone(samples: npt.NDArray[np.int16], frequency: int) -> float:
    """Return how long a sound is this tone: 100 ms for each window in which it is the loudest."""
    window = _WINDOW
    count = len(samples) // window
    spectrum = np.abs(
        np.fft.rfft(samples[: count * window].reshape(count, window) * np.hanning(window), axis=1)
    )
    peaks = spectrum[:, 1:].argmax(axis=1) + 1
    loud = np.abs(samples[: count * window].reshape(count, window)).max(axis=1) > 500
    right = loud & (np.abs(peaks * RATE / window - frequency) <= RATE / window)
    return float(right.sum()) * window / RATE
