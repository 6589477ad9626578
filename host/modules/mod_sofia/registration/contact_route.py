"""Requests to registered phones: the request URI, the routes and the next hop that a kept contact stands for."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address

from host.modules.mod_sofia.call.destination import destination
from host.modules.mod_sofia.message import OutgoingRequest, Source, parse_uri, uri_host, uri_param


def towards(contact: str, request: OutgoingRequest) -> OutgoingRequest:
    """Return a request with the URI, routes and next hop of a kept contact."""
    way = destination(contact)
    routes, next_hop = list(way.routes), None
    if way.next_hop:
        try:
            hop = parse_uri(way.next_hop)
            host = uri_host(hop).strip("[]")
            ip_address(host)
            transport = (uri_param(hop, "transport") or way.transport or "udp").lower()
            next_hop = Source(host, int(hop.port or 5060), transport)
        except ValueError:
            # A name is looked up on the way, as that of a route.
            routes = [f"<{way.next_hop};lr>"]
    return dataclasses.replace(request, uri=way.uri, routes=tuple(routes), next_hop=next_hop)
