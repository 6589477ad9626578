"""One verto leg: what the switch tells the page, and how a call waits for a page that was reloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.modules.mod_verto.verto import PROTOCOL

if TYPE_CHECKING:
    from host.channel import Channel
    from host.clock import Timer
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.leg_media import LegMedia
    from host.modules.mod_verto.verto import Verto
    from host.session import Session

# FreeSWITCH: variables of these prefixes go to the page, those of calls and those for scripts of it.
_CALL_PREFIX: Final = "verto_h_"
_SERVER_PREFIX: Final = "verto_svar_"


class VertoLeg:
    """The endpoint's side of a channel. `sessid` and `uid` are those of the client that it began with."""

    def __init__(self, verto: Verto, client: Client, offer: str = "") -> None:
        self.verto = verto
        self.sessid = client.sessid
        self.uid = client.uid
        self.offer = offer  # what the page offered when it called
        self.session: Session | None = None
        self.media: LegMedia | None = None
        self.over_for_page = False  # it has ended the call, or was told that it has
        self._described = False  # the page has our description
        self._detached: Timer | None = None

    @property
    def client(self) -> Client | None:
        """The client, None while there is none."""
        return self.verto.client_of(self.sessid)

    @property
    def detached(self) -> bool:
        """Whether the call waits for its page."""
        return self._detached is not None

    def send(self, method: str, params: dict[str, object]) -> bool:
        """Send a request about the call; False where the page is not there."""
        client = self.client
        session = self.session
        if client is None or session is None:
            return False
        return self.verto.send_request(client, method, {**params, "callID": session.uuid})

    # -- ChannelIO, in the session's thread ----------------------------------------------------------------------

    def answer(self, session: Session) -> None:
        """Have the page told that its call is answered; one whose media cannot be agreed on ends."""
        self._indicate(session, "verto.answer")

    def pre_answer(self, session: Session) -> None:
        """Have the page hear early media."""
        self._indicate(session, "verto.media")

    def ring_ready(self, session: Session) -> None:
        """Pages are not told."""

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Send a digit as an RFC 4733 event."""
        session.line.send_digit(digit, duration)

    def hangup(self, session: Session) -> None:
        """Tell the page, unless it was that which ended the call."""
        channel = session.channel
        self.verto.untrack(self)
        if self.media is not None:
            self.media.report(channel.variables)
        if self.over_for_page or self.client is None:
            return
        channel.variables.set("verto_hangup_disposition", "send_bye")
        self.leave(channel.hangup_cause)

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take a message of the switch; False for one that means nothing here."""
        handler = _HANDLERS.get(kind)
        return handler is not None and handler(self, session, argument)

    # -- the call ------------------------------------------------------------------------------------------------

    def invite(self, session: Session) -> None:
        """Offer a call to the page, and let it ring; a page that is gone cannot be called."""
        client = self.client
        if client is None or self.media is None:
            session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return
        give_client(session.channel, client)
        variables = session.channel.variables
        variables.set("media_webrtc", "true")
        variables.set("verto_profile_name", client.profile.name)
        for part in ("name", "number"):
            known = client.params.get(f"caller-id-{part}")
            if known:
                setattr(session.channel.profile, f"callee_id_{part}", known)
        sdp = self.media.offer()
        if sdp is None or not self._send_offer("verto.invite", sdp):
            session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return
        session.mark_ring_ready()

    def leave(self, cause: HangupCause) -> None:
        """Tell the page that its part in the call is over; whatever becomes of the channel, it is told once."""
        self.over_for_page = True
        self.send("verto.bye", {"causeCode": int(cause), "cause": cause.name})

    def abandon(self) -> None:
        """End the call: the module goes."""
        if self.session is not None:
            self.session.channel.hangup(HangupCause.NORMAL_TEMPORARY_FAILURE)

    def detach(self, timeout: int) -> None:
        """Let the call wait for its page, in silence, and end after `timeout` µs."""
        session = self.session
        if session is None or self._detached is not None:
            return
        if self.media is not None:
            self.media.suspend()
        session.channel.log(LogLevel.DEBUG, f"{session.channel.name} waits for its client to come back")
        channel = session.channel
        self._detached = session.clock.call_later(
            timeout, lambda: channel.hangup(HangupCause.RECOVERY_ON_TIMER_EXPIRE)
        )

    def forget_detachment(self) -> None:
        """Wait for the page no longer."""
        timer, self._detached = self._detached, None
        if timer is not None:
            timer.cancel()

    def attach(self, client: Client) -> bool:
        """Offer the call to a page that is there again; False where that cannot be."""
        self.forget_detachment()
        session = self.session
        if session is None or self.media is None:
            return False
        sdp = self.media.offer()
        if sdp is None or not self._send_offer("verto.attach", sdp):
            session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            return False
        return True

    def _send_offer(self, method: str, sdp: str) -> bool:
        session = self.session
        if session is None:
            return False
        params: dict[str, object] = {"variables": _variables(session.channel, _SERVER_PREFIX), "sdp": sdp}
        params.update(call_params(session.channel))
        return self.send(method, params)

    def _indicate(self, session: Session, method: str) -> None:
        channel = session.channel
        params: dict[str, object] = {}
        if not self._described:
            sdp = self.media.answer(self.offer) if self.media is not None else None
            if sdp is None:
                channel.variables.set("endpoint_disposition", "CODEC NEGOTIATION ERROR")
                channel.hangup(HangupCause.INCOMPATIBLE_DESTINATION)
                return
            self._described = True
            params["sdp"] = sdp
        params["variables"] = _variables(channel, _SERVER_PREFIX)
        if not self.send(method, params) and not self.detached:
            channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)


