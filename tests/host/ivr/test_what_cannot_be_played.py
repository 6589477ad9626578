"""What is logged of a path that cannot be played."""

from __future__ import annotations

import pytest

from host.ivr.play import play_file
from host.log import LogEntry, LogLevel
from host.status import Status
from host.switch import Switch
from tests.host.one_call import in_call


@pytest.mark.parametrize(
    ("path", "level", "words"),
    [
        (
            "/no/such.wav",
            LogLevel.WARNING,
            "Error Opening File [/no/such.wav] [System error : No such file or directory.]",
        ),
        ("silence_stream://0", LogLevel.WARNING, "Invalid Input [0] Expect <msec>[,<silence_factor>]"),
        ("local_stream://none", LogLevel.ERR, "Unknown source default"),
        ("/no/such.kind", LogLevel.ERR, "Invalid file format [kind] for [/no/such.kind]!"),
    ],
)
def test_it_is_told_in_the_words_of_the_format(
    switch: Switch, path: str, level: LogLevel, words: str
) -> None:
    switch.modules.load("mod_local_stream")
    entries: list[LogEntry] = []
    switch.logs.add_sink(entries.append)
    assert in_call(switch, lambda session: play_file(session, path)).values == [Status.NOT_FOUND]
    told = [entry for entry in entries if entry.level <= LogLevel.WARNING and "trying" not in entry.text]
    assert [(entry.level, entry.text, entry.uuid) for entry in told] == [(level, words, "")]
