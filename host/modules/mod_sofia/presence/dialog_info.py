"""The calls of somebody as a document: dialog-info (RFC 4235)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

DIALOG_INFO: Final = "application/dialog-info+xml"
EARLY: Final = "early"
CONFIRMED: Final = "confirmed"
TERMINATED: Final = "terminated"
# What FreeSWITCH calls itself in the dialogs of things that are no person: (display, protocol of the URI, rendering).
_THINGS: Final = {
    "queue": ("queue", "queue", "no"),
    "park": ("park", "park", "no"),
    "pickup": ("pickup", "pickup", "no"),
    "conf": ("conference", "conference", "yes"),
}


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a dialog: display name and URI, the URI where it is reached, `rendering` (`no` on hold)."""

    display: str
    uri: str
    target: str
    rendering: str = ""


@dataclass(frozen=True, slots=True)
class DialogEntry:
    """One dialog. `direction` is `initiator` or `recipient` as seen from whom it is told of."""

    id: str
    direction: str
    state: str
    local: Party | None = None
    remote: Party | None = None
    call_id: str = ""
    local_tag: str = ""
    remote_tag: str = ""


def dialog_info(entity: str, version: int, dialogs: Iterable[DialogEntry]) -> str:
    """Return the whole state (`state="full"`) of `entity`, a SIP URI."""
    head = (
        '<?xml version="1.0"?>\n'
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '
        f'version="{version}" state="full" entity={_attribute(entity)}>\n'
    )
    return head + "".join(map(_dialog, dialogs)) + "</dialog-info>\n"


def call_entry(
    *,
    uuid: str,
    direction: str,
    state: str,
    user: str,
    host: str,
    other_number: str,
    other_name: str = "",
    holding: bool = False,
    private: bool = False,
    call_id: str = "",
    local_tag: str = "",
    remote_tag: str = "",
) -> DialogEntry:
    """Return the entry of a call of `user@host`; with `private` nobody learns with whom.

    FreeSWITCH: the far end is reached as `**user`, so that a phone's pick-up dials that; who holds is not rendering.
    """
    local = remote = None
    if state in (EARLY, CONFIRMED) and user and other_number:
        own = f"sip:{user}@{host}"
        local = Party(user, own, own, "no" if holding else "yes")
        if private:
            remote = Party("Anonymous", "sip:anonymous@anonymous.invalid", f"sip:**{user}@{host}")
        else:
            remote = Party(other_name or other_number, f"sip:{other_number}@{host}", f"sip:**{user}@{host}")
    return DialogEntry(uuid, direction, state, local, remote, call_id, local_tag, remote_tag)


def thing_entry(
    proto: str, *, uuid: str, direction: str, state: str, user: str, host: str, plain: bool
) -> DialogEntry:
    """Return the entry of a queue, a parking lot, a pick-up group or a conference; `plain`: addressed without proto."""
    thing = _THINGS.get(proto.lower())
    local = remote = None
    if thing is not None and state in (EARLY, CONFIRMED):
        display, named, rendering = thing
        own = f"sip:{user or 'unknown'}@{host};proto={named}"
        local = Party(display, own, own, rendering)
        target = f"sip:{uuid}@{host}" if plain else f"sip:{proto}+{uuid}@{host}"
        remote = Party(display, f"sip:{uuid}@{host}", target)
    return DialogEntry(uuid, direction, state, local, remote)


def _dialog(entry: DialogEntry) -> str:
    parts = [f"<dialog id={_attribute(entry.id)}"]
    for name, value in (
        ("call-id", entry.call_id),
        ("local-tag", entry.local_tag),
        ("remote-tag", entry.remote_tag),
    ):
        if value:
            parts.append(f" {name}={_attribute(value)}")
    parts.append(f' direction="{entry.direction}">\n<state>{entry.state}</state>\n')
    for name, party in (("local", entry.local), ("remote", entry.remote)):
        if party is not None:
            parts.append(f"<{name}>\n{_party(party)}</{name}>\n")
    parts.append("</dialog>\n")
    return "".join(parts)


def _party(party: Party) -> str:
    identity = f"<identity display={_attribute(party.display)}>{escape(_clean(party.uri))}</identity>\n"
    if not party.rendering:
        return f"{identity}<target uri={_attribute(party.target)}/>\n"
    return (
        f"{identity}<target uri={_attribute(party.target)}>\n"
        f'<param pname="+sip.rendering" pvalue="{party.rendering}"/>\n'
        "</target>\n"
    )


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {'"': "&quot;"})


def _clean(text: str) -> str:
    """Return text as XML may hold it: no control characters, no bytes that are no UTF-8."""
    return "".join(
        character for character in text if character >= " " and not "\ud800" <= character <= "\udfff"
    )
