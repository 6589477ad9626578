"""A call as a page to look at: what was heard and said as waveforms, what happened beside them, the transcript below.

The page is one HTML file that needs nothing else, with the sound inside it: a click into the picture or on a line of
the transcript plays from there.
"""

from __future__ import annotations

import base64
import io
import wave
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from host.testing.transcript_text import TranscriptText, call_time, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from host.testing.transcript import Entry

# The picture in pixels: its height is that of the lanes, its width follows the length of the call.
_LEFT: Final = 76
_NARROWEST: Final = 1180
_WIDEST: Final = 6000
_PER_SECOND: Final = 24
_WAVE: Final = 56
_LANE: Final = 26
_MARK: Final = 10

# The sound of calls up to so long is in the page; ten minutes at 8 kHz make 26 MB of base64.
_SOUND_SECONDS: Final = 600

# What begins with the first kind of entry lasts until one of the second.
_SPANS: Final = {
    "play": ("played", "play_failed"),
    "speak": ("spoken",),
    "record": ("recorded", "record_failed"),
    "bridge": ("unbridge",),
    "caller_says": (),
}
_BAD: Final = frozenset({"script-error", "callback-error", "bug", "limit", "play_failed", "record_failed"})
_MARKS: Final = _BAD | {
    "log",
    "input",
    "execute",
    "callback",
    "transfer",
    "answer",
    "pre_answer",
    "ring_ready",
    "hangup",
}
_LOUD_LOGS: Final = frozenset({"err", "crit", "alert"})


@dataclass(frozen=True, slots=True)
class _Span:
    kind: str
    begin: float  # seconds
    end: float
    name: str


def read_sound(path: Path) -> tuple[NDArray[np.int16], int]:
    """Return what a stereo WAV file of 16 bits holds, int16 of shape (samples, 2), and its rate."""
    with wave.open(str(path), "rb") as file:
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return data.reshape(-1, 2).astype(np.int16, copy=False), file.getframerate()


def page(
    title: str, entries: Sequence[Entry], sound: NDArray[np.int16], rate: int, errors: Sequence[str] = ()
) -> str:
    """Return the page of a call.

    `sound` is int16 of shape (samples, 2): what the caller heard and what they said, from the moment of the call's
    first entry on, at `rate` samples a second. `errors` are what made the script fail.
    """
    seconds = max(len(sound) / rate, entries[-1].time / 1_000_000 if entries else 0.0, 0.1)
    width = min(max(_NARROWEST, seconds * _PER_SECOND + _LEFT), _WIDEST)
    scale = (width - _LEFT - 16) / seconds
    template = Template(files("host.testing").joinpath("timeline_page.html").read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(title),
        failed=' class="failed"' if errors else "",
        summary=escape(_summary(entries, errors)),
        sound=_player(sound, rate),
        picture=_picture(entries, sound, rate, seconds, scale),
        rows="\n".join(_rows(entries)),
        scale=f"{scale:.6f}",
        left=_LEFT,
    )


def _summary(entries: Sequence[Entry], errors: Sequence[str]) -> str:
    if errors:
        return errors[0].partition("\n")[0]
    ends = [entry.facts for entry in entries if entry.kind == "end"]
    if not ends:
        return ""
    return (
        f"{ends[-1]['cause']}, hung up by the {ends[-1]['by']}, after {float(str(ends[-1]['seconds'])):.3f} s"
    )


def _player(sound: NDArray[np.int16], rate: int) -> str:
    if len(sound) > _SOUND_SECONDS * rate:
        return (
            f"<p>The call is longer than {_SOUND_SECONDS // 60} minutes: its sound is not in this page.</p>"
        )
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(sound.astype("<i2").tobytes())
    data = base64.b64encode(file.getvalue()).decode()
    return f'<audio controls preload="metadata" src="data:audio/wav;base64,{data}"></audio>'


