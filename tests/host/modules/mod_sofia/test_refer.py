"""Transfers by REFER, and INVITE with Replaces, between two profiles of one switch."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from host.event import Event
from host.hangup_cause import HangupCause
from host.modules.mod_sofia.call.leg import SofiaLeg
from host.modules.mod_sofia.presence.call_presence import call_of_channel
from host.session import Session
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

EXTENSIONS = "".join(
    (
        extension("one", ("bridge", "sofia/far/phone1@127.0.0.1:$${near_port}")),
        extension("two", ("bridge", "sofia/far/phone2@127.0.0.1:$${near_port}")),
        extension("alone", ("answer", ""), ("park", "")),
        extension("other", ("answer", ""), ("set", "is_other=yes"), ("park", "")),
        extension("phone[12]", ("answer", ""), ("park", "")),
        extension("away", ("set", "arrived=yes"), ("park", "")),
        extension("confirms", ("set", "arrived=yes"), ("blind_transfer_ack", "true"), ("park", "")),
        extension("ends", ("set", "arrived=yes")),
        extension("refused", ("bridge", "error/USER_BUSY")),
        extension("slow", ("bridge", "sofia/far/ringing@127.0.0.1:$${near_port}")),
        extension("ringing", ("ring_ready", ""), ("sleep", "60000")),
    )
)
CONFIGURATION = configuration(EXTENSIONS)
pytestmark = pytest.mark.usefixtures("clean")


def place(rig: Rig, number: str) -> Session:
    """Return our leg of a new, answered call to `number`."""
    reply = rig.api(f"originate {rig.address(number)} &park")
    assert reply.startswith("+OK")
    return rig.switch.sessions[reply.split()[1]]


def phone(rig: Rig, number: str) -> Session:
    """Return the leg of the phone that was called as `number`."""

    def found() -> list[Session]:
        return [one for one in rig.legs("inbound") if one.channel.profile.destination_number == number]

    return rig.wait(found)[0]


def their_leg(rig: Rig, ours: Session) -> Session:
    """Return the leg at `far` of a call of ours."""
    return next(
        leg.session
        for leg in rig.far.legs
        if leg.session is not None and leg.dialog.call_id == dialog(ours).call_id
    )


def dialog(session: Session):  # type: ignore[no-untyped-def]
    leg = session.io
    assert isinstance(leg, SofiaLeg)
    return leg.dialog


def replaces(rig: Rig, session: Session) -> str:
    """Return a Refer-To that names the dialog of one of our calls."""
    mine = dialog(session)
    value = quote(f"{mine.call_id};to-tag={mine.remote_tag};from-tag={mine.local_tag}", safe="")
    return f"<sip:x@127.0.0.1:{rig.far.settings.sip_port}?Replaces={value}>"


def bridged(one: Session, two: Session) -> bool:
    return one.partner == two.uuid and two.partner == one.uuid


def test_a_blind_transfer_moves_whom_the_phone_speaks_with(rig: Rig) -> None:
    ours = place(rig, "one")
    theirs = their_leg(rig, ours)
    moved = rig.wait(lambda: rig.switch.find_session(theirs.partner or ""))
    rig.api(f"uuid_deflect {ours.uuid} sip:away@127.0.0.1:{rig.far.settings.sip_port}")
    rig.wait(lambda: moved.channel.variables.get("arrived"))
    rig.wait(lambda: ours.channel.down and theirs.channel.down)
    assert moved.channel.up
    assert ours.channel.variables.get("sip_refer_reply") == "SIP/2.0 200 OK\r\n"
    assert ours.channel.variables.get("sip_refer_status_code") == "202"
    assert ours.channel.hangup_cause is HangupCause.BLIND_TRANSFER
    assert theirs.channel.variables.get("transfer_destination") == "blind:away"
    assert theirs.channel.variables.get("endpoint_disposition") == "BLIND_TRANSFER"
    assert moved.channel.profile.rdnis == "phone1"


def test_a_call_that_nobody_is_bridged_with_is_not_transferred(rig: Rig) -> None:
    ours = place(rig, "alone")
    rig.api(f"uuid_deflect {ours.uuid} sip:away@127.0.0.1:{rig.far.settings.sip_port}")
    rig.wait(lambda: ours.channel.variables.get("sip_refer_reply"))
    assert ours.channel.variables.get("sip_refer_reply") == "SIP/2.0 403 Forbidden\r\n"
    assert ours.channel.variables.get("sip_refer_target_status_code") == "403"
    rig.wait(lambda: ours.channel.down)
    assert ours.channel.hangup_cause is HangupCause.BLIND_TRANSFER


def partner(rig: Rig, leg: Session) -> Session:
    """Return whom a leg is bridged with, once it is."""
    return rig.wait(lambda: rig.switch.find_session(leg.partner or ""))


def test_an_attended_transfer_joins_the_far_ends_of_both_calls(rig: Rig) -> None:
    first, second = place(rig, "one"), place(rig, "two")
    theirs = [their_leg(rig, one) for one in (first, second)]
    ends = [partner(rig, one) for one in theirs]
    rig.api(f"uuid_deflect {first.uuid} {replaces(rig, second)}")
    rig.wait(lambda: bridged(ends[0], ends[1]))
    rig.wait(lambda: first.channel.variables.get("sip_refer_reply"))
    assert first.channel.variables.get("sip_refer_reply") == "SIP/2.0 200 OK\r\n"
    rig.wait(lambda: all(one.channel.down for one in (first, second, *theirs)))
    assert theirs[1].channel.hangup_cause.name in ("ATTENDED_TRANSFER", "NORMAL_CLEARING")
    assert all(one.channel.up for one in ends)
    assert bridged(ends[0], ends[1])
    assert theirs[0].channel.variables.get("transfer_to") == f"att:{ends[1].uuid}"
    for one in ends:
        sources = one.channel.variables.elements("transfer_history")
        assert [source.split(":")[2] for source in sources] == ["att_xfer", "uuid_br"]
        assert f":0000000000@127.0.0.1/@127.0.0.1:{rig.near.settings.sip_port}" in sources[0]
    shown = [call_of_channel(one.channel, "somebody@here").number for one in ends]
    assert shown == ["phone2", "phone1"]


def test_an_attended_transfer_to_a_call_of_the_switch_itself_follows_its_number(rig: Rig) -> None:
    first, second = place(rig, "one"), place(rig, "other")
    theirs, left = their_leg(rig, first), their_leg(rig, second)
    moved = rig.wait(lambda: rig.switch.find_session(theirs.partner or ""))
    rig.api(f"uuid_deflect {first.uuid} {replaces(rig, second)}")
    rig.wait(lambda: moved.channel.variables.get("is_other"))
    rig.wait(lambda: left.channel.down)
    assert left.channel.hangup_cause is HangupCause.ATTENDED_TRANSFER


def test_denied_transfers_leave_everything_as_it_was(rig: Rig) -> None:
    first, second = place(rig, "one"), place(rig, "two")
    theirs = their_leg(rig, second)
    theirs.channel.variables.set("deny_refer_requests", "true")
    first.channel.variables.set("sip_refer_continue_after_reply", "true")
    told: list[Event] = []
    rig.switch.bus.subscribe(told.append, ("CUSTOM",))
    rig.api(f"uuid_deflect {first.uuid} {replaces(rig, second)}")
    rig.wait(lambda: first.channel.variables.get("sip_refer_reply"))
    assert first.channel.variables.get("sip_refer_reply") == "SIP/2.0 403 Forbidden\r\n"
    assert first.channel.up and second.channel.up
    event = rig.wait(lambda: next((one for one in told if one.subclass == "sofia::notify_refer"), None))
    assert event.body == "SIP/2.0 403 Forbidden\r\n"
    assert event.get_header("UniqueID") == first.uuid
    assert event.get_header("event-package") == "refer"
    assert event.get_header("subscription-substate") == "terminated"
    assert event.get_header("subscription-reason") == "noresource"
    assert event.get_header("call-id") == dialog(first).call_id


def confirming(rig: Rig, number: str) -> tuple[Session, Session, Session]:
    """Let our far end transfer whom it speaks with to a number, to be confirmed; return the three legs."""
    ours = place(rig, "one")
    theirs = their_leg(rig, ours)
    moved = partner(rig, theirs)
    theirs.channel.variables.set("confirm_blind_transfer", "true")
    ours.channel.variables.set("sip_refer_continue_after_reply", "true")
    rig.api(f"uuid_deflect {ours.uuid} sip:{number}@127.0.0.1:{rig.far.settings.sip_port}")
    rig.wait(lambda: ours.channel.variables.get("sip_refer_status_code") == "202")
    return ours, theirs, moved


def test_a_transfer_that_is_confirmed(rig: Rig) -> None:
    ours, theirs, moved = confirming(rig, "confirms")
    rig.wait(lambda: ours.channel.variables.get("sip_refer_reply"))
    assert ours.channel.variables.get("sip_refer_reply") == "SIP/2.0 200 OK\r\n"
    assert theirs.channel.up
    assert theirs.channel.variables.get("current_application") == "bridge"
    assert moved.channel.variables.get("arrived") == "yes"
    ours.channel.hangup()
    rig.wait(lambda: theirs.channel.down)
    assert moved.channel.up


@pytest.mark.parametrize("number", ["ends", "nosuchnumber", "refused"])
def test_a_transfer_that_comes_to_nothing_is_taken_back(rig: Rig, number: str) -> None:
    ours, theirs, moved = confirming(rig, number)
    rig.wait(lambda: ours.channel.variables.get("sip_refer_reply"))
    assert ours.channel.variables.get("sip_refer_reply") == "SIP/2.0 403 Forbidden\r\n"
    rig.wait(lambda: bridged(theirs, moved))
    assert ours.channel.up


def test_an_invite_with_replaces_takes_the_place_of_a_bridged_call(rig: Rig) -> None:
    ours = place(rig, "one")
    theirs = their_leg(rig, ours)
    end = rig.wait(lambda: rig.switch.find_session(theirs.partner or ""))
    mine = dialog(ours)
    value = f"{mine.call_id};to-tag={mine.remote_tag};from-tag={mine.local_tag}"
    reply = rig.api(f"originate {rig.address('x', f'{{_sofia_replaces_={value}}}')} &park")
    assert reply.startswith("+OK")
    taking = their_leg(rig, rig.switch.sessions[reply.split()[1]])
    rig.wait(lambda: bridged(taking, end))
    rig.wait(lambda: ours.channel.down and theirs.channel.down)
    assert taking.channel.variables.get("sip_replaces_call_id") == mine.call_id


def test_a_ringing_call_is_not_stolen_with_early_only_once_it_is_bridged(rig: Rig) -> None:
    ours = place(rig, "one")
    rig.wait(lambda: their_leg(rig, ours).partner)
    mine = dialog(ours)
    value = f"{mine.call_id};to-tag={mine.remote_tag};from-tag={mine.local_tag};early-only"
    reply = rig.api(f"originate {rig.address('x', f'{{_sofia_replaces_={value}}}')} &park")
    assert reply == "-ERR CALL_REJECTED\n"
    assert ours.channel.up


def test_an_invite_with_replaces_executes_what_a_call_without_a_bridge_does(rig: Rig) -> None:
    ours = place(rig, "alone")
    theirs = their_leg(rig, ours)
    rig.wait(lambda: theirs.channel.variables.get("current_application") == "park")
    mine = dialog(ours)
    value = f"{mine.call_id};to-tag={mine.remote_tag};from-tag={mine.local_tag}"
    assert rig.api(f"originate {rig.address('x', f'{{_sofia_replaces_={value}}}')} &park").startswith("+OK")
    rig.wait(lambda: theirs.channel.down)
    assert theirs.channel.hangup_cause is HangupCause.ATTENDED_TRANSFER


def test_a_replaces_of_an_unknown_call_leaves_the_call_to_the_dialplan(rig: Rig) -> None:
    value = "nosuch;to-tag=1;from-tag=2"
    assert rig.api(f"originate {rig.address('alone', f'{{_sofia_replaces_={value}}}')} &park").startswith(
        "+OK"
    )
