"""Rows of the tables of calls: which scenario SIPp plays, what the host does, what both must say afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass, field

import pytest
from _pytest.mark.structures import ParameterSet

from host.console.client import Message
from tests.sip.free_ports import free_port
from tests.sip.host_configuration import DOMAIN, Action, Extension
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp, SippResult
from tests.sip.until import PATIENCE

Expected = tuple[str, str, str]  # an event's name, a header and its value as a regular expression


@dataclass(frozen=True, slots=True)
class Said:
    """A step that waits until SIPp's messages hold a regular expression `times` times; `second` of the second SIPp."""

    text: str
    times: int = 1
    second: bool = False


@dataclass(frozen=True, slots=True)
class Nudge:
    """A step that has the second SIPp go on."""


Step = str | Said | Nudge


@dataclass(frozen=True, slots=True)
class Call:
    """A call between SIPp, which plays `scenario`, and the host's `profile`; `keys` fill SIPp's texts.

    `ends` is what CHANNEL_HANGUP_COMPLETE of the leg says (None: there is no leg); `events` come on the way; `said`
    are regular expressions found in SIPp's messages. `slow` and `as_root` say when it runs.
    """

    name: str
    scenario: str
    _: KW_ONLY
    profile: str = "open"
    keys: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[str, str] | None = field(default_factory=dict)
    events: Sequence[Expected] = ()
    said: Sequence[str] = ()
    transport: str = "u1"
    seconds: float = PATIENCE
    slow: bool = False
    as_root: bool = False

    def unlike(self, host: ServedHost, direction: str, results: Mapping[str, SippResult]) -> list[str]:
        """Return what the SIPps, the first of which plays the scenario, and the host's events say differently."""
        wrong = [f"{who}: {result.summary}" for who, result in results.items() if not result.passed]
        messages = next(iter(results.values())).said
        wrong += [f"SIPp did not say {text}" for text in self.said if not re.search(text, messages)]
        if self.ends is not None:
            end = host.find(host.of_row(self.name, "CHANNEL_HANGUP_COMPLETE", direction), PATIENCE)
            if end is None:
                wrong.append("the host told of no hangup")
            else:
                wrong += [
                    f"{name} of the hangup is {end.get(name)!r}, not {value}"
                    for name, value in self.ends.items()
                    if not re.fullmatch(value, end.get(name))
                ]
        wrong += [
            f"no event {name} had {header} {value}"
            for name, header, value in self.events
            if host.find(_had(host.of_row(self.name, name), header, value), PATIENCE) is None
        ]
        return wrong


@dataclass(frozen=True, slots=True)
class CallIn(Call):
    """SIPp calls the number `name`, whose extension has `actions`.

    `callee` is the scenario of a second SIPp, whose address stands for CALLEE in the actions and keys. `steps` are
    taken meanwhile: API commands, in which UUID stands for the leg, and what is waited for.
    """

    actions: Sequence[Action] = ()
    callee: str = ""
    callee_keys: Mapping[str, str] = field(default_factory=dict)
    callee_port: int = field(default_factory=free_port)
    account: tuple[str, str] = ("", "")
    steps: Sequence[Step] = ()

    @property
    def extension(self) -> Extension:
        """The number of the row in the dialplan."""
        return Extension(self.name, [(app, self._fill(data)) for app, data in self.actions])

    def _fill(self, text: str) -> str:
        return text.replace("CALLEE", f"127.0.0.1:{self.callee_port}")

    def run(self, host: ServedHost) -> list[str]:
        """Make the call and return what is wrong."""
        port = {"open": host.ports.open, "internal": host.ports.internal, "timed": host.ports.timed}[
            self.profile
        ]
        keys = {"domain": DOMAIN, **{name: self._fill(value) for name, value in self.keys.items()}}
        user, password = self.account
        caller = Sipp(
            self.scenario, ("127.0.0.1", port), self.name, keys, transport=self.transport, seconds=self.seconds,
            user=user, password=password,
        )  # fmt: skip
        results, wrong = {}, list[str]()
        with ExitStack() as stack:
            if self.callee:
                callee_keys = {"domain": DOMAIN, **self.callee_keys}
                far = Sipp(self.callee, None, keys=callee_keys, port=self.callee_port, seconds=self.seconds)
                stack.enter_context(far)
            stack.enter_context(caller)
            if self.steps:
                created = host.event(host.of_row(self.name, "CHANNEL_CREATE", "inbound"), what="the call")
                wrong = _take(
                    self.steps, host, created.get("Unique-ID"), caller, far if self.callee else None
                )
            results["caller"] = caller.wait()
            if self.callee:
                results["callee"] = far.wait()
        return wrong + self.unlike(host, "inbound", results)


