"""The event socket's edge: one thread accepts and sends to all clients, a thread of each client's reads and obeys it.

So an API command that takes long holds up its own client only, and a client that does not read holds up nobody: what
the switch tells goes into one queue, from there into the clients' bounded outboxes, and is dropped and counted there.
"""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from host.after_answer import collecting, done_collecting
from host.clock import MILLISECOND, SECOND, Timer, Waiter
from host.inbox import Wake
from host.log import LogEntry, LogLevel
from host.log_line import log_line
from host.modules.mod_event_socket import protocol
from host.modules.mod_event_socket.connection import Connection
from host.modules.mod_event_socket.feed import Feed, log_frame
from host.modules.mod_event_socket.outbox import Outbox
from host.modules.mod_event_socket.settings import Settings

if TYPE_CHECKING:
    from host.event import Event
    from host.switch import Switch

# FreeSWITCH: a client that sends nothing for so long before it is let in is closed.
PATIENCE: Final = 25 * SECOND
# How long the last words to a client may take that does not read them.
LAST_WORDS: Final = 5 * SECOND
# How long commands that run may take when the server stops, and clients' threads to end.
LAST_ANSWERS: Final = SECOND
# FreeSWITCH: how long until the port is tried again that somebody else has.
BIND_AGAIN: Final = 100 * MILLISECOND
# FreeSWITCH: a client that missed more events than this is closed.
MOST_LOST: Final = 500
# Clients at once. Each has a thread; far more than operators and their programs are is a fault or an attack.
MOST_CLIENTS: Final = 1000
# Events taken together before they are sent: enough to save system calls, few enough to be on time.
_BATCH: Final = 256
_READ_SIZE: Final = 65_536
_BACKLOG: Final = 128
_KEEPALIVE: Final = 30  # seconds, FreeSWITCH's, until a silent client is asked whether it is still there


@dataclass(slots=True, eq=False)
class Client:
    """A connection with its socket. `greeted`: it has sent a command; `ended`: nothing more comes from it."""

    socket: socket.socket
    connection: Connection
    outbox: Outbox
    drained: Waiter
    answered: Waiter
    gone: Waiter
    address: str = ""
    timer: Timer | None = None
    connected: bool = False
    greeted: bool = False
    ended: bool = False
    leaving: bool = False
    watched: bool = False
    said_goodbye: bool = False
    call_end_seen: bool = False
    lost: int = 0
    thread: int = 0
    frames: list[bytes] = field(default_factory=list)

    @property
    def runs_here(self) -> bool:
        """Whether the calling thread is the one that reads this client."""
        return self.thread == threading.get_ident()


