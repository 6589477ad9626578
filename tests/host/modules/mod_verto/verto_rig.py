"""A switch in this process that pages connect to, and a page that says what a test has it say."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from host.clock import RealClock
from host.hangup_cause import HangupCause
from host.log import LogEntry, LogLevel
from host.module_list import load_modules
from host.modules import mod_verto
from host.modules.mod_verto.service import RunningVerto
from host.modules.mod_verto.settings import VertoSettings, read_settings
from host.switch import Switch
from host.switch_settings import apply_switch_conf

_T = TypeVar("_T")

PATIENCE = 40.0  # seconds; nothing takes nearly as long unless it is broken
MODULES = (
    "mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_loopback", "mod_tone_stream", "mod_sndfile", "mod_lua",
    "mod_opus",
)  # fmt: skip
PASSWORD = "secret"
ALLOWED = """<param name="jsonrpc-allowed-methods" value="verto,echo,jsapi,fsapi"/>
    <param name="jsonrpc-allowed-event-channels" value="demo,conference,presence"/>"""


def user(number: str, params: str = "", variables: str = "") -> str:
    """Return a user of the directory."""
    return f"""<user id="{number}"><params><param name="password" value="{PASSWORD}"/>{params}</params>
        <variables><variable name="user_context" value="default"/>{variables}</variables></user>"""


def configuration(
    extensions: str = "", *, users: str | None = None, profile: str = "", settings: str = ""
) -> str:
    """Return a configuration with one profile that listens on 127.0.0.1."""
    loads = "".join(f'<load module="{name}"/>' for name in MODULES)
    known = user("1000", ALLOWED) + user("1001", ALLOWED) if users is None else users
    return f"""<document type="freeswitch/xml">
    <section name="configuration">
      <configuration name="modules.conf"><modules>{loads}</modules></configuration>
      <configuration name="switch.conf"><settings>
        <param name="sessions-per-second" value="1000"/>
      </settings></configuration>
      <configuration name="verto.conf"><settings>{settings}</settings><profiles>
        <profile name="pages">
          <param name="bind-local" value="127.0.0.1:1"/>
          <param name="userauth" value="true"/>
          <param name="rtp-ip" value="127.0.0.1"/>
          <param name="outbound-codec-string" value="PCMU,opus"/>
          {profile}
        </profile>
      </profiles></configuration>
    </section>
    <section name="dialplan"><context name="default">{extensions}</context></section>
    <section name="directory"><domain name="example.org">
      <params><param name="dial-string" value="${{verto_contact(${{dialed_user}}@${{dialed_domain}})}}"/></params>
      {known}</domain></section>
    </document>"""


def extension(number: str, *actions: tuple[str, str]) -> str:
    """Return an extension of the dialplan."""
    steps = "".join(f'<action application="{name}" data="{data}"/>' for name, data in actions)
    condition = f'<condition field="destination_number" expression="^{number}$">{steps}</condition>'
    return f'<extension name="{number}">{condition}</extension>'


class Rig:
    """The switch and what a test does with it."""

    def __init__(self, switch: Switch, running: RunningVerto) -> None:
        self.switch = switch
        self.running = running
        self.verto = running.verto
        self.lines: list[str] = []

    @property
    def url(self) -> str:
        """Where pages connect to."""
        assert self.running.server is not None
        _, ip, port = self.running.server.addresses[0]
        return f"ws://{ip}:{port}"

    def page(self, login: str = "", sessid: str = "", **more: Any) -> Page:
        """Connect a page, and with `login` log in."""
        page = Page(self.url)
        if login:
            page.log_in(login, sessid=sessid, **more)
        return page

    def api(self, line: str) -> str:
        command, _, argument = line.partition(" ")
        return self.switch.api(command, argument)

    def wait(self, found: Callable[[], _T | None]) -> _T:
        """Return what `found` gives as soon as it is something."""
        end = time.monotonic() + PATIENCE
        while not (value := found()):
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.01)
        return value

    def quiet(self) -> None:
        """Wait until no call and no port is left."""
        self.wait(lambda: not self.switch.sessions)
        self.wait(lambda: not self.verto.legs)
        self.wait(lambda: self.switch.engine.status().transports == 0)


class Page:
    """A page: `call` sends a request and returns its answer, `expect` waits for a request of the switch."""

    def __init__(self, url: str) -> None:
        self._open = ExitStack()
        self.connection: ClientConnection = self._open.enter_context(
            connect(url, compression=None, close_timeout=1)
        )
        self.sessid = ""
        self.requests: list[dict[str, Any]] = []
        self._answers: dict[object, dict[str, Any]] = {}
        self._number = 0

    def log_in(self, login: str, password: str = PASSWORD, sessid: str = "", **more: Any) -> dict[str, Any]:
        """Log in, take the session, and wait until the switch is ready for more."""
        params = {"login": login, "passwd": password, **more}
        if sessid:
            params["sessid"] = sessid
        told = self.result("login", **params)
        self.sessid = told["sessid"]
        return told

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return the whole answer."""
        self._number += 1
        number = self._number
        self.say({"jsonrpc": "2.0", "method": method, "params": params, "id": number})
        while number not in self._answers:
            self._receive()
        return self._answers.pop(number)

    def result(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request that has to go well."""
        answer = self.call(method, **params)
        assert "result" in answer, answer
        found: dict[str, Any] = answer["result"]
        return found

    def error(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request that has to fail."""
        answer = self.call(method, **params)
        assert "error" in answer, answer
        found: dict[str, Any] = answer["error"]
        return found

    def say(self, message: object) -> None:
        """Send a message, as it is where it is a text."""
        self.connection.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self) -> Any:
        """Return the next message, whatever it is."""
        return json.loads(self.connection.recv(timeout=PATIENCE))

    def expect(self, method: str) -> dict[str, Any]:
        """Return the params of the next request of a method, and answer it as verto's library does."""
        while True:
            for request in self.requests:
                if request["method"] == method:
                    self.requests.remove(request)
                    found: dict[str, Any] = request["params"]
                    return found
            self._receive()

    def ended(self) -> bool:
        """Wait until the switch has closed the connection."""
        try:
            while True:
                self._receive()
        except ConnectionClosed:
            return True

    def vanish(self) -> None:
        """Go away without a word."""
        self.connection.socket.close()

    def close(self) -> None:
        """Leave."""
        self._open.close()

    def _receive(self) -> None:
        message = self.hear()
        if "method" in message:
            self.requests.append(message)
            with suppress(
                ConnectionClosed
            ):  # a page that is told that its session is another's is left at once
                self.say({"jsonrpc": "2.0", "id": message["id"], "result": {"method": message["method"]}})
        else:
            self._answers[message.get("id")] = message


