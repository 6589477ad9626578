"""The two profiles with what a test's module configures, phones that call them, and registrars without a network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host.switch import Switch
from tests.host.modules.mod_sofia.registrar_fakes import Make, maker
from tests.host.modules.mod_sofia.sip_phone import SipPhone
from tests.host.modules.mod_sofia.two_profiles import Rig, two_profiles


@pytest.fixture(scope="module")
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The two profiles, with the module's CONFIGURATION and a media engine that runs."""
    with two_profiles(tmp_path_factory.mktemp("profiles"), request.module.CONFIGURATION) as rig:
        rig.switch.engine.start()
        yield rig


@pytest.fixture
def clean(rig: Rig) -> Iterator[None]:
    """Leave no call of a test to the next one; modules with a rig ask for it in `pytestmark`."""
    yield
    rig.api("hupall")
    rig.quiet()


@pytest.fixture
def phone(rig: Rig) -> Iterator[SipPhone]:
    """A phone that calls `far`."""
    with SipPhone(rig.far.settings.sip_port) as phone:
        yield phone


@pytest.fixture
def alice(phone: SipPhone) -> SipPhone:
    """The phone of two that calls."""
    return phone


@pytest.fixture
def bob(rig: Rig) -> Iterator[SipPhone]:
    """The phone of two that `near` calls at `${bob_port}`."""
    with SipPhone(rig.near.settings.sip_port) as phone:
        rig.switch.global_variables.set("bob_port", str(phone.port))
        yield phone


@pytest.fixture
def make(virtual_switch: Switch) -> Make:
    """What makes profiles whose registrar no network reaches."""
    return maker(virtual_switch)
