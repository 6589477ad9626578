from __future__ import annotations

import pickle
from dataclasses import dataclass, field

import pytest

from media import command, engine_status, notice, rtp_transport
from media.realtime import message
from media.realtime.quick_pickling import pickle_quickly
from media.rtp_transport import RtpTransport

_TRANSPORT = RtpTransport("127.0.0.1", (20_000, 30_000), ("127.0.0.1", 4000), codec="GSM", payload_type=3)


@pytest.mark.parametrize(
    "value",
    [
        message.Ask(3, message.OpenTransport(1, 8000, _TRANSPORT)),
        message.Answer(3, engine_status.EngineStatus(lines=4)),
        message.Noticed(1, notice.PlaybackEnded(4), (160, 320)),
        message.End(),
        command.SetTransport(1, _TRANSPORT),
        command.Close(7),
    ],
)
def test_messages_arrive_as_they_were(value: object) -> None:
    pickle_quickly(message, command, notice, rtp_transport, engine_status)
    packed = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    assert pickle.loads(packed) == value
    assert b"_dataclass" not in packed


@dataclass
class Counted:
    """A dataclass that is not made of all its fields."""

    first: int
    count: int = field(default=0, init=False)


def test_what_is_not_made_of_its_fields_is_left_alone() -> None:
    import tests.media.realtime.test_quick_pickling as here

    pickle_quickly(here)
    counted = Counted(1)
    counted.count = 5
    assert pickle.loads(pickle.dumps(counted)).count == 5
