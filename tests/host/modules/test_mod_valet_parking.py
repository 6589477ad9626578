"""Lots: calls that wait in them, who fetches them, and where they go when nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from host.channel import Flag
from host.clock import SECOND
from host.event import Event
from host.inbox import Digit
from host.session import Session
from host.switch import Switch
from tests.host.placed_call import placed


@dataclass
class Lot:
    """The switch under test, as these tests speak of it."""

    switch: Switch
    events: list[Event] = field(default_factory=list)

    def call(self, data: str, variables: str = "") -> Session:
        """Have a call run the application; it is parked when it comes back."""
        session = placed(self.switch, f"null/leg 'valet_park:{data},park' inline", variables)
        self.wait(0.1)
        return session

    def wait(self, seconds: float) -> None:
        self.switch.clock.sleep(int(seconds * SECOND))

    def press(self, session: Session, digit: str) -> None:
        session.receive_digit(Digit(digit))
        self.wait(0.2)

    def taken(self, name: str = "lot") -> list[str]:
        """Return the extensions of the slots in which somebody waits."""
        lines = self.switch.api("valet_info", name).splitlines()
        return [line.partition(">")[2].partition("<")[0] for line in lines if "<extension" in line]

    def actions(self) -> list[str]:
        return [event.get_header("Action") or "" for event in self.events]


def was_sent_away(session: Session) -> bool:
    """Return whether the call was transferred to the extension `park` of the inline dialplan."""
    return (session.channel.variables.get("transfer_source") or "").endswith(":park/default/inline")


@pytest.fixture
def lot(switch: Switch) -> Iterator[Lot]:
    made = Lot(switch)
    switch.bus.subscribe(made.events.append, ("CUSTOM",), "valet_parking::info")
    yield made
    for session in list(switch.sessions.values()):
        switch.api("uuid_kill", session.uuid)
    made.wait(2)
    assert not switch.sessions
    assert not made.taken()


def test_a_call_waits_with_music_until_it_is_fetched(lot: Lot) -> None:
    waiting = lot.call("lot 7001", "valet_hold_music=silence_stream://-1")
    assert lot.taken() == ["7001"]
    assert waiting.playing is not None and waiting.playing.path == "silence_stream://-1"
    fetching = lot.call("lot 7001")
    assert waiting.partner == fetching.uuid
    assert lot.actions() == ["hold", "bridge", "exit"]
    assert lot.events[1].get_header("Bridge-To-UUID") == fetching.uuid
    assert lot.events[1].get_header("Unique-ID") == waiting.uuid
    assert lot.taken() == []


def test_the_lot_chooses_slots(lot: Lot) -> None:
    first = lot.call("lot auto in 8001 8002", "valet_announce_slot=false")
    lot.wait(1)
    lot.call("lot auto in 8001 8002", "valet_announce_slot=false")
    assert lot.taken() == ["8001", "8002"]
    refused = lot.call("lot auto in 8001 8002")
    assert Flag.PARK in refused.channel.flags
    fetching = lot.call("lot auto out 8001 8002")
    assert first.partner == fetching.uuid, "who waits longest"
    assert Flag.PARK in lot.call("other auto out 1 9").channel.flags


def test_a_slot_that_was_left_is_given_anew_after_a_while(lot: Lot) -> None:
    lot.call("lot auto in 1 1", "valet_announce_slot=false").channel.hangup()
    lot.wait(11)
    lot.call("lot auto in 1 1", "valet_announce_slot=false")
    assert lot.taken() == ["1"]


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [("", 60), (",valet_parking_timeout=5", 5)],
)
def test_the_orbit_takes_who_waited_too_long(lot: Lot, variables: str, seconds: int) -> None:
    orbit = "valet_parking_orbit_exten=park,valet_parking_orbit_dialplan=inline"
    session = lot.call("lot 1", orbit + variables)
    lot.wait(seconds - 1)
    assert lot.taken() == ["1"]
    lot.wait(2)
    assert lot.taken() == []
    assert was_sent_away(session)


def test_keys_end_the_stay(lot: Lot) -> None:
    session = lot.call("lot 1")
    lot.press(session, "5")
    assert lot.taken() == ["1"]
    lot.press(session, "#")
    assert lot.taken() == [] and Flag.PARK in session.channel.flags
    orbit = (
        "valet_parking_orbit_exten=park,valet_parking_orbit_dialplan=inline,valet_parking_orbit_exit_key=5"
    )
    session = lot.call("lot 2", orbit)
    lot.press(session, "5")
    assert was_sent_away(session)


def test_the_caller_is_asked_for_the_extension(lot: Lot) -> None:
    session = lot.call("lot ask 2 4 3000 silence_stream://1000")
    for digit in "41#":
        lot.press(session, digit)
    assert lot.taken() == ["41"]


def test_a_leg_parks_the_one_it_is_bridged_with(lot: Lot) -> None:
    made = [lot.switch.api("originate", "null/leg &park()")[4:].strip() for _ in range(2)]
    lot.switch.api("uuid_bridge", " ".join(made))
    lot.wait(1)
    lot.switch.api("uuid_broadcast", f"{made[0]} valet_park::lot\\sauto\\sin\\s5\\s9 aleg")
    lot.wait(6)
    assert lot.taken() == ["5"]
    assert lot.switch.find_session(made[0]) is None
    assert lot.events[-1].get_header("Unique-ID") == made[1]


@pytest.mark.parametrize("data", ["", "lot", "lot auto in 1", "lot auto over 1 2"])
def test_wrong_words_do_nothing(lot: Lot, data: str) -> None:
    assert Flag.PARK in lot.call(data).channel.flags
    assert not lot.events


def test_presence_of_lots_and_slots(lot: Lot) -> None:
    told: list[Event] = []
    lot.switch.bus.subscribe(told.append, ("PRESENCE_IN",))
    session = lot.call("lot@x 1")
    for asked in ("lot@x", "1@x", "2@x"):
        probe = lot.switch.new_event("PRESENCE_PROBE")
        probe.add_header("to", f"park+{asked}")
        lot.switch.fire(probe)
    session.channel.hangup()
    lot.wait(0.2)
    assert [event.get_header("force-status") for event in told] == [
        "Active (1 caller)",
        "Holding",
        "Active (1 caller)",
        "Holding",
        "Empty",
        "Empty",
        "Empty",
    ]
