"""What the rock socket needs of the host: TCP, UDP, names, `select`, and the clock."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from lua_bindings.host_call import CALL_COST_US
from lua_bindings.rocks.crossing import Answer, Made, crossings
from lua_bindings.rocks.network import READ, WRITE, NetworkError, deadline_after, resolve, wait_for
from lua_bindings.rocks.tcp import Tcp
from lua_bindings.rocks.udp import Udp

if TYPE_CHECKING:
    from lua_bindings.script_run import ScriptRun

_TCP_METHODS: Final = (
    "accept bind close connect dirty getfamily getfd getoption getpeername getsockname getstats gettimeout listen"
    " receive send setoption setstats settimeout shutdown"
)
_UDP_METHODS: Final = (
    "close dirty getfamily getfd getoption getpeername getsockname gettimeout receivefrom send sendto setoption"
    " setpeername setsockname settimeout"
)


class _Names:
    """The table `socket.dns`."""

    def __init__(self, run: ScriptRun) -> None:
        self._run = run

    def _addresses(self, host: bytes) -> list[tuple[int, str]]:
        found = resolve(self._run, host.decode("utf-8", "surrogateescape"), None, socket.SOCK_STREAM)
        return [(int(family), str(address[0])) for family, address in found]

    def addresses(self, host: bytes) -> Answer:
        """Return families and addresses, in turn; nil and the error."""
        try:
            found = self._addresses(host)
        except NetworkError as error:
            return None, error.text.encode()
        answer: list[bytes] = []
        for family, address in found:
            answer += (b"inet6" if family == socket.AF_INET6 else b"inet", address.encode())
        return tuple(answer)

    def names(self, address: bytes) -> Answer:
        """Return the host's names; nil and the error."""
        from lua_bindings.rocks.network import in_thread

        try:
            if address == b"":
                raise NetworkError("host not found")
            host = self._addresses(address)[0][1]
            name, aliases, _ = in_thread(self._run, lambda: socket.gethostbyaddr(host))
        except NetworkError:
            return None, b"host not found"
        return tuple(each.encode() for each in (name, *aliases))


def functions(run: ScriptRun) -> Mapping[str, Callable[..., object]]:
    """Return the functions."""
    clock = run.switch.clock
    names = _Names(run)

    def tcp(family: bytes | None = None) -> Made:
        return Made(b"tcp{master}", Tcp(run, family))

    def udp(family: bytes | None = None) -> Made:
        return Made(b"udp{unconnected}", Udp(run, family))

    def gettime() -> float:
        if run.charge is not None:
            run.charge(CALL_COST_US)
        return clock.time() / 1_000_000

    def sleep(seconds: float) -> None:
        if seconds > 0:
            run.pause(int(seconds * 1_000_000), clock)

    def select(seconds: float | None, readers: float, *files: float) -> Answer:
        wanted: dict[int, int] = {}
        for index, file in enumerate(files):
            event = READ if index < readers else WRITE
            wanted[int(file)] = wanted.get(int(file), 0) | event
        ready = wait_for(run, wanted, deadline_after(seconds))
        found: list[int] = []
        for index, file in enumerate(files):
            event = READ if index < readers else WRITE
            if ready.get(int(file), 0) & event:
                found.append(index + 1)
        return tuple(found)

    implementations: dict[str, Callable[..., object]] = {
        "tcp": tcp,
        "udp": udp,
        "gettime": gettime,
        "sleep": sleep,
        "select": select,
        "hostname": lambda: socket.gethostname().encode(),
        "addresses": names.addresses,
        "names": names.names,
    }
    for name in _TCP_METHODS.split():
        implementations[f"tcp_{name}"] = getattr(Tcp, name)
    for name in _UDP_METHODS.split():
        implementations[f"udp_{name}"] = getattr(Udp, name)
    return crossings(run, "socket", implementations)
