"""The endpoint `sofia`: dial strings become calls that are placed by SIP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.channel import Flag
from host.channel_state import ChannelState
from host.dial_string import sanitized
from host.hangup_cause import HangupCause
from host.interfaces import OutgoingCall
from host.log import LogLevel
from host.modules.mod_sofia.call.bypass import leg_of
from host.modules.mod_sofia.call.client_leg import ClientLeg, Invitation
from host.modules.mod_sofia.call.destination import (
    Destination,
    DialledAddress,
    destination,
    host_of,
    parse_address,
    to_uri,
)
from host.modules.mod_sofia.call.dialog import Dialog, new_call_id, new_tag
from host.modules.mod_sofia.call.invite_headers import identity, invite_headers
from host.modules.mod_sofia.call.leg_codecs import codec_preferences, first_choice, first_transport
from host.modules.mod_sofia.call.leg_media import LegMedia
from host.modules.mod_sofia.call.media_relay import MediaRelay
from host.modules.mod_sofia.call.server_leg import OTHER_SDP
from host.modules.mod_sofia.message import parse_uri
from host.modules.mod_sofia.registration.registration_lookup import registered_contacts
from host.modules.mod_sofia.transport.resolver import numeric_hop
from host.session import Session
from host.truth import is_true
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.profile.profile import Profile
    from host.modules.mod_sofia.sofia import Sofia
    from host.switch import Switch
    from host.variables import Variables

MODULE: Final = "mod_sofia"


class SofiaEndpoint:
    """`sofia/PROFILE/user@host`, `sofia/PROFILE/user%domain`, `sofia/gateway/NAME/number`."""

    name = "sofia"
    module = MODULE

    def __init__(self, sofia: Sofia) -> None:
        self._sofia = sofia

    def outgoing(self, switch: Switch, call: OutgoingCall) -> Session | HangupCause:
        """Make the leg; it sends its INVITE when it starts."""
        dialled = parse_address(call.address)
        if dialled is None:
            switch.log(LogLevel.ERR, f"Invalid URL '{call.address}'" if call.address else "Invalid URL")
            return HangupCause.INVALID_URL
        gateway: Gateway | None = None
        if dialled.gateway:
            found = self._gateway(switch, dialled)
            if isinstance(found, HangupCause):
                return found
            gateway = found
        profile = self._sofia.find_profile(gateway.profile.name if gateway is not None else dialled.place)
        if profile is None:
            switch.log(LogLevel.ERR, "Invalid Profile")
            return HangupCause.INVALID_PROFILE
        try:
            return self._place(switch, call, profile, dialled, gateway)
        except ValueError as error:
            switch.log(LogLevel.ERR, f"Invalid URL: {error}")
            profile.counters.failed_calls_out += 1
            return HangupCause.INVALID_URL

    def _gateway(self, switch: Switch, dialled: DialledAddress) -> Gateway | HangupCause:
        gateway = self._sofia.gateways.get(dialled.place)
        if gateway is None or gateway.deleted:
            switch.log(LogLevel.ERR, f"Invalid Gateway '{dialled.place}'")
            return HangupCause.INVALID_GATEWAY
        if not gateway.up:
            switch.log(LogLevel.ERR, f"Gateway '{dialled.place}' is down!")
            gateway.counters.failed_calls_out += 1
            return HangupCause.GATEWAY_DOWN
        return gateway

    def _place(
        self,
        switch: Switch,
        call: OutgoingCall,
        profile: Profile,
        dialled: DialledAddress,
        gateway: Gateway | None,
    ) -> Session | HangupCause:
        local_url = ""
        if gateway is not None:
            way = _through(gateway, dialled)
        else:
            located = _locate(profile, dialled, call)
            if isinstance(located, HangupCause):
                profile.counters.failed_calls_out += 1
                return located
            way, local_url = located
        parse_uri(way.uri)
        if switch.refuses_session(outbound=True):
            return HangupCause.DESTINATION_OUT_OF_ORDER
        caller = call.profile.clone()
        caller.source = MODULE
        caller.destination_number = sanitized(caller.destination_number)
        settings = profile.settings
        preferences = call.variables.get("absolute_codec_string") or codec_preferences(
            settings, None, inbound=False
        )
        choice = first_choice(preferences)
        dialog = Dialog(
            call_id=call.variables.get("sip_invite_call_id") or new_call_id(),
            local="",
            local_tag=new_tag(),
            remote="",
        )
        leg = ClientLeg(profile, dialog, Invitation(way, "", "", ()), gateway)
        try:
            session = Session(
                switch,
                f"sofia/{profile.name}/{dialled.target}",
                caller,
                leg,
                outbound=True,
                endpoint=self.name,
                rate=choice.rate,
                transport=first_transport(settings, switch.control.rtp_ports, choice, settings.rtp_ip),
                uuid=call.variables.get("origination_uuid"),
            )
        except TransportError as error:
            switch.log(LogLevel.CRIT, f"No RTP ports available! ({error})")
            return HangupCause.DESTINATION_OUT_OF_ORDER
        leg.session = session
        if settings.outbound_use_uuid_as_callid and not call.variables.get("sip_invite_call_id"):
            dialog.call_id = session.uuid
        remote_ip = host_of(way.next_hop or way.uri).partition(":")[0]
        leg.media = LegMedia(
            settings,
            session,
            session.line,  # type: ignore[arg-type]
            profile.rtp_address(remote_ip),
            inbound=False,
        )
        _choose_path(session, leg.media, call.originator)
        self._dress(session, call, profile, way, gateway, local_url)
        profile.counters.calls_out += 1
        if gateway is not None:
            gateway.counters.calls_out += 1
        session.endpoint_handlers = {ChannelState.CS_INIT: _invite}
        session.channel.set_state(ChannelState.CS_INIT)
        return session

    @staticmethod
    def _dress(
        session: Session,
        call: OutgoingCall,
        profile: Profile,
        way: Destination,
        gateway: Gateway | None,
        local_url: str,
    ) -> None:
        settings = profile.settings
        variables = session.channel.variables
        for name, value in (
            ("sip_local_network_addr", settings.ext_sip_ip or settings.sip_ip),
            ("sip_profile_name", "gateway" if gateway is not None else profile.name),
            ("sofia_profile_name", profile.name),
            ("sofia_profile_url", settings.url),
            ("recovery_profile_name", profile.name),
            ("sip_destination_url", way.uri),
            ("sip_gateway_name", gateway.name if gateway is not None else None),
            ("sip_local_url", local_url),
            ("presence_id", local_url),
            ("hold_music", settings.hold_music),
        ):
            variables.set(name, value)
        if "transport=ws" in way.uri.lower():  # a browser
            variables.set("media_webrtc", "true")
        session.channel.presence_id = local_url
        if gateway is not None:
            for name, value in gateway.variables(inbound=False):
                variables.set(name, value)
        originator = call.originator
        if originator is not None:
            theirs = originator.channel.variables
            variables.set("originator_codec", codec_in_use(theirs))
            copies = theirs.get("sip_copy_custom_headers")
            for name, value in list(theirs.items()):
                lower = name.lower()
                if lower in ("_sofia_replaces_", "sip_cid_type") or (
                    lower.startswith("sip_h_") and (copies is None or is_true(copies))
                ):
                    variables.set(name, value)


def _choose_path(session: Session, media: LegMedia, caller: Session | None) -> None:
    """Find out whether sound is to pass here: not where that of the caller does not, who has described it."""
    channel = session.channel
    channel.can_bypass_media = True
    if media.leaves_after_hold:
        channel.flags.add(Flag.BYPASS_MEDIA_AFTER_HOLD)
    if caller is None or Flag.PROXY_MODE not in caller.channel.flags:
        return
    channel.flags.add(Flag.PROXY_MODE)
    channel.variables.set(OTHER_SDP, caller.channel.variables.get("switch_r_sdp"))
    media.release()
    theirs = leg_of(caller)
    if Flag.PROXY_MEDIA in caller.channel.flags and theirs is not None and theirs.media is not None:
        channel.flags.add(Flag.PROXY_MEDIA)
        ends = theirs.media.relay_end, media.relay_end
        media.share_relay(MediaRelay(session.switch.engine, ends, session.switch.control.rtp_ports))


def codec_in_use(variables: Variables) -> str | None:
    """Return the codec of the call that another one is placed for; before there is one, those it may come to."""
    name, rate = variables.get("rtp_use_codec_name"), variables.get("rtp_use_codec_rate")
    if name and rate:
        return f"{name}@{rate}h@{variables.get('rtp_use_codec_ptime')}i"
    return variables.get("ep_codec_string")


def _through(gateway: Gateway, dialled: DialledAddress) -> Destination:
    settings = gateway.settings
    number, semicolon, params = dialled.target.partition(";")
    address = f"{settings.destination_prefix}{number}"
    if "@" not in address:
        host, _, proxy_params = settings.host.partition(";")
        address = f"{address}@{host}"
        params = ";".join(part for part in (params, proxy_params) if part)
        semicolon = ";" if params else ""
    if settings.register_transport != "udp" and "transport=" not in params.lower():
        params = ";".join(part for part in (params, f"transport={settings.register_transport}") if part)
        semicolon = ";"
    uri = f"sip:{address}{semicolon}{params}"
    way = destination(uri, to_uri(dialled.to, host_of(uri)))
    proxy = settings.outbound_proxy or settings.register_proxy
    if proxy:
        text = proxy if proxy.lower().startswith(("sip:", "sips:")) else f"sip:{proxy}"
        way = Destination(way.uri, way.to_uri, way.routes, text, way.transport, way.nat)
    return way


def _locate(
    profile: Profile, dialled: DialledAddress, call: OutgoingCall
) -> tuple[Destination, str] | HangupCause:
    """Return the way to what a profile is to call, and `user@domain` for somebody who is registered."""
    target = dialled.target
    prefix = call.variables.get("sip_destination_prefix", "")
    lower = target.lower()
    if not lower.startswith(("sip:", "sips:", "<")) and "@" not in target:
        user, _, domain = target.partition("%")
        domain = domain or profile.settings.domain or dialled.place
        contacts = registered_contacts(profile, user, domain)
        if not contacts:
            profile.switch.log(LogLevel.WARNING, f"Cannot locate registered user {user}@{domain}")
            return HangupCause.USER_NOT_REGISTERED
        return destination(contacts[0], to_uri(dialled.to, domain)), f"{user}@{domain}"
    if lower.startswith(("sip:", "sips:")):
        scheme, _, rest = target.partition(":")
        uri = f"{scheme}:{prefix}{rest}"
    elif lower.startswith("<"):
        uri = target
    else:
        uri = f"sip:{prefix}{target}"
    to = call.variables.get("sip_invite_to_uri") or dialled.to
    return destination(uri, to_uri(to.strip("<>"), host_of(uri))), ""


def _invite(session: Session) -> bool:
    """Make the INVITE of what the channel's variables say by now, and have it sent."""
    leg = session.io
    assert isinstance(leg, ClientLeg)
    try:
        _compose(leg, session)
    except ValueError as error:
        session.channel.log(LogLevel.ERR, f"Invalid URL: {error}")
        session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        leg.finish_unsent()
        return False
    leg.begin(session)
    return True


