"""Texts as the bytes they stand for: the host keeps bytes as `str` decoded from UTF-8 with surrogate escapes."""

from __future__ import annotations


def to_bytes(text: str) -> bytes:
    """Return the bytes that `text` stands for; lone surrogates that escape nothing become `?`."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def to_text(data: bytes) -> str:
    """Return `data` as the host keeps texts; any bytes are allowed."""
    return data.decode("utf-8", "surrogateescape")


def byte_length(text: str) -> int:
    """Return how many bytes `text` has; FreeSWITCH's lengths and offsets count bytes."""
    return len(text) if text.isascii() else len(to_bytes(text))


def folded(name: str) -> str:
    """Return `name` as a key that ignores the case of A-Z only, as FreeSWITCH compares names."""
    return name.lower() if name.isascii() else to_text(to_bytes(name).lower())
