"""INVITEs that begin a call: who may place one, and the session that is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from host import version
from host.caller_profile import CallerProfile
from host.channel import Flag
from host.channel_state import ChannelState
from host.log import LogLevel
from host.modules.mod_sofia.call.admission import Permit, admit
from host.modules.mod_sofia.call.call_variables import caller_of, destination_of, invite_variables
from host.modules.mod_sofia.call.leg_codecs import (
    choice_of_offer,
    codec_preferences,
    first_choice,
    first_transport,
)
from host.modules.mod_sofia.call.leg_media import LegMedia
from host.modules.mod_sofia.call.offered_codecs import codec_string_of
from host.modules.mod_sofia.call.replaces import take_over
from host.modules.mod_sofia.call.request_inspection import refuse_content, refuse_extensions
from host.modules.mod_sofia.call.server_leg import ServerLeg
from host.modules.mod_sofia.message import (
    Message,
    contact_of,
    from_of,
    header_of,
    source_of,
    to_of,
    uri_host,
    uri_param,
    uri_user,
)
from host.modules.mod_sofia.registration.digest_server import damped
from host.modules.mod_sofia.transport.nat import route_back
from host.session import Session
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.profile.profile import Profile
    from host.variables import Variables

# FreeSWITCH's words to those who call while there is no room.
_FULL: Final = "Maximum Calls In Progress"
# The context that stands for the host of From.
_DOMAIN: Final = "_domain_"


def receive_invite(profile: Profile, request: Message) -> None:
    """Take an INVITE that belongs to no call: answer 100 at once, and see in another thread who calls."""
    settings = profile.settings
    if damped(profile, request):
        return
    if settings.max_proceeding and profile.proceeding >= settings.max_proceeding:
        profile.respond(request, 503, _FULL, headers=(("Retry-After", "300"),))
        return
    if profile.switch.refuses_session(outbound=False):
        profile.counters.failed_calls_in += 1
        profile.respond(request, 503, _FULL, headers=(("Retry-After", "300"),))
        return
    if contact_of(request) is None:
        profile.respond(request, 400, "Missing Contact Header")
        return
    if refuse_extensions(profile, request) or refuse_content(profile, request):
        return
    profile.respond(request, 100, "Trying")
    leg = ServerLeg(profile, request)
    profile.proceeding += 1
    transaction: Any = request.transaction
    transaction.cancel_cb = lambda rtime, cancel: leg.cancel(cancel)
    if not profile.sofia.stack.work(lambda: _admit(leg)):
        leg.reject(503, "Service Unavailable", (("Retry-After", "300"),))


def _admit(leg: ServerLeg) -> None:
    """Let a call in or refuse it, in a thread that may block; one caller's fault must not cost another the worker."""
    try:
        admit(leg, lambda permit: _enter(leg, permit))
    except Exception as error:
        leg.profile.switch.report_bug("an INVITE", error)
        leg.reject(500, "Server Internal Error")


def _enter(leg: ServerLeg, permit: Permit) -> None:
    if leg.cancelled is not None:
        return
    try:
        session = _begin(leg, permit)
    except Exception as error:
        leg.profile.switch.report_bug("an INVITE", error)
        leg.reject(500, "Server Internal Error")
        return
    if session is None:
        return
    if leg.stack.lend_worker():
        session.run_here()
    else:
        session.start()