def _rows(entries: Iterable[Entry]) -> Iterable[str]:
    text = TranscriptText()
    for entry in entries:
        lines = [line.plain for line in text.lines(entry)]
        if not lines:
            continue
        # A line that only tells of time gone by is the table's own gap here, and the time has a column.
        told = lines[1:] if "┆" in lines[0] else lines
        head = call_time(entry.time)
        words = "\n".join([told[0].strip().removeprefix(head).strip(), *(line.strip() for line in told[1:])])
        mark = ' class="bad"' if _is_bad(entry) else ""
        yield (
            f'<tr data-time="{entry.time / 1_000_000:.6f}"{mark}><td>{head}</td><td>{escape(words)}</td></tr>'
        )


def _is_bad(entry: Entry) -> bool:
    return entry.kind in _BAD or (entry.kind == "log" and str(entry.facts.get("level")) in _LOUD_LOGS)


def _picture(
    entries: Sequence[Entry], sound: NDArray[np.int16], rate: int, seconds: float, scale: float
) -> str:
    """Return the SVG: time, both waveforms, what played, what was pressed, what the script did."""
    parts: list[str] = []
    right = _LEFT + seconds * scale
    heard, said = 24, 24 + _WAVE + 8
    bars = said + _WAVE + 10
    lanes = _lanes(_spans(entries, seconds), scale)
    keys = bars + max(len(lanes), 1) * _LANE + 4
    marks = keys + _LANE
    height = marks + _LANE + 6
    for label, top in (("heard", heard + _WAVE / 2), ("said", said + _WAVE / 2), ("plays", bars + 16)):
        parts.append(f'<text class="dim" x="8" y="{top + 4:.0f}">{label}</text>')
    parts.append(f'<text class="dim" x="8" y="{keys + 16}">presses</text>')
    parts.append(f'<text class="dim" x="8" y="{marks + 16}">script</text>')
    step = _tick(scale)
    for index in range(int(seconds / step) + 1):
        x = _LEFT + index * step * scale
        parts.append(f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="18" y2="{height}"/>')
        parts.append(f'<text class="dim" x="{x + 3:.1f}" y="13">{_clock(index * step)}</text>')
    for channel, (name, top) in enumerate((("heard", heard), ("said", said))):
        path = _waveform(sound[:, channel], rate, scale, top + _WAVE / 2)
        parts.append(f'<path class="{name}" fill="none" d="{path}"/>')
    for row, lane in enumerate(lanes):
        parts += [_bar(span, bars + row * _LANE, scale) for span in lane]
    parts += [_key(entry, keys, scale) for entry in entries if entry.kind == "press"]
    parts += _script_marks(entries, marks, scale)
    parts.append(f'<line class="head" id="head" x1="{_LEFT}" x2="{_LEFT}" y1="16" y2="{height}"/>')
    size = f'width="{right + 16:.0f}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n' + "\n".join(parts) + "\n</svg>"


def _tick(scale: float) -> float:
    """Return the seconds between two marks of the time, some 80 pixels apart or more."""
    return next((step for step in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800) if step * scale >= 80), 3600)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _waveform(samples: NDArray[np.int16], rate: int, scale: float, middle: float) -> str:
    """Return the outline of `samples`, int16 of shape (n,), as an SVG path: a stroke a pixel, none in silence."""
    columns = int(len(samples) / rate * scale)
    if not columns:
        return ""
    edges = np.linspace(0, len(samples), columns + 1).astype(np.intp)[:-1]
    highest = np.maximum.reduceat(samples, edges).astype(np.float64)
    lowest = np.minimum.reduceat(samples, edges).astype(np.float64)
    factor = _WAVE / 2 / 32768
    # Speech peaks at a quarter of full scale or so: the root makes quiet sound visible, and the order stays.
    tops = np.sign(highest) * np.sqrt(np.abs(highest) * 32768)
    feet = np.sign(lowest) * np.sqrt(np.abs(lowest) * 32768)
    parts = [f"M{_LEFT} {middle:.1f}H{_LEFT + columns}"]
    for column in np.flatnonzero(tops - feet >= 2 / factor / 4):
        top, foot = middle - tops[column] * factor, middle - feet[column] * factor
        parts.append(f"M{_LEFT + column + 0.5:.1f} {top:.1f}V{foot:.1f}")
    return "".join(parts)


