"""The parsed contract of mod_lua: what `declarations.py` says, as data for wrappers, documentation and completion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from lua_bindings import declarations


class Kind(Enum):
    """How an argument is checked and converted (SWIG's rule for its C type)."""

    STRING = "S"  # a string, a number or nil
    CHARACTER = "C"  # like STRING; its first byte counts
    NUMBER = "N"  # a number or a numeric string
    UNSIGNED = "U"  # like NUMBER, not negative
    BOOLEAN = "B"
    TABLE = "T"
    FUNCTION = "F"
    POINTER = "P"  # an object of a class, or nil
    REFERENCE = "R"  # an object of a class


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name, its C type as error messages spell it, and its default as Lua text (None: needed)."""

    name: str
    ctype: str
    kind: Kind
    default: str | None = None

    @property
    def pointed(self) -> str:
        """The bare class of a POINTER or REFERENCE: `Event` of `Event const *`."""
        return re.sub(r"( const)? ?[*&].*$", "", self.ctype)


@dataclass(frozen=True, slots=True)
class Signature:
    """One declaration of a method, function or constructor; `arguments` includes the object itself."""

    returns: str
    arguments: tuple[Argument, ...]

    @property
    def least(self) -> int:
        """How many arguments are needed."""
        return sum(argument.default is None for argument in self.arguments)

    @property
    def most(self) -> int:
        """How many arguments are allowed."""
        return len(self.arguments)


@dataclass(frozen=True, slots=True)
class Callable:
    """A method, function or constructor with all its overloads.

    `label` is the C++ name of argument errors (`CoreSession::answer`), `symbol` SWIG's own (`CoreSession_answer`).
    """

    name: str
    label: str
    symbol: str
    signatures: tuple[Signature, ...]
    is_method: bool = False

    def prototypes(self) -> Iterator[str]:
        """Yield the overloads as the error message lists them."""
        for signature in self.signatures:
            own = signature.arguments[1:] if self.is_method else signature.arguments
            yield f"{self.label}({','.join(argument.ctype for argument in own)})"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A data member that scripts may read and, as far as SWIG lets them, set.

    `label` is its C++ name in errors (`CoreSession::flags`), `symbol` that of the C function that sets it.
    """

    name: str
    ctype: str
    label: str
    symbol: str
    read_only: bool = False


@dataclass(slots=True, eq=False)
class ScriptClass:
    """A class of the table `freeswitch`; `ctype` is what its objects call themselves (`LUA::Session`).

    `shown` is the name in `tostring` and `swig_type` where that is another: SWIG knows some types by two names.
    """

    name: str
    ctype: str
    base: ScriptClass | None = None
    constructor: Callable | None = None
    methods: dict[str, Callable] = field(default_factory=dict)
    attributes: dict[str, Attribute] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    shown: str = ""

    def method(self, name: str) -> Callable | None:
        """Return the method of that name or alias, of this class or its bases."""
        cls: ScriptClass | None = self
        while cls is not None:
            found = cls.methods.get(name)
            if found is None and name in cls.aliases:
                return self.method(cls.aliases[name])
            if found is not None:
                return found
            cls = cls.base
        return None

    def attribute(self, name: str) -> Attribute | None:
        """Return the attribute of that name, of this class or its bases."""
        cls: ScriptClass | None = self
        while cls is not None:
            if name in cls.attributes:
                return cls.attributes[name]
            cls = cls.base
        return None

    def names(self) -> Iterator[str]:
        """Yield the names of all methods, those of the bases too."""
        cls: ScriptClass | None = self
        while cls is not None:
            yield from cls.methods
            yield from cls.aliases
            cls = cls.base

    def is_a(self, ctype: str) -> bool:
        """Return whether objects of this class pass where `ctype` is asked for."""
        return self.ctype == ctype or (self.base is not None and self.base.is_a(ctype))


_KINDS: Final = {
    "char *": Kind.STRING,
    "char const *": Kind.STRING,
    "char": Kind.CHARACTER,
    "int": Kind.NUMBER,
    "unsigned int": Kind.UNSIGNED,
    "bool": Kind.BOOLEAN,
    "SWIGLUA_TABLE": Kind.TABLE,
    "SWIGLUA_FN": Kind.FUNCTION,
}
_DECLARATION: Final = re.compile(
    r"(?P<returns>new|.*[ *])(?P<name>\w+)\((?P<arguments>.*)\)(?P<const> const)?$"
)


def _kind(ctype: str) -> Kind:
    known = _KINDS.get(ctype)
    if known is not None:
        return known
    return Kind.POINTER if ctype.endswith("*") else Kind.REFERENCE


def _argument(text: str) -> Argument:
    declared, equals, default = (part.strip() for part in text.partition("="))
    ctype, name = declared.rsplit(" ", 1)
    return Argument(name, ctype, _kind(ctype), default if equals else None)


def _lines(text: str) -> Iterator[str]:
    """Yield declarations, those over several lines joined."""
    joined = ""
    for line in text.strip().splitlines():
        joined = f"{joined} {line.strip()}".strip()
        if joined.count("(") == joined.count(")"):
            yield joined
            joined = ""


def _callables(text: str, label: str, symbol: str, this: str | None) -> Iterator[Callable]:
    found: dict[tuple[str, str], list[Signature]] = {}
    for line in _lines(text):
        if line.startswith(("attribute ", "read_only ", "alias ")):
            continue
        match = _DECLARATION.match(line)
        assert match is not None, line
        arguments = [_argument(part) for part in match["arguments"].split(",") if part.strip()]
        returns = match["returns"].strip()
        if this is not None and returns != "new":
            own = f"{this} const *" if match["const"] else f"{this} *"
            arguments.insert(0, Argument("self", own, Kind.POINTER))
        found.setdefault((match["name"], returns), []).append(Signature(returns, tuple(arguments)))
    for (name, returns), signatures in found.items():
        own_symbol = f"new_{name}" if returns == "new" else f"{symbol}{name}"
        is_method = this is not None and returns != "new"
        yield Callable(name, f"{label}{name}", own_symbol, tuple(signatures), is_method)


def _script_class(name: str, text: str, ctype: str = "", base: ScriptClass | None = None) -> ScriptClass:
    ctype = ctype or name
    cls = ScriptClass(name, ctype, base)
    for line in _lines(text):
        word, _, rest = line.partition(" ")
        if word in ("attribute", "read_only"):
            member, own = rest.rsplit(" ", 1)
            symbol = f"{name}_{own}_set"
            cls.attributes[own] = Attribute(own, member, f"{ctype}::{own}", symbol, word == "read_only")
        elif word == "alias":
            alias, target = rest.split()
            cls.aliases[alias] = target
    for callable_ in _callables(text, f"{ctype}::", f"{name}_", ctype):
        if callable_.signatures[0].returns == "new":
            cls.constructor = callable_
        else:
            cls.methods[callable_.name] = callable_
    return cls


_CORE_SESSION: Final = _script_class("CoreSession", declarations.CORE_SESSION)

CLASSES: Final[dict[str, ScriptClass]] = {
    cls.name: cls
    for cls in (
        _script_class("IVRMenu", declarations.IVR_MENU),
        _script_class("API", declarations.API),
        _script_class("input_callback_state_t", declarations.INPUT_CALLBACK_STATE, "input_callback_state"),
        _script_class("string", declarations.STRING, "std::string"),
        _script_class("DTMF", declarations.DTMF),
        _script_class("Stream", declarations.STREAM),
        _script_class("Event", declarations.EVENT),
        _script_class("EventConsumer", declarations.EVENT_CONSUMER),
        _CORE_SESSION,
        _script_class("Session", declarations.SESSION, "LUA::Session", _CORE_SESSION),
        _script_class("Dbh", declarations.DBH, "LUA::Dbh"),
        _script_class("JSON", declarations.JSON, "LUA::JSON"),
    )
}
CLASSES["input_callback_state_t"].shown = "input_callback_state_t *|input_callback_state"
FUNCTIONS: Final[dict[str, Callable]] = {f.name: f for f in _callables(declarations.FUNCTIONS, "", "", None)}
CONSTANTS: Final[dict[str, int]] = dict(declarations.CONSTANTS)

# SWIG names the function in C, scripts call it by a shorter name.
FUNCTIONS["msleep"] = Callable("msleep", "switch_msleep", "msleep", FUNCTIONS["msleep"].signatures)
