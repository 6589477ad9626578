"""Where registered users are reached, as dial strings and commands ask for it.

With shared registrations these functions ask the database: they are for threads that may block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from host.modules.mod_sofia.registration.contact_address import contact_url, without_scheme
from host.modules.mod_sofia.registration.registrations import Binding, Registrations

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile_settings import ProfileSettings

NOT_REGISTERED: Final = "error/user_not_registered"
_NO_PROFILE: Final = "-1"


class _Registrar(Protocol):
    @property
    def registrations(self) -> Registrations: ...


class RegistrarProfile(Protocol):
    """What is asked of a profile here."""

    name: str

    @property
    def settings(self) -> ProfileSettings: ...
    @property
    def registrar(self) -> _Registrar: ...


class ProfileDirectory(Protocol):
    """What is asked of the running profiles here."""

    @property
    def profiles(self) -> Mapping[str, RegistrarProfile]: ...
    def find_profile(self, name: str) -> RegistrarProfile | None: ...


def dial_url(binding: Binding) -> str:
    """Return what to dial for a registration: `sofia/PROFILE/sip:…`, with the way to the phone in it."""
    return f"sofia/{binding.profile_name}/sip:{without_scheme(contact_url(binding.contact))}"


def sofia_contact(
    sofia: ProfileDirectory,
    argument: str,
    *,
    default_domain: str = "",
    exclude_contact: str = "",
    match_user_agent: str = "",
) -> str:
    """Return what to dial for `[profile/]user@domain[/prefix][~user-agent]`, with commas between.

    FreeSWITCH: `*` or no known profile asks all of them for the domain, each contact once; `prefix` goes before
    every leg. `exclude_contact` and `match_user_agent` are parts of a contact and of a User-Agent, from the channel
    variables `sip_exclude_contact` and `sip_match_user_agent`.
    """
    text, tilde, agent = argument.partition("~")
    match_user_agent = agent if tilde else match_user_agent
    profile_name, user, domain, prefix = _parts(text)
    domain = domain or default_domain
    profile = None
    if profile_name != "*" or not domain:
        profile = sofia.find_profile(profile_name) if profile_name else None
        if profile is None and domain:
            profile = sofia.find_profile(domain)
    profiles: Iterable[RegistrarProfile]
    if profile is not None:
        domain = domain or profile.name
        if profile.settings.domain and profile_name == profile.name:
            domain = profile.settings.domain
        profiles = (profile,)
    else:
        profiles = list(sofia.profiles.values()) if domain else ()
    legs: list[str] = []
    for one in profiles:
        for binding in one.registrar.registrations.find(user, domain, any_case=True):
            leg = prefix + dial_url(binding)
            wanted = (
                binding.profile_name == one.name
                and (not exclude_contact or exclude_contact.lower() not in binding.contact.lower())
                and match_user_agent.lower() in binding.user_agent.lower()
            )
            if wanted and (profile is not None or leg not in legs):
                legs.append(leg)
    return ",".join(legs) or NOT_REGISTERED


def sofia_count_reg(sofia: ProfileDirectory, argument: str) -> str:
    """Return how many registrations `[profile/][user]@domain` has; -1 where there is no such profile."""
    found = _profile_and_domain(sofia, argument)
    if found is None:
        return _NO_PROFILE
    profile, user, domain = found
    if user:
        return str(len(profile.registrar.registrations.find(user, domain)))
    return str(sum(binding.serves(domain) for binding in profile.registrar.registrations.all()))


def sofia_username_of(sofia: ProfileDirectory, argument: str) -> str:
    """Return the login with which `[profile/]user@domain` is registered, empty without one."""
    found = _profile_and_domain(sofia, argument)
    if found is None or not found[1]:
        return ""
    profile, user, domain = found
    bindings = profile.registrar.registrations.find(user, domain)
    return bindings[-1].sip_username if bindings else ""


def registered_contacts(profile: RegistrarProfile, user: str, host: str = "") -> list[str]:
    """Return the contacts kept for a user, for `sofia/profile/user%domain` and requests to a user."""
    return [binding.contact for binding in profile.registrar.registrations.find(user, host)]


def _parts(text: str) -> tuple[str, str, str, str]:
    """Return profile, user, domain and prefix of `[profile/]user[@domain][/prefix]`."""
    profile, slash, rest = text.partition("/")
    if not slash:
        profile, rest = "", text
    user, at, behind = rest.partition("@")
    if not at:
        user, _, prefix = rest.partition("/")
        return profile, user, "", prefix
    domain, _, prefix = behind.partition("/")
    return profile, user, domain, prefix


def _profile_and_domain(sofia: ProfileDirectory, argument: str) -> tuple[RegistrarProfile, str, str] | None:
    """Return profile, user and domain; FreeSWITCH: a domain without a dot stands for the profile's name."""
    profile_name, user, domain, _ = _parts(argument)
    profile = sofia.find_profile(profile_name) if profile_name else None
    if profile is None and domain:
        profile = sofia.find_profile(domain)
        if profile_name:
            domain = ""  # FreeSWITCH: a profile that is not known leaves the domain's, and its own name to look for
    if profile is None:
        return None
    return profile, user, domain if "." in domain else profile.name
