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
_LUA_TYPES: Final = frozenset({"nil", "string", "number", "boolean", "table", "function", "thread"})
_NO_MEMBER: Final = (
    b"Assignment not possible. No setter/member with this name. "
    b"For custom assignments implement __setitem method."
)


def member_access(run: ScriptRun, cls: ScriptClass) -> Function[..., object]:
    """Return what reads and sets members of a class's objects.

    `(object, name)` answers the value, or `(host value, class)` for what becomes an object, nothing for an unknown
    member; `(object, name, True, value, type, number)` sets it and answers the error's text, if any, and whether it
    names the script's place. A value is a text, a number, None or the host's object; its type is as SWIG names it;
    `number` is what Lua makes of it.
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
            return (_NO_MEMBER, True) if setting else None
        if setting and attribute.read_only:
            return None if kind == b"nil" else (_NO_MEMBER, True)
        if setting:
            return _set(owner, attribute, value, kind.decode("utf-8", "replace"), number)
        return _get(owner, attribute)

    return access


def _get(owner: object, attribute: Attribute) -> object:
    value = getattr(owner, attribute.name, None)
    if attribute.ctype == "char":
        return to_bytes(str(value)) or b"\0"
    if attribute.ctype in _TEXTS:
        return None if value is None else to_bytes(str(value))
    if attribute.ctype in _NUMBERS:
        return value
    if value is None and attribute.ctype.endswith("*"):
        return None
    bare = _bare(attribute)
    cls = class_behind(bare)
    if cls in CLASSES:
        return value, cls.encode()
    return value if isinstance(value, Opaque) else Opaque(bare, value), bare.encode()


def _bare(attribute: Attribute) -> str:
    return attribute.ctype.removesuffix("*").rstrip()


def _set(owner: object, attribute: Attribute, value: object, kind: str, number: float | None) -> bytes | None:
    refusal = f"Error in {attribute.label} (arg 2), expected '{attribute.ctype}' got '{kind}'".encode()
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
    return _set_pointer(owner, attribute, value, kind, refusal)


def _set_pointer(
    owner: object, attribute: Attribute, value: object, kind: str, refusal: bytes
) -> bytes | None:
    """Set a member that is a C value or points to one: to another of its type, or where it points to nil."""
    if kind == "nil" and attribute.ctype.endswith("*"):
        if attribute.name != "channel":  # that of the session, which keeps it
            setattr(owner, attribute.name, None)
        return None
    if kind in _LUA_TYPES:
        return refusal
    bare = _bare(attribute)
    behind = class_behind(bare)
    wanted = CLASSES[behind].shown or bare if behind in CLASSES else bare
    if bare == "switch_channel_t" and kind == f"{bare} *":
        return None
    if bare != "void" and kind != f"{wanted} *".replace("* *", "**"):
        return f"Error in {attribute.symbol} (arg 2), expected '{wanted} *' got '{kind}'".encode()
    held = getattr(owner, attribute.name, None)
    # A pointer without a class stands for the host's value, except where members keep it as it came.
    takes_value = isinstance(value, Opaque) and bare != "void" and not isinstance(held, Opaque)
    setattr(owner, attribute.name, value.value if takes_value and isinstance(value, Opaque) else value)
    return None
