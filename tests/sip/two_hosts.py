"""Two hosts behind Kamailio, which trust what it says about where a message came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.sip.baresip import Baresip
from tests.sip.host_configuration import Extension, HostPorts, write_configuration
from tests.sip.kamailio import Kamailio
from tests.sip.served_host import ServedHost, served_host


@contextmanager
def two_hosts(
    folders: pytest.TempPathFactory,
    extensions: Sequence[Extension],
    *,
    internal: Mapping[str, str] | None = None,
    sections: str = "",
) -> Iterator[list[ServedHost]]:
    """Run them; `internal` is more parameters of that profile, `sections` more configurations."""
    behind = {"apply-proxy-acl": "neighbours"}
    profiles = {"internal": {**behind, **(internal or {})}, "open": behind}
    with ExitStack() as stack:
        running = []
        for _ in range(2):
            folder, ports = folders.mktemp("host"), HostPorts()
            conf = write_configuration(
                folder, ports, extensions=extensions, profiles=profiles, sections=sections
            )
            running.append(stack.enter_context(served_host(folder, conf, ports)))
        yield running


def phone_behind(kamailio: Kamailio, folder: Path) -> Baresip:
    """Return a phone of the account 1000 that registers over TLS and answers calls."""
    at = f"127.0.0.1:{kamailio.tls_port};transport=tls"
    return Baresip.of_account(folder, "1000", at, tone=700, params="answermode=auto")
