"""REGISTER and what becomes of registrations: answers, contacts, events, the core's list, pings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from host.modules.mod_sofia.message import Message, OutgoingRequest, Source
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.registration.contact_route import towards
from host.modules.mod_sofia.transport.message_guard import parse
from host.switch import Switch
from tests.host.modules.mod_sofia.registrar_fakes import (
    DIRECTORY,
    HASH,
    FakeProfile,
    FakeSofia,
    Phone,
    listen,
    log_of,
    named,
)

Make = Callable[..., FakeProfile]

MORE = """
<user id="forced"><params><param name="password" value="secret"/></params><variables>
  <variable name="sip-force-contact" value="%s"/></variables></user>
<user id="timed"><params><param name="password" value="secret"/></params><variables>
  <variable name="%s" value="120"/></variables></user>
<user id="other"><params><param name="password" value="secret"/></params><variables>
  <variable name="sip-force-user" value="1234"/><variable name="registration_metadata" value="m"/>
  <variable name="mwi-account" value="box@vm.example.com"/></variables></user>
<user id="single"><params><param name="password" value="secret"/></params><variables>
  <variable name="sip-allow-multiple-registrations" value="false"/></variables></user>
<user id="pinged"><params><param name="password" value="secret"/></params><variables>
  <variable name="force_ping" value="true"/></variables></user>
