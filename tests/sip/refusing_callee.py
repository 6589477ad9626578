"""A callee that answers every INVITE with the code in the address: sip:486@… is busy. SIPp's codes are fixed."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sip.raw_phone import field


@contextmanager
def refusing_callee() -> Iterator[str]:
    """Yield its address."""
    ending = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.1)
        thread = threading.Thread(target=_answer, args=(listening, ending), name="refusing-callee")
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ending.set()
            thread.join()


def _answer(listening: socket.socket, ending: threading.Event) -> None:
    while not ending.is_set():
        try:
            data, caller = listening.recvfrom(65_535)
        except TimeoutError:
            continue
        request = data.decode("utf-8", "surrogateescape")
        code = re.match(r"INVITE sip:(\d{3})@", request)
        if code is None:
            continue  # the ACK
        response = [
            f"SIP/2.0 {code.group(1)} No",
            f"Via: {field(request, 'Via')}",
            f"From: {field(request, 'From')}",
            f"To: {field(request, 'To')};tag=refused",
            f"Call-ID: {field(request, 'Call-ID')}",
            f"CSeq: {field(request, 'CSeq')}",
            "Content-Length: 0",
            "",
            "",
        ]
        listening.sendto("\r\n".join(response).encode(), caller)