def _begin(leg: ServerLeg, permit: Permit) -> Session | None:
    """Return the call's session, ready to start; None when the call is refused."""
    profile, settings, request = leg.profile, leg.profile.settings, leg.invite
    switch = profile.switch
    preferences = codec_preferences(settings, None, inbound=True)
    choice = first_choice(preferences)
    if leg.offer is not None:
        fitting = choice_of_offer(leg.offer, settings, preferences)
        if fitting is not None:
            choice = fitting
        elif not (settings.inbound_late_negotiation or settings.inbound_proxy_media):
            switch.log(LogLevel.NOTICE, f"{request.getSL()}: no codec fits")
            leg.reject(488, "Not Acceptable Here")
            return None
    gateway, by_contact = _gateway_of(profile, request)
    caller = _caller_profile(leg, permit, gateway, by_contact)
    transport = first_transport(settings, switch.control.rtp_ports, choice, settings.rtp_ip)
    call_id = leg.dialog.call_id
    try:
        session = Session(
            switch,
            f"sofia/{profile.name}/{caller_address(request)}",
            caller,
            leg,
            outbound=False,
            endpoint="sofia",
            rate=choice.rate,
            transport=transport,
            uuid=call_id if settings.inbound_use_callid_as_uuid else None,
        )
    except TransportError as error:
        switch.log(LogLevel.CRIT, f"No RTP ports available! ({error})")
        leg.reject(503, "No RTP ports available")
        return None
    leg.session = session
    source = source_of(request)
    session.channel.log(
        LogLevel.INFO,
        f"{session.channel.name} receiving invite from {source.ip}:{source.port} version: {version.full()}"
        f" call-id: {call_id}",
    )
    leg.log_state("received", 100, leg.offer)
    line = session.line
    advertised = profile.rtp_address(source.ip)
    leg.media = LegMedia(settings, session, line, advertised, inbound=True)  # type: ignore[arg-type]
    channel = session.channel
    channel.can_bypass_media = True
    if leg.media.leaves_after_hold:
        channel.flags.add(Flag.BYPASS_MEDIA_AFTER_HOLD)
    if (settings.inbound_bypass_media or settings.inbound_proxy_media) and leg.offer is not None:
        channel.flags.add(Flag.PROXY_MODE)
        if settings.inbound_proxy_media:
            channel.flags.add(Flag.PROXY_MEDIA)
        leg.media.release()
    way = route_back(settings, request, switch.access_lists.check)
    leg.far_end = way.source
    _set_variables(leg, session, permit, gateway)
    if way.nat:
        session.channel.log(LogLevel.DEBUG, f"Setting NAT mode based on {way.nat}")
        session.channel.variables.set("sip_nat_detected", "true")
    profile.counters.calls_in += 1
    replaces = header_of(request, "replaces")
    if replaces:
        take_over(leg, session, replaces)
    session.channel.set_state(ChannelState.CS_INIT)
    if leg.cancelled is not None:
        session.channel.hangup(leg.cancelled)
    return session


def caller_address(request: Message) -> str:
    """Return `user@host` of From, which names the channel."""
    uri = request.getHFBody("from").getUri().url
    user, host = uri_user(uri), uri_host(uri)
    port = f":{uri.port}" if uri.port else ""
    return f"{user}@{host}{port}" if user else f"{host}{port}"


def _caller_profile(
    leg: ServerLeg, permit: Permit, gateway: Gateway | None, by_contact: bool
) -> CallerProfile:
    settings, request = leg.profile.settings, leg.invite
    caller = caller_of(request)
    destination = destination_of(request, full=settings.full_id_in_dialplan)
    user = permit.account.user if permit.account is not None else permit.user
    variable = user.variable if user is not None else _nothing
    context = permit.context or variable("user_context") or settings.context
    if context == _DOMAIN:
        context = uri_host(from_of(request).url)
    if gateway is not None:
        context = gateway.settings.context
        called = uri_user(to_of(request).url)
        extension = gateway.settings.extension
        if by_contact:
            # FreeSWITCH: `auto` leaves the number that was called as it is
            if extension == "auto_to_user":
                destination = called or destination
            elif extension and extension != "auto":
                destination = extension
        elif extension in ("auto_to_user", "auto") or not (extension or gateway.settings.username):
            destination = called or destination
        else:
            destination = gateway.settings.destination
    profile = CallerProfile(
        username=caller.username,
        dialplan=variable("inbound_dialplan") or settings.dialplan,
        caller_id_name=caller.name,
        caller_id_number=caller.number,
        orig_caller_id_name=caller.name,
        orig_caller_id_number=caller.number,
        ani=caller.number,
        aniii=caller.aniii,
        network_addr=source_of(request).ip,
        destination_number=destination,
        source="mod_sofia",
        context=context,
        privacy_hide_name=caller.hide_name,
        privacy_hide_number=caller.hide_number,
        screen=caller.screen,
    )
    for name, value in user.profile_variables() if user is not None else ():
        if name in CallerProfile.FIELDS:
            setattr(profile, name, value)
    return profile


