"""The processes that recognise utterances for a host: as many as work at once, each with its models loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from media.speech_decoder import DecodingError, Hypothesis, Utterance, read_message, write_message

_ROOT: Final = str(Path(__file__).resolve().parents[1])
_PROGRAM: Final = "import sys; sys.path.insert(0, sys.argv[1]); from media.speech_decoder import main; main()"

_GONE: Final = "the process that recognises speech is gone"
_CLOSED: Final = "speech recognition has ended"


class SpeechWorkers:
    """Hands each utterance to a process that is free, starting one where there is none and room for it.

    An utterance takes a hundredth of the time that it took to say, so half of the processors are more than enough.
    """

    def __init__(self, most: int | None = None) -> None:
        """Start no process yet; `most` of them at once, by default half as many as there are processors."""
        count = most or max(1, len(os.sched_getaffinity(0)) // 2)
        self._free: list[subprocess.Popen[bytes]] = []
        self._busy: dict[object, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._places = threading.Semaphore(count)
        self._closed = False

    def decode(self, utterance: Utterance, asker: object = None) -> Hypothesis:
        """Return what was said; blocks until it is recognised. Raises DecodingError, also when the process dies.

        `asker` is whoever asks, for `abandon`; one asks for one utterance at a time.
        """
        asker = asker if asker is not None else threading.current_thread()
        with self._places:
            process = self._take(asker)
            kept = False
            try:
                assert process.stdin is not None and process.stdout is not None
                write_message(process.stdin, utterance)
                answer = read_message(process.stdout)
                kept = True
            except (OSError, EOFError, ValueError):
                raise DecodingError(_CLOSED if self._closed else _GONE) from None
            finally:
                self._give_back(asker, process, kept)
        if isinstance(answer, Hypothesis):
            return answer
        assert isinstance(answer, DecodingError)
        raise answer

    def abandon(self, asker: object) -> None:
        """End the process that works for `asker`, if one does, so that it need not wait longer."""
        with self._lock:
            process = self._busy.get(asker)
            if process is not None:
                process.kill()

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
            for process in self._busy.values():
                process.kill()
        for process in free:
            _end(process)

    def _take(self, asker: object) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise DecodingError(_CLOSED)
            process = self._free.pop() if self._free else _start()
            self._busy[asker] = process
            return process

    def _give_back(self, asker: object, process: subprocess.Popen[bytes], kept: bool) -> None:
        with self._lock:
            self._busy.pop(asker, None)
            if kept and not self._closed:
                self._free.append(process)
                return
        _end(process)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, _ROOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # it had died with something in its pipe
                pass
    process.kill()
    process.wait()
