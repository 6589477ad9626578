from __future__ import annotations

import pytest

from host.modules.mod_sofia.call.leg_codecs import choice_of_offer
from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

SDP = (
    "v=0\r\no=user {session} {session} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} {protocol} {payload}\r\n"
)


@pytest.mark.parametrize(
    ("port", "payload", "codec"),
    [
        (6000, 0, "PCMU"),
        (65534, 0, "PCMU"),
        (6002, 8, "PCMA"),
        (6004, 18, None),
        (0, 0, None),
        (70000, 0, None),
    ],
)
def test_what_an_offer_comes_to_whatever_came_before(port: int, payload: int, codec: str | None) -> None:
    settings = ProfileSettings(name="internal")
    for session in (1, 2):
        offer = SDP.format(session=session, port=port, protocol="RTP/AVP", payload=payload)
        choice = choice_of_offer(offer, settings, "PCMU,PCMA")
        assert (None if choice is None else choice.name) == codec


def test_a_wrong_origin_is_not_taken_for_one_that_came_before() -> None:
    settings = ProfileSettings(name="internal")
    offer = SDP.format(session=1, port=6000, protocol="RTP/AVP", payload=0)
    assert choice_of_offer(offer, settings, "PCMU") is not None
    assert choice_of_offer(offer.replace("o=user 1 1", "o=1"), settings, "PCMU") is None
