"""What becomes of a caller whose call was not put through (FreeSWITCH: switch_channel_handle_cause)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.channel import Flag
from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.truth import is_true

if TYPE_CHECKING:
    from host.session import Session

# Without `continue_on_fail` and `failure_causes` only these let the dialplan go on.
_NO_ANSWER = frozenset({HangupCause.NO_ANSWER, HangupCause.NO_USER_RESPONSE, HangupCause.ORIGINATOR_CANCEL})


def handle_cause(session: Session, cause: HangupCause) -> None:
    """Let the call go on, transfer it, or hang it up with `cause`, as its variables say.

    `continue_on_fail` (true, or a list of causes) lets it go on; `failure_causes` are those that do not, all others
    do; `transfer_on_fail` is `causes [extension [dialplan [context]]]`. An attended transfer never goes on.
    """
    channel = session.channel
    if not channel.up:
        return
    get = channel.variables.get
    if cause is not HangupCause.ATTENDED_TRANSFER and _goes_on(
        get("continue_on_fail"), get("failure_causes"), cause
    ):
        return
    parts = (get("transfer_on_fail") or "").split(" ")
    causes = parts[0]
    if cause is not HangupCause.ATTENDED_TRANSFER and causes:
        if is_true(causes):
            return
        extension = parts[1] if len(parts) > 1 and parts[1].lower() != "auto_cause" else cause.name
        if _listed(causes, cause):
            session.transfer(extension, *parts[2:4])
    stays = channel.flags & {Flag.TRANSFER, Flag.CONFIRM_BLIND_TRANSFER}
    if not stays and channel.state is not ChannelState.CS_ROUTING:
        channel.hangup(cause)


def _goes_on(continue_on_fail: str | None, failure_causes: str | None, cause: HangupCause) -> bool:
    if not continue_on_fail and not failure_causes:
        return cause in _NO_ANSWER
    if failure_causes and not _listed(failure_causes, cause):
        return True
    return bool(continue_on_fail) and (is_true(continue_on_fail) or _listed(continue_on_fail or "", cause))


def _listed(causes: str, cause: HangupCause) -> bool:
    wanted = (cause.name, str(int(cause)))
    return any(word.strip(" '").upper() in wanted for word in causes.split(","))
