"""WebSockets of browsers: one thread of asyncio for all sockets, and a pool of threads that answer requests.

What a client sends is answered in its order; what may block (the directory, API commands) holds up nobody else.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from host.clock import SECOND
from host.log import LogLevel
from host.modules.mod_verto.client import Client
from host.modules.mod_verto.json_rpc import MOST_BYTES
from host.modules.mod_verto.speed_test import ROUNDS, SpeedTest

if TYPE_CHECKING:
    from host.modules.mod_verto.settings import Binding, ProfileSettings
    from host.modules.mod_verto.verto import Verto

_T = TypeVar("_T")

# The library logs what it refuses; what comes over the network is told in the switch's own log.
_LOG: Final = logging.getLogger(f"{__name__}.protocol")
_LOG.disabled = True

_BACKLOG: Final = 1_000
# Requests that block at the same time; more of them wait.
_WORKERS: Final = 64
# Each costs some 60 kB; what comes beyond that is turned away.
_MOST_CLIENTS: Final = 10_000
# FreeSWITCH: what may wait for a client that does not read, and how many messages it may lose before it is dropped.
_MOST_WAITING: Final = 10_000
_MOST_LOST: Final = 500
# Seconds until a browser that has vanished without a word is noticed: two of these.
_KEEP_ALIVE: Final = 30
_CLOSE_WITHIN: Final = 2
# How long those who are connected may take to leave when the module ends.
_GRACE: Final = 5 * SECOND


class SocketLink:
    """What is on its way to one client; see `client.Link`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: ServerConnection) -> None:
        self._loop = loop
        self._connection = connection
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._lost = 0
        self._ended = False

    def send(self, text: str) -> bool:
        """Queue a message. A client that reads nothing for long is dropped."""
        with self._lock:
            if self._ended:
                return False
            if self._waiting >= _MOST_WAITING:
                self._lost += 1
                if self._lost > _MOST_LOST:
                    self._ended = True
                    self._call(self._connection.transport.abort)
                return False
            self._waiting += 1
        return self._call(lambda: self._queue.put_nowait(text))

    def drop(self) -> None:
        """Close the connection once all is sent that waits."""
        with self._lock:
            self._ended = True
        self._call(lambda: self._queue.put_nowait(None))

    def end(self) -> None:
        """Take no more messages."""
        with self._lock:
            self._ended = True

    async def write(self) -> None:
        """Send what is queued until the connection is dropped or gone."""
        try:
            while (text := await self._queue.get()) is not None:
                # what is no UTF-8 would have a browser close the connection
                data = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                await self._connection.send(data)
                with self._lock:
                    self._waiting -= 1
            await self._connection.close()
        except ConnectionClosed:
            self.end()

    def _call(self, run: Callable[[], object]) -> bool:
        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError:  # the loop has ended
            return False
        return True


