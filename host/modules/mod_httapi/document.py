"""The document that a server answers with: parameters, variables, and the work to do, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.byte_text import to_text
from host.xml_text import XmlTextError, parse_xml

if TYPE_CHECKING:
    from lxml import etree

# FreeSWITCH: HTTAPI_MAX_API_BYTES; one byte of it is for the end of the text.
LIMIT: Final = 1024 * 1024 - 1


class DocumentError(ValueError):
    """A document that is too large, or no XML."""


@dataclass(frozen=True, slots=True)
class Bind:
    """Keys that mean something while a prompt plays; `action` None: that of the prompt."""

    digits: str
    action: str | None = None
    strip: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One thing to do: the tag, its attributes, its own text, and its `bind` tags."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    binds: tuple[Bind, ...] = ()

    def get(self, name: str) -> str | None:
        """Return an attribute; None where the tag has none."""
        return self.attributes.get(name)


@dataclass(frozen=True, slots=True)
class Document:
    """What a server wants. A parameter or a variable without a value is the empty text."""

    params: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    work: tuple[Work, ...] = ()


def parse_document(body: bytes) -> Document:
    """Return the document in `body`; of several `params`, `variables` and `work` the first counts.

    FreeSWITCH: the root is called as it likes. Raises DocumentError.
    """
    if len(body) > LIMIT:
        raise DocumentError(f"a document of {len(body)} bytes")
    try:
        root = parse_xml(to_text(body.partition(b"\0")[0]))
    except XmlTextError as error:
        raise DocumentError(str(error)) from None
    return Document(
        _pairs(root, "params"),
        _pairs(root, "variables"),
        tuple(_work(element) for element in _children(root, "work")),
    )


def _children(root: etree._Element, category: str) -> list[etree._Element]:
    found = root.find(category)
    # what stands there for an entity that nobody resolves has no name
    return [] if found is None else [child for child in found if isinstance(child.tag, str)]


def _pairs(root: etree._Element, category: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(child.tag), _text(child)) for child in _children(root, category))


def _work(element: etree._Element) -> Work:
    binds = tuple(
        Bind(_text(bind), bind.get("action"), bind.get("strip") or "")
        for bind in element.iterchildren("bind")
    )
    attributes = {str(name): str(value) for name, value in element.items()}
    return Work(str(element.tag), attributes, _text(element), binds)


def _text(element: etree._Element) -> str:
    """Return the text of an element without that of its children."""
    return "".join([element.text or "", *(child.tail or "" for child in element)])
