"""The page of a call: both waveforms, what happened, and the sound."""

from __future__ import annotations

import base64
import io
import re
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree, html
from numpy.typing import NDArray

from host.cli import main
from host.testing import timeline
from host.testing.scenario import Scenario, parse_press
from host.testing.simulation import CallOptions, run_call
from host.testing.transcript import Entry

RATE = 8000

SCRIPT = """
session:answer()
session:streamFile("tone_stream://%(1000,0,440)")
session:sleep(500)
freeswitch.consoleLog("err", "a < b & c\\n")
"""


def _silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros((int(seconds * RATE), 2), np.int16)


def _document(page: str) -> Any:
    return html.document_fromstring(page)


def _svg(page: str) -> Any:
    found = re.search(r"<svg.*</svg>", page, re.DOTALL)
    assert found is not None
    return etree.fromstring(found[0])


def _texts(page: str) -> list[str]:
    return [text for text in _svg(page).itertext() if text.strip()]


def _strokes(page: str, name: str) -> int:
    path = _svg(page).find(f".//{{*}}path[@class='{name}']")
    assert path is not None
    return str(path.get("d", "")).count("V")


def test_a_call_becomes_a_page_that_shows_and_plays_it(tmp_path: Path) -> None:
    script, page = tmp_path / "tone.lua", tmp_path / "call.html"
    script.write_text(SCRIPT)
    result = run_call(
        str(script), scenario=Scenario(press=parse_press("5@200ms")), options=CallOptions(timeline=page)
    )
    assert result.ok
    text = page.read_text()
    document = _document(text)
    # The tone lasts a second, and is as wide as that; nobody spoke.
    scale = float(re.search(r"const scale = ([0-9.]+)", text)[1])  # type: ignore[index]
    assert _strokes(text, "heard") == pytest.approx(scale, abs=3)
    assert _strokes(text, "said") == 0
    assert "5" in _texts(text)
    rows = document.xpath("//table[@id='transcript']//tr")
    assert [row.get("class") for row in rows if "a < b & c" in row.text_content()] == ["bad"]
    assert [float(row.get("data-time")) for row in rows] == sorted(
        float(row.get("data-time")) for row in rows
    )
    data = document.xpath("//audio/@src")[0].partition("base64,")[2]
    with wave.open(io.BytesIO(base64.b64decode(data))) as sound:
        assert (sound.getnchannels(), sound.getframerate()) == (2, RATE)
        assert sound.getnframes() >= 1.5 * RATE


def test_a_page_that_cannot_be_written_is_told_before_the_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "tone.lua"
    script.write_text(SCRIPT)
    status = main(["call", str(script), "--timeline", str(tmp_path / "nowhere" / "call.html")])
    told = capsys.readouterr()
    assert status == 2
    assert "nowhere" in told.err
    assert "plays" not in told.out


def test_what_overlaps_lies_in_lanes_and_long_names_are_cut() -> None:
    entries = [
        Entry(0, "record", {"path": "/tmp/" + "long" * 300 + ".wav"}),
        Entry(1_000_000, "play", {"path": "ivr/menu.wav", "length_ms": 2000}),
        Entry(3_000_000, "played", {"path": "ivr/menu.wav", "ms": 2000, "ended": "end"}),
        Entry(4_000_000, "recorded", {"path": "x.wav", "ms": 4000, "ended": "hangup"}),
        Entry(5_000_000, "play", {"path": "tone_stream://%(100,0,440)", "length_ms": None}),
    ]
    text = timeline.page("lanes", entries, _silence(8), RATE)
    bars = _svg(text).findall(".//{*}g[@class]")
    spans = {bar.get("class"): bar.find("{*}rect") for bar in bars if bar.get("class", "").startswith("span")}
    assert spans["span record"].get("y") != _bar(text, "menu.wav").get("y")
    # One without an end lasts as long as the call.
    scale = float(re.search(r"const scale = ([0-9.]+)", text)[1])  # type: ignore[index]
    assert float(_bar(text, "tone_stream").get("width")) == pytest.approx(3 * scale, abs=1)
    assert any(shown.endswith("…") for shown in _texts(text))


def _bar(page: str, name: str) -> Any:
    [found] = [
        group.find("{*}rect")
        for group in _svg(page).findall(".//{*}g")
        if name in (group.findtext("{*}title") or "") and group.get("class", "").startswith("span")
    ]
    return found


def test_errors_head_the_page_and_markup_in_texts_stays_text() -> None:
    entries = [Entry(0, "log", {"level": "info", "text": "<script>alert(1)</script>", "by": "script"})]
    text = timeline.page("<b>", entries, _silence(1), RATE, ["x.lua:1: boom & so on\nstack traceback"])
    document = _document(text)
    assert document.xpath("//p[@class='failed']")[0].text_content() == "x.lua:1: boom & so on"
    assert len(document.xpath("//script")) == 1
    assert "<script>alert(1)</script>" in document.xpath("//table")[0].text_content()


def test_the_sound_of_a_long_call_is_left_out() -> None:
    text = timeline.page("long", [Entry(0, "answer", {})], np.zeros((601 * 100, 2), np.int16), 100)
    document = _document(text)
    assert not document.xpath("//audio")
    assert "longer than 10 minutes" in document.text_content()


def test_a_call_without_a_sample_has_a_page() -> None:
    text = timeline.page("none", [], _silence(0), RATE)
    assert _strokes(text, "heard") == 0