@contextmanager
def verto_switch(folder: Path, text: str) -> Iterator[Rig]:
    """Run a switch with a configuration; afterwards nothing of ours may have gone wrong, and nothing be left."""
    clock = RealClock()
    switch = Switch(clock, folder)
    bugs: list[str] = []
    lines: list[str] = []
    switch.observers.append(
        lambda kind, channel, facts: bugs.append(str(facts.get("error"))) if kind == "bug" else None
    )

    def keep(entry: LogEntry) -> None:
        lines.append(entry.text)

    try:
        switch.xml.load_text(text)
        apply_switch_conf(switch)
        switch.logs.add_sink(keep, LogLevel.DEBUG)
        load_modules(switch)
        rig = Rig(switch, mod_verto.start(switch, settings_of(switch)))
        rig.lines = lines
        yield rig
        switch.hang_up_all(HangupCause.NORMAL_CLEARING)
        rig.quiet()
        mod_verto.unload(switch)
        rig.wait(lambda: not [one for one in threading.enumerate() if one.name.startswith("verto")])
    finally:
        mod_verto.unload(switch)
        switch.close()
        clock.close()
    assert not bugs, bugs[0]


def settings_of(switch: Switch) -> VertoSettings:
    """Return the settings of the configuration, with a profile that listens at any port that is free."""
    settings = read_settings(switch.xml, switch.log)
    assert settings is not None
    profiles = []
    for profile in settings.profiles:
        bindings = tuple(dataclasses.replace(binding, port=0) for binding in profile.bindings)
        profiles.append(dataclasses.replace(profile, bindings=bindings))
    return dataclasses.replace(settings, profiles=tuple(profiles))
