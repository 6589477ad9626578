"""`curl` and `curl_sendfile` against a server on the loopback: what it is asked, and what comes back."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from host.event import Event
from host.interfaces import ApiRequest
from host.modules.mod_curl.transfer import CurlResponse
from host.session import Session
from host.switch import Switch
from tests.host.one_call import in_call


class Server:
    """A web server that tells what it was asked; `seen` are the requests: method, path, headers and body."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.body = b"hello"
        server = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers["Content-Length"] or 0)
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.seen.append((self.command, self.path, headers, self.rfile.read(size)))
                if self.path == "/moved":
                    self.send_response(302, "Over there")
                    self.send_header("Location", "/here")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(404 if self.path == "/none" else 200)
                self.send_header("X-Kind", "plain: yes")
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(server.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def switch(virtual_switch: Switch) -> Switch:
    virtual_switch.modules.load("mod_curl")
    return virtual_switch


def api(switch: Switch, argument: str, name: str = "curl") -> str:
    command = switch.api_commands.get(name)
    assert command is not None
    return command.run(ApiRequest(switch, argument)) or ""


def test_it_gets_what_a_url_names(switch: Switch, server: Server) -> None:
    assert api(switch, f"{server.url}/a?b=c") == "hello"
    assert api(switch, f"{server.url[7:]}/plain") == "hello"  # without a scheme
    assert [one[:2] for one in server.seen] == [("GET", "/a?b=c"), ("GET", "/plain")]
    assert server.seen[0][2]["user-agent"] == "freeswitch-curl/1.0"
    assert api(switch, f"{server.url}/none") == "hello"
    server.body = b" "
    assert api(switch, f"{server.url}/blank") == ""


@pytest.mark.parametrize("method", ["post", "PUT", "patch", "delete"])
def test_it_sends_data(switch: Switch, server: Server, method: str) -> None:
    argument = f'{server.url}/in content-type application/json {method} \'{{"who": "it%27s 100%25"}}\''
    assert api(switch, argument) == "hello"
    command, _, headers, body = server.seen[0]
    assert (command, headers["content-type"]) == (method.upper(), "application/json")
    assert body == b'{"who": "it\'s 100%"}'


def test_it_sends_nothing_where_the_data_is_left_out(switch: Switch, server: Server) -> None:
    assert api(switch, f"{server.url}/in post") == "hello"
    assert server.seen[0][0] == "POST" and server.seen[0][3] == b""


def test_its_answers_come_with_headers_or_as_json(switch: Switch, server: Server) -> None:
    text = api(switch, f"{server.url}/moved headers")
    assert text.startswith("HTTP/1.0 302 Over there\r\n")
    assert "X-Kind: plain: yes\r\n" in text
    assert text.endswith("\r\n\r\n\nhello")
    told = json.loads(api(switch, f"{server.url}/a JSON"))
    assert list(told) == ["exit_code", "status_code", "body", "version", "phrase", "headers"]
    assert (told["exit_code"], told["status_code"], told["body"]) == ("0", "200", "hello")
    assert (told["version"], told["phrase"]) == ("HTTP/1.0", "OK")
    assert {"key": "X-Kind", "value": "plain: yes"} in told["headers"]
    assert json.loads(api(switch, f"{server.url}/a json head")).get("body") is None


def test_a_redirect_shows_both_answers() -> None:
    lines = ["HTTP/1.1 302 Found", "Location: /b", "", "HTTP/2 200", "a:b", ""]
    assert CurlResponse(0, 200, lines, 'a"\n').as_json() == (
        '{"exit_code":"0","status_code":"200","body":"a\\"\\n","version":"HTTP/1.1","phrase":"Found",'
        '"version":"HTTP/2","phrase":"","headers":[{"key":"Location","value":"/b"},{"key":"a","value":"b"}]}'
    )


def test_it_sends_headers_of_its_own(switch: Switch, server: Server) -> None:
    api(switch, f"{server.url}/a append_headers X-Key:1 append_headers 'Authorization: Bearer a b'")
    assert server.seen[0][2]["x-key"] == "1"
    assert server.seen[0][2]["authorization"] == "Bearer a b"


def test_what_fails_is_told_by_the_exit_code(switch: Switch, server: Server) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        assert api(switch, f"{url} connect-timeout 2 timeout 2") == ""
        assert json.loads(api(switch, f"{url} json")) == {"exit_code": "7", "status_code": "0", "headers": []}
    assert json.loads(api(switch, "nowhere://x json"))["exit_code"] == "1"
    server.body = bytes(65000)
    assert json.loads(api(switch, f"{server.url}/large json"))["exit_code"] == "23"
    assert api(switch, "").startswith("-ERR\ncurl url [headers|json|")
    assert api(switch, "x " * 40) == ""


def test_the_application_leaves_its_answer_in_variables(switch: Switch, server: Server) -> None:
    answers: list[list[str | None]] = []

    def run(session: Session) -> object:
        application = switch.applications.get("curl")
        assert application is not None
        for data in (f"{server.url}/app post a=b", f"{server.url}/none json"):
            application.run(session, data)
            names = ("curl_response_data", "curl_response_code", "curl_method")
            answers.append([session.channel.get_variable(name) for name in names])
        return None

    in_call(switch, run)
    assert answers[0] == ["hello", "200", "post"]
    assert json.loads(answers[1][0] or "")["status_code"] == "404" and answers[1][1:] == ["404", None]
    assert server.seen[0][3] == b"a=b"


def fields_of(request: tuple[str, str, dict[str, str], bytes]) -> dict[str, tuple[str | None, bytes]]:
    """Return the parts of a form: their file names and what they hold."""
    head = f"Content-Type: {request[2]['content-type']}\r\n\r\n".encode()
    found = {}
    for part in BytesParser().parsebytes(head + request[3]).get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(name)] = (part.get_filename(), content)
    return found