def _compose(leg: ClientLeg, session: Session) -> None:
    profile, gateway, way = leg.profile, leg.gateway, leg.invitation.destination
    settings = profile.settings
    variables = dict(session.channel.variables.items())
    transport = way.transport or variables.get("sip_transport", "") or "udp"
    if transport not in profile.transports:
        raise ValueError(f"the profile has no {transport}")
    uri = variables.get("sip_invite_req_uri") or way.uri
    if not way.transport and transport != "udp":
        uri = f"{uri};transport={transport}"
    params = variables.get("sip_invite_params")
    if params:
        uri = f"{uri};{params}"
    route = variables.get("sip_route_uri") or way.next_hop
    remote = host_of(route or uri).partition(":")[0]
    ip, _ = profile.contact_address(transport, remote)
    gateway_from = ""
    cid_type = settings.caller_id_type
    if gateway is not None:
        if not gateway.settings.caller_id_in_from:
            gateway_from = gateway.settings.register_from
        cid_type = gateway.settings.cid_type or cid_type
        if gateway.settings.from_domain:
            variables.setdefault("sip_invite_domain", gateway.settings.from_domain)
    who = identity(
        session.channel.profile, variables, domain=ip, gateway_from=gateway_from, cid_type=cid_type
    )
    to = way.to_uri
    for name in ("sip_handle_full_to", "sip_force_full_to"):
        to = variables.get(name) or to
    if "<" not in to:
        to = f"<{to}>"
    next_hop = numeric_hop(route) if route else None
    routes = way.routes
    if route and next_hop is None:
        routes = (f"<{route};lr>" if ";lr" not in route else f"<{route}>", *routes)
    user = variables.get("sip_contact_user", "")
    contact = gateway.contact if gateway is not None else ""
    contact = contact or f"<{profile.contact_uri(transport, user, remote)}>"
    contact_params = variables.get("sip_invite_contact_params")
    if contact_params and contact.endswith(">"):
        contact = f"{contact[:-1]};{contact_params}>"
    leg.contact = contact
    leg.dialog.local, leg.dialog.remote = who.from_address, to
    leg.invitation = Invitation(
        Destination(uri, way.to_uri, routes, way.next_hop, transport, way.nat),
        who.from_address,
        to,
        (*who.headers, *invite_headers(variables, pass_callee_id=settings.pass_callee_id)),
        next_hop=next_hop,
    )
    session.channel.variables.set("sip_outgoing_contact_uri", contact)
    session.channel.variables.set("sip_req_uri", uri.partition(":")[2])
    session.channel.variables.set("sip_to_host", host_of(to))
    session.channel.variables.set("sip_from_host", host_of(who.from_address))
    parse_uri(uri)
