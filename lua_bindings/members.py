"""Data members of objects, which SWIG lets scripts read and partly set (`session.uuid`, `dtmf.digit`)."""

from __future__ import annotations

from collections.abc import Callable as Function
from typing import TYPE_CHECKING, Final

from lua_bindings.contract import CLASSES, Attribute, ScriptClass
from lua_bindings.host_call import to_bytes, to_int, to_text
from lua_bindings.opaque import Opaque
from lua_bindings.wrappers import class_behind

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

    `(object, name)` answers the value, or `(host value, class)` for what becomes an object, nothing for an unknown
    member; `(object, name, True, value, type, number)` sets it and answers the error's text, if any. A value is a
    text, a number or None; its type is as SWIG names it; `number` is what Lua makes of it.
    """

    def access(
        owner: object,
        name: bytes,
        setting: bool = False,
        value: object = None,
        kind: bytes = b"",
        number: float | None = None,
    ) -> object:
        attribute = cls.attribute(name.decode("utf-8", "replace"))
        if attribute is None:
            return _NO_MEMBER if setting else None
        if setting:
            type_name = kind.decode("utf-8", "replace")
            return _set(owner, _owner_of(cls, attribute), attribute, value, type_name, number)
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
    bare = attribute.ctype.removesuffix("*").rstrip()
    cls = class_behind(bare)
    if cls in CLASSES:
        return value, cls.encode()
    return value if isinstance(value, Opaque) else Opaque(bare, value), bare.encode()


def _owner_of(cls: ScriptClass, attribute: Attribute) -> ScriptClass:
    """Return the class, of `cls` and its bases, that declares the member."""
    while cls.base is not None and attribute.name not in cls.attributes:
        cls = cls.base
    return cls


def _set(
    owner: object,
    cls: ScriptClass,
    attribute: Attribute,
    value: object,
    kind: str,
    number: float | None,
) -> bytes | None:
    label = f"{cls.ctype}::{attribute.name}"
    refusal = f"Error in {label} (arg 2), expected '{attribute.ctype}' got '{kind}'".encode()
    if attribute.ctype in _TEXTS:
        if kind not in ("string", "number", "nil") or (attribute.ctype == "char" and value is None):
            return refusal
        text = to_text(value) if isinstance(value, bytes) else None if value is None else f"{value:.14g}"
        setattr(owner, attribute.name, text[:1] if text and attribute.ctype == "char" else text)
        return None
    if attribute.ctype in _NUMBERS:
        if number is None:
            return refusal
        if attribute.ctype == "unsigned int" and number < 0:
            return b"number must not be negative"
        setattr(owner, attribute.name, to_int(number))
        return None
    return refusal
