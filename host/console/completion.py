"""What `console_complete_xml` answers, as completions of the line that is being typed."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree


@dataclass(frozen=True, slots=True)
class Completions:
    """The words that fit, and how many characters before the cursor they take the place of."""

    matches: tuple[str, ...]
    replaced: int
    written: str


def parse_completions(text: str) -> Completions:
    """Parse the answer; one that is none gives no completions."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        return Completions((), 0, "")
    matches = tuple(match.text.strip() for match in root.iter("match") if match.text and match.text.strip())
    write = root.find("write")
    if write is None:
        return Completions(matches, 0, "")
    length = write.get("length", "0")
    replaced = int(length) if length.isascii() and length.isdigit() and len(length) < 6 else 0
    return Completions(matches, replaced, write.text or "")
