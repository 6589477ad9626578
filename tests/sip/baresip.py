"""baresip as a phone: an account, a tone that it says, a file of what it heard, commands over its control port."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.sip.free_ports import free_port, free_ports

_RATE = 8000
_SAID_SECONDS = 30
_START_SECONDS = 10.0
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
        self._program = shutil.which("baresip")
        modules = next((one for one in _MODULE_FOLDERS if Path(one).is_dir()), None)
        if self._program is None or modules is None:
            pytest.skip("baresip is not installed; `make peers` installs it on Debian (baresip-core)")
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
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Baresip:
        """Start it and connect to its control port."""
        assert self._program is not None
        output = (self.folder / "printed.txt").open("wb")
        with output:
            self._process = subprocess.Popen(
                [self._program, "-f", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self._control = socket.create_connection(("127.0.0.1", self._control_port))
                break
            except ConnectionRefusedError:
                assert self._process.poll() is None, self.printed()
                assert time.monotonic() < deadline, self.printed()
                time.sleep(0.05)
        self._reader = threading.Thread(target=self._read, name="baresip-events")
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: it hangs up and takes its registration back."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._control.close()

    def printed(self) -> str:
        """Return what it printed."""
        return (self.folder / "printed.txt").read_text(errors="replace")

    def command(self, name: str, params: str = "") -> None:
        """Run a command of its menu: dial, hangup, hold, resume, transfer, sndcode."""
        text = json.dumps({"command": name, "params": params, "token": name}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def registered(self, seconds: float = 10.0) -> None:
        """Wait until its registration is taken. It may be before somebody listens to its events."""
        until(lambda: "binding]" in self.printed(), "registered", seconds)

    def wait_for(self, kind: str, seconds: float = 10.0) -> Mapping[str, Any]:
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
        """Return what it heard so far, int16 at 8 kHz; call it after the call.

        baresip begins a file, named by the second, whenever the other end changes the session.
        """
        files = sorted((self.folder / "heard").glob("*-dec.wav"))
        assert files, self.printed()
        return np.concatenate([read_wav(path) for path in files])

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
    moments = np.arange(_SAID_SECONDS * _RATE) / _RATE
    samples = (8000 * np.sin(2 * np.pi * frequency * moments)).astype(np.int16)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(samples.tobytes())


def read_wav(path: Path) -> npt.NDArray[np.int16]:
    """Return the samples of a mono WAV file of 16 bits. One whose header was never finished is read to its end."""
    data = path.read_bytes()
    start = data.index(b"data") + 8
    return np.frombuffer(data[start : start + (len(data) - start) // 2 * 2], dtype=np.int16)


def share_of_tone(samples: npt.NDArray[np.int16], frequency: int) -> float:
    """Return how much of a sound is this tone: the share (0 to 1) of 100 ms windows in which it is the loudest."""
    window = _RATE // 10
    count = len(samples) // window
    if count == 0:
        return 0.0
    spectrum = np.abs(
        np.fft.rfft(samples[: count * window].reshape(count, window) * np.hanning(window), axis=1)
    )
    peaks = spectrum[:, 1:].argmax(axis=1) + 1
    loud = np.abs(samples[: count * window].reshape(count, window)).max(axis=1) > 500
    right = loud & (np.abs(peaks * _RATE / window - frequency) <= _RATE / window)
    return float(right.sum()) / count


def until(true: Callable[[], bool], what: str, seconds: float = 5.0) -> None:
    """Wait until something is so. AssertionError when it does not become so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so within {seconds} s: {what}"
        time.sleep(0.05)