@dataclass(frozen=True, slots=True)
class CallOut(Call):
    """The host calls SIPp.

    `reply` is a regular expression for what `originate` prints; after the answer come the `steps`: API commands, in
    which UUID stands for the leg, and what is waited for.
    """

    variables: str = ""
    application: str = "&park()"
    reply: str = r"\+OK"
    steps: Sequence[Step] = ()
    dial: str = "sofia/PROFILE/callee@PEER"
    second: str = ""
    port: int = field(default_factory=free_port)
    second_port: int = field(default_factory=free_port)

    def _fill(self, text: str) -> str:
        text = text.replace("PROFILE", self.profile).replace("SECOND", f"127.0.0.1:{self.second_port}")
        return text.replace("PEER", f"127.0.0.1:{self.port}")

    def run(self, host: ServedHost) -> list[str]:
        """Make the call and return what is wrong."""
        keys = {name: self._fill(value) for name, value in self.keys.items()}
        results, wrong = {}, []
        with ExitStack() as stack:
            callee = Sipp(
                self.scenario, None, keys=keys, port=self.port, transport=self.transport, seconds=self.seconds
            )
            stack.enter_context(callee)
            if self.second:
                second = stack.enter_context(
                    Sipp(self.second, None, port=self.second_port, seconds=self.seconds)
                )
            variables = ",".join(filter(None, (f"row={self.name}", self.variables)))
            reply = host.api(f"originate {{{variables}}}{self._fill(self.dial)} {self.application}")
            if not re.search(self.reply, reply):
                wrong.append(f"originate printed {reply!r}, not {self.reply}")
            uuid = reply.removeprefix("+OK ").strip()
            if reply.startswith("+OK"):
                steps = [self._fill(step) if isinstance(step, str) else step for step in self.steps]
                wrong += _take(steps, host, uuid, callee, second if self.second else None)
            results["callee"] = callee.wait()
            if self.second:
                results["second"] = second.wait()
        return wrong + self.unlike(host, "outbound", results)


def parameters(rows: Sequence[CallIn | CallOut]) -> list[ParameterSet]:
    """Return a table for `pytest.mark.parametrize`: slow rows marked, those for root skipped for others."""
    table = []
    for row in rows:
        marks = [pytest.mark.slow, pytest.mark.timeout(row.seconds + 30)] if row.slow else []
        if row.as_root and os.geteuid() != 0:
            marks.append(pytest.mark.skip(reason="SIPp plays captured packets through a raw socket: root's"))
        table.append(pytest.param(row, marks=marks, id=row.name))
    return table


def _take(
    steps: Sequence[Step], host: ServedHost, uuid: str, first: Sipp, second: Sipp | None = None
) -> list[str]:
    """Take the steps of a call's leg, and return what is wrong."""
    wrong = []
    for step in steps:
        if isinstance(step, Said):
            sipp = second if step.second else first
            assert sipp is not None
            sipp.wait_until_said(step.text, step.times)
            continue
        if isinstance(step, Nudge):
            assert second is not None
            second.nudge()
            continue
        printed = host.api(step.replace("UUID", uuid))
        if printed.startswith(("-ERR", "-USAGE")):
            wrong.append(f"{step} printed {printed.strip()}")
    return wrong


def _had(of_row: Callable[[Message], bool], header: str, value: str) -> Callable[[Message], bool]:
    return lambda event: of_row(event) and bool(re.fullmatch(value, event.get(header)))
