"""A client's own thread: it greets the client, reads its commands and answers them, until the client has gone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from host.after_answer import collecting, done_collecting
from host.clock import SECOND
from host.inbox import Wake
from host.log import LogLevel
from host.modules.mod_event_socket import protocol

if TYPE_CHECKING:
    from host.modules.mod_event_socket.client import Client
    from host.modules.mod_event_socket.server import EventSocketServer

# FreeSWITCH: a client that sends nothing for so long before it is let in is closed.
PATIENCE: Final = 25 * SECOND
_READ_SIZE: Final = 65_536


def greet(server: EventSocketServer, client: Client) -> None:
    """Ask a client for the password and obey it, unless its address is on no list; until it has gone."""
    address = client.address.partition("%")[0]  # of a link-local address, the zone behind it
    if not all(server.switch.access_lists.check(address, name) for name in server.settings.acl):
        server.log(
            LogLevel.WARNING, f'IP {client.address} Rejected by acl "{", ".join(server.settings.acl)}"'
        )
        client.outbox.send(protocol.rude_rejection())
        server.say_goodbye(client)
        end(server, client)
        return
    client.outbox.send(protocol.auth_request())
    read(server, client)


def read(server: EventSocketServer, client: Client) -> None:
    """Obey what a client commands, until it has gone."""
    client.thread = threading.get_ident()
    _be_patient(server, client)
    reader = protocol.CommandReader()
    try:
        while data := client.socket.recv(_READ_SIZE):
            for command in reader.feed(data):
                if client.said_goodbye or not _obey(server, client, command):
                    return
    except OSError:
        pass  # the client has gone without a word, which is an end like another
    except protocol.ProtocolError as error:
        server.log(LogLevel.WARNING, f"{client.address or 'event socket'}: {error}")
        server.say_goodbye(client)
    except Exception as error:
        server.switch.report_bug("event socket", error)
        server.say_goodbye(client)
    finally:
        end(server, client)


def _obey(server: EventSocketServer, client: Client, command: protocol.ClientCommand) -> bool:
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
    if server.stopping:
        client.answered.notify()
    if answer.then is not None:
        answer.then()
    if not client.greeted:
        client.greeted = True
        tell_call(client)
    if answer.close:
        server.say_goodbye(client)
        return False
    if not connection.authorized:
        _be_patient(server, client)
    if connection.call_over and not client.call_end_seen:
        server.feed.put(lambda: server.end_call(client))
    while outbox.full and not client.said_goodbye:
        client.drained.wait()
    return not outbox.broken


def _be_patient(server: EventSocketServer, client: Client) -> None:
    if not client.connection.authorized or not client.greeted:
        client.timer = server.switch.clock.call_later(PATIENCE, lambda: server.say_goodbye(client))


def end(server: EventSocketServer, client: Client) -> None:
    """Note that a client's thread reads no more; the sending thread closes the socket."""
    if client.timer is not None:
        client.timer.cancel()
    client.connection.stop_diverting()
    client.connection.log_level = None
    client.connection.subscription.clear()
    client.ended = True
    tell_call(client)
    if client.connection.on_end is not None:
        client.connection.on_end()
    if server.stopping:
        client.socket.close()
    else:
        server.feed.put(lambda: server.leave(client))
    client.gone.notify()


def tell_call(client: Client) -> None:
    """Have the call that waits for a client look again at how far it has come."""
    session = client.connection.session
    if session is not None and client.connection.outbound:
        session.inbox.put(Wake())
