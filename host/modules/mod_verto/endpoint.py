"""The endpoint `verto.rtc`: pages are called, by their users or one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel_state import ChannelState
from host.dial_string import sanitized
from host.hangup_cause import HangupCause
from host.ivr.dial_options import DEFAULT_TIMEOUT
from host.ivr.originate import Request, place_call, place_first
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_verto.leg import VertoLeg
from host.modules.mod_verto.leg_media import LegMedia, first_choice, first_transport
from host.modules.mod_verto.verto import ENDPOINT, MODULE
from host.session import Session
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from host.interfaces import OutgoingCall
    from host.modules.mod_verto.verto import Verto
    from host.switch import Switch

# FreeSWITCH: what comes before the session id of one page.
_ONE: Final = "u:"
NOT_REGISTERED: Final = "error/user_not_registered"


class VertoEndpoint:
    """`verto.rtc/user@domain`, and `verto.rtc/u:SESSID` as `verto_contact` answers."""

    name = ENDPOINT
    module = MODULE

    def __init__(self, verto: Verto) -> None:
        self._verto = verto

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Make the leg of one page, or call all those of a user and return the leg of the one that answered."""
        address = call.address
        if not address:
            return HangupCause.CHANNEL_UNACCEPTABLE
        at = address.lower().find(_ONE)
        if at < 0:
            return self._call_user(switch, call)
        return self._call_page(switch, call, address[len(_ONE) :])

    def _call_user(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        given = dict(call.variables)
        given["verto_orig_dest"] = call.address
        if not given.get("origination_callee_id_number"):
            given["origination_callee_id_number"] = call.address.partition("@")[0]
        dial_string = dial_string_of(self._verto, call.address)
        if dial_string == NOT_REGISTERED:
            return HangupCause.USER_NOT_REGISTERED
        timeout = given.get("call_timeout") or given.get("leg_timeout")
        request = Request(
            switch,
            call.originator,
            leading_int(timeout) if timeout is not None else DEFAULT_TIMEOUT,
            given,
            profile=call.profile,
        )
        if call.forked:
            return place_first(request, dial_string)
        leg, cause = place_call(request, dial_string)
        return leg if leg is not None else cause

    def _call_page(self, switch: Switch, call: OutgoingCall, sessid: str) -> Session | HangupCause:
        client = self._verto.client_of(sessid)
        if client is None:
            return HangupCause.DESTINATION_OUT_OF_ORDER
        if switch.refuses_session(outbound=True):
            return HangupCause.DESTINATION_OUT_OF_ORDER
        settings = client.profile
        address = self._verto.rtp_ip(client)
        if not address:
            self._verto.log(LogLevel.ERR, f"{settings.name} has no media ip, check your configuration")
            return HangupCause.DESTINATION_OUT_OF_ORDER
        caller = call.profile.clone()
        caller.source = MODULE
        dialed = call.variables.get("dialed_user")
        if dialed and not call.variables.get("origination_callee_id_number"):
            caller.callee_id_number = sanitized(dialed)
        choice = first_choice(call.variables.get("absolute_codec_string") or settings.outbound_codecs)
        leg = VertoLeg(self._verto, client)
        try:
            session = Session(
                switch,
                f"{ENDPOINT}/{sessid}",
                caller,
                leg,
                outbound=True,
                endpoint=ENDPOINT,
                rate=choice.rate,
                transport=first_transport(settings, switch.control.rtp_ports, choice, address),
                uuid=call.variables.get("origination_uuid"),
            )
        except TransportError as error:
            switch.log(LogLevel.CRIT, f"No RTP ports available! ({error})")
            return HangupCause.DESTINATION_OUT_OF_ORDER
        leg.session = session
        leg.media = LegMedia(
            settings,
            session,
            session.line,  # type: ignore[arg-type]
            self._verto.advertised_ip(client, address),
            inbound=False,
        )
        variables = session.channel.variables
        if dialed:
            domain = call.variables.get("dialed_domain")
            variables.set("verto_orig_dest", f"{dialed}@{domain}" if domain else dialed)
        variables.set("jsock_uuid_str", sessid)
        variables.set("event_channel_cookie", sessid)
        self._verto.track(leg)
        session.endpoint_handlers = {ChannelState.CS_INIT: _invite}
        session.channel.set_state(ChannelState.CS_INIT)
        return session


def _invite(session: Session) -> bool:
    leg = session.io
    assert isinstance(leg, VertoLeg)
    leg.invite(session)
    return session.channel.up


def dial_string_of(verto: Verto, address: str) -> str:
    """Return what to dial for all pages of a user; without a domain it is one of the switch's own."""
    uid = address if "@" in address else f"{address}@{verto.switch.domain}"
    found = [f"{ENDPOINT}/{_ONE}{client.sessid}" for client in verto.clients_of(uid) if client.sessid]
    return ",".join(found) or NOT_REGISTERED
