"""The rocks socket.http, ssl.https and socket.smtp against servers of this machine."""

from __future__ import annotations

import email
import email.policy
import shutil
from pathlib import Path

import pytest

from host.switch import Switch
from tests.lua_bindings.local_servers import Mailbox, Recorded, certificate, encrypted, serving, smtp, web
from tests.lua_bindings.scripted import MOST, SHOW, text_of

HTTP = (
    SHOW
    + """
  local http, ltn12 = require("socket.http"), require("ltn12")
  shown = function(value) return type(value) == "table" and "table" or tostring(value) end
"""
)


@pytest.mark.parametrize("version", MOST)
def test_the_simple_form(switch: Switch, version: str) -> None:
    recorded = Recorded()
    with serving(web(recorded)) as port:
        code = f"""
          local base = "http://127.0.0.1:{port}"
          local body, code, headers, status = http.request(base .. "/page?a=1")
          show(body, code, headers["x-a"], headers["content-length"], status)
          show(http.request(base .. "/form", "a=1&b=2"))
          show(http.request(base .. "/chunked"))
          show(http.request(base .. "/none"))
          show(http.request(base .. "/missing"))
          show(http.request(base .. "/closing"))
          show(http.request(base .. "/continue"))
          show(select(3, http.request(base .. "/chunked"))["x-late"])
        """
        assert text_of(switch, HTTP + code, version) == (
            "hello|200|1|5|HTTP/1.1 200 OK;hello|200|table|HTTP/1.1 200 OK;abcde|200|table|HTTP/1.1 200 OK;"
            "|204|table|HTTP/1.1 204 No Content;no such page|404|table|HTTP/1.1 404 Not Found;"
            "until the end|200|table|HTTP/1.0 200 OK;went on|200|table|HTTP/1.1 200 OK;v;"
        )
    line, headers, body = recorded.requests[0]
    assert (line, body) == ("GET /page?a=1 HTTP/1.1", b"")
    assert headers == {
        "Host": f"127.0.0.1:{port}",
        "User-Agent": "LuaSocket 3.0.0",
        "Connection": "close, TE",
        "TE": "trailers",
    }
    line, headers, body = recorded.requests[1]
    assert (line, body) == ("POST /form HTTP/1.1", b"a=1&b=2")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Content-Length"] == "7"


@pytest.mark.parametrize("version", MOST)
def test_the_generic_form(switch: Switch, version: str) -> None:
    recorded = Recorded()
    with serving(web(recorded)) as port:
        code = f"""
          local base, t = "http://127.0.0.1:{port}", {{}}
          show(http.request{{ url = base .. "/get", sink = ltn12.sink.table(t) }})
          show(table.concat(t))
          show(http.request{{ url = base .. "/head", method = "HEAD" }})
          show(http.request{{ url = base .. "/put", method = "PUT", source = ltn12.source.string("xx"),
            headers = {{ ["content-length"] = 2, ["X-Mine"] = "z", ["CONTENT-TYPE"] = "application/json" }} }})
          show(http.request{{ url = base .. "/post", method = "POST", source = ltn12.source.string("in pieces") }})
          show(http.request{{ url = "http://us%40er:pw@127.0.0.1:{port}/auth" }})
          show(http.request{{ url = "http://elsewhere.invalid/path", proxy = base }})
          show(http.request{{ url = base .. "/full", sink = function() return nil, "sink is full" end }})
          local made = 0
          show(http.request{{ url = base, create = function() made = made + 1 return require("socket").tcp() end }})
          show(made)
        """
        ok = "1|200|table|HTTP/1.1 200 OK;"
        assert text_of(switch, HTTP + code, version) == (
            f"{ok}hello;{ok}{ok}{ok}{ok}{ok}nil|sink is full;{ok}1;"
        )
    asked = {line.split(" ")[1]: (headers, body) for line, headers, body in recorded.requests}
    headers, body = asked["/put"]
    assert body == b"xx"
    assert headers["x-mine"] == "z" and headers["Content-Type"] == "application/json"
    headers, body = asked["/post"]
    assert body == b"in pieces" and headers["Transfer-Encoding"] == "chunked"
    assert asked["/auth"][0]["Authorization"] == "Basic dXNAZXI6cHc="
    assert asked["http://elsewhere.invalid/path"][0]["Host"] == "elsewhere.invalid"
    assert "/" in asked


@pytest.mark.parametrize("version", MOST)
def test_redirections_and_failures(switch: Switch, version: str) -> None:
    recorded = Recorded()
    with serving(web(recorded)) as port:
        code = f"""
          local base = "http://127.0.0.1:{port}"
          show(http.request(base .. "/moved"))
          show(http.request(base .. "/loop"))
          show(http.request{{ url = base .. "/moved?once", redirect = false }})
          show(http.request{{ url = base .. "/loop?two", maxredirects = 1 }})
          show(http.request{{ url = base .. "/moved?post", method = "POST", source = ltn12.source.string("") }})
          show(http.request("http://127.0.0.1:1/"))
          show(http.request("nourl"))
          show((http.request("gopher://x/")))
        """
        assert text_of(switch, HTTP + code, version) == (
            "hello|200|table|HTTP/1.1 200 OK;|302|table|HTTP/1.1 302 Found;1|302|table|HTTP/1.1 302 Found;"
            "1|302|table|HTTP/1.1 302 Found;1|302|table|HTTP/1.1 302 Found;nil|connection refused;"
            "nil|invalid host 'nil';nil;"
        )
    paths = [line.split(" ")[1] for line, _, _ in recorded.requests]
    assert paths == [
        *("/moved", "/there"),
        *["/loop"] * 6,
        *("/moved?once", "/loop?two", "/loop"),
        "/moved?post",
    ]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
