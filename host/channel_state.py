"""The states of a channel: the table of legal transitions, the call states and the answer states."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class ChannelState(IntEnum):
    """Where a channel's session thread is (FreeSWITCH: switch_channel_state_t)."""

    CS_NEW = 0
    CS_INIT = 1
    CS_ROUTING = 2
    CS_SOFT_EXECUTE = 3
    CS_EXECUTE = 4
    CS_EXCHANGE_MEDIA = 5
    CS_PARK = 6
    CS_CONSUME_MEDIA = 7
    CS_HIBERNATE = 8
    CS_RESET = 9
    CS_HANGUP = 10
    CS_REPORTING = 11
    CS_DESTROY = 12
    CS_NONE = 13


class CallState(IntEnum):
    """What a person would say the call is doing (FreeSWITCH: switch_channel_callstate_t)."""

    DOWN = 0
    DIALING = 1
    RINGING = 2
    EARLY = 3
    ACTIVE = 4
    HELD = 5
    RING_WAIT = 6
    HANGUP = 7
    UNHELD = 8


_S = ChannelState
_RUNNING: Final = frozenset(
    {
        _S.CS_ROUTING,
        _S.CS_SOFT_EXECUTE,
        _S.CS_EXECUTE,
        _S.CS_EXCHANGE_MEDIA,
        _S.CS_PARK,
        _S.CS_CONSUME_MEDIA,
        _S.CS_HIBERNATE,
        _S.CS_RESET,
        _S.CS_HANGUP,
    }
)

# state -> the states it may be followed by. A hangup is legal from every state before it, and never undone.
TRANSITIONS: Final[dict[ChannelState, frozenset[ChannelState]]] = {
    _S.CS_NEW: _RUNNING | {_S.CS_INIT},
    _S.CS_INIT: _RUNNING,
    **{state: _RUNNING - {state} for state in _RUNNING if state is not _S.CS_HANGUP},
    _S.CS_HANGUP: frozenset({_S.CS_REPORTING, _S.CS_DESTROY}),
    _S.CS_REPORTING: frozenset({_S.CS_DESTROY}),
    _S.CS_DESTROY: frozenset(),
    _S.CS_NONE: frozenset(),
}


def may_follow(state: ChannelState, new: ChannelState) -> bool:
    """Return whether a channel in `state` may be set to `new`."""
    return new in TRANSITIONS[state]