def _spans(entries: Sequence[Entry], seconds: float) -> list[_Span]:
    """Return what lasted, in the order of its beginning."""
    spans: list[_Span] = []
    for index, entry in enumerate(entries):
        closing = _SPANS.get(entry.kind)
        if closing is None:
            continue
        begin = entry.time / 1_000_000
        end = next(
            (
                later.time / 1_000_000
                for later in entries[index + 1 :]
                if later.leg == entry.leg and (later.kind in closing or later.kind == "end")
            ),
            seconds,
        )
        length = entry.facts.get("length_ms")
        if length is not None and entry.kind in ("play", "speak", "caller_says"):
            end = min(end, begin + float(str(length)) / 1000)
        spans.append(_Span(entry.kind, begin, end, _span_name(entry)))
    return spans


def _span_name(entry: Entry) -> str:
    facts = entry.facts
    words = facts.get("spoken") or facts.get("text")
    if words:
        return f'"{words}"'
    if entry.kind == "bridge":
        return f"bridge with {facts['name']}"
    name = str(facts.get("path", ""))
    return name if "://" in name else name.rpartition("/")[2]


def _lanes(spans: Iterable[_Span], scale: float) -> list[list[_Span]]:
    """Spread spans that overlap over several lanes."""
    lanes: list[list[_Span]] = []
    for span in spans:
        for lane in lanes:
            if lane[-1].end <= span.begin + 1 / scale:
                lane.append(span)
                break
        else:
            lanes.append([span])
    return lanes


def _bar(span: _Span, top: float, scale: float) -> str:
    x, width = _LEFT + span.begin * scale, max((span.end - span.begin) * scale, 2)
    fits = max(int((width - 8) / 6.4), 0)
    label = span.name if len(span.name) <= fits else span.name[: max(fits - 1, 0)] + "…" if fits > 2 else ""
    text = f'<text x="{x + 4:.1f}" y="{top + 15:.1f}">{escape(label)}</text>' if label else ""
    told = escape(f"{span.name}  {duration((span.end - span.begin) * 1000)}")
    return (
        f'<g class="span {span.kind}"><title>{told}</title>'
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_LANE - 5}" rx="3"/>{text}</g>'
    )


def _key(entry: Entry, top: float, scale: float) -> str:
    x = _LEFT + entry.time / 1_000_000 * scale
    digit = escape(str(entry.facts["digit"]))
    return (
        f'<g class="key"><title>{call_time(entry.time)} presses {digit}</title>'
        f'<rect x="{x - 8:.1f}" y="{top + 2}" width="16" height="18" rx="4"/>'
        f'<text x="{x:.1f}" y="{top + 15}" text-anchor="middle">{digit}</text></g>'
    )


def _script_marks(entries: Sequence[Entry], top: float, scale: float) -> list[str]:
    """Return the dots of what the script did or said; those that fall together are one, whose title tells all."""
    text = TranscriptText()
    dots: list[tuple[float, str, list[str]]] = []
    for entry in entries:
        lines = [line.plain.strip() for line in text.lines(entry) if "┆" not in line.plain]
        if entry.kind not in _MARKS or not lines:
            continue
        x = _LEFT + entry.time / 1_000_000 * scale
        kind = "bad" if _is_bad(entry) else "log" if entry.kind == "log" else "did"
        if dots and x - dots[-1][0] < _MARK:
            former = dots[-1]
            dots[-1] = (former[0], "bad" if "bad" in (kind, former[1]) else former[1], former[2] + lines)
        else:
            dots.append((x, kind, lines))
    return [
        f'<g class="mark {kind}"><title>{escape(chr(10).join(lines))}</title>'
        f'<circle cx="{x:.1f}" cy="{top + 12}" r="{_MARK / 2:.0f}"/></g>'
        for x, kind, lines in dots
    ]
