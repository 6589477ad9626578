"""Presence documents: PIDF with RPID activities (RFC 3863, RFC 4480), xpidf for Polycoms; and what is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

PIDF: Final = "application/pidf+xml"
XPIDF: Final = "application/xpidf+xml"
# A document of every activity and note that RFC 4480 knows is about 4,000 characters.
MAX_DOCUMENT: Final = 20_000
_CLOSED: Final = "closed"
_UNREGISTERED: Final = "Unregistered"


class PidfError(ValueError):
    """A body that is no presence document."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What is told of somebody: `note` for people, `activity` an RPID word, empty for none."""

    is_open: bool
    note: str
    activity: str = ""


def presence_of(status: str, rpid: str, *, is_open: bool = True) -> Presence:
    """Return what a status line and an `rpid` of the switch's events mean.

    FreeSWITCH: who is registered is `Available`, who is not is closed; only who is busy somehow has an activity.
    """
    note = status
    if note.lower().startswith("registered"):
        note = "Available"
    if not is_open or note.lower() == _UNREGISTERED.lower():
        return Presence(False, _UNREGISTERED)
    activity = _activity(rpid)
    if note.lower() == "available" or not note:
        return Presence(True, note or "Available")
    return Presence(True, note, activity)


def status_of_rpid(rpid: str) -> str:
    """Return the status that FreeSWITCH shows where an event has an `rpid` alone."""
    return {"busy": "Busy", "unavailable": "Idle", "away": "Idle"}.get(rpid.lower(), "Available")


def translated_rpid(rpid: str, status: str) -> str:
    """Return what FreeSWITCH makes of an event's `rpid`: `null` gives way to the status, `dnd` and `idle` are busy."""
    word = status if "null" in rpid.lower() else rpid
    return "busy" if word.lower() in ("dnd", "idle") else rpid


def pidf(entity: str, presence: Presence) -> str:
    """Return the PIDF document of `entity`, a SIP URI."""
    activities = ""
    if presence.activity:
        activities = f"  <rpid:activities>\n   <rpid:{presence.activity}/>\n  </rpid:activities>\n"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'\n"
        "xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'\n"
        "xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid'\n"
        f"xmlns:c='urn:ietf:params:xml:ns:pidf:cipid' entity={quoteattr(_clean(entity))}>\n"
        " <tuple id='t6a5ed77e'>\n"
        "  <status>\n"
        f"   <basic>{'open' if presence.is_open else _CLOSED}</basic>\n"
        "  </status>\n"
        " </tuple>\n"
        " <dm:person id='p06360c4a'>\n"
        f"{activities}"
        f"  <dm:note>{escape(_clean(presence.note))}</dm:note>\n"
        " </dm:person>\n"
        "</presence>"
    )


def xpidf(entity: str, contact: str, presence: Presence) -> str:
    """Return the document that FreeSWITCH sends to Polycom phones."""
    substatus = presence.activity or "online"
    if substatus == "on-the-phone":
        substatus = "onthephone"
    who = quoteattr(_clean(entity))
    return (
        '<?xml version="1.0"?>\n'
        '<!DOCTYPE presence PUBLIC "-//IETF//DTD RFCxxxx XPIDF 1.0//EN" "xpidf.dtd">\n'
        "<presence>\n"
        " <status>\n"
        f"  <note>{escape(_clean(presence.note))}</note>\n"
        " </status>\n"
        f" <presentity uri={quoteattr(f'{_clean(entity)};method=SUBSCRIBE')} />\n"
        f" <atom id={who}>\n"
        f'  <address uri={quoteattr(f"{_clean(contact)};user=ip")} priority="0.800000">\n'
        f'   <status status="{"open" if presence.is_open else _CLOSED}" />\n'
        f'   <msnsubstatus substatus="{substatus}" />\n'
        "  </address>\n"
        " </atom>\n"
        "</presence>\n"
    )


def wants_xpidf(user_agent: str) -> bool:
    """Return whether a phone is one of those that FreeSWITCH sends xpidf to."""
    return "poly" in user_agent.lower()


@dataclass(frozen=True, slots=True)
class Published:
    """What somebody's own device says (PUBLISH): `basic` is `open`, `closed` or empty, `rpid` a word or a note."""

    basic: str
    note: str
    rpid: str


def parse_pidf(text: str) -> Published:
    """Return what a published document says; PidfError for what is none.

    FreeSWITCH: who is closed is `Unregistered`; a person without a note is `Available`.
    """
    if len(text) > MAX_DOCUMENT:
        raise PidfError("the document is too long")
    if "<!doctype" in text.lower():
        raise PidfError("entities of its own are none of a presence document")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "surrogateescape"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PidfError(str(error)) from error
    if _name(root) != "presence":
        raise PidfError("no presence document")
    basic = note = rpid = ""
    where = _child(root, "tuple")
    if where is not None:
        status = _child(where, "status")
        found = _child(status, "basic") if status is not None else None
        basic = _text(found).lower()
        note = rpid = _text(_child(where, "note"))
    person = _child(root, "person")
    if person is not None:
        note = _text(_child(person, "note")) or note or "Available"
        activities = _child(person, "activities")
        doing = [_name(element) for element in activities] if activities is not None else []
        rpid = next((name for name in doing if name and name != "note"), rpid)
    if basic == _CLOSED:
        note = rpid = _UNREGISTERED
    return Published(basic, note, rpid)


def _activity(rpid: str) -> str:
    word = rpid.lower()
    if not word or "null" in word or word == "unknown" or not word.replace("-", "").isascii():
        return ""
    word = {"unavailable": "away", "idle": "busy"}.get(word, word)
    return word if word.replace("-", "").isalpha() else ""


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in parent if _name(child) == name), None)


def _text(element: etree._Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""


def _clean(text: str) -> str:
    """Return text as XML may hold it: no control characters, no bytes that are no UTF-8."""
    return "".join(
        character
        for character in text
        if character in "\t\n"
        or (character >= " " and not "\ud800" <= character <= "\udfff" and character < "\ufffe")
    )
