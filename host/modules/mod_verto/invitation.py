"""Calls that pages place: `verto.invite`, and the session that is made of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerProfile
from host.channel import Flag
from host.channel_state import ChannelState
from host.hangup_cause import HangupCause
from host.log import LogLevel
from host.modules.mod_verto.call_lookup import call_id_of, dialog_of, failed, sdp_of
from host.modules.mod_verto.json_rpc import (
    Answer,
    object_member,
    plain_members,
    text_member,
    whole_member,
)
from host.modules.mod_verto.leg import VertoLeg, give_client
from host.modules.mod_verto.leg_media import LegMedia, choice_of_offer, first_transport
from host.modules.mod_verto.verto import ENDPOINT, MODULE
from host.session import Session
from media.rtp_transport import TransportError

if TYPE_CHECKING:
    from host.channel import Channel
    from host.json_members import JsonMembers
    from host.modules.mod_verto.client import Client
    from host.modules.mod_verto.json_rpc import RpcError
    from host.modules.mod_verto.verto import Verto

# FreeSWITCH: what a page calls that names no number.
_SERVICE: Final = "service"
_SOUND_WISHES: Final = ("echoCancellation", "noiseSuppression", "autoGainControl")
# It becomes the call's UUID, of which names of files are made.
_CALL_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,127}")
# What is longer is no number, and no name of anybody.
_LONGEST: Final = 1_000


def invite(verto: Verto, client: Client, params: JsonMembers | None) -> Answer:
    """Begin a call of a page; it starts when the page has its answer."""
    dialog = dialog_of(params)
    call_id = call_id_of(dialog)
    offer = sdp_of(params)
    if _CALL_ID.fullmatch(call_id) is None or verto.switch.find_session(call_id) is not None:
        raise _refused("Cannot create channel", HangupCause.DESTINATION_OUT_OF_ORDER)
    if verto.switch.refuses_session(outbound=False):
        raise _refused("Cannot create channel", HangupCause.SWITCH_CONGESTION)
    address = verto.rtp_ip(client)
    if not address:
        verto.log(LogLevel.ERR, f"{client.profile.name} has no media ip, check your configuration")
        raise _refused("Cannot set media options", HangupCause.BEARERCAPABILITY_NOTAVAIL)
    session = _session(verto, client, dialog, call_id, offer, address)
    verto.track(session.io)  # type: ignore[arg-type]
    session.channel.set_state(ChannelState.CS_INIT)
    return Answer({"message": "CALL CREATED", "callID": session.uuid}, session.start)


def take_user_variables(channel: Channel, dialog: JsonMembers) -> None:
    """Keep what a page says about its sound, and the variables of its script as `verto_dvar_…`."""
    audio = object_member(dialog, "audio")
    if audio is not None:
        for wish in _SOUND_WISHES:
            channel.variables.set(f"verto_{wish}", "true" if audio.get(wish) is True else "false")
    for name, value in plain_members(object_member(dialog, "userVariables")):
        channel.variables.set(f"verto_dvar_{name}", value)


def context_of(client: Client) -> str:
    """Return the context of a client's calls and messages: that of its user's variables, its params, its profile."""
    return client.user_variables.get("user_context") or client.context or client.profile.context


def _session(
    verto: Verto, client: Client, dialog: JsonMembers, call_id: str, offer: str, address: str
) -> Session:
    switch, settings = verto.switch, client.profile
    choice = choice_of_offer(switch, offer, settings.inbound_codecs)
    caller = _caller_profile(client, dialog)
    leg = VertoLeg(verto, client, offer)
    try:
        session = Session(
            switch,
            f"{ENDPOINT}/{caller.destination_number}",
            caller,
            leg,
            outbound=False,
            endpoint=ENDPOINT,
            rate=choice.rate,
            transport=first_transport(settings, switch.control.rtp_ports, choice, address),
            uuid=call_id,
        )
    except TransportError as error:
        switch.log(LogLevel.CRIT, f"No RTP ports available! ({error})")
        raise _refused("Cannot create channel", HangupCause.DESTINATION_OUT_OF_ORDER) from error
    leg.session = session
    leg.media = LegMedia(
        settings,
        session,
        session.line,  # type: ignore[arg-type]
        verto.advertised_ip(client, address),
        inbound=True,
    )
    _set_variables(client, session, dialog, offer)
    session.channel.log(LogLevel.DEBUG, f"Remote SDP {session.channel.name}:\n{offer}")
    return session


def _caller_profile(client: Client, dialog: JsonMembers) -> CallerProfile:
    name = text_member(dialog, "caller_id_name") or client.params.get("caller-id-name") or ""
    number = text_member(dialog, "caller_id_number") or client.params.get("caller-id-number") or ""
    client.params.setdefault("caller-id-name", name)
    return CallerProfile(
        username=client.uid,
        dialplan=client.dialplan or client.profile.dialplan,
        caller_id_name=name[:_LONGEST],
        caller_id_number=number[:_LONGEST],
        orig_caller_id_name=name[:_LONGEST],
        orig_caller_id_number=number[:_LONGEST],
        ani=(text_member(dialog, "ani") or "")[:_LONGEST],
        aniii=(text_member(dialog, "aniii") or "")[:_LONGEST],
        rdnis=(text_member(dialog, "rdnis") or "")[:_LONGEST],
        network_addr=client.host,
        source=MODULE,
        context=context_of(client),
        destination_number=(text_member(dialog, "destination_number") or _SERVICE)[:_LONGEST],
        callee_id_name=(text_member(dialog, "remote_caller_id_name") or "")[:_LONGEST],
        callee_id_number=(text_member(dialog, "remote_caller_id_number") or "")[:_LONGEST],
    )


def _set_variables(client: Client, session: Session, dialog: JsonMembers, offer: str) -> None:
    channel = session.channel
    for member, variable in (
        ("screenShare", "video_screen_share"),
        ("secondSource", "video_second_source"),
        ("dedEnc", "video_use_dedicated_encoder"),
        ("mirrorInput", "video_mirror_input"),
    ):
        if dialog.get(member) is True:
            channel.variables.set(variable, "true")
    if dialog.get("recoverCall") is False:
        channel.flags.add(Flag.NO_RECOVER)
    if "conferenceCanvasID" in dialog and whole_member(dialog, "conferenceCanvasID") >= 0:
        canvas = whole_member(dialog, "conferenceCanvasID")
        channel.variables.set("video_initial_watching_canvas", str(canvas))
        channel.variables.set("video_second_screen", "true")
    take_user_variables(channel, dialog)
    channel.variables.set("jsock_uuid_str", client.sessid)
    channel.variables.set("event_channel_cookie", client.sessid)
    channel.variables.set("verto_profile_name", client.profile.name)
    give_client(channel, client)
    set_user(session, client)
    for part in ("name", "number"):
        remote = text_member(dialog, f"remote_caller_id_{part}")
        channel.variables.set(f"verto_remote_caller_id_{part}", remote)
    if "fingerprint:" in offer:
        channel.variables.set("media_webrtc", "true")
    channel.variables.set("switch_r_sdp", offer)


def set_user(session: Session, client: Client) -> None:
    """Give a channel the variables of the client's user (FreeSWITCH: switch_ivr_set_user)."""
    channel = session.channel
    if not client.user or channel.is_true("verto_skip_set_user"):
        return
    found = session.switch.xml.directory.user(client.user, client.domain)
    if found is None:
        channel.log(LogLevel.WARNING, f"can't find user [{client.uid}]")
        return
    for name, value in found.variables():
        channel.variables.set(name, value)
    channel.variables.set("user_name", client.user)
    channel.variables.set("domain_name", client.domain)


def _refused(reason: str, cause: HangupCause) -> RpcError:
    """FreeSWITCH: pages are told CALL ERROR and the cause, whatever the reason."""
    return failed("CALL ERROR", reason=reason, causeCode=int(cause), cause=cause.name)
