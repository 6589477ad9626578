"""The transcript as lines for a person: what was heard, pressed, asked, logged, and how long nothing happened."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from host.testing.transcript import Entry

# A gap in which nothing happens is worth a line of its own from here on (µs).
WORTH_A_LINE: Final = 1_000_000

_LOG_STYLES: Final = {
    "console": "",
    "alert": "bold red",
    "crit": "bold red",
    "err": "red",
    "warning": "magenta",
    "notice": "cyan",
    "info": "green",
    "debug": "yellow",
}


def call_time(time: int) -> str:
    """Return µs as `m:ss.mmm`, or `h:mm:ss.mmm` from an hour on."""
    milliseconds = time // 1000
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours}:{minutes:02}:{seconds:02}.{milliseconds:03}"
        if hours
        else f"{minutes}:{seconds:02}.{milliseconds:03}"
    )


def duration(ms: object) -> str:
    """Return milliseconds as a person says them."""
    return f"{float(str(ms)) / 1000:.2f} s"


class TranscriptText:
    """Turns entries, in order, into styled lines."""

    def __init__(self) -> None:
        self._last = 0

    def lines(self, entry: Entry) -> list[Text]:
        """Return the lines of an entry, a line that tells of the time gone by before it, or none at all."""
        described = _DESCRIBE.get(entry.kind)
        text = described(entry.facts) if described is not None else None
        if text is None:
            return []
        lines = []
        gap = entry.time - self._last
        if gap >= WORTH_A_LINE:
            lines.append(Text(f"{'':>12}  ┆ {gap / 1_000_000:.1f} s", style="dim"))
        self._last = entry.time
        head = Text(f"{call_time(entry.time):>12}  ", style="dim")
        if entry.leg:
            head.append(f"[{entry.leg}] ", style="dim italic")
        first, *more = text.split("\n") if len(text.plain.split("\n")) > 1 else [text]
        lines.append(head + first)
        lines += [Text(" " * 16) + line for line in more]
        return lines


def _plain(text: str, style: str = "") -> Text:
    return Text(text, style=style)


def _marked(mark: str, what: str, style: str, rest: str = "") -> Text:
    return Text(f"{mark} ", style=style) + Text(f"{what:<9} ", style=style) + Text(rest)


Facts = dict[str, object]


def _call(facts: Facts) -> Text:
    to = f" to {facts['to']}" if facts.get("to") else ""
    return _marked("☎", "call", "bold", f'from "{facts["name"]}" <{facts["caller"]}>{to}')


def _play(facts: Facts) -> Text:
    length = facts.get("length_ms")
    text = _marked("♪", "plays", "bold blue", str(facts["path"]))
    text.append(f"  {duration(length)}" if length is not None else "  without end", style="dim")
    if facts.get("spoken"):
        text.append(f'  missing, spoken: "{facts["spoken"]}"', style="yellow")
    return text


def _played(facts: Facts) -> Text | None:
    if facts.get("ended") == "end":
        return None
    why = {
        "input": "stopped by a key or callback",
        "hangup": "stopped by the hangup",
        "timeout": "timed out",
    }.get(str(facts["ended"]), str(facts["ended"]))
    return _marked("♪", "stops", "blue", f"after {duration(facts['ms'])}, {why}")


def _speak(facts: Facts) -> Text:
    text = _marked("♪", "speaks", "bold blue", f'"{facts["text"]}"')
    length = facts.get("length_ms")
    return text.append(f"  {duration(length)}" if length is not None else "", style="dim")


def _detected_speech(facts: Facts) -> Text | None:
    text = str(facts["text"])
    words = re.search(r"<input[^>]*>(.*?)</input>", text, re.DOTALL)  # of what engines with XML say
    return _marked("☺", "heard", "green", f"{facts['type']} {words[1] if words else text}".rstrip())


def _execute(facts: Facts) -> Text:
    return _marked("▸", "runs", "bold", f"{facts['application']}({facts['data']})")


def _variable(facts: Facts) -> Text:
    value = facts.get("value")
    return _marked("=", "sets", "dim", f"{facts['name']} = {value!r}" if value else f"{facts['name']} unset")


def _input(facts: Facts) -> Text | None:
    if facts["method"] in ("streamFile", "speak", "sayPhrase", "say") and facts["result"] == 1:
        return None  # what was played to its end says so already
    return _marked("⌨", "gets", "bold green", f"{facts['method']} → {facts['result']!r}")


def _callback(facts: Facts) -> Text:
    return _marked("↩", "callback", "dim", f"{facts['function']} → {facts['result']!r}")


def _log(facts: Facts) -> Text:
    level = str(facts["level"])
    return _marked("·", level, _LOG_STYLES.get(level, ""), str(facts["text"]))


def _error(facts: Facts) -> Text:
    return _marked("✗", "error", "bold red", str(facts.get("traceback") or facts["error"]))


def _hangup(facts: Facts) -> Text:
    return _marked("☎", "hangs up", "bold", str(facts["cause"]))


def _end(facts: Facts) -> Text:
    return _marked(
        "■", "ends", "bold", f"{facts['cause']}, hung up by the {facts['by']}, after {facts['seconds']:.3f} s"
    )


_DESCRIBE: Final[dict[str, Callable[[Facts], Text | None]]] = {
    "call": _call,
    "answer": lambda facts: _marked("☎", "answers", "bold"),
    "pre_answer": lambda facts: _marked("☎", "early", "bold", "early media"),
    "ring_ready": lambda facts: _marked("☎", "rings", "bold"),
    "play": _play,
    "played": _played,
    "play_failed": lambda facts: _marked("♪", "no file", "red", str(facts["reason"])),
    "record": lambda facts: _marked("●", "records", "bold red", str(facts["path"])),
    "recorded": lambda facts: _marked(
        "●", "recorded", "red", f"{facts['path']}  {duration(facts['ms'])}, ended by {facts['ended']}"
    ),
    "record_failed": lambda facts: _marked("●", "no record", "red", str(facts["reason"])),
    "press": lambda facts: _marked("⌨", "presses", "bold green", str(facts["digit"])),
    "detected_speech": _detected_speech,
    "caller_says": lambda facts: _marked(
        "☺", "says", "bold green", f'"{facts["text"]}"' if "text" in facts else str(facts["path"])
    ),
    "say": lambda facts: _marked(
        "♪",
        "says",
        "bold blue",
        f"{facts['text']!r} as {facts['type']} {facts['method']} in {facts['module']}",
    ),
    "speak": _speak,
    "spoken": lambda facts: (
        None if facts["ended"] == "end" else _marked("♪", "stops", "blue", "stopped by a key or callback")
    ),
    "phrase": lambda facts: _marked(
        "♪", "phrase", "bold blue", f"{facts['macro']}({facts['data']}) in {facts['language']}"
    ),
    "ringback": lambda facts: _marked("♪", "ringback", "blue", str(facts["path"])),
    "bridge": lambda facts: _marked("⇄", "bridge", "bold", f"with {facts['name']}"),
    "unbridge": lambda facts: _marked("⇄", "unbridge", "bold", str(facts["cause"])),
    "send_event": lambda facts: _marked("→", "event", "dim", str(facts["event"])),
    "hears_digit": lambda facts: _marked("⌨", "hears key", "green", str(facts["digit"])),
    "execute": _execute,
    "variable": _variable,
    "input": _input,
    "callback": _callback,
    "transfer": lambda facts: _marked(
        "→", "transfer", "bold", f"{facts['extension']} {facts['dialplan']} {facts['context']}"
    ),
    "print": lambda facts: _marked("»", "prints", "", str(facts["text"]).rstrip("\n")),
    "log": _log,
    "script-error": _error,
    "callback-error": _error,
    "bug": _error,
    "limit": lambda facts: _marked("✗", "limit", "bold red", str(facts["text"])),
    "hangup": _hangup,
    "end": _end,
}
