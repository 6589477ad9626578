"""The interface that scripts see, for editors and readers: definitions for the Lua language server, and a page.

Both come from `declarations.py` and from the docstrings of what implements it, so that they say what runs.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lua_bindings.contract import (
    CLASSES,
    CONSTANTS,
    FUNCTIONS,
    Argument,
    Callable,
    Kind,
    ScriptClass,
    Signature,
)

if TYPE_CHECKING:
    from lua_bindings.contract import Attribute

# What waits in call time, and until when. Everything else answers at once. While one script waits, no other does.
WAITS: Final = {
    "CoreSession::collectDigits": "until a timeout, or until the input callback breaks it off",
    "CoreSession::execute": "as long as the application takes",
    "CoreSession::executeString": "as long as the application or command takes",
    "CoreSession::getDigits": "for the keys, or a timeout",
    "CoreSession::originate": "until the leg answers, fails or the timeout is over",
    "CoreSession::playAndDetectSpeech": "until something was understood, or nothing was",
    "CoreSession::playAndGetDigits": "for the prompt and the keys",
    "CoreSession::read": "for the prompt and the keys",
    "CoreSession::recordFile": "until the recording ends",
    "CoreSession::say": "until all is said",
    "CoreSession::sayPhrase": "until all is said",
    "CoreSession::sleep": "the time given",
    "CoreSession::speak": "until all is said",
    "CoreSession::streamFile": "until the file ends or is broken off",
    "CoreSession::waitForAnswer": "until the leg is answered or over",
    "LUA::Session::originate": "until the leg answers, fails or the timeout is over",
    "LUA::Session::Session": "with a dial string: until the leg answers, fails or times out",
    "API::execute": "as long as the command takes",
    "API::executeString": "as long as the command takes",
    "EventConsumer::pop": "with `block`: for an event, or the timeout",
    "IVRMenu::execute": "until the caller leaves the menu",
    "LUA::Dbh::query": "for the database",
    "LUA::Dbh::query_rows": "for the database",
    "LUA::Dbh::test_reactive": "for the database",
    "LUA::JSON::execute": "as long as the command takes",
    "LUA::JSON::execute2": "as long as the command takes",
    "bridge": "until one of the two hangs up",
    "email": "for the mailer",
    "switch_msleep": "the time given, whatever happens to calls",
}

# Globals that a script finds, by the way it was started: name, type, when it is there and what it is.
GLOBALS: Final = (
    ("session", "freeswitch.Session?", "The call, where a call runs the script (the application `lua`)."),
    ("argv", "table<integer, string>", "The script's arguments; `argv[0]` is its own name."),
    (
        "stream",
        "freeswitch.Stream",
        "What the API command `lua` answers: the script writes its reply into it.",
    ),
    ("env", "freeswitch.Event", "What came with the request, where an API command runs the script."),
    ("message", "freeswitch.Event", "The text message, where the chat application `lua` runs the script."),
    ("event", "freeswitch.Event", "The event, where a `hook` of lua.conf runs the script."),
    (
        "XML_REQUEST",
        "table<string, string>",
        "`section`, `tag_name`, `key_name`, `key_value` of a request for XML.",
    ),
    (
        "params",
        "freeswitch.Event",
        "More of a request for XML: where the call comes from, what a phone sent.",
    ),
    ("XML_STRING", "string", "The script's answer to a request for XML."),
)

_DOCUMENTED: Final = {
    "CoreSession": 'A call in a script\'s hands. Over a call that has ended, methods that wait answer -1, `""` or nil '
    "at once, and nothing is an error.",
    "Session": "A call: the script's own, one found by its UUID, or one placed to a dial string.",
    "Event": "An event: one's own to fill and fire, or one that was received.",
}

_TYPES: Final = {
    Kind.STRING: "string",
    Kind.CHARACTER: "string",
    Kind.NUMBER: "integer",
    Kind.UNSIGNED: "integer",
    Kind.BOOLEAN: "boolean",
    Kind.TABLE: "table",
    Kind.FUNCTION: "fun(row: table<string, string>): integer?",
}
_RESULTS: Final = {
    "void": (),
    "bool": ("boolean",),
    "int": ("integer",),
    "unsigned int": ("integer",),
    "switch_status_t": ("any",),
    "bytes": ("string",),
    "json": ("table?",),
    "bytes_and_length": ("string?", "integer"),
    "rows": ("boolean", "table[]", "string?"),
    "void *": ("any",),
}
# Docstrings speak of Python's values.
_OF_LUA: Final = {"None": "nil", "True": "true", "False": "false", "Raises ScriptFault for": "An error for",
                  "Raises ScriptFault when": "An error when"}  # fmt: skip
# mod_lua's second names of functions.
_SAME: Final = {
    "console_log": "consoleLog",
    "console_log2": "consoleLog2",
    "console_clean_log": "consoleCleanLog",
}

# Lua's own words, and names that an argument of C may have and one of Lua may not.
_WORDS: Final = frozenset({"end", "function", "local", "nil", "not", "or", "repeat", "then", "until"})


def lua_definitions() -> str:
    """Return definitions of `session`, `freeswitch` and the rest for the Lua language server (`---@meta`)."""
    parts = ["---@meta _", "", "-- The interface of FreeSWITCH's mod_lua as Moonline runs it."]
    for cls in CLASSES.values():
        parts += ["", *_class_lines(cls)]
    parts += ["", "---@class freeswitch"]
    parts += [f"---@field {name} integer" for name in CONSTANTS]
    for cls in CLASSES.values():
        if cls.constructor is not None:
            constructors = ["fun(" + _parameters(one.arguments) + f"): {_class_name(cls.name)}"
                            for one in cls.constructor.signatures]  # fmt: skip
            parts.append(
                f"---@field {cls.name} " + "|".join(f"({text})" for text in dict.fromkeys(constructors))
            )
    parts.append("freeswitch = {}")
    for function in FUNCTIONS.values():
        parts += [
            "",
            *_callable_lines(function, f"freeswitch.{function.name}", _documentation(None, function)),
        ]
    for name, lua_type, text in GLOBALS:
        parts += ["", f"---{text}", f"---@type {lua_type}", f"{name} = nil"]
    return "\n".join(parts) + "\n"


def _class_lines(cls: ScriptClass) -> Iterator[str]:
    yield from _comment(_class_text(cls))
    base = f": {_class_name(cls.base.name)}" if cls.base is not None else ""
    yield f"---@class {_class_name(cls.name)}{base}"
    for attribute in cls.attributes.values():
        yield f"---@field {attribute.name} {_attribute_type(attribute)}"
    yield f"local {cls.name} = {{}}"
    for method in cls.methods.values():
        yield ""
        yield from _callable_lines(method, f"{cls.name}:{method.name}", _documentation(cls, method))
    for alias, name in cls.aliases.items():
        found = cls.method(name)
        if found is not None:
            yield ""
            yield from _callable_lines(found, f"{cls.name}:{alias}", f"The same as `{name}`.")


def _callable_lines(callable_: Callable, name: str, text: str) -> Iterator[str]:
    """Yield a function's comment and head; its longest overload is the head, the others are annotations."""
    yield from _comment(text)
    waits = WAITS.get(callable_.label)
    if waits is not None:
        yield "---"
        yield f"---Waits {waits}."
    own = [_own_arguments(callable_, signature) for signature in callable_.signatures]
    longest = max(range(len(own)), key=lambda index: len(own[index]))
    results = _results(callable_.signatures[longest])
    for argument in own[longest]:
        optional = "?" if argument.default is not None else ""
        default = f" {argument.default} by default" if argument.default not in (None, "nil") else ""
        yield f"---@param {_parameter_name(argument)}{optional} {_argument_type(argument)}{default}"
    for result in results:
        yield f"---@return {result}"
    returned = f": {', '.join(results)}" if results else ""
    colon = "self, " if callable_.is_method else ""
    for index, arguments in enumerate(own):
        if index != longest:
            yield f"---@overload fun({(colon + _parameters(tuple(arguments))).removesuffix(', ')}){returned}"
    yield f"function {name}({', '.join(_parameter_name(argument) for argument in own[longest])}) end"


