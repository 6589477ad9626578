"""Lua source of the functions that scripts call, made from the contract.

A wrapper checks the common case (right count, right types) in line and leaves everything else to the prelude's
`check`, which knows SWIG's conversions and error texts. The host's function answers `result, error text, level`;
an error is raised from the wrapper, so that it names the script's line as an error of a C function would.
"""

from __future__ import annotations

from typing import Final

from lua_bindings.contract import CLASSES, Argument, Callable, Kind, Signature

_PLAIN_TYPES: Final = {
    Kind.STRING: "string",
    Kind.CHARACTER: "string",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.TABLE: "table",
    Kind.FUNCTION: "function",
}
_BY_CTYPE: Final = {cls.ctype: cls.name for cls in CLASSES.values()}
# What the host hands over as it is, beside void, `json`, `rows`, `bytes_and_length` and objects.
_VALUES: Final = frozenset({"char *", "char const *", "int", "unsigned int", "bool", "bytes", "char"})


def class_behind(ctype: str) -> str | None:
    """Return the name in `freeswitch` of a class by its C type, or the C type's own name for an opaque one."""
    return _BY_CTYPE.get(ctype)


def returned_class(returns: str) -> str | None:
    """Return what class of object a result of this C type becomes, None for plain values."""
    if returns in _VALUES or returns in {"void", "json", "rows", "bytes_and_length"}:
        return None
    bare = returns.removesuffix(" *")
    return _BY_CTYPE.get(bare, bare)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _argument(argument: Argument) -> str:
    parts = [_quoted(argument.kind.value), _quoted(argument.ctype)]
    if argument.kind in (Kind.POINTER, Kind.REFERENCE):
        parts.append(_quoted(_BY_CTYPE.get(argument.pointed, argument.pointed)))
        parts.append(_quoted(f"{argument.pointed} *"))
    return "{" + ", ".join(parts) + "}"


def _signature(signature: Signature) -> str:
    inner = "".join(", " + _argument(argument) for argument in signature.arguments)
    return f"{{{signature.least}, {signature.most}{inner}}}"


def _order(callable_: Callable) -> list[int]:
    """Return the overloads in the order in which SWIG tries them: pointers, then numbers, then strings."""
    ranks = {Kind.POINTER: 0, Kind.REFERENCE: 0, Kind.NUMBER: 1, Kind.TABLE: 3}
    first = 1 if callable_.is_method else 0

    def rank(index: int) -> tuple[int, ...]:
        arguments = callable_.signatures[index].arguments[first:]
        return (len(arguments), *(ranks.get(argument.kind, 2) for argument in arguments))

    return sorted(range(len(callable_.signatures)), key=rank)


def _spec(callable_: Callable) -> str:
    parts = [_signature(signature) for signature in callable_.signatures]
    parts += [f"label = {_quoted(callable_.label)}", f"symbol = {_quoted(callable_.symbol)}"]
    if callable_.is_method:
        parts.append("method = true")
    if len(callable_.signatures) > 1:
        text = f"Wrong arguments for overloaded function '{callable_.symbol}'\n  Possible C/C++ prototypes are:\n"
        text += "".join(f"    {prototype}\n" for prototype in callable_.prototypes())
        parts.append(f"overloaded = {_quoted(text)}")
        parts.append("order = {" + ", ".join(str(index + 1) for index in _order(callable_)) + "}")
    return "{" + ", ".join(parts) + "}"


def _common_case(callable_: Callable, signature: Signature, count: int) -> tuple[str, list[str]]:
    """Return the condition of the case with `count` plain arguments, and the arguments to hand over."""
    conditions = [f"n == {count}"]
    values: list[str] = []
    for number, argument in enumerate(signature.arguments[:count], 1):
        if argument.kind in _PLAIN_TYPES:
            conditions.append(f'type(a{number}) == "{_PLAIN_TYPES[argument.kind]}"')
            values.append(f"a{number}")
        elif number == 1 and callable_.is_method:
            conditions.append("o")
            values.append("o")
        else:
            return "", []
    return " and ".join(conditions), values


def wrapper_source(callable_: Callable, class_name: str | None) -> bytes:
    """Return the Lua chunk that makes the wrapper; it is called with the host's function, `backing` and `shared`."""
    most = max(signature.most for signature in callable_.signatures)
    returns = callable_.signatures[0].returns
    constructs = returns == "new"
    made = class_name if constructs else returned_class(returns)
    names = ", ".join(f"a{number}" for number in range(1, most + 1))
    lines = [
        "local host, backing, shared, select, type, error = ...",
        "local check, wrap = backing.check, backing.wrap",
        *([f"local make = backing.maker({_quoted(class_name or '')})"] if constructs else ()),
        f"local spec = {_spec(callable_)}",
    ]
    if callable_.is_method:
        lines.append(f"local objects = backing[{_quoted(class_name or '')}]")
    results = "r, e, l"
    if returns in ("rows", "bytes_and_length"):
        results = "e, l, r, r2, r3"
    # A class is called with its own table before the arguments.
    lines.append("return function(_, ...)" if constructs else "return function(...)")
    lines.append('  local n = select("#", ...)')
    if names:
        lines.append(f"  local {names} = ...")
    if callable_.is_method:
        lines.append("  local o = objects[a1]" if most else "  local o")
    lines.append(f"  local {results}")
    word = "if"
    for signature in callable_.signatures:
        for count in range(signature.least, signature.most + 1):
            condition, values = _common_case(callable_, signature, count)
            if condition:
                lines.append(f"  {word} {condition} then")
                lines.append("    shared[1] = true")
                lines.append(f"    {results} = host({', '.join(values)})")
                word = "elseif"
    if word == "elseif":
        lines.append("  else")
    numbers = "".join(f", x{number}" for number in range(1, most + 1))
    slow = [
        f"local bad{numbers} = check(spec, n{', ' + names if names else ''})",
        # A constructor is called by the C function behind its class's table, so its errors name no place.
        f"if bad then error(bad, {0 if constructs else 2}) end",
        "shared[1] = true",
        f"{results} = host({numbers[2:]})",
    ]
    lines.extend(f"    {line}" for line in slow)
    if word == "elseif":
        lines.append("  end")
    lines.append("  if e then error(e, l or 2) end")
    if made is not None:
        lines.append("  if r == nil then return nil end")
        lines.append("  return make(r)" if constructs else f"  return wrap(r, {_quoted(made)})")
    elif returns == "rows":
        lines.append("  return r, r2, r3")
    elif returns == "bytes_and_length":
        lines.append("  return r, r2")
    elif returns == "json":
        lines.append("  if r == nil then return end")
        lines.append("  return r")
    elif returns != "void":
        lines.append("  return r")
    lines.append("end")
    return "\n".join(lines).encode()