@pytest.mark.parametrize("version", MOST)
def test_https(switch: Switch, tmp_path: Path, version: str) -> None:
    """As LuaSec's: no certificate is verified unless the request says so."""
    pem = certificate(tmp_path)
    recorded = Recorded()
    with serving(encrypted(web(recorded), pem)) as port:
        code = f"""
          local https, url = require("ssl.https"), "https://127.0.0.1:{port}/page"
          show(https.request(url))
          show(https.request(url, "a=1"))
          show(http.request(url))
          local t = {{}}
          show(https.request{{ url = url, verify = "peer", cafile = "{pem}", sink = ltn12.sink.table(t) }})
          show(table.concat(t))
          show(https.request{{ url = url, verify = "peer" }})
          show(https.request{{ url = url, proxy = "http://x" }})
          show(https.request{{ url = url, redirect = true }})
          show(https.request{{ url = url, create = print }})
          show(https.request("https://127.0.0.1:1/"))
        """
        assert text_of(switch, HTTP + code, version) == (
            "hello|200|table|HTTP/1.1 200 OK;" * 3 + "1|200|table|HTTP/1.1 200 OK;hello;"
            "nil|certificate verify failed|nil|nil;nil|proxy not supported;nil|redirect not supported;"
            "nil|create function not permitted;nil|connection refused|nil|nil;"
        )
    assert recorded.requests[1][2] == b"a=1"


def test_https_of_a_server_without_tls(switch: Switch) -> None:
    with serving(web(Recorded())) as port:
        code = f"show(require('ssl.https').request('https://127.0.0.1:{port}/'))"
        told = text_of(switch, HTTP + code)
    assert told in ("nil|wrong version number|nil|nil;", "nil|record layer failure|nil|nil;")


@pytest.mark.parametrize("version", MOST)
def test_smtp(switch: Switch, version: str) -> None:
    mailbox = Mailbox()
    with serving(smtp(mailbox)) as port:
        code = f"""
          local smtp, mime = require("socket.smtp"), require("mime")
          show(smtp.send{{
            from = "<from@example.com>", rcpt = {{ "<one@example.com>", "<two@example.com>" }},
            server = "127.0.0.1", port = {port}, user = "user", password = "secret", domain = "here",
            source = smtp.message{{
              headers = {{ to = "One <one@example.com>", subject = "A message" }},
              body = {{
                preamble = "of parts",
                {{ body = mime.eol(0, "first line\\n.hidden\\n") }},
                {{ headers = {{ ["content-type"] = "audio/wav", ["content-transfer-encoding"] = "BASE64" }},
                  body = ltn12.source.chain(ltn12.source.string("RIFF"), mime.encode("base64")) }},
              }},
            }},
          }})
        """
        assert text_of(switch, HTTP + code, version) == "1;"
    assert mailbox.lines[0] == "EHLO here"
    assert mailbox.lines[1:4] == ["AUTH LOGIN", "dXNlcg==", "c2VjcmV0"]
    assert mailbox.lines[4:] == [
        "MAIL FROM:<from@example.com>",
        "RCPT TO:<one@example.com>",
        "RCPT TO:<two@example.com>",
        "DATA",
        "QUIT",
    ]
    message = email.message_from_bytes(mailbox.message, policy=email.policy.default)
    assert message["Subject"] == "A message" and message["MIME-Version"] == "1.0"
    assert message["X-Mailer"] == "LuaSocket 3.0.0" and message["Date"] is not None
    text, sound = message.iter_parts()
    assert text.get_content().startswith(
        "first line\r\n..hidden"
    )  # stuffed; a real server takes the dot away
    assert sound.get_content() == b"RIFF"


def test_smtp_failures(switch: Switch) -> None:
    send = (
        "show(require('socket.smtp').send{ from = '<a>', rcpt = '<b>', server = '127.0.0.1', port = %d, %s })"
    )
    mail = "source = ltn12.source.string('x')"
    with serving(smtp(Mailbox(), refuse="RCPT")) as port:
        assert text_of(switch, HTTP + send % (port, mail)) == "nil|550 refused;"
    mailbox = Mailbox()
    with serving(smtp(mailbox, offered="AUTH PLAIN")) as port:
        login = f"{mail}, user = 'u', password = 'p'"
        assert text_of(switch, HTTP + send % (port, login)) == "1;"
        assert mailbox.lines[1] == "AUTH PLAIN AHUAcA=="
        assert mailbox.message == b"x"
    with serving(smtp(Mailbox(), offered="SIZE")) as port:
        assert text_of(switch, HTTP + send % (port, login)) == "nil|authentication not supported;"
    assert text_of(switch, HTTP + send % (1, mail)) == "nil|connection refused;"
