"""STUN messages (RFC 5389): the binding request and what its answer says."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

MAGIC_COOKIE: Final = 0x2112A442  # section 6
_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_MAPPED_ADDRESS: Final = 0x0001  # section 15.1
_XOR_MAPPED_ADDRESS: Final = 0x0020  # section 15.2
_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_LENGTHS: Final = {1: 4, 2: 16}  # of an address, by its family


class StunError(ValueError):
    """A message that is no answer to a binding request."""


def binding_request(transaction: bytes) -> bytes:
    """Return a binding request; `transaction` is 12 bytes that the answer repeats."""
    return _HEADER.pack(_BINDING_REQUEST, 0, MAGIC_COOKIE, transaction)


def mapped_address(message: bytes, transaction: bytes) -> tuple[str, int]:
    """Return the (address, port) that an answer tells; StunError for anything else."""
    if len(message) < _HEADER.size:
        raise StunError("too short")
    kind, length, cookie, repeated = _HEADER.unpack_from(message)
    body = message[_HEADER.size : _HEADER.size + length]
    if kind != _BINDING_SUCCESS or repeated != transaction or len(body) < length:
        raise StunError("no answer to this request")
    found = dict(reversed(list(_attributes(body))))
    if _XOR_MAPPED_ADDRESS in found:
        mask = struct.pack("!I", cookie) + transaction
        return _address(found[_XOR_MAPPED_ADDRESS], mask)
    if _MAPPED_ADDRESS in found:
        return _address(found[_MAPPED_ADDRESS], bytes(16))
    raise StunError("no address in it")


def _attributes(body: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + _ATTRIBUTE.size <= len(body):
        kind, length = _ATTRIBUTE.unpack_from(body, position)
        position += _ATTRIBUTE.size
        if position + length > len(body):
            return
        yield kind, body[position : position + length]
        position += -(-length // 4) * 4


def _address(value: bytes, mask: bytes) -> tuple[str, int]:
    if len(value) < 4 or len(value) - 4 < _LENGTHS.get(value[1], len(value)):
        raise StunError("a broken address")
    port = int.from_bytes(value[2:4]) ^ int.from_bytes(mask[:2])
    raw = value[4 : 4 + _LENGTHS[value[1]]]
    return str(ip_address(bytes(a ^ b for a, b in zip(raw, mask, strict=False)))), port
