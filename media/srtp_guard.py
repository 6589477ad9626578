"""SRTP of one line: both directions of RTP and RTCP under keys that the signalling may change, and what is counted."""

from __future__ import annotations

from media.rtcp import is_rtcp
from media.srtp import SrtpError, SrtpReceiver, SrtpReplayError, SrtpSender
from media.srtp_keys import SrtpKeys


class SrtpGuard:
    """Protects what a line sends and checks what it receives; without keys nothing goes through, either way."""

    def __init__(self) -> None:
        self.keys: SrtpKeys | None = None
        self.unauthentic = 0
        self.replayed = 0
        self._sender: SrtpSender | None = None
        self._receiver: SrtpReceiver | None = None
        self._former: SrtpReceiver | None = None

    def change(self, keys: SrtpKeys) -> None:
        """Take other keys; a direction whose key stays goes on where it is.

        What is still on its way under the former key is read until the first packet under the new one comes.
        SrtpError for keys that libsrtp does not take, and then nothing goes through any more: never in the clear.
        """
        former, self.keys = self.keys, None
        sender, self._sender = self._sender, None
        receiver, self._receiver = self._receiver, None
        if former is None or (former.suite, former.local) != (keys.suite, keys.local):
            sender = SrtpSender(keys.suite, keys.local)
        if former is None or (former.suite, former.remote, former.window) != (
            keys.suite,
            keys.remote,
            keys.window,
        ):
            self._former = receiver
            receiver = None if keys.remote is None else SrtpReceiver(keys.suite, keys.remote, keys.window)
        self.keys, self._sender, self._receiver = keys, sender, receiver

    def forget(self) -> None:
        """Have no keys any more: nothing goes through until there are others. What was counted stays."""
        self.keys = self._sender = self._receiver = self._former = None

    def protect(self, packet: bytes) -> bytes:
        """Return an RTP packet as SRTP; SrtpError where that cannot be."""
        if self._sender is None:
            raise SrtpError("there is no key to protect a packet")
        return self._sender.protect(packet)

    def protect_rtcp(self, compound: bytes) -> bytes:
        """Return an RTCP compound as SRTCP; SrtpError where that cannot be."""
        if self._sender is None:
            raise SrtpError("there is no key to protect a compound")
        return self._sender.protect_rtcp(compound)

    def unprotect(self, packet: bytes) -> bytes:
        """Return the RTP packet or RTCP compound in what arrived; empty, and counted, for what is refused."""
        receiver = self._receiver
        try:
            if receiver is not None:
                try:
                    read = _read(receiver, packet)
                    self._former = None
                    return read
                except SrtpReplayError:
                    raise
                except SrtpError:
                    if self._former is not None:
                        return _read(self._former, packet)
            self.unauthentic += 1
        except SrtpReplayError:
            self.replayed += 1
        except SrtpError:
            self.unauthentic += 1
        return b""


def _read(receiver: SrtpReceiver, packet: bytes) -> bytes:
    return receiver.unprotect_rtcp(packet) if is_rtcp(packet) else receiver.unprotect(packet)
