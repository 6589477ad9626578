"""Refer-To (RFC 3515): where a REFER points, and the dialog that it replaces there (RFC 3891)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from host.modules.mod_sofia.message import parse_address, unwire, uri_host, uri_user


@dataclass(frozen=True, slots=True)
class ReferTo:
    """Where a REFER points: number, host, the URI as a whole, and the dialog it replaces there."""

    user: str
    host: str
    uri: str
    replaces: str = ""
    port: str = ""
    params: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def replaced_dialog(self) -> tuple[str, str, str]:
        """Call-ID, to-tag and from-tag of the dialog that is to be replaced, empty without."""
        call_id, *params = [part.strip() for part in self.replaces.split(";")]
        named = dict(param.partition("=")[::2] for param in params)
        return call_id, named.get("to-tag", ""), named.get("from-tag", "")


def parse_refer_to(value: str) -> ReferTo:
    """Return the parts of a Refer-To header; ValueError for what is no SIP address."""
    address = parse_address(value if "<" in value else f"<{value.partition(';')[0]}>")
    url = address.url
    headers = tuple((str(k), unquote(unwire(str(v)))) for k, v in (url.headers or {}).items())
    copy = url.getCopy()
    copy.headers = None
    return ReferTo(
        unquote(uri_user(url)),
        uri_host(url),
        unwire(str(copy)),
        next((text for name, text in headers if name.lower() == "replaces"), ""),
        str(url.port) if url.port else "",
        ";".join(unwire(str(one)) for one in url.getParams()),
        headers,
    )