class VertoServer:
    """The listeners of all profiles. `receive(client, text)` is called in a thread that may block."""

    def __init__(self, verto: Verto, receive: Callable[[Client, str], object]) -> None:
        self._verto = verto
        self._receive = receive
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(_WORKERS, "verto")
        self._thread: threading.Thread | None = None
        self._servers: list[Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._ending: asyncio.Future[None] | None = None
        self.addresses: list[tuple[Binding, str, int]] = []

    def start(self, profiles: list[tuple[ProfileSettings, ssl.SSLContext | None]]) -> None:
        """Listen. What cannot be listened at is told in the log, and the others go on."""
        opened = []
        for profile, context in profiles:
            found = False
            for binding in profile.bindings:
                if binding.secure and context is None:
                    continue
                listener = self._bind(binding)
                if listener is not None:
                    found = True
                    opened.append((profile, binding, listener, context if binding.secure else None))
            if not found:
                self._verto.log(LogLevel.WARNING, f"{profile.name} Client Socket Error! No Listeners!")
        self._thread = self._verto.switch.clock.spawn(self._run, "verto")
        for one in opened:
            asyncio.run_coroutine_threadsafe(self._listen(*one), self._loop).result()

    def stop(self) -> None:
        """Close all connections, and wait until the threads that serve them have ended."""
        if self._thread is None:
            self._loop.close()
            return
        clock = self._verto.switch.clock
        overdue = clock.call_later(_GRACE, lambda: self._call(self._cancel))
        self._call(self._begin_end)
        self._thread.join()
        overdue.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -- the loop's thread ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _begin_end(self) -> None:
        self._stopping = True
        self._ending = asyncio.ensure_future(self._end())

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for server in self._servers:
            await server.wait_closed()
        self._loop.stop()

    def _cancel(self) -> None:
        for task in list(self._tasks):
            task.cancel()

    def _call(self, run: Callable[[], object]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(run)

    def _bind(self, binding: Binding) -> socket.socket | None:
        family = socket.AF_INET6 if ":" in binding.ip else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((binding.ip, binding.port))
            listener.listen(_BACKLOG)
        except (OSError, UnicodeError, OverflowError) as error:
            listener.close()
            self._verto.log(LogLevel.WARNING, f"Bind Error! {binding.url}, {error}")
            return None
        listener.setblocking(False)
        return listener

    async def _listen(
        self,
        profile: ProfileSettings,
        binding: Binding,
        listener: socket.socket,
        context: ssl.SSLContext | None,
    ) -> None:
        def admit(connection: ServerConnection, request: Request) -> Response | None:
            host = str(connection.remote_address[0])
            full = len(self._tasks) >= _MOST_CLIENTS
            if full or self._stopping or not self._verto.admits(host, profile.connection_lists):
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
            return None

        async def handle(connection: ServerConnection) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                await self._serve(profile, binding, connection)
            finally:
                self._tasks.discard(task)

        server = await serve(
            handle,
            sock=listener,
            ssl=context,
            process_request=admit,
            max_size=MOST_BYTES,
            compression=None,
            server_header=None,
            ping_interval=_KEEP_ALIVE,
            ping_timeout=_KEEP_ALIVE,
            close_timeout=_CLOSE_WITHIN,
            logger=_LOG,
        )
        self._servers.append(server)
        name = listener.getsockname()
        self.addresses.append((binding, str(name[0]), int(name[1])))
        with self._verto.lock:
            self._verto.running.add(binding.url)
        self._verto.log(LogLevel.DEBUG, f"{profile.name} Bound to {name[0]}:{name[1]}")

    async def _serve(self, profile: ProfileSettings, binding: Binding, connection: ServerConnection) -> None:
        host, port = str(connection.remote_address[0]), int(connection.remote_address[1])
        link = SocketLink(self._loop, connection)
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        client = Client(profile, name, host, binding.secure, link)
        writer = asyncio.ensure_future(link.write())
        self._verto.connect(client)
        try:
            await self._read(client, connection)
        except ConnectionClosed:
            pass
        finally:
            link.end()
            writer.cancel()
            if self._stopping:
                self._verto.disconnect(client)
            else:
                await self._work(lambda: self._verto.disconnect(client))

    async def _read(self, client: Client, connection: ServerConnection) -> None:
        speed = SpeedTest()
        while True:
            data = await connection.recv(decode=False)
            assert isinstance(data, bytes)
            text = data.decode("utf-8", "surrogateescape")
            if not text:
                continue
            if not text.startswith("#"):
                await self._work(lambda text=text: self._receive(client, text))  # type: ignore[misc]
            elif client.authed:
                await self._measure(speed, text, connection)
            else:
                self._verto.log(LogLevel.WARNING, f"{client.name} Speed-test request before authentication")
                return

    async def _measure(self, speed: SpeedTest, text: str, connection: ServerConnection) -> None:
        clock = self._verto.switch.clock
        told = speed.take(text, clock.now())
        if told is None:
            return
        await connection.send(told)
        began = clock.now()
        for _ in range(ROUNDS):
            for frame in speed.download():
                await connection.send(frame)
        await connection.send(speed.end(clock.now() - began))

    async def _work(self, run: Callable[[], _T]) -> _T:
        return await self._loop.run_in_executor(self._pool, run)