class EventSocketServer:
    """All clients of one switch, inbound and outbound."""

    def __init__(self, switch: Switch, settings: Settings) -> None:
        self.switch = switch
        self.settings = settings
        self._selector = selectors.DefaultSelector()
        self._wake_reader, self._wake_writer = socket.socketpair()
        for end in (self._wake_reader, self._wake_writer):
            end.setblocking(False)
        self._feed = Feed(switch, self._wake)
        self._clients: tuple[Client, ...] = ()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._complained = False
        self._stopping = False
        self._stopped = switch.clock.waiter()

    # -- beginning and end ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen and serve. A port that is taken is tried again later, unless the settings say otherwise."""
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        self._bind()
        self.switch.clock.spawn(self._run, "event-socket")

    def stop(self) -> None:
        """Say goodbye to all clients and release the port and the threads, save those that are busy with a command."""
        self._stopping = True
        self._feed.close()
        clients = self._clients
        deadline = self.switch.clock.now() + LAST_ANSWERS
        for client in clients:
            if client.outbox.holding and not client.runs_here:
                client.answered.wait(
                    deadline
                )  # a command that runs, as that which ends the switch, is answered
            self._say_goodbye(client)
        self._wake()
        deadline = self.switch.clock.now() + LAST_ANSWERS
        self._stopped.wait(deadline)
        for client in clients:
            if not client.runs_here:
                client.gone.wait(deadline)

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None while it does not."""
        listener = self._listener
        if listener is None:
            return None
        name = listener.getsockname()
        return str(name[0]), int(name[1])

    def _bind(self) -> None:
        if self._stopping:
            return
        address, port = self.settings.address, self.settings.port
        try:
            family, _, _, _, name = socket.getaddrinfo(
                address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            self._log(LogLevel.ERR, f"Cannot get information about IP address {address}")
            return
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(name)
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if not self._complained:
                self._complained = True
                reason = f"Could not listen on {address}:{port} ({error.strerror})"
                self._log(LogLevel.ERR, f"Socket Error! {reason}")
            if not self.settings.stop_on_bind_error:
                self.switch.clock.call_later(BIND_AGAIN, lambda: self._feed.put(self._bind))
            return
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        self._listener = listener
        self._log(LogLevel.DEBUG, f"Socket up listening on {address}:{port}")

    # -- the sending thread --------------------------------------------------------------------------------------

    def _wake(self) -> None:
        try:
            self._wake_writer.send(b"\0")
        except OSError:
            pass  # so many bytes wait there that it wakes up anyway, or it has stopped

    def _run(self) -> None:
        try:
            while not self._stopping:
                for key, _ in self._selector.select(None if self._feed.may_sleep() else 0):
                    if key.fileobj is self._wake_reader:
                        self._swallow()
                    elif key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.data, Client):
                        self._flush(key.data)
                self._deliver()
        except Exception as error:
            self.switch.report_bug("event socket", error)
        finally:
            self._stopping = True
            if self._listener is not None:
                self._listener.close()
            for client in self._clients:
                client.outbox.flush()
                _shut(client)
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
            pass

    def _deliver(self) -> None:
        for _ in range(_BATCH):
            item = self._feed.take()
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
                    self._end_call(client)

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

        self._feed.put(send)

    def _send_frames(self) -> None:
        for client in self._clients:
            if client.frames:
                frames, client.frames = client.frames, []
                lost = client.outbox.offer(frames)
                if lost:
                    client.lost += lost
                    if client.lost > MOST_LOST:
                        self._log(
                            LogLevel.CRIT,
                            f"Killing listener because of too many lost events. Lost [{client.lost}]",
                        )
                        self._say_goodbye(client, protocol.LOST_EVENTS)
                elif client.lost:
                    self._log(LogLevel.CRIT, f"Lost [{client.lost}] events!")
                    client.lost = 0
        if self._feed.dropped:
            dropped, self._feed.dropped = self._feed.dropped, 0
            self._log(LogLevel.CRIT, f"Lost [{dropped}] events! The event queue was full")

    def _flush(self, client: Client) -> None:
        if client.outbox.flush() and client.watched:
            client.watched = False
            self._selector.unregister(client.socket)
            client.drained.notify()
            if client.said_goodbye:
                _shut(client)
            if client.leaving:
                self._close(client)

    def _watch(self, client: Client) -> None:
        if not client.watched and not client.outbox.empty and client.socket.fileno() >= 0:
            client.watched = True
            self._selector.register(client.socket, selectors.EVENT_WRITE, client)

    def _accept(self) -> None:
        if self._listener is None:
            return
        try:
            connection, address = self._listener.accept()
        except OSError as error:
            if not isinstance(error, BlockingIOError):
                self._log(LogLevel.ERR, f"Socket Error [{error.strerror}]")
            return
        host = str(address[0])
        if len(self._clients) >= MOST_CLIENTS:
            self._log(LogLevel.ERR, f"{MOST_CLIENTS} clients are connected, {host} is refused")
            connection.close()
            return
        prepare(connection)
        client = self._add(connection, Connection(self.switch, self, self.settings.password), host)
        self.switch.clock.spawn(lambda: self._greet(client), f"event-socket {host}:{address[1]}")

    # -- a client's own thread -----------------------------------------------------------------------------------

    def open(self, connection: Connection, connect: Callable[[Client], bool]) -> Client:
        """Serve an outbound connection: `connect(client)`, in a thread of its own, gives it a connected socket."""
        client = self._add(socket.socket(), connection, "")

        def run() -> None:
            if connect(client) and not client.said_goodbye:
                prepare(client.socket)
                client.connected = True
                self._tell_call(client)
                self._read(client)
            else:
                self._end(client)

        self.switch.clock.spawn(run, f"event-socket {connection.session_uuid[:8]}")
        return client

    def abandon(self, client: Client) -> None:
        """End a connection whose call wants nothing more of it."""
        self._say_goodbye(client)
        _shut(client)

    def _add(self, connected: socket.socket, connection: Connection, address: str) -> Client:
        clock = self.switch.clock
        client: Client
        outbox = Outbox(connected, lambda: self._feed.put(lambda: self._watch(client)))
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
        client.outbox = Outbox(connected, lambda: self._feed.put(lambda: self._watch(client)))

    def _greet(self, client: Client) -> None:
        address = client.address.partition("%")[0]  # of a link-local address, the zone behind it
        if not all(self.switch.access_lists.check(address, name) for name in self.settings.acl):
            self._log(
                LogLevel.WARNING, f'IP {client.address} Rejected by acl "{", ".join(self.settings.acl)}"'
            )
            client.outbox.send(protocol.rude_rejection())
            self._say_goodbye(client)
            self._end(client)
            return
        client.outbox.send(protocol.auth_request())
        self._read(client)

    def _read(self, client: Client) -> None:
        client.thread = threading.get_ident()
        self._be_patient(client)
        reader = protocol.CommandReader()
        try:
            while data := client.socket.recv(_READ_SIZE):
                for command in reader.feed(data):
                    if client.said_goodbye or not self._obey(client, command):
                        return
        except OSError:
            pass
        except protocol.ProtocolError as error:
            self._log(LogLevel.WARNING, f"{client.address or 'event socket'}: {error}")
            self._say_goodbye(client)
        except Exception as error:
            self.switch.report_bug("event socket", error)
            self._say_goodbye(client)
        finally:
            self._end(client)

    def _obey(self, client: Client, command: protocol.ClientCommand) -> bool:
        """Answer a command; False when it was the last one."""
        connection, outbox = client.connection, client.outbox
        if client.timer is not None:
            client.timer.cancel()
            client.timer = None
        outbox.hold()  # FreeSWITCH: what happens while a command runs is told after its answer
        later = collecting()
        try:
            answer = connection.answer(command)
            outbox.answer(answer.data)
        finally:
            done_collecting()
            for work in later:
                work()
        if self._stopping:
            client.answered.notify()
        if answer.then is not None:
            answer.then()
        if not client.greeted:
            client.greeted = True
            self._tell_call(client)
        if answer.close:
            self._say_goodbye(client)
            return False
        if not connection.authorized:
            self._be_patient(client)
        if connection.call_over and not client.call_end_seen:
            self._feed.put(lambda: self._end_call(client))
        while outbox.full and not client.said_goodbye:
            client.drained.wait()
        return not outbox.broken

    def _be_patient(self, client: Client) -> None:
        if not client.connection.authorized or not client.greeted:
            client.timer = self.switch.clock.call_later(PATIENCE, lambda: self._say_goodbye(client))

    def _end(self, client: Client) -> None:
        """Note that a client's thread reads no more; the sending thread closes the socket."""
        if client.timer is not None:
            client.timer.cancel()
        client.connection.stop_diverting()
        client.connection.log_level = None
        client.connection.subscription.clear()
        client.ended = True
        self._tell_call(client)
        if client.connection.on_end is not None:
            client.connection.on_end()
        if self._stopping:
            client.socket.close()
        else:
            self._feed.put(lambda: self._leave(client))
        client.gone.notify()

    @staticmethod
    def _tell_call(client: Client) -> None:
        session = client.connection.session
        if session is not None and client.connection.outbound:
            session.inbox.put(Wake())

    def _leave(self, client: Client) -> None:
        client.leaving = True
        if client.outbox.broken or client.outbox.flush():
            self._close(client)
        else:
            self.switch.clock.call_later(LAST_WORDS, lambda: self._feed.put(lambda: self._close(client)))

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

    def _end_call(self, client: Client) -> None:
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
            self._say_goodbye(client)
            return
        seconds = connection.linger_seconds
        client.outbox.send(
            protocol.linger_notice(connection.session_uuid, connection.session.channel.name, seconds)
        )
        if seconds >= 0:
            self.switch.clock.call_later(seconds * SECOND, lambda: self._say_goodbye(client))

    def _say_goodbye(self, client: Client, message: str = protocol.GOODBYE) -> None:
        """Send the disconnect notice and close the line as soon as it is out."""
        with self._lock:
            if client.said_goodbye:
                return
            client.said_goodbye = True
        client.outbox.send(protocol.disconnect_notice(client.connection.session_uuid, message))
        client.drained.notify()
        if client.outbox.empty:
            _shut(client)
        else:
            self.switch.clock.call_later(LAST_WORDS, lambda: _shut(client))

    # -- what the clients hear -----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look again at what the connections want to hear."""
        if self._stopping:
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
        self._feed.listen(names, max(levels, default=None))

    def _log(self, level: LogLevel, text: str) -> None:
        self.switch.log(level, text, file="mod_event_socket")


def prepare(connected: socket.socket) -> None:
    """Set up a connected socket: answers leave at once, and an end that vanished is noticed."""
    connected.setblocking(True)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE)


def _shut(client: Client) -> None:
    """End both directions of a line, so that its thread reads no more."""
    try:
        client.socket.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it is not connected any more
