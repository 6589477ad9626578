"""Transfers by a phone whose second call still rings: the one it speaks with waits for the one it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from host.event import Event
from host.session import Session
from tests.host.modules.mod_sofia.sip_phone import Dialog, SipMessage, SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, configuration, extension

_CALLEE = "sofia/near/callee@127.0.0.1:${sip_h_X-Callee}"
EXTENSIONS = "".join(
    (
        extension("first", ("bridge", "sofia/far/talks@127.0.0.1:$${far_port}")),
        extension("talks", ("answer", ""), ("park", "")),
        extension("callee", ("bridge", _CALLEE), ("set", "went_on=yes"), ("park", "")),
        extension("last", ("bridge", _CALLEE)),
        extension("answers", ("answer", ""), ("bridge", _CALLEE), ("set", "went_on=yes"), ("park", "")),
        extension("short", ("set", "call_timeout=1"), ("bridge", _CALLEE), ("set", "went_on=yes"), ("park", "")),
        extension(
            "several",
            ("set", "continue_on_fail=true"),
            ("bridge", f"{_CALLEE}|sofia/near/talks@127.0.0.1:$${{far_port}}"),
        ),
        extension("forked", ("bridge", f"{_CALLEE},{_CALLEE}")),
    )
)  # fmt: skip
CONFIGURATION = configuration(EXTENSIONS, far='<param name="fire-transfer-events" value="true"/>')
pytestmark = pytest.mark.usefixtures("clean")


@dataclass
class Phones:
    """A phone with two calls: `first` is answered, `second` rings at the phone `callee`; and our legs of both."""

    rig: Rig
    near: SipPhone
    callee: SipPhone
    first: Dialog
    second: Dialog
    first_leg: Session
    second_leg: Session
    other: Session  # whom the first call is bridged with
    called: SipMessage  # the INVITE at the callee

    @property
    def ringing(self) -> Session:
        """Our leg to the callee."""
        number = self.called.header("Call-ID")
        return self.rig.wait(lambda: leg_of(self.rig, number, "outbound"))

    def refer(self) -> None:
        """Ask for the transfer, and have it accepted."""
        far_tag = self.second.far.rpartition(";tag=")[2]
        near_tag = self.second.near.rpartition(";tag=")[2]
        replaces = quote(f"{self.second.call_id};to-tag={far_tag};from-tag={near_tag}", safe="")
        self.first.request("REFER", f"Refer-To: <sip:callee@{self.near.server}?Replaces={replaces}>")
        self.near.wait(202)

    def notified(self) -> str:
        """Return the fragment of the NOTIFY that tells how the transfer went."""
        notify = self.near.wait("NOTIFY")
        self.near.respond(notify, 200)
        assert notify.header("Subscription-State") == "terminated;reason=noresource"
        return notify.body

    def leave(self) -> None:
        """Take the end of both calls as a phone does; the second ends with 486, as it was never answered."""
        self.near.respond(self.near.wait("BYE"), 200)
        self.second.learn(self.near.wait(486))

    def answer(self) -> None:
        """Let the callee answer."""
        self.callee.respond(self.called, 200, "OK", body=self.callee.sdp())
        self.callee.wait("ACK")


@pytest.fixture
def begin(rig: Rig) -> Iterator[Callable[..., Phones]]:
    phones: list[SipPhone] = []
    begun: list[Dialog] = []

    def start(number: str = "callee", *, rings: bool = True) -> Phones:
        near, callee = (SipPhone(profile.settings.sip_port) for profile in (rig.far, rig.near))
        phones.extend((near, callee))
        before = set(rig.switch.sessions)
        first = near.invite("first")
        begun.append(first)
        first.ack(near.wait(200))
        first_leg = rig.wait(lambda: leg_of(rig, first.call_id))
        other = rig.wait(lambda: rig.switch.find_session(first_leg.partner or ""))
        assert not before & {first_leg.uuid, other.uuid}
        second = near.invite(number, f"X-Callee: {callee.port}")
        begun.append(second)
        called = callee.wait("INVITE")
        callee.respond(called, 100)
        if rings:
            callee.respond(called, 180, "Ringing")
        if number == "answers":
            second.ack(near.wait(200))
        elif rings:
            second.learn(near.wait(180))
        second_leg = rig.wait(lambda: leg_of(rig, second.call_id))
        return Phones(rig, near, callee, first, second, first_leg, second_leg, other, called)

    yield start

    rig.api("hupall")

    def over() -> bool:
        for phone in phones:
            take_ends(phone, begun)
        return not rig.switch.sessions and not rig.near.legs and not rig.far.legs

    rig.wait(over)
    for phone in phones:
        phone.__exit__(None, None, None)


def take_ends(phone: SipPhone, begun: list[Dialog]) -> None:
    """Answer what ends calls, and acknowledge what was answered."""
    phone.nothing("NOTHING", 0.02)
    for message in list(phone.received):
        phone.received.remove(message)
        if message.method in ("BYE", "NOTIFY", "CANCEL") and not message.status:
            phone.respond(message, 200)
        if message.method == "CANCEL" and not message.status:
            phone.respond(SipMessage(message.text.replace("CANCEL", "INVITE")), 487)
        if message.method == "INVITE" and message.status == 200:
            next(one for one in begun if one.call_id == message.header("Call-ID")).ack(message)


def leg_of(rig: Rig, call_id: str, direction: str = "inbound") -> Session | None:
    legs = rig.legs(direction)
    return next((one for one in legs if one.channel.variables.get("sip_call_id") == call_id), None)


Begin = Callable[..., Phones]


def bridged(one: Session, two: Session) -> bool:
    return one.partner == two.uuid and two.partner == one.uuid


def test_the_one_who_is_transferred_waits_until_the_called_one_answers(rig: Rig, begin: Begin) -> None:
    phones = begin()
    ringing = phones.ringing
    phones.refer()
    assert phones.notified() == "SIP/2.0 200 OK\r\n"
    phones.leave()
    rig.wait(lambda: phones.first_leg.ended_already)
    waiting = phones.other.channel.variables
    assert waiting.get("current_application") == "park"
    assert waiting.get("att_xfer_kill_uuid") == phones.second_leg.uuid
    assert waiting.get("att_xfer_destination_number") == "callee"
    assert ringing.channel.up and not ringing.channel.answered
    phones.answer()
    rig.wait(lambda: bridged(phones.other, ringing))
    rig.wait(lambda: phones.second_leg.ended_already)
    left = phones.second_leg.channel
    assert left.hangup_cause.name == "ATTENDED_TRANSFER"
    assert left.variables.get("transfer_to") == f"satt:{phones.other.uuid}"
    assert left.variables.get("transfer_disposition") == "replaced"
    assert left.variables.get("endpoint_disposition") == "ATTENDED_TRANSFER"
    assert left.variables.get("went_on") is None
    rig.api(f"uuid_kill {ringing.uuid}")
    phones.callee.wait("BYE")
    rig.wait(lambda: phones.other.ended_already)


def test_a_second_call_that_was_answered_before_ends_with_bye(rig: Rig, begin: Begin) -> None:
    phones = begin("answers")
    ringing = phones.ringing
    phones.refer()
    assert phones.notified() == "SIP/2.0 200 OK\r\n"
    for _ in range(2):
        phones.near.wait("BYE")
    phones.answer()
    rig.wait(lambda: bridged(phones.other, ringing))


@pytest.mark.parametrize("ends", ["cancel", "BYE"])
def test_a_phone_may_end_both_calls_itself(rig: Rig, begin: Begin, ends: str) -> None:
    phones = begin()
    ringing = phones.ringing
    phones.refer()
    if ends == "cancel":
        phones.second.cancel()
    phones.first.request("BYE")
    phones.answer()
    rig.wait(lambda: bridged(phones.other, ringing))
    rig.wait(lambda: phones.first_leg.ended_already and phones.second_leg.ended_already)


def test_a_call_that_was_given_up_meanwhile_is_not_answered(rig: Rig, begin: Begin) -> None:
    phones = begin()
    leg = next(one for one in rig.far.legs if one.session is phones.second_leg)
    waiting: list[Callable[[], object]] = []
    leg.held_back = waiting  # as while a transfer is decided
    phones.second.cancel()
    phones.near.wait(487)
    phones.answer()
    rig.wait(lambda: phones.second_leg.channel.answered)
    rig.wait(lambda: waiting)

    def release() -> None:
        leg.held_back = None
        waiting.pop()()

    leg.stack.call(release)
    rig.wait(lambda: phones.second_leg.ended_already and leg not in rig.far.legs)
    assert phones.second_leg.channel.hangup_cause.name == "ORIGINATOR_CANCEL"


def test_after_a_refusal_it_goes_on_where_the_second_call_would_have(rig: Rig, begin: Begin) -> None:
    phones = begin()
    phones.second_leg.channel.variables.set("mine", "second")
    phones.second_leg.channel.variables.set("kept", "second")
    phones.second_leg.channel.variables.set("attended_transfer_no_copy", "other,kept")
    phones.refer()
    phones.notified()
    phones.callee.respond(phones.called, 486, "Busy Here")
    rig.wait(lambda: phones.other.channel.variables.get("went_on"))
    rig.wait(lambda: phones.second_leg.ended_already)
    moved = phones.other.channel
    assert moved.profile.destination_number == "callee"
    assert moved.variables.get("uuid") == phones.other.uuid
    assert (moved.variables.get("mine"), moved.variables.get("kept")) == ("second", None)
    assert phones.second_leg.channel.hangup_cause.name == "ATTENDED_TRANSFER"


def test_after_a_refusal_with_nothing_left_to_do_it_ends(rig: Rig, begin: Begin) -> None:
    phones = begin("last")
    phones.refer()
    phones.notified()
    phones.callee.respond(phones.called, 603, "Decline")
    rig.wait(lambda: phones.other.ended_already)
    assert phones.other.channel.hangup_cause.name == "NORMAL_CLEARING"


def test_one_who_does_not_answer_in_time_is_cancelled(rig: Rig, begin: Begin) -> None:
    phones = begin("short")
    ringing = phones.ringing
    phones.refer()
    phones.callee.wait("CANCEL")
    rig.wait(lambda: phones.other.channel.variables.get("went_on"))
    assert ringing.channel.hangup_cause.name == "ATTENDED_TRANSFER"


def test_the_next_alternative_is_called_for_it(rig: Rig, begin: Begin) -> None:
    phones = begin("several")
    phones.refer()
    phones.notified()
    phones.callee.respond(phones.called, 486, "Busy Here")
    rig.wait(lambda: phones.other.partner not in (None, phones.first_leg.uuid))
    rig.wait(lambda: phones.second_leg.ended_already)
    found = rig.switch.find_session(phones.other.partner or "")
    assert found is not None
    assert found.channel.answered
    assert found.channel.profile.destination_number == "talks"


def test_of_several_that_ring_the_first_to_answer_gets_it(rig: Rig, begin: Begin) -> None:
    phones = begin("forked")
    other = phones.callee.wait("INVITE")
    ringing = phones.ringing
    phones.refer()
    phones.notified()
    phones.answer()
    rig.wait(lambda: bridged(phones.other, ringing))
    phones.callee.respond(other, 180)
    assert phones.callee.wait("CANCEL").header("Call-ID") == other.header("Call-ID")


def test_the_end_of_the_one_who_waits_ends_the_calling(rig: Rig, begin: Begin) -> None:
    phones = begin()
    phones.refer()
    phones.notified()
    rig.api(f"uuid_kill {phones.other.uuid}")
    phones.callee.wait("CANCEL")
    rig.wait(lambda: phones.second_leg.ended_already)
    assert phones.second_leg.channel.hangup_cause.name == "NORMAL_CLEARING"


def test_it_hears_the_hold_music_meanwhile(rig: Rig, begin: Begin) -> None:
    phones = begin()
    phones.other.channel.variables.set("hold_music", "tone_stream://%(100,0,440);loops=-1")
    phones.refer()
    rig.wait(lambda: phones.other.channel.variables.get("current_application") == "endless_playback")
    phones.answer()
    rig.wait(lambda: phones.other.partner not in (None, phones.first_leg.uuid))


@pytest.mark.parametrize("attempt", range(3))
@pytest.mark.parametrize("answers", ["before", "after"])
def test_one_who_answers_in_the_same_instant(rig: Rig, begin: Begin, answers: str, attempt: int) -> None:
    phones = begin()
    ringing = phones.ringing
    if answers == "before":
        phones.callee.respond(phones.called, 200, "OK", body=phones.callee.sdp())
        phones.refer()
    else:
        phones.refer()
        phones.callee.respond(phones.called, 200, "OK", body=phones.callee.sdp())
    rig.wait(lambda: bridged(phones.other, ringing))
    assert phones.notified() == "SIP/2.0 200 OK\r\n"
    rig.wait(lambda: phones.second_leg.ended_already)
    assert bridged(phones.other, ringing)


def test_one_with_early_media_is_joined_at_once(rig: Rig, begin: Begin) -> None:
    phones = begin()
    ringing = phones.ringing
    phones.callee.respond(phones.called, 183, "Progress", body=phones.callee.sdp())
    phones.near.wait(183)
    rig.wait(lambda: bridged(phones.second_leg, ringing))
    phones.refer()
    rig.wait(lambda: bridged(phones.other, ringing))
    assert not ringing.channel.answered
    phones.callee.respond(phones.called, 200, "OK", body=phones.callee.sdp())
    phones.callee.wait("ACK")
    rig.wait(lambda: ringing.channel.answered and phones.second_leg.ended_already)
    assert bridged(phones.other, ringing)


def test_a_denied_transfer_leaves_everything_as_it_was(rig: Rig, begin: Begin) -> None:
    phones = begin()
    phones.second_leg.channel.variables.set("deny_refer_requests", "true")
    phones.refer()
    assert phones.notified() == "SIP/2.0 403 Forbidden\r\n"
    phones.answer()
    assert phones.near.wait(200, method="INVITE")
    assert phones.first_leg.channel.up
    rig.wait(lambda: bridged(phones.second_leg, phones.ringing))


def test_the_events_name_who_is_who(rig: Rig, begin: Begin) -> None:
    events: list[Event] = []
    rig.switch.bus.subscribe(events.append)
    phones = begin()
    ringing = phones.ringing
    phones.refer()
    phones.notified()

    def told(name: str) -> Event:
        return rig.wait(lambda: next((one for one in events if one.subclass == f"sofia::{name}"), None))

    replaced, transferor, transferee = (told(name) for name in ("replaced", "transferor", "transferee"))
    assert replaced.get_header("Unique-ID") == phones.second_leg.uuid
    assert replaced.get_header("att_xfer_replaced_by") == phones.other.uuid
    assert transferor.get_header("Unique-ID") == phones.first_leg.uuid
    assert transferor.get_header("att_xfer_original_call_id") == phones.other.uuid
    assert transferor.get_header("att_xfer_destination_call_id") == ringing.uuid
    assert transferor.get_header("att_xfer_destination_peer_uuid") == phones.second_leg.uuid
    assert transferee.get_header("Unique-ID") == phones.other.uuid
    assert transferee.get_header("att_xfer_replaced_call_id") == phones.second_leg.uuid
