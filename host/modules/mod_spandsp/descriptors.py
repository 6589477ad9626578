"""The tones of spandsp.conf: descriptors by name, each with the tones of a country."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from media.cadence_detector import CadenceElement, CadenceTone

if TYPE_CHECKING:
    from lxml import etree

    from host.switch import Switch

# FreeSWITCH: so many tones has a descriptor.
_MOST_TONES: Final = 128
# A tone that asks for an hour is none that a network sends.
_LONGEST_MS: Final = 3_600_000
_FINENESS: Final = 10

Descriptors = dict[str, tuple[CadenceTone, ...]]


class DescriptorError(ValueError):
    """A descriptor that is wrong; the text is what FreeSWITCH logs of it."""


def read_descriptors(switch: Switch) -> Descriptors:
    """Read spandsp.conf, or fax.conf where there is none; what is wrong is logged, and ends the reading."""
    configuration = switch.xml.configuration("spandsp.conf")
    if configuration is None:
        configuration = switch.xml.configuration("fax.conf")
    found: Descriptors = {}
    if configuration is None:
        return found
    try:
        for descriptor in configuration.iterfind("descriptors/descriptor"):
            name = descriptor.get("name")
            if not name:
                raise DescriptorError("Missing <descriptor> name")
            switch.log_detail(_FINENESS, f"Adding tone_descriptor: {name}")
            found[name] = ()
            for tone in descriptor.iterfind("tone"):
                found[name] += (_tone(switch, name, tone, len(found[name])),)
    except DescriptorError as error:
        switch.log(LogLevel.WARNING, str(error))
    return {name: tuple(tone for tone in tones if tone.elements) for name, tones in found.items()}


def _tone(switch: Switch, descriptor: str, tone: etree._Element, number: int) -> CadenceTone:
    name = tone.get("name")
    if not name:
        raise DescriptorError(f"Missing <tone> name for <descriptor> {descriptor}")
    if number >= _MOST_TONES:
        raise DescriptorError(f"Unable to add tone_descriptor: {descriptor}, tone: {name}.  (too many tones)")
    adding = f"Adding tone_descriptor: {descriptor}, tone: {name}({number})"
    switch.log_detail(_FINENESS, adding)
    elements = []
    for element in tone.iterfind("element"):
        if not element.get("min"):
            raise DescriptorError(
                f"Missing min in <element> of <descriptor> {descriptor} <tone> {name}({number})"
            )
        first, second, least, most = (
            leading_int(element.get(key) or "0") for key in ("freq1", "freq2", "min", "max")
        )
        if min(first, second, least, most) < 0 or max(least, most) > _LONGEST_MS:
            raise DescriptorError("Invalid element param.")
        if not first and not least and not most:
            raise DescriptorError("Invalid element param.")
        switch.log_detail(_FINENESS, f"{adding}, element ({first}, {second}, {least}, {most})")
        elements.append(CadenceElement(first, second, least, most))
    return CadenceTone(name, tuple(elements))