def _nothing(name: str) -> str | None:
    return None


def _set_variables(leg: ServerLeg, session: Session, permit: Permit, gateway: Gateway | None) -> None:
    profile, request = leg.profile, leg.invite
    settings = profile.settings
    variables = session.channel.variables
    variables.set("endpoint_disposition", "INBOUND CALL")
    for name, value in (
        ("sip_local_network_addr", settings.ext_sip_ip or settings.sip_ip),
        ("sip_invite_stamp", str(session.clock.time())),
        ("sofia_profile_name", profile.name),
        ("sofia_profile_url", settings.url),
        ("sofia_profile_domain_name", settings.domain or profile.name),
        ("recovery_profile_name", profile.name),
        ("ep_codec_string", _codecs_of(leg)),
        ("switch_r_sdp", leg.offer),
        ("sip_remote_fs_support", header_of(request, "x-fs-support")),
        ("hold_music", settings.hold_music),
    ):
        variables.set(name, value)
    for name, value in invite_variables(request):
        variables.set(name, value)
    if permit.looped:
        variables.set("sip_looped_call", "true")
    if permit.authorized:
        variables.set("sip_authorized", "true")
    for name, value in (
        ("sip_acl_authed_by", permit.acl if permit.authorized else ""),
        ("sip_acl_token", permit.acl_token if permit.authorized else ""),
        ("acl_token", permit.acl_token),
    ):
        if value:
            variables.set(name, value)
    _set_user(variables, permit)
    sender = from_of(request).url
    if not variables.get("presence_id"):
        variables.set("presence_id", f"{uri_user(sender)}@{uri_host(sender)}")
    session.channel.presence_id = variables.get("presence_id") or ""
    if gateway is not None:
        gateway.counters.calls_in += 1
        variables.set("sip_gateway", gateway.name)
        for name, value in gateway.variables(inbound=True):
            variables.set(name, value)


def _codecs_of(leg: ServerLeg) -> str | None:
    """Return the codecs that the caller and the profile have in common; None for a call without an offer."""
    if leg.offer is None:
        return None
    preferences = codec_preferences(leg.profile.settings, None, inbound=True)
    return codec_string_of(leg.offer, preferences, inbound=True) or None


def _set_user(variables: Variables, permit: Permit) -> None:
    """Put the variables of whoever calls on the channel."""
    account, user = permit.account, permit.user
    if account is not None:
        for name, value in account.variables:
            variables.set(name, value)
        for name in ("user_name", "domain_name"):
            variables.set(f"requested_{name}", account.variable(name))
    elif user is not None:
        alias = user.attribute("number-alias")
        if alias:
            variables.set("number_alias", alias)
        for name, value in user.variables():
            variables.set(name, value)
        name, at, domain = permit.acl_token.partition("@")
        variables.set("user_name", user.attribute("id") or name)
        if at:
            variables.set("domain_name", domain)


def _gateway_of(profile: Profile, request: Message) -> tuple[Gateway | None, bool]:
    """Return the gateway whose Contact a call was sent to, and whether its parameter `gw` says so (else `gw+NAME`)."""
    uri = request.getRURI()
    gateways = profile.sofia.gateways
    user = uri_user(uri)
    if "gw+" in user:
        found = gateways.get(user[3:])
        if found is not None:
            return found, False
    name = uri_param(uri, "gw")
    found = gateways.get(name) if name else None
    return found, found is not None
