"""The store of registrations: memory, SQLite and PostgreSQL, and what dial strings and commands find in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host.clock import RealClock
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.modules.mod_sofia.registration.registration_lookup import (
    registered_contacts,
    sofia_contact,
    sofia_count_reg,
    sofia_username_of,
)
from host.modules.mod_sofia.registration.registrations import Binding, Registrations, registrations_dsn
from host.sql_store import MEMORY, SqlError
from host.switch import Switch
from tests.host.modules.mod_sofia.registrar_fakes import FakeProfile, FakeSofia
from tests.host.private_server import postgres_server


class Later:
    """What is written behind, run when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], object]] = []

    def __call__(self, run: Callable[[], object]) -> None:
        self.jobs.append(run)

    def run(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


def binding(user: str = "1000", contact: str = '"" <sip:1000@10.0.0.1>', **options: object) -> Binding:
    given: dict[str, object] = {
        "call_id": "call-1",
        "sip_user": user,
        "sip_host": "example.com",
        "contact": contact,
        "status": "Registered(UDP)",
        "expires": 4_000_000_000,
        "profile_name": "internal",
        "hostname": "here",
        "sip_username": user,
        "user_agent": "Phone/1",
        **options,
    }
    return Binding(**given)  # type: ignore[arg-type]


@pytest.fixture
def real_switch(tmp_path: Path) -> Iterator[Switch]:
    switch = Switch(RealClock(), tmp_path, media_process=False)
    switch.hostname = "here"
    (tmp_path / "db").mkdir()
    yield switch
    switch.close()


def open_store(switch: Switch, later: Later, profile: str = "internal") -> Registrations:
    return Registrations(switch, profile, registrations_dsn(switch, profile, "", ""), later)


def test_registrations_survive_a_restart(real_switch: Switch, tmp_path: Path) -> None:
    later = Later()
    store = open_store(real_switch, later)
    odd = binding("j\udcff'ö", contact='"\udcfe" <sip:x@h>', ping_count=2, ping_time=1234, force_ping=1)
    store.register([binding()], replacing="user")
    store.register([odd], replacing="user")
    assert len(later.jobs) == 1, "one job writes all that is pending"
    later.run()
    assert not store.shared
    store.close()
    again = open_store(real_switch, later)
    assert sorted(again.all(), key=lambda one: one.call_id + one.sip_user) == [binding(), odd]
    assert again.find("j\udcff'ö", "example.com") == [odd]
    again.remove([odd])
    again.close()  # writes what was not written yet
    connection = sqlite3.connect(tmp_path / "db" / "sofia_reg_internal.db")
    assert connection.execute("select sip_user, expires, ping_count from sip_registrations").fetchall() == [
        ("1000", 4_000_000_000, 0)
    ]
    connection.close()
    other = open_store(real_switch, later, "external")
    assert other.count() == 0
    other.close()


def test_what_changes_is_written(real_switch: Switch, tmp_path: Path) -> None:
    later = Later()
    store = open_store(real_switch, later)
    first = binding()
    store.register([first], replacing="user")
    changed = binding(ping_status="Unreachable", ping_time=5)
    store.change(first, changed)
    store.change(first, first)
    gone = binding("gone")
    store.change(gone, binding("gone", ping_time=5))
    later.run()
    assert store.all() == [changed]
    store.close()
    again = open_store(real_switch, later)
    assert again.all() == [changed]
    again.close()


def test_a_database_that_fails_costs_no_registration(real_switch: Switch) -> None:
    later = Later()
    store = open_store(real_switch, later)
    store._store.close()
    store.register([binding()], replacing="user")
    later.run()
    assert store.count() == 1
    with pytest.raises(SqlError):
        registrations_dsn(real_switch, "internal", "mysql://x", "")


def test_where_registrations_lie(real_switch: Switch, virtual_switch: Switch, tmp_path: Path) -> None:
    assert registrations_dsn(virtual_switch, "internal", "", "") == MEMORY
    assert registrations_dsn(real_switch, "internal", "", "x") == str(tmp_path / "db" / "x.db")
    assert registrations_dsn(real_switch, "internal", "", "/a/b.db") == "/a/b.db"
    assert registrations_dsn(real_switch, "internal", "pgsql://h", "") == "pgsql://h"
    core = '<param name="core-db-dsn" value="pgsql://core"/>'
    real_switch.xml.load_text(
        '<document type="freeswitch/xml"><section name="configuration"><configuration name="switch.conf">'
        f"<settings>{core}</settings></configuration></section></document>"
    )
    assert registrations_dsn(real_switch, "internal", "", "") == "pgsql://core"


def test_many_are_found_quickly(real_switch: Switch) -> None:
    store = Registrations(real_switch, "internal", MEMORY, lambda run: None)
    for n in range(5000):
        store.register([binding(str(n), contact=f"<sip:{n}@h>", call_id=str(n))], replacing="user")
    assert store.count() == 5000
    began = time.thread_time()
    for n in range(5000):
        assert len(store.find(str(n), "example.com")) == 1
    assert time.thread_time() - began < 1.0, "a look-up may not go through all of them"
    assert len(store.expire(4_000_000_001)) == 5000
    assert store.count() == 0


@pytest.fixture
def sofia(virtual_switch: Switch) -> FakeSofia:
    made = FakeSofia(virtual_switch)
    internal = FakeProfile(made, ProfileSettings(name="internal", aliases=("example.com",)))
    external = FakeProfile(made, ProfileSettings(name="external", domain="ext.example.com"))
    several = "contact"
    internal.registrar.registrations.register(
        [
            binding(contact='"" <sip:1000@10.0.0.1;fs_nat=yes;fs_path=sip%3A1000%401.2.3.4%3A5>'),
            binding(
                contact="<sips:1000@10.0.0.2;transport=tls>", user_agent="Yealink T46", sip_username="login"
            ),
        ],
        replacing=several,
    )
    internal.registrar.registrations.register(
        [binding("1001", contact="<sip:1001@h>", presence_hosts="p.example.com,q.example.com")],
        replacing=several,
    )
    external.registrar.registrations.register(
        [
            binding("1000", contact="<sip:1000@out>", profile_name="external", sip_host="ext.example.com"),
            binding("1001", contact="<sip:1001@h>", profile_name="external"),
        ],
        replacing=several,
    )
    return made


NAT = "sofia/internal/sip:1000@10.0.0.1;fs_nat=yes;fs_path=sip%3A1000%401.2.3.4%3A5"
TLS = "sofia/internal/sip:1000@10.0.0.2;transport=tls"
NONE = "error/user_not_registered"


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("1000@example.com", f"{NAT},{TLS}"),
        ("*/1000@example.com", f"{NAT},{TLS}"),
        ("internal/1000@example.com", f"{NAT},{TLS}"),
        ("internal/1000@example.com/[x=1]", f"[x=1]{NAT},[x=1]{TLS}"),
        ("1000@example.com~yealink", TLS),
        ("*/1000@example.com~snom", NONE),
        ("*/1001@example.com", "sofia/internal/sip:1001@h,sofia/external/sip:1001@h"),
        ("1001@p.example.com", "sofia/internal/sip:1001@h"),
        ("external/1000@anything", "sofia/external/sip:1000@out"),
        ("*/1000@ext.example.com", "sofia/external/sip:1000@out"),
        ("nosuch/1000@nosuch.com", NONE),
        ("1002@example.com", NONE),
        ("1000", NONE),
        ("", NONE),
        ("*/", NONE),
    ],
)
def test_sofia_contact(sofia: FakeSofia, argument: str, reply: str) -> None:
    assert sofia_contact(sofia, argument) == reply


