"""Profiles of rooms: the parameters that conference.conf gives under a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.truth import is_true

if TYPE_CHECKING:
    from lxml import etree

    from host.switch import Switch

CONFIGURATION: Final = "conference.conf"
DEFAULT_PROFILE: Final = "default"

# FreeSWITCH: other rates and intervals are passed over.
RATES: Final = frozenset({8000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000})
_LONGEST_INTERVAL: Final = 120

_COMFORT_NOISE: Final = 1400
_SHORTEST_TIMEOUT_MS: Final = 500
_SHORTEST_HEARTBEAT_S: Final = 20


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile's parameters by name, with `-` for `_` and in lower case, and its variables.

    A name that conference.conf does not have gives an empty profile, called `none`.
    """

    name: str = "none"
    parameters: dict[str, str] = field(default_factory=dict)
    variables: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return a parameter, empty when it is not set."""
        return self.parameters.get(name, "")

    def number(self, name: str, default: int = 0, least: int = 0) -> int:
        """Return a parameter's number; `default` when it is not set or below `least`."""
        text = self.get(name)
        number = leading_int(text) if text else default
        return number if number >= least else default

    def rate(self, channel_rate: int) -> int:
        """Return the samples a second, 8000 by default; `auto` is the rate of the channel that opens the room."""
        return self._rate(self.get("rate"), channel_rate, 8000)

    def _rate(self, text: str, channel_rate: int, default: int) -> int:
        if text.lower() == "auto":
            return channel_rate
        return leading_int(text) if leading_int(text) in RATES else default

    def forced_rate(self, text: str, channel_rate: int) -> int:
        """Return the rate of the variable `conference_force_rate`, the profile's when that says nothing."""
        return self._rate(text, channel_rate, self.rate(channel_rate))

    @property
    def interval(self) -> int:
        """Milliseconds of a frame, a multiple of 10 up to 120."""
        wanted = leading_int(self.get("interval"))
        return wanted if 0 < wanted <= _LONGEST_INTERVAL and wanted % 10 == 0 else 20

    @property
    def comfort_noise(self) -> int:
        """The divisor of the comfort noise, 0 for none."""
        text = self.get("comfort-noise")
        level = leading_int(text)
        if 1 < level < 10_000:
            return level
        return _COMFORT_NOISE if is_true(text) else 0

    @property
    def max_members(self) -> int:
        """How many may be in the room, 0 for any number; FreeSWITCH: 1 is no limit."""
        limit = self.number("max-members")
        return limit if limit != 1 else 0

    @property
    def digit_timeout(self) -> int:
        """Milliseconds after which keys that could go on are decided."""
        return max(_SHORTEST_TIMEOUT_MS, self.number("ivr-dtmf-timeout", _SHORTEST_TIMEOUT_MS))

    @property
    def heartbeat(self) -> int:
        """Seconds from one heartbeat event to the next, 0 for none."""
        period = self.number("heartbeat-period-sec")
        return period if period >= _SHORTEST_HEARTBEAT_S else 0


def find_profile(switch: Switch, conference: str, name: str, uuid: str) -> Profile | None:
    """Return a profile; None when there is no conference.conf at all."""
    configuration = switch.xml.configuration(
        CONFIGURATION, {"conference_name": conference, "profile_name": name, "Fetch-Call-UUID": uuid}
    )
    if configuration is None:
        return None
    for element in configuration.findall("profiles/profile"):
        if (element.get("name") or "").lower() == name.lower():
            return _profile(element)
    return Profile()


def _profile(element: etree._Element) -> Profile:
    parameters: dict[str, str] = {}
    for param in element.findall("param"):
        value = param.get("value") or ""
        if value:
            parameters[(param.get("name") or "").replace("_", "-").lower()] = value
    variables = tuple(
        (variable.get("name") or "", variable.get("value") or "")
        for variable in element.findall("variables/variable")
    )
    return Profile(element.get("name") or "", parameters, variables)


def control_group(
    switch: Switch, conference: str, profile: str, group: str, uuid: str
) -> etree._Element | None:
    """Return the caller controls of that name, None when there are none."""
    configuration = switch.xml.configuration(
        CONFIGURATION,
        {
            "Conf-Name": conference,
            "Conf-Profile": profile,
            "Action": "request-controls",
            "Controls": group,
            "Fetch-Call-UUID": uuid,
        },
    )
    if configuration is None:
        return None
    for element in configuration.findall("caller-controls/group"):
        if (element.get("name") or "").lower() == group.lower():
            return element
    return None


def advertise(switch: Switch) -> None:
    """Tell the presence of the rooms that conference.conf advertises."""
    configuration = switch.xml.configuration(CONFIGURATION, {"presence": "true"})
    if configuration is None or not switch.bus.wants("PRESENCE_IN"):
        return
    for room in configuration.findall("advertise/room"):
        name = room.get("name")
        if name:
            event = switch.new_event("PRESENCE_IN")
            for header, value in (
                ("proto", "conf"),
                ("login", name),
                ("from", name),
                ("force-status", room.get("status") or "Available"),
                ("rpid", "unknown"),
                ("event_type", "presence"),
            ):
                event.add_header(header, value)
            switch.fire(event)
