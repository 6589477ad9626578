"""REGISTER and what becomes of registrations: answers, how long and how many, events, the core's list."""

from __future__ import annotations

import pytest

from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from tests.host.modules.mod_sofia.registrar_fakes import (
    FakeProfile,
    Make,
    Phone,
    contacts,
    listen,
    log_of,
    named,
)


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
