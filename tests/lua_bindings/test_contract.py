"""The declarations of mod_lua's interface, and that the host has something behind each of them."""

from __future__ import annotations

import pytest

from lua_bindings.contract import CLASSES, FUNCTIONS, Kind
from lua_bindings.functions import Functions
from lua_bindings.runtime import VERSIONS, precompiled
from lua_bindings.script_run import IMPLEMENTATIONS
from lua_bindings.wrappers import wrapper_source


def test_every_name_has_an_implementation() -> None:
    for cls in CLASSES.values():
        for name in cls.names():
            method = cls.method(name)
            assert method is not None
            assert callable(getattr(IMPLEMENTATIONS[cls.name], method.name)), f"{cls.name}.{name}"
    for name in FUNCTIONS:
        assert name in ("console_log", "console_log2", "console_clean_log") or hasattr(Functions, name)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_wrapper_compiles(version: str) -> None:
    for cls in CLASSES.values():
        for method in (*cls.methods.values(), *([cls.constructor] if cls.constructor else [])):
            assert precompiled(version, wrapper_source(method, cls.name))
    for function in FUNCTIONS.values():
        assert precompiled(version, wrapper_source(function, None))


def test_overloads_and_prototypes() -> None:
    constructor = CLASSES["Session"].constructor
    assert constructor is not None
    assert constructor.symbol == "new_Session"
    assert list(constructor.prototypes()) == [
        "LUA::Session::Session()",
        "LUA::Session::Session(char *,CoreSession *)",
        "LUA::Session::Session(char *)",
        "LUA::Session::Session(switch_core_session_t *)",
    ]


def test_arguments() -> None:
    method = CLASSES["Session"].method("streamFile")
    assert method is not None
    assert method.label == "CoreSession::streamFile"
    (signature,) = method.signatures
    assert (signature.least, signature.most) == (2, 3)
    assert [argument.kind for argument in signature.arguments] == [Kind.POINTER, Kind.STRING, Kind.NUMBER]
    assert CLASSES["Session"].is_a("CoreSession")
    assert CLASSES["Session"].method("setInputCallBack") is CLASSES["Session"].methods["setInputCallback"]
