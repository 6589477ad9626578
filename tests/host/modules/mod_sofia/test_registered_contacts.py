"""Where a registered phone is called: behind NAT, over other transports, by forced contacts, paths and flows."""

from __future__ import annotations

from typing import Any

import pytest

from host.modules.mod_sofia.message import OutgoingRequest, Source
from host.modules.mod_sofia.registration.contact_route import towards
from tests.host.modules.mod_sofia.registrar_fakes import (
    Make,
    Phone,
    contacts,
)


def test_a_phone_behind_nat(make: Make) -> None:
    profile = make(aggressive_nat_detection=True, ndlb_received_in_nat_reg_contact=True)
    phone = Phone(profile, source=("192.0.2.7", 40000, "udp"))
    answer = phone.register(expires=None)
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:5062;received=192.0.2.7:40000>;expires=30"]
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.status == "Registered(UDP-NAT)"
    assert binding.contact == (
        '"1000" <sip:1000@10.0.0.1:5062;received=192.0.2.7:40000;fs_nat=yes;'
        "fs_path=sip%3A1000%40192.0.2.7%3A40000>"
    )
    request = towards(binding.contact, OutgoingRequest("OPTIONS", "", "sip:a", "sip:b"))
    assert request.next_hop == Source("192.0.2.7", 40000, "udp")
    assert request.uri == "sip:1000@10.0.0.1:5062"


@pytest.mark.parametrize(
    ("settings", "options", "status"),
    [
        ({}, {"source": ("192.0.2.7", 1, "udp")}, "Registered(UDP)"),
        ({"apply_nat_acl": ("10.0.0.0/8",)}, {}, "Registered(UDP-NAT)"),
        ({"apply_nat_acl": ("10.0.0.0/8",), "local_network_acl": "10.0.0.0/8"}, {}, "Registered(UDP)"),
        (
            {},
            {"source": ("192.0.2.7", 1, "wss"), "contact": "<sip:1000@x.invalid;transport=ws>"},
            "Registered(WSS-NAT)",
        ),
        ({"tcp_always_nat": True}, {"contact": "<sip:1000@10.0.0.1;transport=tcp>"}, "Registered(TCP-NAT)"),
        ({}, {"contact": "<sip:1000@10.0.0.1;transport=tcp>"}, "Registered(TCP)"),
        ({}, {"contact": "<sips:1000@10.0.0.1>"}, "Registered(TLS)"),
    ],
)
def test_statuses(make: Make, settings: dict[str, object], options: dict[str, Any], status: str) -> None:
    profile = make(**settings)
    assert Phone(profile, **options).register().code == 200
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.status == status
    if "WSS" in status:
        assert binding.contact.endswith("fs_path=sip%3A1000%40192.0.2.7%3A1%3Btransport%3Dwss>")


@pytest.mark.parametrize(
    ("force", "contact", "status"),
    [
        (
            "NDLB-connectile-dysfunction",
            '"forced" <sip:forced@192.0.2.7:9;fs_nat=yes>',
            "Registered(AUTO-NAT)",
        ),
        (
            "NDLB-connectile-dysfunction-2.0",
            '"forced" <sip:forced@10.0.0.1:5062;fs_nat=yes;fs_path=sip%3Aforced%40192.0.2.7%3A9>',
            "Registered(AUTO-NAT-2.0)",
        ),
        ("'X' &lt;sip:x@1.2.3.4&gt;", '"X" <sip:x@1.2.3.4>', "Registered(UDP)"),
    ],
)
def test_contacts_that_are_forced(make: Make, force: str, contact: str, status: str) -> None:
    profile = make(force=force)
    Phone(profile, "forced", source=("192.0.2.7", 9, "udp")).register()
    (binding,) = profile.registrar.registrations.find("forced")
    assert (binding.contact, binding.status) == (contact, status)


def test_old_phones_behind_nat(make: Make) -> None:
    profile = make(server_rport_level=2)
    Phone(profile, agent="PolycomSoundPointIP", source=("192.0.2.7", 9, "udp")).register()
    (binding,) = profile.registrar.registrations.find("1000")
    assert binding.status == "Registered(AUTO-NAT-2.0)"


def test_paths(make: Make) -> None:
    profile = make()
    answer = Phone(profile).register(extra=["Path: <sip:edge.example.com;lr>, <sip:p2;lr>"])
    assert answer.all("Path") == ["<sip:edge.example.com;lr>", "<sip:p2;lr>"]
    assert answer.all("Contact") == ["<sip:1000@10.0.0.1:5062>;expires=3600"]
    request = towards(contacts(profile)[0], OutgoingRequest("OPTIONS", "", "sip:a", "sip:b"))
    assert (request.routes, request.next_hop) == (("<sip:edge.example.com;lr>", "<sip:p2;lr>"), None)


def test_flows_take_each_others_place(make: Make) -> None:
    profile = make(enable_rfc_5626=True, multiple_registrations="contact")
    flow = ';+sip.instance="<urn:uuid:1>";reg-id=1'
    phone = Phone(profile)
    answer = phone.register(contacts=[f"<sip:1000@10.0.0.1:1>{flow}"], extra=["Supported: path, outbound"])
    assert answer.one("Require") == "outbound"
    phone.call_id = "call-2"
    phone.register(contacts=[f"<sip:1000@10.0.0.1:2>{flow}"])
    phone.register(contacts=[f"<sip:1000@10.0.0.1:3>{flow[:-1]}2"])
    assert [one.partition(":")[2] for one in contacts(profile)] == ["1000@10.0.0.1:2>", "1000@10.0.0.1:3>"]