def _own_arguments(callable_: Callable, signature: Signature) -> tuple[Argument, ...]:
    return signature.arguments[1:] if callable_.is_method else signature.arguments


def _parameters(arguments: tuple[Argument, ...]) -> str:
    return ", ".join(
        f"{_parameter_name(argument)}{'?' if argument.default is not None else ''}: {_argument_type(argument)}"
        for argument in arguments
    )


def _parameter_name(argument: Argument) -> str:
    return f"{argument.name}_" if argument.name in _WORDS else argument.name


def _argument_type(argument: Argument) -> str:
    known = _TYPES.get(argument.kind)
    return (
        known
        if known is not None
        else _class_name(argument.pointed)
        if argument.pointed in CLASSES
        else "any"
    )


def _attribute_type(attribute: Attribute) -> str:
    if attribute.ctype in ("char *", "char const *", "char"):
        return "string?"
    return "integer" if attribute.ctype in ("int", "unsigned int") else "any"


def _results(signature: Signature) -> tuple[str, ...]:
    known = _RESULTS.get(signature.returns)
    if known is not None:
        return known
    if signature.returns in ("char *", "char const *"):
        return ("string?",)
    pointed = signature.returns.removesuffix(" *")
    return (f"{_class_name(pointed)}?",) if pointed in CLASSES else ("any",)