def test_it_sends_files_as_forms_do(switch: Switch, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.write_bytes(b"\0RIFF\xff")
    heard: list[Event] = []
    switch.bus.subscribe(heard.append, ["CUSTOM"])
    words = f"{server.url}/up sound={file} who=me%21&odd both 7"
    assert api(switch, words, "curl_sendfile") == "+200 Ok\nhello\n"
    assert fields_of(server.seen[0]) == {
        "sound": ("a.wav", b"\0RIFF\xff"),
        "who": (None, b"me!"),
        "submit": (None, b"or_die"),
    }
    names = ("Command-Execution-Identifier", "Filename", "File-Access", "REST-HTTP-Code")
    assert [heard[0].get_header(name) for name in names] == ["7", str(file), "Success", "200"]
    assert heard[0].body == "hello"
    assert api(switch, f"{server.url}/none sound={file} nopost none", "curl_sendfile") == "-404 Err\n"
    assert api(switch, f"{server.url}/up sound={file}", "curl_sendfile") == ""
    lost = os.fspath(tmp_path / "lost.wav")
    assert api(switch, f"{server.url}/up sound={lost} nopost stream", "curl_sendfile") == (
        f"-Err Unable to open file {lost}\n"
    )
    assert api(switch, f"{server.url}/up sound", "curl_sendfile").startswith("-USAGE\n<url> ")


def test_the_application_sends_a_file_that_variables_name(
    switch: Switch, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "b.txt"
    file.write_text("text")

    def run(session: Session) -> object:
        application = switch.applications.get("curl_sendfile")
        assert application is not None
        application.run(session, "")  # nothing is said: nothing is sent
        for name, value in (("url", f"{server.url}/up"), ("filename_element", "f"), ("filename", str(file))):
            session.channel.set_variable(f"curl_sendfile_{name}", value)
        application.run(session, "")
        return None

    in_call(switch, run)
    assert [fields_of(one) for one in server.seen] == [{"f": ("b.txt", b"text"), "submit": (None, b"or_die")}]
