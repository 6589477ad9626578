"""The event socket's edge: one thread accepts and sends to all clients, a thread of each client's reads and obeys it.

So an API command that takes long holds up its own client only, and a client that does not read holds up nobody: what
the switch tells goes into one queue, from there into the clients' bounded outboxes, and is dropped and counted there.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from host.clock import SECOND
from host.log import LogEntry, LogLevel
from host.log_line import log_line
from host.modules.mod_event_socket import client_thread, protocol
from host.modules.mod_event_socket.client import Client, prepare
from host.modules.mod_event_socket.connection import Connection
from host.modules.mod_event_socket.feed import Feed, log_frame
from host.modules.mod_event_socket.listener import Listener
from host.modules.mod_event_socket.outbox import Outbox
from host.modules.mod_event_socket.settings import Settings

if TYPE_CHECKING:
    from host.event import Event
    from host.switch import Switch

# How long the last words to a client may take that does not read them.
LAST_WORDS: Final = 5 * SECOND
# How long commands that run may take when the server stops, and clients' threads to end.
LAST_ANSWERS: Final = SECOND
# FreeSWITCH: a client that missed more events than this is closed.
MOST_LOST: Final = 500
# Clients at once. Each has a thread; far more than operators and their programs are is a fault or an attack.
MOST_CLIENTS: Final = 1000
# Events taken together before they are sent: enough to save system calls, few enough to be on time.
_BATCH: Final = 256


class EventSocketServer:
    """All clients of one switch, inbound and outbound."""

    def __init__(self, switch: Switch, settings: Settings) -> None:
        self.switch = switch
        self.settings = settings
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = socket.socketpair()
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        self.feed = Feed(switch, self._wake)
        self._clients: tuple[Client, ...] = ()
        self._lock = threading.Lock()
        self._listener = Listener(self, self._selector)
        self.stopping = False
        self._stopped = switch.clock.waiter()

    # -- beginning and end ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen and serve. A port that is taken is tried again later, unless the settings say otherwise."""
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._listener.bind()
        self.switch.clock.spawn(self._run, "event-socket")

    def stop(self) -> None:
        """Say goodbye to all clients and release the port and the threads, save those that are busy with a command."""
        self.stopping = True
        self.feed.close()
        clients = self._clients
        deadline = self.switch.clock.now() + LAST_ANSWERS
        for client in clients:
            if client.outbox.holding and not client.runs_here:
                client.answered.wait(
                    deadline
                )  # a command that runs, as that which ends the switch, is answered
            self.say_goodbye(client)
        self._wake()
        deadline = self.switch.clock.now() + LAST_ANSWERS
        self._stopped.wait(deadline)
        for client in clients:
            if not client.runs_here:
                client.gone.wait(deadline)

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None while it does not."""
        return self._listener.address

    @property
    def refusal(self) -> str | None:
        """Why it does not listen, as `127.0.0.1:8021: Address already in use`; None while it does."""
        return self._listener.refusal

    # -- the sending thread --------------------------------------------------------------------------------------

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"\0")
        except OSError:
            pass  # so many bytes wait there that it wakes up anyway, or it has stopped

    def _run(self) -> None:
        try:
            while not self.stopping:
                for key, _ in self._selector.select(None if self.feed.may_sleep() else 0):
                    if key.fileobj is self._wake_reader:
                        self._swallow()
                    elif key.fileobj is self._listener.socket:
                        self._accept()
                    elif isinstance(key.data, Client):
                        self._flush(key.data)
                self._deliver()
        except Exception as error:
            self.switch.report_bug("event socket", error)
        finally:
            self.stopping = True
            self._listener.close()
            for client in self._clients:
                client.outbox.flush()
                client.shut()
                if client.ended:
                    client.socket.close()
            self._selector.close()
            self._wake_reader.close()
            self._wake_writer.close()
            self._stopped.notify()

    def _swallow(self) -> None:
        try:
            self._wake_reader.recv(4096)
        except BlockingIOError:
            pass  # it was woken by several at once, and all has been read

    def _deliver(self) -> None:
        for _ in range(_BATCH):
            item = self.feed.take()
            if item is None:
                break
            if isinstance(item, LogEntry):
                self._deliver_log(item)
            elif callable(item):
                self._send_frames()
                item()
            else:
                self._deliver_event(item)
        self._send_frames()

    def _deliver_event(self, event: Event) -> None:
        written: dict[str, bytes] = {}
        for client in self._clients:
            subscription = client.connection.subscription
            if not subscription.wants(event) or client.said_goodbye:
                continue
            form = subscription.form
            frame = written.get(form)
            if frame is None:
                frame = written[form] = protocol.event_message(form, event.serialize(form))
            client.frames.append(frame)
        if event.name == "CHANNEL_HANGUP_COMPLETE":
            uuid = event.get_header("Unique-ID")
            for client in self._clients:
                if uuid and client.connection.session_uuid == uuid:
                    self.end_call(client)

    def _deliver_log(self, entry: LogEntry) -> None:
        frame = b""
        for client in self._clients:
            level = client.connection.log_level
            if level is None or entry.level > level or client.said_goodbye:
                continue
            frame = frame or log_frame(entry, log_line(entry, self.switch.idle_cpu.percent()))
            client.frames.append(frame)

    def divert(self, connection: Connection, event: Event) -> None:
        """Send an event of the connection's call to its client, if that listens to events at all."""

        def send() -> None:
            subscription = connection.subscription
            if subscription.on:
                frame = protocol.event_message(subscription.form, event.serialize(subscription.form))
                for client in self._clients:
                    if client.connection is connection:
                        client.outbox.offer((frame,))

        self.feed.put(send)

    def _send_frames(self) -> None:
        for client in self._clients:
            if client.frames:
                frames, client.frames = client.frames, []
                lost = client.outbox.offer(frames)
                if lost:
                    client.lost += lost
                    if client.lost > MOST_LOST:
                        self.log(
                            LogLevel.CRIT,
                            f"Killing listener because of too many lost events. Lost [{client.lost}]",
                        )
                        self.say_goodbye(client, protocol.LOST_EVENTS)
                elif client.lost:
                    self.log(LogLevel.CRIT, f"Lost [{client.lost}] events!")
                    client.lost = 0
        if self.feed.dropped:
            dropped, self.feed.dropped = self.feed.dropped, 0
            self.log(LogLevel.CRIT, f"Lost [{dropped}] events! The event queue was full")

    def _flush(self, client: Client) -> None:
        if client.outbox.flush() and client.watched:
            client.watched = False
            self._selector.unregister(client.socket)
            client.drained.notify()
            if client.said_goodbye:
                client.shut()
            if client.leaving:
                self._close(client)

    def _watch(self, client: Client) -> None:
        if not client.watched and not client.outbox.empty and client.socket.fileno() >= 0:
            client.watched = True
            self._selector.register(client.socket, selectors.EVENT_WRITE, client)

    def _accept(self) -> None:
        accepted = self._listener.accept()
        if accepted is None:
            return
        connected, host, port = accepted
        if len(self._clients) >= MOST_CLIENTS:
            self.log(LogLevel.ERR, f"{MOST_CLIENTS} clients are connected, {host} is refused")
            connected.close()
            return
        prepare(connected)
        client = self._add(connected, Connection(self.switch, self, self.settings.password), host)
        self.switch.clock.spawn(lambda: client_thread.greet(self, client), f"event-socket {host}:{port}")

    # -- a client's own thread -----------------------------------------------------------------------------------

    def open(self, connection: Connection, connect: Callable[[Client], bool]) -> Client:
        """Serve an outbound connection: `connect(client)`, in a thread of its own, gives it a connected socket."""
        client = self._add(socket.socket(), connection, "")

        def run() -> None:
            if connect(client) and not client.said_goodbye:
                prepare(client.socket)
                client.connected = True
                client_thread.tell_call(client)
                client_thread.read(self, client)
            else:
                client_thread.end(self, client)

        self.switch.clock.spawn(run, f"event-socket {connection.session_uuid[:8]}")
        return client

    def abandon(self, client: Client) -> None:
        """End a connection whose call wants nothing more of it."""
        self.say_goodbye(client)
        client.shut()

    def _add(self, connected: socket.socket, connection: Connection, address: str) -> Client:
        clock = self.switch.clock
        client: Client
        outbox = Outbox(connected, lambda: self.feed.put(lambda: self._watch(client)))
        waiters = clock.waiter(), clock.waiter(), clock.waiter()
        client = Client(connected, connection, outbox, *waiters, address)
        with self._lock:
            self._clients = (*self._clients, client)
        self.refresh()
        return client

    def replace_socket(self, client: Client, connected: socket.socket) -> None:
        """Give a client that is not connected yet another socket."""
        client.socket.close()
        client.socket = connected
        client.outbox = Outbox(connected, lambda: self.feed.put(lambda: self._watch(client)))

    def leave(self, client: Client) -> None:
        client.leaving = True
        if client.outbox.broken or client.outbox.flush():
            self._close(client)
        else:
            self.switch.clock.call_later(LAST_WORDS, lambda: self.feed.put(lambda: self._close(client)))

    def _close(self, client: Client) -> None:
        with self._lock:
            if client not in self._clients:
                return
            self._clients = tuple(other for other in self._clients if other is not client)
        if client.watched:
            client.watched = False
            self._selector.unregister(client.socket)
        client.socket.close()
        self.refresh()

    # -- calls and goodbyes --------------------------------------------------------------------------------------

    def end_call(self, client: Client) -> None:
        """Tell a connection that its call is over: the line lingers, or it is closed."""
        connection = client.connection
        connection.call_over = True
        if (
            client.call_end_seen or client.outbox.holding
        ):  # a command that runs is answered first, and looks here again
            return
        client.call_end_seen = True
        if client.frames:
            frames, client.frames = client.frames, []
            client.lost += client.outbox.offer(frames)
        if not connection.linger or connection.session is None:
            self.say_goodbye(client)
            return
        seconds = connection.linger_seconds
        client.outbox.send(
            protocol.linger_notice(connection.session_uuid, connection.session.channel.name, seconds)
        )
        if seconds >= 0:
            self.switch.clock.call_later(seconds * SECOND, lambda: self.say_goodbye(client))

    def say_goodbye(self, client: Client, message: str = protocol.GOODBYE) -> None:
        """Send the disconnect notice and close the line as soon as it is out."""
        with self._lock:
            if client.said_goodbye:
                return
            client.said_goodbye = True
        client.outbox.send(protocol.disconnect_notice(client.connection.session_uuid, message))
        client.drained.notify()
        if client.outbox.empty:
            client.shut()
        else:
            self.switch.clock.call_later(LAST_WORDS, client.shut)

    # -- what the clients hear -----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look again at what the connections want to hear."""
        if self.stopping:
            return
        names: frozenset[str] = frozenset()
        levels = []
        for client in self._clients:
            connection = client.connection
            names |= connection.subscription.heard
            if connection.log_level is not None:
                levels.append(connection.log_level)
            if connection.session is not None:
                names |= {"CHANNEL_HANGUP_COMPLETE"}
        self.feed.listen(names, max(levels, default=None))

    def log(self, level: LogLevel, text: str) -> None:
        self.switch.log(level, text, file="mod_event_socket")
