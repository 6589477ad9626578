"""Where SIP URIs lead: the order of hops, what is kept, and real questions to a name server on loopback."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_sofia.command.dig_report import USAGE, dig_report
from host.modules.mod_sofia.message import Source, parse_uri
from host.modules.mod_sofia.transport.dns_records import (
    MAX_ENTRIES,
    Answer,
    CachedLookup,
    LookupFailed,
    NaptrRecord,
    RecordCache,
    SrvRecord,
    dns_query,
)
from host.modules.mod_sofia.transport.resolver import NoRoute, Resolver, Ways, hops, numeric_hop, srv_order
from tests.host.modules.mod_sofia.name_server import NameServer, name_server


class Zone:
    """A look-up over what a test says, in the text of records; names in `broken` fail."""

    def __init__(
        self, records: Mapping[str, Sequence[tuple[object, ...]]], broken: Sequence[str] = ()
    ) -> None:
        self._records = records
        self._broken = broken
        self.asked: list[str] = []

    def _rows(self, kind: str, name: str) -> Sequence[tuple[object, ...]]:
        key = f"{kind} {name}"
        self.asked.append(key)
        if key in self._broken:
            raise LookupFailed(f"{name}: no answer")
        return self._records.get(key, ())

    def naptr(self, name: str) -> tuple[NaptrRecord, ...]:
        return tuple(NaptrRecord(*row) for row in self._rows("NAPTR", name))  # type: ignore[arg-type]

    def srv(self, name: str) -> tuple[SrvRecord, ...]:
        return tuple(SrvRecord(*row) for row in self._rows("SRV", name))  # type: ignore[arg-type]

    def addresses(self, name: str, family: str) -> tuple[str, ...]:
        return tuple(str(row[0]) for row in self._rows("AAAA" if family == "6" else "A", name))


ZONE: dict[str, Sequence[tuple[object, ...]]] = {
    "NAPTR full.test": [
        (20, 10, "s", "SIP+D2T", "_sip._tcp.other.test"),
        (10, 50, "s", "SIP+D2U", "_sip._udp.full.test"),
        (10, 20, "S", "sips+d2t", "_sips._tcp.full.test"),
        (10, 10, "s", "SIP+D2S", "_sip._sctp.full.test"),
        (5, 10, "u", "E2U+sip", ""),
        (10, 60, "a", "SIP+D2T", "plain.full.test"),
    ],
    "SRV _sip._udp.full.test": [(10, 0, 5062, "b.full.test"), (5, 0, 5061, "a.full.test")],
    "SRV _sips._tcp.full.test": [(1, 1, 5071, "a.full.test")],
    "A a.full.test": [("192.0.2.1",)],
    "AAAA a.full.test": [("2001:db8::1",)],
    "A b.full.test": [("192.0.2.2",), ("192.0.2.3",)],
    "A plain.full.test": [("192.0.2.9",)],
    "SRV _sip._udp.srv.test": [(1, 1, 5080, "a.full.test")],
    "SRV _sip._tcp.srv.test": [(1, 1, 5081, "a.full.test")],
    "A srv.test": [("192.0.2.77",)],
    "A host.test": [("192.0.2.50",)],
    "SRV _sip._udp.away.test": [(0, 0, 5060, "")],
    "SRV _sip._udp.numeric.test": [(0, 0, 5060, "192.0.2.60")],
}


def first(_bound: int) -> int:
    return 0


def found(uri: str, ways: Ways | None = None) -> list[str]:
    listed = hops(uri, Zone(ZONE), ways, first)
    return [f"{hop.transport} {hop.ip} {hop.port}" for hop in listed]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:bob@192.0.2.4", Source("192.0.2.4", 5060, "udp")),
        ("sips:bob@192.0.2.4", Source("192.0.2.4", 5061, "tls")),
        ("sip:192.0.2.4:5070;transport=TCP", Source("192.0.2.4", 5070, "tcp")),
        ("sips:192.0.2.4;transport=tcp", Source("192.0.2.4", 5061, "tls")),
        ("sip:[2001:db8::4]:5070", Source("2001:db8::4", 5070, "udp")),
        ('"Bob" <sip:bob@192.0.2.4;transport=ws>;tag=1', Source("192.0.2.4", 80, "ws")),
        ("sip:bob@example.test;maddr=192.0.2.5", Source("192.0.2.5", 5060, "udp")),
        ("sip:bob@example.test", None),
    ],
)
def test_a_numeric_address_needs_no_search(uri: str, expected: Source | None) -> None:
    assert numeric_hop(uri) == expected


def test_naptr_chooses_transports_of_the_lowest_order_that_we_speak() -> None:
    assert found("sip:bob@full.test") == [
        "tls 192.0.2.1 5071",
        "tls 2001:db8::1 5071",
        "udp 192.0.2.1 5061",
        "udp 2001:db8::1 5061",
        "udp 192.0.2.2 5062",
        "udp 192.0.2.3 5062",
        "tcp 192.0.2.9 5060",
    ]


def test_sips_stays_secure() -> None:
    assert found("sips:bob@full.test") == ["tls 192.0.2.1 5071", "tls 2001:db8::1 5071"]


def test_a_profile_s_ways_narrow_the_search() -> None:
    only_udp = Ways(transports=("udp",), families=("4",))
    assert found("sip:full.test", only_udp) == [
        "udp 192.0.2.1 5061",
        "udp 192.0.2.2 5062",
        "udp 192.0.2.3 5062",
    ]
    assert found("sip:srv.test", Ways(srv=False, naptr=False)) == ["udp 192.0.2.77 5060"]


def test_srv_records_are_asked_for_without_naptr_in_the_order_of_transports() -> None:
    assert found("sip:srv.test", Ways(families=("4",))) == ["udp 192.0.2.1 5080", "tcp 192.0.2.1 5081"]
    assert found("sip:srv.test;transport=tcp", Ways(families=("4",))) == ["tcp 192.0.2.1 5081"]


def test_a_port_means_the_host_itself() -> None:
    zone = Zone(ZONE)
    assert hops("sip:srv.test:5099", zone) == [Source("192.0.2.77", 5099, "udp")]
    assert zone.asked == ["A srv.test", "AAAA srv.test"]


def test_a_host_without_services_is_reached_at_the_default_port() -> None:
    assert found("sip:host.test") == ["udp 192.0.2.50 5060"]
    assert found("sips:host.test") == ["tls 192.0.2.50 5061"]
    assert found("sip:numeric.test") == ["udp 192.0.2.60 5060"]


@pytest.mark.parametrize(
    "uri", ["sip:nowhere.test", "sip:away.test", "tel:123", "nonsense:", "sip:x:99999", ""]
)
def test_what_leads_nowhere_says_so(uri: str) -> None:
    with pytest.raises(NoRoute):
        hops(uri, Zone(ZONE))


def test_what_fails_leaves_the_rest_and_is_named_when_nothing_is_left() -> None:
    zone = Zone(ZONE, broken=("NAPTR full.test", "SRV _sips._tcp.full.test"))
    assert hops("sip:full.test", zone, Ways(families=("4",)), first)[0] == Source("192.0.2.1", 5061, "udp")
    with pytest.raises(NoRoute, match=r"host\.test: no answer"):
        hops("sip:host.test", Zone({}, broken=("A host.test",)))


def test_weights_share_the_load() -> None:
    records = [SrvRecord(1, 75, 1, "a"), SrvRecord(1, 25, 2, "b"), SrvRecord(0, 0, 3, "c")]
    rng = random.Random(1)
    orders = [[record.target for record in srv_order(records, rng.randrange)] for _ in range(2000)]
    assert all(order[0] == "c" for order in orders)
    assert 0.7 < sum(order[1] == "a" for order in orders) / 2000 < 0.8


@given(
    st.lists(st.builds(SrvRecord, st.integers(0, 3), st.integers(0, 65535), st.just(1), st.text(max_size=2)))
)
def test_every_record_is_tried_once_and_priorities_are_kept(records: list[SrvRecord]) -> None:
    ordered = srv_order(records, random.Random(0).randrange)
    assert sorted(ordered) == sorted(records)
    assert [record.priority for record in ordered] == sorted(record.priority for record in records)


@given(st.text())
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    try:
        hops(text, Zone({}))
        hops(f"sip:{text}", Zone({}))
    except NoRoute:
        pass


# What is kept.


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def no_hosts(tmp_path: Path) -> str:
    return str(tmp_path / "none")


def test_answers_are_kept_for_their_time_and_failures_briefly(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []
    answers: dict[str, Answer | None] = {
        "a.test": Answer((("192.0.2.1",),), 30.0), "none.test": Answer((), 40.0), "broken.test": None,
    }  # fmt: skip

    def query(name: str, kind: str) -> Answer:
        asked.append((name, kind))
        answer = answers[name]
        if answer is None:
            raise LookupFailed("no answer")
        return answer

    now = Clock()
    lookup = CachedLookup(RecordCache(query, now, hosts_file=no_hosts(tmp_path)))
    for seconds in (0.0, 29.0):
        now.seconds = seconds
        assert lookup.addresses("A.test.", "4") == ("192.0.2.1",)
        assert lookup.addresses("none.test", "4") == ()
    assert asked == [("a.test", "A"), ("none.test", "A")]
    now.seconds = 31.0
    lookup.addresses("a.test", "4")
    lookup.addresses("none.test", "4")
    assert asked[2:] == [("a.test", "A")]
    for _ in range(2):
        with pytest.raises(LookupFailed):
            lookup.addresses("broken.test", "4")
    assert asked[3:] == [("broken.test", "A")]
    now.seconds = 37.0
    with pytest.raises(LookupFailed):
        lookup.addresses("broken.test", "4")
    assert len(asked) == 5


def test_what_is_kept_has_an_end(tmp_path: Path) -> None:
    now = Clock()
    cache = RecordCache(lambda name, kind: Answer((), 100.0), now, hosts_file=no_hosts(tmp_path))
    for number in range(MAX_ENTRIES + 10):
        cache.ask(f"{number}.test", "A", may_block=True)
    assert 0 < len(cache) <= MAX_ENTRIES
    cache.forget()
    assert len(cache) == 0


def test_the_machine_s_hosts_come_first(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n192.0.2.8 pbx.test pbx # ours\n2001:db8::8 pbx\n")

    def query(name: str, kind: str) -> Answer:
        raise AssertionError(name)

    lookup = CachedLookup(RecordCache(query, Clock(), hosts_file=str(hosts)))
    assert lookup.addresses("PBX", "4") == ("192.0.2.8",)
    assert lookup.addresses("pbx", "6") == ("2001:db8::8",)


class Thread:
    """The SIP thread and the workers of a test: what was handed on waits until it is run."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def __call__(self, run: Callable[[], None]) -> None:
        self.jobs.append(run)

    def run(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()


def test_the_sip_thread_waits_for_no_search(tmp_path: Path) -> None:
    asked: list[str] = []

    def query(name: str, kind: str) -> Answer:
        asked.append(f"{kind} {name}")
        return Answer((("192.0.2.1",),) if kind == "A" else (), 30.0)

    workers, thread = Thread(), Thread()
    logged: list[str] = []
    cache = RecordCache(query, Clock(), hosts_file=no_hosts(tmp_path))
    resolver = Resolver(cache, work=workers, call=thread, log=logged.append)
    told: list[Sequence[Source]] = []
    resolver.resolve("sip:192.0.2.3", told.append)
    assert told == [[Source("192.0.2.3", 5060, "udp")]]
    resolver.resolve("sip:a.test", told.append)
    resolver.resolve(parse_uri("sip:bob@a.test"), told.append)
    assert len(workers.jobs) == 1 and len(told) == 1 and not asked
    workers.run()
    assert len(told) == 1
    thread.run()
    hop = [Source("192.0.2.1", 5060, "udp")]
    assert told[1:] == [hop, hop]
    resolver.resolve("sip:a.test", told.append)
    assert told[3:] == [hop] and not workers.jobs
    resolver.resolve("sips:", told.append)
    assert told[4:] == [[]] and logged


# Real questions.


@pytest.fixture
def server() -> Iterator[NameServer]:
    zone = {
        ("example.test", "NAPTR"): ['10 10 "s" "SIP+D2U" "" _sip._udp.example.test.'],
        ("_sip._udp.example.test", "SRV"): ["10 60 5062 one.example.test.", "20 0 5063 two.example.test."],
        ("one.example.test", "A"): ["192.0.2.1"],
        ("two.example.test", "A"): ["192.0.2.2"],
        ("two.example.test", "AAAA"): ["2001:db8::2"],
        ("off.example.test", "SRV"): ["0 0 0 ."],
    }
    with name_server(zone) as running:
        yield running


def real_lookup(server: NameServer, tmp_path: Path, seconds: float = 2.0) -> CachedLookup:
    query = dns_query(server.address, seconds=seconds)
    return CachedLookup(RecordCache(query, Clock(), hosts_file=no_hosts(tmp_path)))


def test_a_domain_is_found_through_a_name_server(server: NameServer, tmp_path: Path) -> None:
    lookup = real_lookup(server, tmp_path)
    expected = [
        Source("192.0.2.1", 5062, "udp"), Source("192.0.2.2", 5063, "udp"), Source("2001:db8::2", 5063, "udp"),
    ]  # fmt: skip
    assert hops("sip:bob@example.test", lookup) == expected
    questions = len(server.asked)
    assert hops("sip:alice@example.test", lookup) == expected
    assert len(server.asked) == questions
    assert lookup.srv("off.example.test") == (SrvRecord(0, 0, 0, ""),)


def test_what_is_not_there_is_kept_as_long_as_the_zone_says(server: NameServer) -> None:
    query = dns_query(server.address, seconds=2.0)
    assert query("nobody.example.test", "A") == Answer((), 40.0)
    assert query("one.example.test", "AAAA") == Answer((), 40.0)
    assert query("one.example.test", "A") == Answer((("192.0.2.1",),), 30.0)


def test_servers_that_fail_or_are_silent_are_failures(server: NameServer) -> None:
    server.rcode = dns.rcode.SERVFAIL
    with pytest.raises(LookupFailed):
        dns_query(server.address, seconds=0.5)("one.example.test", "A")
    server.rcode, server.drops = None, 100
    with pytest.raises(LookupFailed):
        dns_query(server.address, seconds=0.3)("two.example.test", "A")
    with pytest.raises(LookupFailed):
        dns_query(server.address)("a" * 300, "A")


# sofia_dig.

HEAD = f"{'Preference':>10}\t{'Weight':>10}\t{'Transport':>10}\t{'Port':>10}\t{'Address':>10}\n{'=' * 80}\n"


def row(preference: int, weight: str, transport: str, port: int, address: str) -> str:
    return f"{preference:>10}\t{weight:>10}\t{transport:>10}\t{port:>10}\t{address:>10}\n"


def test_dig_shows_services_addresses_and_what_is_not_there() -> None:
    assert dig_report("sip:srv.test", Zone(ZONE)) == HEAD + "".join(
        (
            row(1, "0.250", "udp", 5080, "2001:db8::1"),
            row(1, "0.250", "udp", 5080, "192.0.2.1"),
            row(2, "0.250", "tcp", 5081, "2001:db8::1"),
            row(2, "0.250", "tcp", 5081, "192.0.2.1"),
        )
    )
    assert dig_report("-4 --udp sip:full.test", Zone(ZONE)) == HEAD + "".join(
        (
            row(1, "0.000", "udp", 5061, "192.0.2.1"),
            row(2, "0.000", "udp", 5062, "192.0.2.2"),
            row(2, "0.000", "udp", 5062, "192.0.2.3"),
        )
    )
    assert dig_report("sip:192.0.2.1", Zone({})) == HEAD + "".join(
        (row(1, "1.000", "udp", 5060, "192.0.2.1"), row(2, "1.000", "tcp", 5060, "192.0.2.1"))
    )
    assert dig_report("sip:nowhere.test", Zone({})) == f"{HEAD}-ERR: sip:nowhere.test: not found\n"
    assert dig_report("sip:host.test", Zone(ZONE)) == HEAD + "".join(
        (row(1, "0.500", "udp", 5060, "192.0.2.50"), row(1, "0.500", "tcp", 5060, "192.0.2.50"))
    )


def test_dig_writes_xml_and_says_how_it_is_used() -> None:
    assert dig_report("xml sips:192.0.2.1", Zone({})) == (
        "<routes>\n <route>\n  <preference>1</preference>\n  <weight>1.000</weight>\n  <transport>tls</transport>\n"
        "  <port>5061</port>\n  <address>192.0.2.1</address>\n </route>\n</routes>\n"
    )
    for wrong in ("", "--help", "-x sip:a", "-p"):
        assert dig_report(wrong, Zone({})) == USAGE
    assert dig_report("-4", Zone({})) == HEAD + USAGE
    logged: list[str] = []
    assert dig_report("-p pigeon sip:a", Zone({}), logged.append) == "" and "pigeon" in logged[0]