"""


@pytest.fixture
def make(virtual_switch: Switch) -> Make:
    """Make a profile `internal` with these settings and a user `forced` and `timed` with these variables."""

    def profile(*, force: str = "x", timed: str = "x", **settings: object) -> FakeProfile:
        more = MORE % (force, timed)
        virtual_switch.xml.load_text(DIRECTORY % {"hash": HASH, "more": more})
        given = {"name": "internal", **settings}
        return FakeProfile(FakeSofia(virtual_switch), ProfileSettings(**given))  # type: ignore[arg-type]

    return profile


def contacts(profile: FakeProfile, user: str = "1000") -> list[str]:
    """Return the contacts kept of a user."""
    return [one.contact for one in profile.registrar.registrations.find(user)]


def test_a_registration_from_beginning_to_end(make: Make) -> None:
    profile = make()
    events = listen(profile.switch)
    profile.registrar.start()
    phone = Phone(profile)
    answer = phone.register()
    assert answer.code == 200
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:5062>;expires=3600"]
    assert answer.one("Date").endswith(" GMT")
    (binding,) = profile.registrar.registrations.find("1000", "example.com")
    now = profile.switch.clock.time() // 1_000_000
    assert binding.contact == '"1000" <sip:1000@10.0.0.1:5062>'
    assert (binding.status, binding.expires, binding.user_agent) == (
        "Registered(UDP)",
        now + 3660,
        "Phone 1.0",
    )
    assert (binding.network_ip, binding.network_port) == ("10.0.0.1", "5062")
    assert (binding.sip_username, binding.sip_realm, binding.mwi_user) == ("1000", "example.com", "1000")
    came = named(events, "register")[0]
    for name, value in {
        "profile-name": "internal",
        "from-user": "1000",
        "from-host": "example.com",
        "presence-hosts": "n/a",
        "contact": binding.contact,
        "call-id": "call-1",
        "rpid": "unknown",
        "status": "Registered(UDP)",
        "expires": "3600",
        "network-ip": "10.0.0.1",
        "network-port": "5062",
        "username": "1000",
        "realm": "example.com",
        "user-agent": "Phone 1.0",
        "toll_allow": "local",
    }.items():
        assert came.get_header(name) == value, name
    listed = list(profile.switch.registrations.values())
    assert [(one.reg_user, one.realm, one.token, one.url) for one in listed] == [
        ("1000", "example.com", "call-1", "sofia/internal/sip:1000@10.0.0.1:5062")
    ]
    assert [event.get_header("Message-Account") for event in events if event.name == "MESSAGE_QUERY"] == [
        "sip:1000@example.com"
    ]
    # It runs out.
    profile.sofia.stack.wait(3600)
    assert contacts(profile)
    profile.sofia.stack.wait(120)
    assert not contacts(profile)
    assert profile.switch.registrations == {}
    gone = named(events, "expire")[0]
    assert [gone.get_header(name) for name in ("user", "host", "contact", "call-id", "expires")] == [
        "1000",
        "example.com",
        binding.contact,
        "call-1",
        str(binding.expires),
    ]
    away = [event for event in events if event.name == "PRESENCE_IN"][-1]
    assert (away.get_header("from"), away.get_header("status")) == ("1000@example.com", "Unregistered")
    profile.registrar.stop()


def test_a_phone_goes_by_itself(make: Make) -> None:
    profile = make()
    events = listen(profile.switch)
    phone = Phone(profile)
    phone.register()
    answer = phone.register(expires=0)
    assert (answer.code, answer.all("Contact")) == (200, [])
    assert not contacts(profile)
    assert profile.switch.registrations == {}
    left = named(events, "unregister")
    assert [left[0].get_header(name) for name in ("from-user", "from-host", "username", "expires")] == [
        "1000",
        "example.com",
        "1000",
        "0",
    ]
    phone.register()
    assert phone.register(contacts=["*"], expires=0).code == 200
    assert not contacts(profile)


@pytest.mark.parametrize(
    "options",
    [
        {"contacts": ["*"], "expires": 60},
        {"contacts": ["*"], "expires": None},
        {"contacts": ["*", "<sip:a@b>"], "expires": 0},
        {"contacts": ["<sip:a@b>"] * 11},
        {"contacts": ["<tel:+123>"]},
        {"contacts": [f"<sip:{'a' * 2000}@b>"]},
    ],
)
def test_contacts_that_do_not_go(make: Make, options: dict[str, object]) -> None:
    profile = make(accept_blind_reg=True)
    Phone(profile).register()
    assert Phone(profile).register(**options).code == 400
    assert contacts(profile) == ['"1000" <sip:1000@10.0.0.1:5062>']


def test_asking_without_changing(make: Make) -> None:
    profile = make()
    phone = Phone(profile)
    phone.register(expires=600)
    answer = phone.register(contacts=[], expires=None)
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:5062>;expires=600"]


def test_expires_of_contacts_and_header(make: Make) -> None:
    profile = make(multiple_registrations="contact")
    phone = Phone(profile)
    listed = ["<sip:1000@10.0.0.1:1>;expires=100;q=0.3, <sip:1000@10.0.0.1:2>"]
    answer = phone.register(contacts=listed, expires=200)
    assert answer.all("Contact") == [
        "<sip:1000@10.0.0.1:1>;expires=100;q=0.3",
        "<sip:1000@10.0.0.1:2>;expires=200",
    ]
    answer = phone.register(contacts=["<sip:1000@10.0.0.1:1>;expires=0"], expires=None)
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:2>;expires=200"]
    answer = phone.register(contacts=["<sip:1000@10.0.0.1:2>"], expires=None)
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:2>;expires=300"]


def test_one_registration_or_several(make: Make) -> None:
    for several, first_kept in (("", False), ("call-id", True), ("contact", True)):
        profile = make(multiple_registrations=several, accept_blind_reg=True)
        Phone(profile).register()
        Phone(profile, call_id="call-2", contact="<sip:1000@10.0.0.2>").register()
        assert len(contacts(profile)) == 1 + first_kept
    profile = make(multiple_registrations="call-id", accept_blind_reg=True)
    Phone(profile).register()
    Phone(profile, contact="<sip:1000@10.0.0.2>").register()
    assert contacts(profile) == ['"1000" <sip:1000@10.0.0.2>']
    profile = make(multiple_registrations="contact", accept_blind_reg=True)
    Phone(profile).register()
    Phone(profile, call_id="call-2").register()
    assert [one.call_id for one in profile.registrar.registrations.find("1000")] == ["call-2"]


def test_another_user_does_not_push_one_out(make: Make) -> None:
    profile = make(multiple_registrations="call-id", accept_blind_reg=True)
    Phone(profile).register()
    Phone(profile, "1001", contact="<sip:1000@10.0.0.1:5062>").register()
    Phone(profile, "1001", contact="<sip:1001@h>").register(expires=0)
    assert len(contacts(profile, "1000")) == 1


def test_a_renewal_is_an_update(make: Make) -> None:
    profile = make(multiple_registrations="contact")
    events = listen(profile.switch)
    phone = Phone(profile)
    phone.register()
    phone.call_id = "call-2"
    phone.register(expires=60)
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.call_id == "call-2"
    assert [event.get_header("update-reg") for event in named(events, "register")] == [None, "true"]
    assert len(profile.switch.registrations) == 1


def test_single_for_one_user(make: Make) -> None:
    profile = make(multiple_registrations="call-id")
    Phone(profile, "single").register()
    Phone(profile, "single", call_id="call-2", contact="<sip:single@10.0.0.2>").register()
    assert contacts(profile, "single") == ['"single" <sip:single@10.0.0.2>']


def test_max_registrations(make: Make) -> None:
    profile = make(multiple_registrations="call-id", max_registrations_per_extension=2)
    assert Phone(profile).register().code == 200
    assert Phone(profile, call_id="call-2", contact="<sip:1000@10.0.0.2>").register().code == 200
    third = Phone(profile, call_id="call-3", contact="<sip:1000@10.0.0.3>")
    assert third.register().code == 403
    assert Phone(profile, call_id="call-2", contact="<sip:1000@10.0.0.2>").register().code == 200
    assert third.register(expires=0).code == 200
    assert Phone(profile, "one", call_id="a").register().code == 200
    assert Phone(profile, "one", call_id="b").register().code == 403


@pytest.mark.parametrize(
    ("variable", "asked", "granted"),
    [
        ("sip-force-expires", 3600, 120),
        ("sip-force-expires-min", 60, 120),
        ("sip-force-expires-min", 300, 300),
        ("sip-force-expires-max", 3600, 120),
        ("sip-force-expires-max", 60, 60),
    ],
)
def test_the_user_decides_how_long(make: Make, variable: str, asked: int, granted: int) -> None:
    answer = Phone(make(timed=variable), "timed").register(expires=asked)
    assert answer.one("Contact").endswith(f";expires={granted}")


def test_the_profile_decides_how_long(make: Make) -> None:
    answer = Phone(make(sip_force_expires=90)).register()
    assert answer.one("Contact").endswith(";expires=90")
    profile = make(sip_expires_max_deviation=50, ndlb_expires_in_register_response=True)
    seconds = {int(Phone(profile).register(expires=1000).one("Expires")) for _ in range(30)}
    assert len(seconds) > 1 and min(seconds) >= 950 and max(seconds) < 1050


def test_a_phone_behind_nat(make: Make) -> None:
    profile = make(aggressive_nat_detection=True, ndlb_received_in_nat_reg_contact=True)
    phone = Phone(profile, source=("192.0.2.7", 40000, "udp"))
    answer = phone.register(expires=None)
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:5062;received=192.0.2.7:40000>;expires=30"]
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.status == "Registered(UDP-NAT)"
    assert binding.contact == (
        '"1000" <sip:1000@10.0.0.1:5062;received=192.0.2.7:40000;fs_nat=yes;'
        "fs_path=sip%3A1000%40192.0.2.7%3A40000>"
    )
    request = towards(binding.contact, OutgoingRequest("OPTIONS", "", "sip:a", "sip:b"))
    assert request.next_hop == Source("192.0.2.7", 40000, "udp")
    assert request.uri == "sip:1000@10.0.0.1:5062"


@pytest.mark.parametrize(
    ("settings", "options", "status"),
    [
        ({}, {"source": ("192.0.2.7", 1, "udp")}, "Registered(UDP)"),
        ({"apply_nat_acl": ("10.0.0.0/8",)}, {}, "Registered(UDP-NAT)"),
        ({"apply_nat_acl": ("10.0.0.0/8",), "local_network_acl": "10.0.0.0/8"}, {}, "Registered(UDP)"),
        (
            {},
            {"source": ("192.0.2.7", 1, "wss"), "contact": "<sip:1000@x.invalid;transport=ws>"},
            "Registered(WSS-NAT)",
        ),
        ({"tcp_always_nat": True}, {"contact": "<sip:1000@10.0.0.1;transport=tcp>"}, "Registered(TCP-NAT)"),
        ({}, {"contact": "<sip:1000@10.0.0.1;transport=tcp>"}, "Registered(TCP)"),
        ({}, {"contact": "<sips:1000@10.0.0.1>"}, "Registered(TLS)"),
    ],
)
def test_statuses(make: Make, settings: dict[str, object], options: dict[str, Any], status: str) -> None:
    profile = make(**settings)
    assert Phone(profile, **options).register().code == 200
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.status == status
    if "WSS" in status:
        assert binding.contact.endswith("fs_path=sip%3A1000%40192.0.2.7%3A1%3Btransport%3Dwss>")


@pytest.mark.parametrize(
    ("force", "contact", "status"),
    [
        (
            "NDLB-connectile-dysfunction",
            '"forced" <sip:forced@192.0.2.7:9;fs_nat=yes>',
            "Registered(AUTO-NAT)",
        ),
        (
            "NDLB-connectile-dysfunction-2.0",
            '"forced" <sip:forced@10.0.0.1:5062;fs_nat=yes;fs_path=sip%3Aforced%40192.0.2.7%3A9>',
            "Registered(AUTO-NAT-2.0)",
        ),
        ("'X' &lt;sip:x@1.2.3.4&gt;", '"X" <sip:x@1.2.3.4>', "Registered(UDP)"),
    ],
)
def test_contacts_that_are_forced(make: Make, force: str, contact: str, status: str) -> None:
    profile = make(force=force)
    Phone(profile, "forced", source=("192.0.2.7", 9, "udp")).register()
    (binding,) = profile.registrar.registrations.find("forced")
    assert (binding.contact, binding.status) == (contact, status)


def test_old_phones_behind_nat(make: Make) -> None:
    profile = make(server_rport_level=2)
    Phone(profile, agent="PolycomSoundPointIP", source=("192.0.2.7", 9, "udp")).register()
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.status == "Registered(AUTO-NAT-2.0)"


def test_paths(make: Make) -> None:
    profile = make()
    answer = Phone(profile).register(extra=["Path: <sip:edge.example.com;lr>, <sip:p2;lr>"])
    assert answer.all("Path") == ["<sip:edge.example.com;lr>", "<sip:p2;lr>"]
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:5062>;expires=3600"]
    request = towards(contacts(profile)[0], OutgoingRequest("OPTIONS", "", "sip:a", "sip:b"))
    assert (request.routes, request.next_hop) == (("<sip:edge.example.com;lr>", "<sip:p2;lr>"), None)


def test_flows_take_each_others_place(make: Make) -> None:
    profile = make(enable_rfc_5626=True, multiple_registrations="contact")
    flow = ';+sip.instance="<urn:uuid:1>";reg-id=1'
    phone = Phone(profile)
    answer = phone.register(contacts=[f"<sip:1000@10.0.0.1:1>{flow}"], extra=["Supported: path, outbound"])
    assert answer.one("Require") == "outbound"
    phone.call_id = "call-2"
    phone.register(contacts=[f"<sip:1000@10.0.0.1:2>{flow}"])
    phone.register(contacts=[f"<sip:1000@10.0.0.1:3>{flow[:-1]}2"])
    assert [one.partition(":")[2] for one in contacts(profile)] == ["1000@10.0.0.1:2>", "1000@10.0.0.1:3>"]


def test_other_names_and_data(make: Make) -> None:
    profile = make(force_register_db_domain="db.example.com", presence_hosts="a.example.com,b.example.com")
    answer = Phone(profile, "other").register()
    assert len(answer.all("Contact")) == 1
    (binding,) = profile.registrar.registrations.find("1234", "db.example.com")
    assert (binding.mwi_user, binding.mwi_host, binding.sub_host) == ("box", "vm.example.com", "example.com")
    assert profile.registrar.registrations.find("1234", "b.example.com") == [binding]
    assert [one.metadata for one in profile.switch.registrations.values()] == ["m"]


def test_lists_and_blindness(make: Make) -> None:
    profile = make(apply_register_acl=("10.0.0.0/8",))
    lines = log_of(profile.switch)
    assert Phone(profile, "unknown").send().code == 200  # type: ignore[union-attr]
    assert Phone(profile, source=("192.0.2.1", 5060, "udp")).send().code == 403  # type: ignore[union-attr]
    assert lines[-1].text == 'IP 192.0.2.1 Rejected by register acl "10.0.0.0/8"'
    assert Phone(make(accept_blind_reg=True), "anyone").send().code == 200  # type: ignore[union-attr]
    assert Phone(make(disable_register=True)).send().code == 403  # type: ignore[union-attr]


def test_presence_is_told_where_wanted(make: Make) -> None:
    profile = make(send_presence_on_register="all")
    events = listen(profile.switch)
    Phone(profile).register()
    Phone(profile).register()
    told = [event for event in events if event.name == "PRESENCE_IN"]
    assert [(event.get_header("from"), event.get_header("status")) for event in told] == [
        ("1000@example.com", "Registered")
    ]
    probing = make(send_presence_on_register="all", presence_probe_on_register=True)
    events = listen(probing.switch)
    Phone(probing).register()
    assert [event.get_header("to") for event in events if event.name == "PRESENCE_PROBE"] == [
        "1000@example.com"
    ]


def test_flushing_and_reboots(make: Make) -> None:
    profile = make()
    events = listen(profile.switch)
    Phone(profile, agent="Yealink T46").register()
    Phone(profile, "hash", call_id="h").register()
    profile.registrar.flush("nobody@example.com")
    assert profile.registrar.registrations.count() == 2
    profile.registrar.check_sync("1000@example.com")
    (notify,) = profile.sent
    assert (notify.method, notify.uri, notify.headers[0]) == (
        "NOTIFY",
        "sip:1000@10.0.0.1:5062",
        ("Event", "check-sync;reboot=true"),
    )
    profile.registrar.flush("h", reboot=True)
    assert [one.sip_user for one in profile.registrar.registrations.all()] == ["1000"]
    assert profile.sent[1].headers[0] == ("Event", "check-sync")
    profile.registrar.flush()
    assert profile.registrar.registrations.count() == 0
    assert [event.get_header("user") for event in named(events, "expire")] == ["hash", "1000"]
    assert profile.switch.registrations == {}


def test_a_closed_connection(make: Make) -> None:
    profile = make(tcp_unreg_on_socket_close=True)
    events = listen(profile.switch)
    Phone(profile, source=("192.0.2.7", 1, "wss"), contact="<sip:1000@x.invalid;transport=ws>").register()
    Phone(profile, "hash", source=("192.0.2.7", 2, "tcp"), contact="<sip:hash@h;transport=tcp>").register()
    profile.registrar.connection_closed("192.0.2.7", 1, "tcp")
    profile.sofia.stack.turn()
    assert profile.registrar.registrations.count() == 2
    profile.registrar.connection_closed("192.0.2.7", 1, "wss")
    profile.registrar.connection_closed("192.0.2.7", 2, "tcp")
    profile.sofia.stack.turn()
    assert profile.registrar.registrations.count() == 0
    assert {event.get_header("reason") for event in named(events, "unregister")} == {"socket-disconnection"}


def respond(request: OutgoingRequest, code: int) -> None:
    """Answer a request that a profile sent."""
    text = (
        f"SIP/2.0 {code} Whatever\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\n"
        f"To: <sip:c@d>;tag=2\r\nCall-ID: {request.call_id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    message: Message = parse(text.encode())
    assert request.on_response is not None
    request.on_response(message)


@pytest.mark.parametrize(
    ("settings", "user", "nat", "pinged"),
    [
        ({}, "1000", True, False),
        ({}, "pinged", False, True),
        ({"nat_options_ping": "true"}, "1000", True, True),
        ({"nat_options_ping": "true"}, "1000", False, False),
        ({"nat_options_ping": "udp-only"}, "1000", True, True),
        ({"all_reg_options_ping": True}, "1000", False, True),
    ],
)
def test_who_is_pinged(make: Make, settings: dict[str, object], user: str, nat: bool, pinged: bool) -> None:
    profile = make(aggressive_nat_detection=True, ping_mean_interval=10, **settings)
    profile.registrar.start()
    Phone(profile, user, source=("192.0.2.7", 9, "udp") if nat else ("10.0.0.1", 5062, "udp")).register()
    profile.sofia.stack.wait(35)
    assert len(profile.sent) == (3 if pinged else 0) or (pinged and len(profile.sent) == 4)
    if pinged:
        ping = profile.sent[0]
        assert (ping.method, ping.to_uri) == ("OPTIONS", f"sip:{user}@example.com")
        assert ping.call_id.endswith("_call-1")
    profile.registrar.stop()


def test_a_phone_that_answers_no_more(make: Make) -> None:
    profile = make(all_reg_options_ping=True, unregister_on_options_fail=True, ping_mean_interval=10)
    events = listen(profile.switch)
    profile.registrar.start()
    Phone(profile).register()
    stack = profile.sofia.stack

    def state() -> tuple[str, int]:
        (binding,) = profile.registrar.registrations.find("1000")
        return binding.ping_status, binding.ping_count

    for code in (200, 486, 408, 408):
        stack.wait(10)
        respond(profile.sent[-1], code)
        stack.turn()
    assert state() == ("Unreachable", 0)
    told = named(events, "sip_user_state")
    assert [(event.get_header("Ping-Status"), event.get_header("Status")) for event in told] == [
        ("UNREACHABLE", "408")
    ]
    stack.wait(31)
    assert not contacts(profile)
    assert named(events, "expire")
    profile.registrar.stop()


def test_a_phone_that_comes_back(make: Make) -> None:
    profile = make(all_reg_options_ping=True, ping_mean_interval=10)
    events = listen(profile.switch)
    profile.registrar.start()
    Phone(profile).register()
    for code in (408, 200, 200):
        profile.sofia.stack.wait(10)
        respond(profile.sent[-1], code)
        profile.sofia.stack.turn()
    states = [event.get_header("Ping-Status") for event in named(events, "sip_user_state")]
    assert states == ["UNREACHABLE", "REACHABLE"]
    profile.registrar.stop()


@pytest.mark.parametrize(
    ("several", "listed"), [("false", ["10.0.0.2"]), ("true", ["10.0.0.1:5062", "10.0.0.2"])]
)
def test_the_core_lists_one_or_several(make: Make, several: str, listed: list[str]) -> None:
    sofia = make().sofia
    sofia.switch.xml.load_text(
        '<document type="freeswitch/xml"><section name="configuration"><configuration name="switch.conf"><settings>'
        f'<param name="multiple-registrations" value="{several}"/></settings></configuration></section></document>'
    )
    one, two = (
        FakeProfile(
            sofia, ProfileSettings(name=name, accept_blind_reg=True, multiple_registrations="call-id")
        )
        for name in ("one", "two")
    )
    Phone(one).register()
    Phone(one, contact="<sip:1000@10.0.0.2>", call_id="call-2").register()
    Phone(one, contact="<sip:1000@10.0.0.2>", call_id="call-3").register()
    Phone(two, "1001").register()
    urls = [entry.url for entry in sofia.switch.registrations.values() if entry.reg_user == "1000"]
    assert urls == [f"sofia/one/sip:1000@{place}" for place in listed]
    two.registrar.stop()
    assert {entry.reg_user for entry in sofia.switch.registrations.values()} == {"1000"}
    one.registrar.stop()
    assert sofia.switch.registrations == {}
