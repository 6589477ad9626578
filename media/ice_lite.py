"""ICE as a host with an address of its own does it (RFC 8445, "lite"): it answers the far end's checks and sends none.

Sans-IO: datagrams and their sources go in, answers come out.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import error as StructError
from typing import TYPE_CHECKING, Final

from media.rtp_transport import Address
from media.webrtc_parameters import IceParameters

if TYPE_CHECKING:
    from aioice.stun import Message

# Paths that are remembered as checked; a browser has some dozen at most, and a flood must not grow the table.
MAX_PATHS: Final = 64


class IceError(ValueError):
    """ICE that cannot be: its library is not installed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to where a check came from, and whether the check was good."""

    datagram: bytes
    good: bool


def is_stun(datagram: bytes) -> bool:
    """Whether a datagram that shares a port with RTP and DTLS is STUN's (RFC 7983)."""
    return len(datagram) >= 20 and datagram[0] < 4


class IceLite:
    """One component's side. `remote` is the path that the far end has chosen, or the first one it has checked.

    `checked` counts good checks, `refused` those that were not: of strangers, or broken.
    """

    def __init__(self, parameters: IceParameters) -> None:
        """IceError without the library."""
        try:
            from aioice import stun
        except ImportError as error:
            raise IceError("WebRTC needs the extra moonline[webrtc]") from error
        self._stun = stun
        self.parameters = parameters
        self.remote: Address | None = None
        self.checked = self.refused = 0
        self._nominated = False
        self._paths: dict[Address, None] = {}

    def change(self, parameters: IceParameters) -> None:
        """Take what signalling says now. Other credentials of the far end are a restart (RFC 8445 section 9)."""
        former, self.parameters = self.parameters, parameters
        if former.local != parameters.local or former.remote not in (None, parameters.remote):
            self._nominated = False
            self._paths.clear()

    def knows(self, source: Address) -> bool:
        """Whether the far end has checked the path from an address."""
        return source in self._paths

    def receive(self, datagram: bytes, source: Address) -> Answer | None:
        """Take a STUN datagram; the answer to a check, None where there is nothing to be answered.

        RFC 8445 section 7.3: a check names both sides and is authenticated by our password. RFC 8489 section 9.1.3:
        one that is not is answered 400 or 401.
        """
        try:
            message = self._stun.parse_message(datagram)
        except (ValueError, StructError, KeyError, IndexError):
            self.refused += 1
            return None
        if (
            message.message_method is not self._stun.Method.BINDING
            or message.message_class is not self._stun.Class.REQUEST
        ):
            return None  # an indication keeps a path open; an answer to nothing that was asked
        name = message.attributes.get("USERNAME")
        if name is None or "MESSAGE-INTEGRITY" not in message.attributes:
            return self._refuse(message, 400, "Bad Request")
        key = self.parameters.local.password.encode()
        if not self._is_for_us(name) or not message.check_message_integrity(key):
            return self._refuse(message, 401, "Unauthorized")
        if "ICE-CONTROLLED" in message.attributes:
            # RFC 8445 section 7.3.1.1: who is lite never leads.
            return self._refuse(message, 487, "Role Conflict")
        self.checked += 1
        self._follow(source, chosen="USE-CANDIDATE" in message.attributes)
        reply = self._stun.Message(
            message_method=self._stun.Method.BINDING,
            message_class=self._stun.Class.RESPONSE,
            transaction_id=message.transaction_id,
            attributes={"XOR-MAPPED-ADDRESS": source},
        )
        reply.add_message_integrity(key)
        return Answer(bytes(reply), good=True)

    def _is_for_us(self, name: str) -> bool:
        ours, _, theirs = name.partition(":")
        remote = self.parameters.remote
        return ours == self.parameters.local.ufrag and (remote is None or theirs == remote.ufrag)

    def _follow(self, source: Address, *, chosen: bool) -> None:
        self._paths.pop(source, None)
        if len(self._paths) >= MAX_PATHS:
            del self._paths[next(iter(self._paths))]
        self._paths[source] = None
        if chosen or (self.remote is None and not self._nominated):
            self.remote = source
            self._nominated |= chosen

    def _refuse(self, message: Message, code: int, reason: str) -> Answer:
        self.refused += 1
        reply = self._stun.Message(
            message_method=self._stun.Method.BINDING,
            message_class=self._stun.Class.ERROR,
            transaction_id=message.transaction_id,
            attributes={"ERROR-CODE": (code, reason)},
        )
        if code == 487:
            reply.add_message_integrity(self.parameters.local.password.encode())
        else:
            reply.add_fingerprint()
        return Answer(bytes(reply), good=False)
