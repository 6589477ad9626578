"""`opus_debug`: what packets are like, told while it is wanted."""

from __future__ import annotations

import re
from typing import Any

from media.notice import CodecReport
from tests.media.realtime.far_end import Bench

OPUS: dict[str, Any] = {"codec": "opus", "payload_type": 116, "ptime_ms": 20}
LINE = re.compile(
    r"(encode|decode): opus_frames \[1\] samples \[(\d+)\] audio bandwidth \[[A-Z]+\] bytes \[(\d+)\]"
    r" FEC\[no\] channels\[1\]"
)


def reports(bench: Bench, line: int) -> list[str]:
    return [notice.text for notice in bench.notices[line] if isinstance(notice, CodecReport)]


def test_every_packet_is_told_of_while_it_is_wanted(bench: Bench) -> None:
    end, local = bench.open(1, **OPUS)
    bench.open(2)  # G.711 is told nothing of
    bench.speak(1)
    assert reports(bench, 1) == []
    bench.lines.debug_codec("OPUS", True)
    bench.speak(1)
    payload = end.received()[-1].payload
    (told,) = reports(bench, 1)
    found = LINE.fullmatch(told)
    assert found is not None and found[1] == "encode" and int(found[3]) == len(payload)
    for _ in range(8):
        end.say(local, payload, 116, step=960)
        bench.tick()
    decoded = [line for line in reports(bench, 1) if line.startswith("decode")]
    assert decoded and all(LINE.fullmatch(line) for line in decoded)
    bench.lines.debug_codec("OPUS", False)
    bench.notices[1].clear()
    bench.speak(1)
    assert reports(bench, 1) == [] == reports(bench, 2)


def test_one_line_alone(bench: Bench) -> None:
    bench.open(1, **OPUS)
    bench.open(2, **OPUS)
    bench.open(3)
    for line in (1, 3, 9):
        bench.lines.debug_line(line, True)
    for line in (1, 2, 3):
        bench.speak(line)
    assert [len(reports(bench, line)) for line in (1, 2, 3)] == [1, 0, 0]
    bench.lines.debug_line(1, False)
    bench.speak(1)
    assert len(reports(bench, 1)) == 1


def test_a_line_that_comes_or_changes_later_is_told_of(bench: Bench) -> None:
    bench.lines.debug_codec("opus", True)
    bench.open(1, **OPUS)
    bench.speak(1)
    assert len(reports(bench, 1)) == 1
    bench.change(1, codec="PCMU", payload_type=0)
    bench.speak(1)
    assert len(reports(bench, 1)) == 1
    bench.change(1, **OPUS)
    bench.speak(1)
    assert len(reports(bench, 1)) == 2
