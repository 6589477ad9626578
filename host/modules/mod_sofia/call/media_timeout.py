"""How long a leg may go without a packet before its call ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.sdp.direction import Direction

if TYPE_CHECKING:
    from host.channel import Channel
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
    from host.sdp.agreement import Agreement

# FreeSWITCH: who sets no time for a hold waits so many times as long in one.
_LONGER_ON_HOLD: Final = 10


def media_timeout(channel: Channel, settings: ProfileSettings, agreed: Agreement) -> int:
    """Return after how many ms without a packet the call ends, 0 for never.

    FreeSWITCH: the variables `media_timeout` and `media_hold_timeout` (ms; with `_audio` behind they go first) hold
    before `rtp_timeout_sec` and `rtp_hold_timeout_sec`, and those before the profile's parameters of that name. From a
    far end that only listens nothing is awaited.
    """
    if agreed.direction is Direction.SENDONLY:
        return 0
    usual = _milliseconds(channel, "media_timeout")
    hold = _milliseconds(channel, "media_hold_timeout")
    if not usual:
        usual = 1000 * _seconds(channel, "rtp_timeout_sec", settings.rtp_timeout_sec)
        hold = hold or 1000 * _seconds(channel, "rtp_hold_timeout_sec", settings.rtp_hold_timeout_sec)
    on_hold = agreed.held or not agreed.direction.receives
    return (hold or usual * _LONGER_ON_HOLD) if on_hold else usual


def _milliseconds(channel: Channel, name: str) -> int:
    value = channel.get_variable(f"{name}_audio") or channel.get_variable(name)
    return max(0, leading_int(value or ""))


def _seconds(channel: Channel, name: str, default: int) -> int:
    value = channel.get_variable(name)
    wanted = leading_int(value) if value is not None else -1
    return wanted if wanted >= 0 else default
