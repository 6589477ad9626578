"""Registrations: where users can be reached, as registrars note them and `show registrations` lists them."""

from __future__ import annotations

from typing import NamedTuple


class Registration(NamedTuple):
    """One contact of one user; `expires` in seconds since the epoch."""

    reg_user: str
    realm: str
    token: str
    url: str
    expires: str
    network_ip: str
    network_port: str
    network_proto: str
    hostname: str
    metadata: str
