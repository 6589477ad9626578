from __future__ import annotations

import dataclasses
from functools import reduce

import pytest

from host.sdp.agreement import Refusal
from host.sdp.audio_match import Negotiation
from host.sdp.codec_choice import choose
from host.sdp.description import parse
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.media_security import parse_secure_media
from host.sdp.offer_answer import Answer, accept_answer, make_answer
from media.srtp_keys import SUITES, InlineKey
from tests.host.sdp.answer_case import Case
from tests.host.sdp.answer_cases import CASES
from tests.host.sdp.every_codec import every_codec


def fixed_key(suite: str) -> InlineKey:
    return InlineKey(bytes(range(sum(SUITES[suite]))))


def local_of(case: Case) -> LocalMedia:
    local = LocalMedia(
        address="203.0.113.5",
        port=20000,
        codecs=choose(case.codecs, every_codec()),
        session_id=1_700_000_000,
        negotiation=Negotiation(case.negotiation),
        security=parse_secure_media(case.secure, inbound=True),
    )
    return dataclasses.replace(local, **case.local)


def answer(case: Case) -> Answer | Refusal:
    return make_answer(parse(case.offer), local_of(case), keys=fixed_key)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    answered = answer(case)
    if case.refused:
        assert isinstance(answered, Refusal), case.why
        assert case.refused in answered.reason
        assert (answered.code, answered.cause) == (488, "INCOMPATIBLE_DESTINATION")
        return
    assert isinstance(answered, Answer), (case.why, answered)
    lines = answered.description.serialize().split("\r\n")
    if case.m:
        assert [line for line in lines if line.startswith("m=")] == list(case.m), case.why
    assert [line for line in case.has if line not in lines] == [], case.why
    assert [line for line in case.lacks if line in lines] == [], case.why
    for path, wanted in case.agreed.items():
        assert reduce(getattr, path.split("."), answered.agreement) == wanted, (case.why, path)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.refused])
def test_answer_fits_its_offer(name: str) -> None:
    """The offerer, had it our own rules, would take each answer and come to the same terms."""
    case = CASES[name]
    offer = parse(case.offer)
    answered = answer(case)
    assert isinstance(answered, Answer)
    assert len(answered.description.media) == len(offer.media)
    assert parse(answered.description.serialize()) == answered.description
    offerer = local_of(case)
    terms = accept_answer(offer, parse(answered.description.serialize()), offerer)
    assert not isinstance(terms, Refusal)
    agreed = answered.agreement
    assert terms.codec == agreed.codec
    assert terms.payload_type == terms.payload_type_receive == agreed.payload_type
    assert terms.ptime_ms == agreed.ptime_ms
    assert terms.telephone_event == agreed.telephone_event
    assert terms.direction == agreed.direction.reverse
    assert terms.rtcp_mux == agreed.rtcp_mux
    assert (terms.srtp is None) == (agreed.srtp is None)


def test_table_is_large_and_explained() -> None:
    assert len(CASES) >= 60
    assert all(
        case.why and (case.refused or case.m or case.has or case.agreed or case.lacks)
        for case in CASES.values()
    )


def test_directions() -> None:
    assert Direction.SENDONLY.reverse is Direction.RECVONLY
    assert Direction.SENDRECV.within(Direction.RECVONLY) is Direction.RECVONLY
    assert Direction.SENDONLY.within(Direction.RECVONLY) is Direction.INACTIVE
