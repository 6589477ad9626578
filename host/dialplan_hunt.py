"""The XML dialplan: from a context and a caller to the applications to run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lxml import etree

from host.calendar_match import calendar_match
from host.leading_number import leading_int
from host.log import LogLevel
from host.regex import RegexError, RegexMatch, search, substitute
from host.truth import is_true

# FreeSWITCH's own depth of conditions inside conditions.
MAX_NESTING = 100
# Actions that one hunt may collect: `loop="2000000000"` would otherwise fill the memory.
MAX_ACTIONS = 10_000


class HuntCaller(Protocol):
    """What a hunt reads and changes of the channel being routed."""

    @property
    def name(self) -> str:
        """The channel's name, for the trace."""

    def field(self, name: str) -> str | None:
        """Return a field of the caller profile (`destination_number`), None when there is no such field.

        Variables are not asked: a condition reads them as `${name}`.
        """

    def expand(self, text: str) -> str:
        """Return `text` with `${…}` filled in."""

    def set_variable(self, name: str, value: str | None) -> None:
        """Set a variable, or unset it for None; `ARRAY::a|:b` makes an array."""

    def unset_variables(self, prefix: str) -> None:
        """Unset every variable whose name begins with `prefix`."""

    def execute_inline(self, application: str, data: str) -> None:
        """Run an action marked `inline="true"`, now; what may not run so is refused there."""


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A line of the hunt's trace, as FreeSWITCH words it."""

    level: LogLevel
    text: str


@dataclass(slots=True)
class HuntResult:
    """What a hunt found.

    `extension` names the first extension that gave an action and is None when none did ("no route"); it may
    be there with no applications, when all its actions were inline.
    """

    extension: str | None = None
    applications: list[tuple[str, str]] = field(default_factory=list)
    trace: list[TraceLine] = field(default_factory=list)


def find_context(dialplan: etree._Element, name: str) -> etree._Element | None:
    """Return the context `name` of a dialplan section, else the context `global`, else None."""
    for wanted in (name, "global"):
        for context in dialplan.iterchildren("context"):
            if (context.get("name") or "").lower() == wanted.lower() and context.get("name") is not None:
                return context
    return None


def hunt(
    context: etree._Element,
    caller: HuntCaller,
    now: datetime,
    *,
    auto_hunt: bool = False,
    on_trace: Callable[[TraceLine], None] | None = None,
) -> HuntResult:
    """Try the extensions of `context` in order and return what to run.

    `now` is aware, in the server's zone. `auto_hunt` starts at the extension named like the destination.
    `on_trace` gets each trace line when it is made, so that it stands before what inline actions log.
    Never raises for anything in the dialplan; exceptions of `caller`'s own methods pass.
    """
    run = _Hunt(caller, now, on_trace)
    where = caller.field("context") or ""
    for extension in _extensions(context, (caller.field("destination_number") or "") if auto_hunt else None):
        name = extension.get("name", "UNKNOWN")
        goes_on = extension.get("continue", "false")
        run.say(f"Dialplan: {caller.name} parsing [{where}->{name}] continue={goes_on}")
        if run.conditions(extension, name, 0) and not is_true(goes_on):
            break
    return run.result


def _extensions(context: etree._Element, start: str | None) -> Iterator[etree._Element]:
    extensions = list(context.iterchildren("extension"))
    for index, extension in enumerate(extensions):
        if start and (extension.get("name") or "").lower() == start.lower():
            return iter(extensions[index:])
    return iter(extensions)


@dataclass(frozen=True, slots=True)
class _Test:
    """One look at a field: whether it held, and what `$N` in actions stands for (None: `$N` stays)."""

    proceed: bool
    groups: tuple[str | None, ...] | None
    captures: tuple[str, ...] = ()
    passed: bool = False


