from __future__ import annotations

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media.ice_lite import MAX_PATHS, IceLite, is_stun
from media.webrtc_parameters import IceCredentials, IceParameters

OURS = IceCredentials("ours", "our-password-of-22-letters")
THEIRS = IceCredentials("theirs", "their-password-of-22-letters")
HERE, THERE = ("198.51.100.1", 5000), ("198.51.100.2", 6000)


def check(
    name: str | None = "ours:theirs", password: str = OURS.password, *, chosen: bool = False, **more: int
) -> bytes:
    attributes: dict[str, object] = {} if name is None else {"USERNAME": name}
    attributes |= {"PRIORITY": 1845494271}
    attributes |= {key.replace("_", "-"): value for key, value in (more or {"ICE_CONTROLLING": 7}).items()}
    if chosen:
        attributes["USE-CANDIDATE"] = None
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    request.add_message_integrity(password.encode())
    return bytes(request)


@pytest.fixture
def ice() -> IceLite:
    return IceLite(IceParameters(OURS, THEIRS))


def code_of(ice: IceLite, datagram: bytes) -> int | None:
    answer = ice.receive(datagram, HERE)
    assert answer is not None
    assert not answer.good
    return stun.parse_message(answer.datagram).error_code


def test_a_check_is_answered_with_where_it_came_from(ice: IceLite) -> None:
    request = check()
    assert is_stun(request)
    answer = ice.receive(request, HERE)
    assert answer is not None and answer.good
    reply = stun.parse_message(answer.datagram)
    assert reply.message_class is stun.Class.RESPONSE
    assert reply.transaction_id == stun.parse_message(request).transaction_id
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == HERE
    assert reply.check_message_integrity(OURS.password.encode())
    assert ice.knows(HERE) and not ice.knows(THERE)
    assert (ice.checked, ice.refused) == (1, 0)


def test_the_first_path_serves_until_one_is_chosen(ice: IceLite) -> None:
    ice.receive(check(), HERE)
    ice.receive(check(), THERE)
    assert ice.remote == HERE
    ice.receive(check(chosen=True), THERE)
    assert ice.remote == THERE
    ice.receive(check(), HERE)
    assert ice.remote == THERE


def test_strangers_are_refused(ice: IceLite) -> None:
    assert code_of(ice, check(password="a-guess")) == 401
    assert code_of(ice, check("other:theirs")) == 401
    assert code_of(ice, check("ours:others")) == 401
    assert code_of(ice, check(None)) == 400
    bare = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": "ours:theirs"})
    assert code_of(ice, bytes(bare)) == 400
    assert ice.remote is None and ice.refused == 5


def test_who_is_lite_never_leads(ice: IceLite) -> None:
    assert code_of(ice, check(ICE_CONTROLLED=7)) == 487


def test_before_the_answer_any_name_of_the_far_end_will_do() -> None:
    ice = IceLite(IceParameters(OURS))
    answer = ice.receive(check("ours:anything"), HERE)
    assert answer is not None and answer.good
    ice.change(IceParameters(OURS, THEIRS))
    assert ice.knows(HERE)
    assert code_of(ice, check("ours:anything")) == 401


def test_other_credentials_begin_anew(ice: IceLite) -> None:
    ice.receive(check(chosen=True), HERE)
    again = IceCredentials("again", THEIRS.password)
    ice.change(IceParameters(OURS, again))
    assert not ice.knows(HERE)
    assert ice.remote == HERE  # sound goes on there until there is another path
    ice.receive(check("ours:again", chosen=True), THERE)
    assert ice.remote == THERE


def test_indications_and_answers_are_not_answered(ice: IceLite) -> None:
    for kind in (stun.Class.INDICATION, stun.Class.RESPONSE, stun.Class.ERROR):
        assert ice.receive(bytes(stun.Message(stun.Method.BINDING, kind)), HERE) is None
    assert ice.receive(bytes(stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)), HERE) is None


def test_paths_are_remembered_within_bounds(ice: IceLite) -> None:
    for port in range(1, MAX_PATHS + 2):
        ice.receive(check(), ("198.51.100.3", port))
    assert not ice.knows(("198.51.100.3", 1))
    assert ice.knows(("198.51.100.3", 2)) and ice.knows(("198.51.100.3", MAX_PATHS + 1))


@given(st.binary(max_size=200))
def test_anything_may_come(data: bytes) -> None:
    ice = IceLite(IceParameters(OURS, THEIRS))
    answer = ice.receive(data, HERE)
    assert answer is None or not answer.good


@given(st.data())
def test_broken_checks_are_not_taken(data: st.DataObject) -> None:
    request = bytearray(check())
    place = data.draw(st.integers(0, len(request) - 9))  # before FINGERPRINT, which protects nothing
    request[place] ^= data.draw(st.integers(1, 255))
    ice = IceLite(IceParameters(OURS, THEIRS))
    answer = ice.receive(bytes(request), HERE)
    assert (answer is None or not answer.good) and ice.remote is None
    cut = check()[: data.draw(st.integers(0, len(request) - 1))]
    assert ice.receive(cut, HERE) is None
