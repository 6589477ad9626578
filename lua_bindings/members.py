"""Data members of objects, which SWIG lets scripts read and partly set (`session.uuid`, `dtmf.digit`)."""

from __future__ import annotations

from collections.abc import Callable as Function
from typing import TYPE_CHECKING, Final

from lua_bindings.contract import Attribute, ScriptClass
from lua_bindings.host_call import to_bytes, to_int, to_text
from lua_bindings.opaque import Opaque

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

_TEXTS: Final = frozenset({"char *", "char const *", "char"})
_NUMBERS: Final = frozenset({"int", "unsigned int"})
_NO_MEMBER: Final = (
    b"Assignment not possible. No setter/member with this name. "
    b"For custom assignments implement __setitem method."
)


def member_access(run: ScriptRun, cls: ScriptClass) -> Function[..., object]:
    """Return what reads and sets members of a class's objects.

    `(object, name)` answers the value, or `(host value, C type)` for what becomes an opaque object, nothing for an
    unknown member; `(object, name, True, value)` sets it and answers the error's text, if any.
    """

    def access(owner: object, name: bytes, setting: bool = False, value: object = None) -> object:
        attribute = cls.attribute(name.decode("utf-8", "replace"))
        if attribute is None:
            return _NO_MEMBER if setting else None
        if setting:
            return _set(owner, cls, attribute, value)
        return _get(owner, attribute)

    return access


def _get(owner: object, attribute: Attribute) -> object:
    value = getattr(owner, attribute.name, None)
    if attribute.ctype in _TEXTS:
        return None if value is None else to_bytes(str(value))
    if attribute.ctype in _NUMBERS:
        return value
    if value is None and attribute.ctype.endswith("*"):
        return None
    bare = attribute.ctype.removesuffix(" *")
    return value if isinstance(value, Opaque) else Opaque(bare, value), bare.encode()


def _set(owner: object, cls: ScriptClass, attribute: Attribute, value: object) -> bytes | None:
    label = f"{cls.ctype}::{attribute.name}"
    if attribute.ctype in _TEXTS:
        if value is not None and (isinstance(value, bool) or not isinstance(value, bytes | int | float)):
            return _refusal(label, attribute, value)
        text = to_text(value) if isinstance(value, bytes) else None if value is None else f"{value:.14g}"
        if attribute.ctype == "char":
            if not text:
                return _refusal(label, attribute, value)
            text = text[:1]
        setattr(owner, attribute.name, text)
        return None
    if attribute.ctype in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        setattr(owner, attribute.name, to_int(value))
        return None
    return _refusal(label, attribute, value)


def _refusal(label: str, attribute: Attribute, value: object) -> bytes:
    kind = "nil" if value is None else "boolean" if isinstance(value, bool) else "number"
    if isinstance(value, bytes):
        kind = "string"
    return f"Error in {label} (arg 2), expected '{attribute.ctype}' got '{kind}'".encode()
