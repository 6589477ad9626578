"""XML text to a tree and back, read as leniently and written in the layout that FreeSWITCH does.

FreeSWITCH's parser takes what XML forbids and configurations in the field contain: a bare `&`, `<` inside an
attribute (`expression="^(?<number>…)"`), `--` inside a comment, an attribute twice (the first counts).
"""

from __future__ import annotations

import re

from lxml import etree

from host.byte_text import folded


class XmlTextError(ValueError):
    """Text that is no XML document, in FreeSWITCH's words: `[error near line N]: …`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"[error near line {line}]: {reason}")
        self.line = line
        self.reason = reason


def parse_xml(text: str) -> etree._Element:
    """Return the root element of `text`; comments and processing instructions are left out.

    Nothing outside the text is ever read: no external entity, no DTD, no network.
    Raises XmlTextError.
    """
    text = _without_stray_bytes(text)
    try:
        return etree.fromstring(text.encode("utf-8", "replace"), _parser())
    except (etree.XMLSyntaxError, ValueError):
        pass  # the lenient way is slower, so only what needs it takes it
    repaired = _repaired(text)
    try:
        return etree.fromstring(repaired.encode("utf-8", "replace"), _parser())
    except etree.XMLSyntaxError as error:
        raise XmlTextError(error.lineno or 1, _reason(error)) from None
    except ValueError as error:
        raise XmlTextError(1, str(error)) from None


def xml_text(element: etree._Element) -> str:
    """Return `element` as FreeSWITCH writes a tree: every tag closed by a tag, non-ASCII as references."""
    out: list[str] = []
    _write(element, 0, out)
    return "".join(out)


def named_child(parent: etree._Element, tag: str, key_name: str, key_value: str) -> etree._Element | None:
    """Return the first child `tag` whose attribute is `key_value` in any case; None without."""
    wanted = folded(key_value)
    for child in parent.iterchildren(tag):
        value = child.get(key_name)
        if value is not None and folded(value) == wanted:
            return child
    return None


def _parser() -> etree.XMLParser:
    # A parser of its own for each document: they are not to be shared by threads.
    return etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, remove_comments=True, remove_pis=True
    )


def _without_stray_bytes(text: str) -> str:
    # FreeSWITCH does not look at encodings: a byte that is no UTF-8 (kept as U+DC80…U+DCFF) is most often Latin-1.
    return re.sub("[\udc80-\udcff]", lambda stray: chr(ord(stray[0]) - 0xDC00), text)


_TAG_OPEN = re.compile(r"<(/?)([^\s/>]+)")
_ATTRIBUTE = re.compile(r"""\s*+([^\s=/>"']++)(?:[\s=]*+("[^"]*+"|'[^']*+'))?+""")
_TAG_END = re.compile(r"\s*+(/?)>")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")


def _repaired(text: str) -> str:
    """Return `text` as XML, line for line; from a place that cannot be read on it is left as it is."""
    out: list[str] = []
    position = 0
    while True:
        start = text.find("<", position)
        if start < 0:
            out.append(_escaped_text(text[position:]))
            return "".join(out)
        out.append(_escaped_text(text[position:start]))
        for opening, closing, keep in _SECTIONS:
            if text.startswith(opening, start):
                end = text.find(closing, start + len(opening))
                if end < 0:
                    raise XmlTextError(text.count("\n", 0, start) + 1, f"unclosed {opening}")
                position = end + len(closing)
                out.append(text[start:position] if keep else "\n" * text.count("\n", start, position))
                break
        else:
            tag, position = _repaired_tag(text, start)
            if position < 0:
                out.append(text[start:])
                return "".join(out)
            out.append(tag)


_SECTIONS = (("<!--", "-->", False), ("<![CDATA[", "]]>", True), ("<?", "?>", False))


def _repaired_tag(text: str, start: int) -> tuple[str, int]:
    """Return the tag at `start` rebuilt and where it ends; -1 as the end when it is no tag."""
    opening = _TAG_OPEN.match(text, start)
    if not opening:
        return "", -1
    attributes: dict[str, str] = {}
    position = opening.end()
    while not (closing := _TAG_END.match(text, position)):
        attribute = _ATTRIBUTE.match(text, position)
        if not attribute:
            return "", -1
        attributes.setdefault(attribute[1], (attribute[2] or '""')[1:-1])
        position = attribute.end()
    written = "".join(f' {name}="{_escaped_attribute(value)}"' for name, value in attributes.items())
    lines = "\n" * text.count("\n", start, closing.end())
    # Where line ends inside the tag go does not matter, but how many there are does: errors name lines.
    return f"<{opening[1]}{opening[2]}{written}{lines}{closing[1]}>", closing.end()


def _escaped_text(text: str) -> str:
    return _BARE_AMPERSAND.sub("&amp;", text).replace("]]>", "]]&gt;")


def _escaped_attribute(text: str) -> str:
    escaped = _BARE_AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace('"', "&quot;")
    return re.sub(r"[\r\n\t]", " ", escaped)


def _reason(error: etree.XMLSyntaxError) -> str:
    message = re.sub(r", line \d+, column \d+.*", "", error.msg or "", flags=re.DOTALL)
    if mismatch := re.match(r"Opening and ending tag mismatch: .* and (.*)", message):
        return f"unexpected closing tag </{mismatch[1]}>"
    if unfinished := re.match(r"Premature end of data in tag (.*) line", message):
        return f"unclosed tag <{unfinished[1]}>"
    if message.startswith(("Document is empty", "Start tag expected")):
        return "root tag missing"
    if message.startswith("Extra content"):
        return "markup outside of root element"
    return message or "not an XML document"


def _write(element: etree._Element, depth: int, out: list[str]) -> None:
    if out and out[-1].endswith(">"):
        out.append("\n")
    attributes = "".join(
        f' {name}="{_reference(value, _IN_ATTRIBUTE)}"' for name, value in _attributes(element)
    )
    out.append("  " * depth + f"<{element.tag}{attributes}>")
    children = list(element)
    texts = [element.text or "", *(child.tail or "" for child in children)]
    last = max((index for index, text in enumerate(texts) if text), default=-1)
    for index, child in enumerate(children):
        # FreeSWITCH: with nothing between two tags all of the text that is left comes there, and again where it is.
        _write_text(texts[index] or ("".join(texts[index:]) if index < last else ""), out)
        if isinstance(child, etree._Entity):
            out.append(child.text or "")  # a reference that is never followed
        else:
            _write(child, depth + 1, out)
    _write_text(texts[-1], out)
    if out[-1].endswith("\n"):
        out.append("  " * depth)
    out.append(f"</{element.tag}>\n")


def _attributes(element: etree._Element) -> list[tuple[str, str]]:
    return [(str(name), str(value)) for name, value in element.items()]


def _write_text(text: str | None, out: list[str]) -> None:
    if text:
        out.append(_reference(text, _IN_TEXT))


_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE = {**_IN_TEXT, **str.maketrans({'"': "&quot;", "\n": "&#xA;", "\t": "&#x9;"})}


def _reference(text: str, escapes: dict[int, str]) -> str:
    return re.sub(r"[^\x00-\x7f]", lambda character: f"&#x{ord(character[0]):X};", text.translate(escapes))
