"""SRTP and SRTCP (RFC 3711) by libsrtp: packets made unreadable on the way out, checked and read on the way in."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from media.srtp_keys import REPLAY_WINDOW, CryptoAttribute, InlineKey

if TYPE_CHECKING:
    from pylibsrtp import Session

_PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": "SRTP_PROFILE_AES128_CM_SHA1_80",
    "AES_CM_128_HMAC_SHA1_32": "SRTP_PROFILE_AES128_CM_SHA1_32",
    "AEAD_AES_128_GCM": "SRTP_PROFILE_AEAD_AES_128_GCM",
    "AEAD_AES_256_GCM": "SRTP_PROFILE_AEAD_AES_256_GCM",
}

_SMALLEST_WINDOW, _LARGEST_WINDOW = 64, 0x7FFF


class SrtpError(ValueError):
    """A packet that is not authentic or cannot be protected, a key or parameter that libsrtp does not take, or no
    libsrtp at all.
    """


class SrtpReplayError(SrtpError):
    """A packet that came before, or that is too old to tell."""


def library() -> ModuleType:
    """pylibsrtp; SrtpError that names the extra where it is not installed."""
    try:
        import pylibsrtp
    except ImportError as error:
        raise SrtpError("SRTP needs the extra moonline[srtp]") from error
    return pylibsrtp


def window_of(attribute: CryptoAttribute) -> int:
    """The replay window that the session parameters ask for.

    RFC 4568 6.3: `WSH` sets it. What changes the packets (UNENCRYPTED_SRTP, KDR, FEC_ORDER, …) is not supported
    and raises SrtpError, unless a `-` in front makes it no matter.
    """
    window = REPLAY_WINDOW
    for parameter in attribute.parameters:
        name, _, value = parameter.partition("=")
        if name == "WSH" and value.isascii() and value.isdigit() and len(value) <= 5:
            window = max(_SMALLEST_WINDOW, min(_LARGEST_WINDOW, int(value)))
        elif not (name.startswith("-") or parameter == "KDR=0"):
            raise SrtpError(f"the session parameter {parameter} is not supported")
    return window


class _Direction:
    """One direction's keys: any number of sources (SSRC) under one master key."""

    def __init__(self, suite: str, key: InlineKey, *, inbound: bool, window: int = REPLAY_WINDOW) -> None:
        pylibsrtp = library()
        if suite not in _PROFILES:
            raise SrtpError(f"the crypto suite {suite} is not known")
        if key.mki is not None:
            raise SrtpError("pylibsrtp has no way to name an MKI")
        kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
        profile = getattr(pylibsrtp.Policy, _PROFILES[suite])
        self._failure: type[Exception] = pylibsrtp.Error
        try:
            policy = pylibsrtp.Policy(key=key.key_and_salt, ssrc_type=kind, srtp_profile=profile)
            policy.window_size = window
            self._session: Session = pylibsrtp.Session(policy)
        except (self._failure, ValueError) as error:
            raise SrtpError(f"libsrtp does not take the key: {error}") from None


class SrtpSender(_Direction):
    """Protects what is sent. Raises SrtpError without pylibsrtp, and for a key that the suite does not take."""

    def __init__(self, suite: str, key: InlineKey) -> None:
        super().__init__(suite, key, inbound=False)

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet made SRTP; SrtpError where it is none, too long, or its number was used before."""
        try:
            return self._session.protect(packet)
        except (self._failure, ValueError, IndexError) as error:
            raise SrtpError(f"cannot protect a packet of {len(packet)} bytes: {error}") from None

    def protect_rtcp(self, packet: bytes) -> bytes:
        """An RTCP compound made SRTCP; SrtpError where it is none or too long."""
        try:
            return self._session.protect_rtcp(packet)
        except (self._failure, ValueError, IndexError) as error:
            raise SrtpError(f"cannot protect a compound of {len(packet)} bytes: {error}") from None


class SrtpReceiver(_Direction):
    """Checks and reads what comes. Raises SrtpError without pylibsrtp, and for a key that the suite does not take.

    `window` is how many packets back a late one is still told from a replayed one.
    """

    def __init__(self, suite: str, key: InlineKey, window: int = REPLAY_WINDOW) -> None:
        super().__init__(suite, key, inbound=True, window=window)

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet in an SRTP one; SrtpError, and nothing changed, for one that is not authentic."""
        try:
            return self._session.unprotect(packet)
        except (self._failure, ValueError, IndexError) as error:
            raise _refusal(packet, error) from None

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """The RTCP compound in an SRTCP one; SrtpError, and nothing changed, for one that is not authentic."""
        try:
            return self._session.unprotect_rtcp(packet)
        except (self._failure, ValueError, IndexError) as error:
            raise _refusal(packet, error) from None


def _refusal(packet: bytes, error: Exception) -> SrtpError:
    # pylibsrtp tells its errors apart by their words alone.
    kind = SrtpReplayError if "replay" in str(error) or "too old" in str(error) else SrtpError
    return kind(f"a packet of {len(packet)} bytes is refused: {error}")