def _class_name(name: str) -> str:
    return f"freeswitch.{name}"


def _class_text(cls: ScriptClass) -> str:
    if cls.name in _DOCUMENTED:
        return _DOCUMENTED[cls.name]
    from lua_bindings.script_run import IMPLEMENTATIONS

    return _of_docstring(IMPLEMENTATIONS[cls.name])


def _documentation(cls: ScriptClass | None, callable_: Callable) -> str:
    from lua_bindings.functions import Functions
    from lua_bindings.script_run import IMPLEMENTATIONS

    if cls is None and callable_.name in _SAME:
        return f"The same as `{_SAME[callable_.name]}`."
    owner = Functions if cls is None else IMPLEMENTATIONS[cls.name]
    return _of_docstring(getattr(owner, callable_.name, None))


def _of_docstring(documented: object) -> str:
    text = (inspect.getdoc(documented) or "").partition("\n\n")[0].replace("\n", " ")
    for word, of_lua in _OF_LUA.items():
        text = re.sub(rf"\b{word}\b", of_lua, text)
    return text


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, 100):
        yield f"---{line}"


def lua_api_page() -> str:
    """Return the page of all that scripts can call, in Markdown: what it does, and whether it waits."""
    lines = [_PAGE_HEAD]
    lines += [f"| `{name}` | `{kind}` | {text} |\n" for name, kind, text in GLOBALS]
    lines.append("\n## freeswitch\n\n" + _TABLE_HEAD)
    lines += [_row(function, f"freeswitch.{function.name}", None) for function in FUNCTIONS.values()]
    constants = ", ".join(f"`freeswitch.{name}` ({value})" for name, value in CONSTANTS.items())
    lines.append(f"\nConstants: {constants}.\n")
    for cls in CLASSES.values():
        lines.append(f"\n## {cls.name}\n\n{_class_text(cls)}\n")
        if cls.base is not None:
            lines.append(f"\nIt has all of [{cls.base.name}](#{cls.base.name.lower()}), too.\n")
        if cls.attributes:
            names = ", ".join(f"`{attribute.name}`" for attribute in cls.attributes.values())
            lines.append(f"\nMembers: {names}.\n")
        if cls.constructor is not None or cls.methods:
            lines.append("\n" + _TABLE_HEAD)
        if cls.constructor is not None:
            lines.append(_row(cls.constructor, f"freeswitch.{cls.name}", cls))
        lines += [_row(method, f"{_receiver(cls)}:{method.name}", cls) for method in cls.methods.values()]
        lines += [
            f"| `{_receiver(cls)}:{alias}` |  | the same as `{name}` |\n"
            for alias, name in cls.aliases.items()
        ]
    return "".join(lines)


def _receiver(cls: ScriptClass) -> str:
    return "session" if "Session" in cls.name else cls.name.lower().removesuffix("_t")


def _row(callable_: Callable, name: str, cls: ScriptClass | None) -> str:
    constructs = callable_.signatures[0].returns == "new"
    text = "" if constructs else _documentation(cls, callable_)
    forms = dict.fromkeys(_form(name, callable_, signature) for signature in callable_.signatures)
    shown = "<br>".join(f"`{form}`" for form in forms)
    return f"| {shown} | {WAITS.get(callable_.label, '')} | {text.replace('|', chr(92) + '|')} |\n"


def _form(name: str, callable_: Callable, signature: Signature) -> str:
    shown = [
        argument.name if argument.default is None else f"[{argument.name}]"
        for argument in _own_arguments(callable_, signature)
    ]
    return f"{name}({', '.join(shown)})"


_TABLE_HEAD: Final = "| call | waits | what it does |\n| --- | --- | --- |\n"

_PAGE_HEAD: Final = """\
# What Lua scripts can call

Written by `packaging/lua_api_page.py` from the declarations and docstrings themselves; a test fails when it is out of
date. `moonline definitions` writes the same for editors.

What waits does so in call time, and only the script that called it; the rest answers at once. Arguments in brackets may
be left out. Wrong arguments raise an error in the words of FreeSWITCH's mod_lua.

## Globals

| name | type | what it is |
| --- | --- | --- |
"""
