"""A web server on the loopback that steers calls: it notes what it is told and answers with documents."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request: method, path without the query, headers by small names, fields in order, files by field."""

    method: str
    path: str
    headers: dict[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass
class Answer:
    """What the server says."""

    body: str = ""
    status: int = 200
    content_type: str = "text/xml"
    headers: tuple[tuple[str, str], ...] = ()


class Web:
    """The server: `documents` are its answers in turn; afterwards it has nothing to say."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.documents: list[str | Answer] = []
        self.before: Callable[[Asked], object] = lambda asked: None  # what happens before it answers
        web = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                asked = web._asked(self)
                web.asked.append(asked)
                web.before(asked)
                answer = web.documents.pop(0) if web.documents else Answer(status=204)
                if isinstance(answer, str):
                    answer = Answer(document(answer))
                body = answer.body.encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer

            def log_message(self, format: str, *args: object) -> None: ...

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Say nothing: who asked has not waited."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def _asked(handler: BaseHTTPRequestHandler) -> Asked:
        body = handler.rfile.read(int(handler.headers["Content-Length"] or 0))
        parts = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        asked = Asked(handler.command, parts.path, headers)
        kind = headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            text = body.decode() if handler.command == "POST" else parts.query
            asked.fields = {name: values[0] for name, values in parse_qs(text).items()}
            return asked
        for part in BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).walk():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(content, bytes):
                continue
            filename = part.get_filename()
            if filename is None:
                asked.fields[name] = content.decode()
            else:
                asked.files[name] = filename, content
        return asked


def document(work: str, *, params: str = "", variables: str = "") -> str:
    """Return a document with this work."""
    return (
        f'<document type="xml/freeswitch-httapi"><params>{params}</params><variables>{variables}</variables>'
        f"<work>{work}</work></document>"
    )


def configuration(url: str, *, params: str = "", permissions: str = "", settings: str = "") -> str:
    """Return a configuration whose profile `default` asks `url`."""
    return f"""<document type="freeswitch/xml"><section name="configuration">
      <configuration name="httapi.conf"><settings>{settings}</settings><profiles>
        <profile name="default"><permissions>{permissions}</permissions>
          <params><param name="gateway-url" value="{url}/gate"/>{params}</params>
        </profile></profiles></configuration></section></document>"""


def param(name: str, value: str) -> str:
    return f'<param name="{name}" value="{value}"/>'


def permission(name: str, value: str = "true", inside: str = "", default: str = "") -> str:
    return f'<permission name="{name}" value="{value}" default="{default}">{inside}</permission>'
