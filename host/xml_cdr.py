"""A call's detail record as the XML that `getXMLCDR` answers (FreeSWITCH: switch_ivr_generate_xml_cdr)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from host.caller_profile import CallerProfile
from host.escape import attribute_escape, url_encode, xml_escape

if TYPE_CHECKING:
    from host.session import Session

_TIMES: Final = (
    ("created_time", "created"),
    ("profile_created_time", "profile_created"),
    ("progress_time", "progress"),
    ("progress_media_time", "progress_media"),
    ("answered_time", "answered"),
    ("bridged_time", "bridged"),
    ("last_hold_time", "last_hold"),
    ("hold_accum_time", "hold_accum"),
    ("hangup_time", "hungup"),
    ("resurrect_time", "resurrected"),
    ("transfer_time", "transferred"),
)


def xml_cdr(session: Session) -> str:
    """Return the record of the call so far: channel, variables (URL-encoded), and one callflow for each profile."""
    channel = session.channel
    switch = session.switch
    flags = ";".join(f"{number}=1" for number in sorted(flag.value for flag in channel.flags))
    lines = [
        f'<cdr core-uuid="{switch.core_uuid}" switchname="{attribute_escape(switch.hostname)}">',
        "  <channel_data>",
        f"    <state>{channel.state.name}</state>",
        f"    <direction>{channel.direction}</direction>",
        f"    <state_number>{int(channel.state)}</state_number>",
        f"    <flags>{flags}</flags>",
        "  </channel_data>",
        "  <variables>",
        *(
            f"    <{_tag(name)}>{url_encode(value)}</{_tag(name)}>"
            for name, value in channel.variables.items()
        ),
        "  </variables>",
    ]
    profiles = [channel.profile, *channel.previous_profiles]
    for index, profile in enumerate(profiles):
        lines.extend(_callflow(profile, len(profiles) - index))
    lines.append("</cdr>")
    return "\n".join(lines) + "\n"


def _callflow(profile: CallerProfile, index: int) -> Iterator[str]:
    yield (
        f'  <callflow dialplan="{attribute_escape(profile.dialplan)}" unique-id="{attribute_escape(profile.uuid)}" '
        f'profile_index="{index}">'
    )
    extension = profile.extension
    if extension is not None:
        yield f'    <extension name="{attribute_escape(extension.name)}" number="{attribute_escape(extension.number)}">'
        for application, data in extension.applications:
            named = f'app_name="{attribute_escape(application)}" app_data="{attribute_escape(data)}"'
            yield f"      <application {named}></application>"
        yield "    </extension>"
    yield "    <caller_profile>"
    for field in CallerProfile.FIELDS:
        value = getattr(profile, field) or ""
        yield f"      <{field}>{xml_escape(value)}</{field}>"
    yield "    </caller_profile>"
    yield "    <times>"
    for tag, field in _TIMES:
        yield f"      <{tag}>{getattr(profile.times, field)}</{tag}>"
    yield "    </times>"
    yield "  </callflow>"


def _tag(name: str) -> str:
    """Return a variable's name as an element's; characters that no name may have become underscores."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "_-.") else "_" for c in name)
    return kept if kept[:1].isalpha() or kept[:1] == "_" else f"_{kept}"