class _Hunt:
    def __init__(
        self, caller: HuntCaller, now: datetime, on_trace: Callable[[TraceLine], None] | None
    ) -> None:
        self.result = HuntResult()
        self._caller = caller
        self._now = now
        self._on_trace = on_trace
        self._indent = ""
        self._added = 0

    def say(self, text: str, level: LogLevel = LogLevel.DEBUG) -> None:
        line = TraceLine(level, self._indent + text if level is LogLevel.DEBUG else text)
        self.result.trace.append(line)
        if self._on_trace:
            self._on_trace(line)

    def conditions(self, parent: etree._Element, extension: str, depth: int) -> bool:
        """Walk the conditions of an extension or, below depth 0, of a condition; return whether it matched."""
        name = f"{extension}_recur_{depth}" if depth else extension
        outer_indent = self._indent
        if depth > MAX_NESTING:
            self.say("Recursion LIMIT!", LogLevel.ERR)
            return False
        needed = True
        if depth:
            self._indent = "|" + ("-" * (4 * depth - 1)) + " "
            needed = is_true(parent.get("require-nested", "true"))
            self.say(
                f"Dialplan: Processing recursive conditions level:{depth} [{name}] "
                f"require-nested={'TRUE' if needed else 'FALSE'}"
            )
        proceed = self._walk(parent, extension, name, depth)
        self._indent = outer_indent
        return proceed or not needed

    def _walk(self, parent: etree._Element, extension: str, name: str, depth: int) -> bool:
        proceed = False
        for condition in parent.iterchildren("condition"):
            break_word = (condition.get("break") or "").lower()
            breaks = break_word if break_word in _BREAKS else "on-false"
            shown = condition.get("break", "") if break_word in _BREAKS else breaks
            in_time = self._calendar(condition, name, f" break={shown}")
            passed = bool(in_time)
            if in_time is not None:
                proceed = in_time
            if condition.get("regex") is not None:
                test = self._several(condition, name, proceed)
            else:
                test = self._single(condition, name, proceed, in_time, shown)
            # A failing date does not outweigh a matching field, nor a failing field a matching date.
            passed = passed or test.passed
            proceed = test.proceed
            if passed:
                self._actions(condition, name, test)
            elif self._anti_actions(condition, name):
                proceed = True
            if breaks in ("always", "on-true" if passed else "on-false"):
                break
            if proceed and condition.find("condition") is not None:
                proceed = self.conditions(condition, extension, depth + 1)
                if not proceed and breaks != "never":
                    return False
        return proceed

    def _single(
        self, condition: etree._Element, name: str, proceed: bool, in_time: bool | None, shown: str
    ) -> _Test:
        field_name = condition.get("field")
        if field_name is None:
            if in_time is None:
                self.say(f"Dialplan: {self._caller.name} Absolute Condition [{name}]")
                return _Test(True, None, passed=True)
            return _Test(proceed, None)
        value, expression, match = self._look(condition, field_name)
        self._say_regex(match is not None, name, field_name, value, expression, f"break={shown}")
        return _Test(match is not None, *_groups(expression, match), passed=match is not None)

    def _several(self, condition: etree._Element, name: str, proceed: bool) -> _Test:
        rule = (condition.get("regex") or "").lower()
        word = "all" if rule == "all" else "any"
        self._caller.unset_variables("DP_REGEX_MATCH")
        passes = fails = 0
        last = _Test(proceed, None)  # the test that was looked at last
        kept: _Test | None = None  # the last one that captured
        for number, regex in enumerate(condition.iterchildren("regex"), 1):
            in_time = self._calendar(regex, name, "")
            field_name = regex.get("field")
            if field_name is None:
                held = in_time is not False
                if in_time is None:
                    self.say(f"Dialplan: {self._caller.name} Absolute Condition [{name}] match={word}")
                last = _Test(held or last.proceed, None)
            else:
                value, expression, match = self._look(regex, field_name)
                held = match is not None
                self._say_regex(held, name, field_name, value, expression, f"match={word}")
                groups, captures = _groups(expression, match)
                if groups is not None and "$" in field_name:
                    # FreeSWITCH: an expanded field is gone by the time the actions are written, so that `$1`
                    # is empty; ${DP_REGEX_MATCH_n} has the captures.
                    groups = ()
                last = _Test(held, groups, captures)
            passes += held
            fails += not held
            if (rule == "all" and fails) or (rule not in ("all", "xor") and passes):
                break
            if field_name is not None and last.groups is not None:
                self._capture(f"DP_REGEX_MATCH_{number}", last.captures)
                kept = last if held else None
        passed = passes == 1 if rule == "xor" else not fails if rule == "all" else passes > 0
        chosen = kept or last
        return _Test(chosen.proceed, chosen.groups, chosen.captures, passed)

    def _look(self, element: etree._Element, field_name: str) -> tuple[str, str, RegexMatch | None]:
        """Return the field's value, the expression, and the match if there is one."""
        child = element.find("expression")
        expression = self._expand((child.text if child is not None else element.get("expression")) or "")
        value = self._expand(field_name) if "$" in field_name else self._caller.field(field_name) or ""
        try:
            return value, expression, search(value, expression)
        except RegexError as error:
            self.say(str(error), LogLevel.ERR)
            return value, expression, None

    def _expand(self, text: str) -> str:
        return self._caller.expand(text) if "$" in text else text

    def _say_regex(
        self, held: bool, name: str, field_name: str, value: str, expression: str, tail: str
    ) -> None:
        verdict = "PASS" if held else "FAIL"
        self.say(
            f"Dialplan: {self._caller.name} Regex ({verdict}) [{name}] {field_name}({value}) =~ /{expression}/ {tail}"
        )

    def _calendar(self, element: etree._Element, name: str, tail: str) -> bool | None:
        attributes = {str(key): str(value) for key, value in element.items()}
        in_time = calendar_match(attributes, self._now)
        if in_time is None:
            return None
        offset = self._caller.expand("${tod_tz_offset}")
        zone = self._caller.expand("${timezone}")
        if offset or zone:
            hours = int(offset) if re.fullmatch(r"[+-]?[0-9]{1,3}", offset) else None
            in_time = calendar_match(attributes, self._now, tz_offset=hours, zone=zone)
        words = "Date/Time Match (PASS)" if in_time else "Date/TimeMatch (FAIL)"
        self.say(f"Dialplan: {self._caller.name} {words} [{name}]{tail}")
        return in_time

    def _capture(self, variable: str, captures: tuple[str, ...]) -> None:
        # FreeSWITCH: an empty group unsets what was captured so far.
        kept: list[str] = []
        for text in captures:
            kept = [*kept, text] if text else []
        value = kept[0] if len(kept) == 1 else "ARRAY::" + "|:".join(kept) if kept else None
        self._caller.set_variable(variable, value)

    def _actions(self, condition: etree._Element, name: str, test: _Test) -> None:
        if test.groups is not None:
            self._capture("DP_MATCH", test.captures)
        for action in condition.iterchildren("action"):
            data = action.text or action.get("data") or ""
            if test.groups is not None:
                data = substitute(data, test.groups)
            self._add("Action", action, data, name)

    def _anti_actions(self, condition: etree._Element, name: str) -> bool:
        found = False
        for action in condition.iterchildren("anti-action"):
            self._add("ANTI-Action", action, action.text or action.get("data") or "", name)
            found = True
        return found

    def _add(self, kind: str, action: etree._Element, data: str, name: str) -> None:
        application = action.get("application", "")
        inline = is_true(action.get("inline"))
        if self.result.extension is None:
            self.result.extension = name
        for _ in range(leading_int(action.get("loop", "1"))):
            self._added += 1
            if self._added > MAX_ACTIONS:
                self.say(f"More than {MAX_ACTIONS} actions, the rest is left out", LogLevel.ERR)
                return
            self.say(
                f"Dialplan: {self._caller.name} {kind} {application}({data}) {'INLINE' if inline else ''}"
            )
            if inline:
                self._caller.execute_inline(application, data)
            else:
                self.result.applications.append((application, data))


_BREAKS = frozenset({"on-true", "on-false", "always", "never"})


def _groups(
    expression: str, match: RegexMatch | None
) -> tuple[tuple[str | None, ...] | None, tuple[str, ...]]:
    """Return what `$N` stands for and the captures; None for `$N` when the expression has no `(`."""
    if "(" not in expression:
        return None, ()
    return (match.groups, match.captures()) if match else ((), ())
