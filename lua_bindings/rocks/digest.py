"""The digests of the rocks md5 and sha1."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from lua_bindings.rocks.crossing import crossings

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun


_BLOCK: Final = 16


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the functions; all take and give octets."""
    return crossings(
        run,
        "digest",
        {
            "md5": _md5,
            "exclusive_or": lambda first, second: bytes(a ^ b for a, b in zip(first, second, strict=True)),
            "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
            "hmac_sha1": lambda key, data: hmac.digest(key, data, "sha1"),
            "encrypt": encrypt,
            "decrypt": decrypt,
        },
    )


def _key_stream(message: bytes, key: bytes, seed: bytes, decrypting: bool) -> bytes:
    """Return `message` combined with the digests of the last 16 octets of cipher text and the key."""
    made = bytearray()
    before = seed[:_BLOCK].ljust(_BLOCK, b"\0")
    for start in range(0, len(message), _BLOCK):
        part = message[start : start + _BLOCK]
        crossed = bytes(a ^ b for a, b in zip(part, _md5(before + key), strict=False))
        made += crossed
        before = part if decrypting else crossed
    return bytes(made)


def encrypt(message: bytes, key: bytes, seed: bytes) -> bytes:
    """Return the seed's length, the seed, and `message` in cipher feedback, as md5.crypt does."""
    return bytes((len(seed),)) + seed + _key_stream(message, key, seed, False)


def decrypt(message: bytes, key: bytes) -> bytes | None:
    """Undo `encrypt`; None for what it did not make."""
    size = message[0] if message else _BLOCK + 1
    if size > _BLOCK or len(message) < size + 1:
        return None
    return _key_stream(message[size + 1 :], key, message[1 : size + 1], True)