def test_sofia_contact_takes_the_channels_wishes(sofia: FakeSofia) -> None:
    assert sofia_contact(sofia, "1000@example.com", exclude_contact="10.0.0.1") == TLS
    assert sofia_contact(sofia, "1000@example.com", match_user_agent="phone/") == NAT
    assert sofia_contact(sofia, "1000", default_domain="example.com") == f"{NAT},{TLS}"
    assert registered_contacts(sofia.profiles["internal"], "1001", "q.example.com") == ["<sip:1001@h>"]


@pytest.mark.parametrize(
    ("argument", "count", "login"),
    [
        ("1000@example.com", "2", "login"),
        ("internal/1000@example.com", "2", "login"),
        ("internal/1001@q.example.com", "1", "1001"),
        ("internal/@example.com", "3", ""),
        ("internal/1002@example.com", "0", ""),
        ("nosuch/1000@nosuch.com", "-1", ""),
        ("1000", "-1", ""),
        ("", "-1", ""),
    ],
)
def test_counts_and_logins(sofia: FakeSofia, argument: str, count: str, login: str) -> None:
    assert sofia_count_reg(sofia, argument) == count
    assert sofia_username_of(sofia, argument) == login


@pytest.fixture(scope="module")
def postgres_dsn() -> Iterator[str]:
    with postgres_server() as dsn:
        yield dsn


def test_hosts_share_what_is_registered(real_switch: Switch, tmp_path: Path, postgres_dsn: str) -> None:
    there = Switch(RealClock(), tmp_path / "there", media_process=False)
    there.hostname = "there"
    later = Later()
    one = Registrations(real_switch, "internal", postgres_dsn, later)
    two = Registrations(there, "internal", postgres_dsn, later)
    assert one.shared
    mine = binding("Anna", contact="<sip:anna@h1>", ping_count=1)
    one.register([mine], replacing="user")
    assert two.find("Anna", "example.com") == [mine]
    assert two.find("anna") == []
    assert two.find("anna", any_case=True) == [mine]
    assert two.own() == []
    # The phone comes back to the other host.
    moved = binding("Anna", contact="<sip:anna@h2>", hostname="there", call_id="call-2")
    assert two.register([moved], replacing="user") == (False, [mine])
    assert one.all() == [moved]
    second = binding("Anna", contact="<sip:anna@h3>", call_id="call-3")
    one.register([second], replacing="call-id")
    assert two.count() == 2
    updated, gone = one.register(
        [binding("Anna", contact="<sip:anna@h3>", call_id="c")], replacing="call-id", renewed=True
    )
    assert updated and gone == []
    assert sorted(b.call_id for b in two.find("Anna")) == ["c", "call-2"]
    changed = binding("Anna", contact="<sip:anna@h3>", call_id="c", ping_status="Unreachable")
    one.change(binding("Anna", contact="<sip:anna@h3>", call_id="c"), changed)
    assert changed in two.all()
    # Each host ends its own; what a dead one left is found no more, and goes in the end.
    now = real_switch.clock.time() // 1_000_000
    old = binding("Old", contact="<sip:old@h>", hostname="there", expires=now - 10)
    two.register([old], replacing="user")
    assert one.find("Old") == []
    assert one.expire(now) == []
    assert two.count() == 3
    one.expire(now + 3600)
    assert two.count() == 2
    assert two.expire(4_000_000_000) == [moved]
    assert one.named("example.com") == [changed]
    with pytest.raises(SqlError):
        one.register([binding("\udcff")], replacing="user")
    one.remove(one.all())
    one.close()
    two.close()
    there.close()
    assert later.jobs == []