def give_client(channel: Channel, client: Client) -> None:
    """Set the variables that the page gives its calls, those that tell whose page it is, and those of its user."""
    for name, value in (
        *client.page_variables,
        ("verto_user", client.uid),
        ("presence_id", client.uid),
        ("verto_client_address", client.name),
        ("chat_proto", PROTOCOL),
        ("verto_host", client.domain),
        *client.variables,
    ):
        channel.variables.set(name, value)
    channel.presence_id = channel.variables.get("presence_id") or ""


def call_params(channel: Channel) -> dict[str, object]:
    """Return who speaks with whom, and the variables `verto_h_…`, as pages are told."""
    params: dict[str, object] = {}
    for name in ("caller_id_name", "caller_id_number", "callee_id_name", "callee_id_number"):
        value = channel.get_variable(name)
        if value is not None:
            params[name] = value
    params["display_direction"] = channel.direction
    params.update(_variables(channel, _CALL_PREFIX))
    return params


def _variables(channel: Channel, prefix: str) -> dict[str, object]:
    return dict(channel.variables.beginning(prefix))


def _display(leg: VertoLeg, session: Session, argument: str) -> bool:
    """Tell the page whom it speaks with (`name|number`)."""
    name, _, number = argument.partition("|")
    if not (name or number):
        return True
    variables = session.channel.variables
    variables.set("last_sent_display_name", name)
    variables.set("last_sent_display_number", number)
    told = {"display_name": name, "display_number": number}
    return leg.send("verto.display", {**told, **call_params(session.channel)})


def _renegotiate(leg: VertoLeg, session: Session, argument: str) -> bool:
    """Offer the media anew (uuid_media_reneg). FreeSWITCH: as to a page that was reloaded."""
    client = leg.client
    if client is None or leg.media is None or not session.channel.answered:
        return False
    leg.media.suspend()
    return leg.attach(client)


def _media_stats(leg: VertoLeg, session: Session, argument: str) -> bool:
    if leg.media is None:
        return False
    leg.media.report(session.channel.variables)
    return True


def _jitter_buffer(leg: VertoLeg, session: Session, argument: str) -> bool:
    return leg.media is not None and leg.media.set_jitter_buffer(argument)


_HANDLERS: Final[dict[str, Callable[[VertoLeg, Session, str], bool]]] = {
    "display": _display,
    "media_reneg": _renegotiate,
    "media_stats": _media_stats,
    "jitter_buffer": _jitter_buffer,
}
