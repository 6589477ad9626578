"""How long a leg may go without a packet: which variable holds before which, and what a hold does to it."""

from __future__ import annotations

import dataclasses

import pytest

from host.modules.mod_sofia.call.media_timeout import media_timeout
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings
from host.sdp.agreement import Agreement
from host.sdp.description import parse
from host.sdp.direction import Direction
from host.sdp.local_media import LocalMedia
from host.sdp.offer_answer import Answer, make_answer
from host.sdp.transport import chosen

OFFER = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class FakeChannel:
    """A channel's variables."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.get_variable = variables.get


@pytest.fixture(scope="module")
def agreed() -> Agreement:
    made = make_answer(parse(OFFER), LocalMedia("127.0.0.1", 5000, chosen("PCMU"), 1))
    assert isinstance(made, Answer)
    return made.agreement


@pytest.mark.parametrize(
    ("variables", "usual", "hold"),
    [
        ({}, 0, 0),
        ({"media_timeout": "3000"}, 3000, 30_000),
        ({"media_timeout": "3000", "media_hold_timeout": "9000"}, 3000, 9000),
        ({"media_timeout": "3000", "media_timeout_audio": "5000"}, 5000, 50_000),
        ({"media_timeout": "3000", "rtp_timeout_sec": "7", "rtp_hold_timeout_sec": "8"}, 3000, 30_000),
        ({"rtp_timeout_sec": "7"}, 7000, 70_000),
        ({"rtp_timeout_sec": "7", "rtp_hold_timeout_sec": "8"}, 7000, 8000),
        ({"media_timeout": "-3"}, 0, 0),
    ],
)
def test_which_variable_holds(agreed: Agreement, variables: dict[str, str], usual: int, hold: int) -> None:
    channel, settings = FakeChannel(variables), ProfileSettings(name="test")
    held = dataclasses.replace(agreed, held=True)
    inactive = dataclasses.replace(agreed, direction=Direction.INACTIVE)
    assert media_timeout(channel, settings, agreed) == usual  # type: ignore[arg-type]
    assert media_timeout(channel, settings, held) == hold  # type: ignore[arg-type]
    assert media_timeout(channel, settings, inactive) == hold  # type: ignore[arg-type]


def test_the_profile_is_asked_last(agreed: Agreement) -> None:
    settings = ProfileSettings(name="test", rtp_timeout_sec=2, rtp_hold_timeout_sec=5)
    channel = FakeChannel({"rtp_timeout_sec": "3"})
    assert media_timeout(FakeChannel({}), settings, agreed) == 2000  # type: ignore[arg-type]
    assert media_timeout(channel, settings, agreed) == 3000  # type: ignore[arg-type]
    held = dataclasses.replace(agreed, held=True)
    assert media_timeout(channel, settings, held) == 5000  # type: ignore[arg-type]


def test_nothing_is_awaited_of_who_only_listens(agreed: Agreement) -> None:
    listens = dataclasses.replace(agreed, direction=Direction.SENDONLY)
    assert media_timeout(FakeChannel({"media_timeout": "3000"}), ProfileSettings(name="test"), listens) == 0  # type: ignore[arg-type]
