"""The rock socket against real peers: TCP, UDP, select, names, time-outs, partial results, exceptions, TLS."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from host.switch import Switch
from lua_bindings.script_run import Limits
from tests.lua_bindings.local_servers import certificate, conversation, echo, encrypted, serving
from tests.lua_bindings.scripted import MOST, SHOW, ran, text_of

SOCKET = (
    SHOW
    + """
  local socket = require("socket")
  shown = function(value) return (tostring(value):gsub("0x%x+", "0x")) end
"""
)


@pytest.mark.parametrize("version", MOST)
def test_a_conversation(switch: Switch, version: str) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"hello\r\nwor\rld\n12345\0\xff")
        connection.recv(4)
        connection.sendall(b"rest")

    with serving(conversation(talk)) as port:
        code = f"""
          local c = assert(socket.connect("127.0.0.1", {port}))
          show(c, type(c), c:getpeername())
          show(c:receive())
          show(c:receive("*l"))
          show(c:receive(3))
          show(c:receive(4) == "45\\0\\255", c:receive(0))
          c:settimeout(0.05)
          show(c:receive(10))
          show(c:receive("*l", "before "))
          show(c:send("xxquitxx", 3, 6))
          c:settimeout(5)
          show(c:receive("a"))
          show(c:receive("a"))
          show(c:receive())
          show(c:close(), c:close(), c:send("x"))
          show(c:receive())
          show(c:getpeername())
        """
        assert text_of(switch, SOCKET + code, version) == (
            f"tcp{{client}}: 0x|userdata|127.0.0.1|{port}|inet;hello|nil|nil;world|nil|nil;123|nil|nil;true||nil|nil;"
            "nil|timeout|;nil|timeout|before ;6|nil|nil;rest|nil|nil;nil|closed|;nil|closed|;1|1|nil|closed|0;"
            "nil|closed|;nil|Bad file descriptor;"
        )


@pytest.mark.parametrize("version", MOST)
def test_a_server_of_the_scripts_own(switch: Switch, version: str) -> None:
    code = """
      local server = assert(socket.bind("*", 0))
      local _, port = server:getsockname()
      server:settimeout(0)
      show(server:accept())
      local c = socket.tcp()
      show(c, c:getfamily())
      show(c:connect("localhost", port), c)
      server:settimeout(5)
      local s = server:accept()
      show(s, server, s:send("one\\ntwo"))
      show(c:receive())
      show(c:dirty(), c:getstats() == 7)
      s:close()
      show(c:receive())
      show(socket.bind("127.0.0.1", port))
      show(server:setoption("reuseaddr", true), server:getoption("reuseaddr"),
        c:setoption("linger", { on = true, timeout = 3 }))
      show(c:getoption("linger").timeout, c:setoption("tcp-nodelay", true), c:gettimeout())
      show(c:shutdown("both"), c:settimeout(1, "t"), c:gettimeout())
    """
    point = ".0" if version == "5.4" else ""
    assert text_of(switch, SOCKET + code, version) == (
        "nil|timeout;tcp{master}: 0x|unspec;1|tcp{client}: 0x;tcp{client}: 0x|tcp{server}: 0x|7|nil|nil;one|nil|nil;"
        f"true|true;nil|closed|two;nil|address already in use;1|true|1;3|1|-1{point}|-1{point};1|1|-1{point}|1{point};"
    )


def test_sending_to_one_that_does_not_read_stops_at_the_time_out(switch: Switch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"""
          local c = socket.connect("127.0.0.1", {server.getsockname()[1]})
          c:settimeout(0.05)
          local sent, failure, last = c:send(("x"):rep(50000000))
          show(sent, failure, last > 0 and last < 50000000)
        """
        assert text_of(switch, SOCKET + code) == "nil|timeout|true;"


@pytest.mark.parametrize("version", MOST)
def test_udp(switch: Switch, version: str) -> None:
    code = """
      local a, b = socket.udp(), socket.udp()
      show(a, a:setsockname("127.0.0.1", 0))
      local ip, port = a:getsockname()
      a:settimeout(0.05)
      show(a:receive())
      a:settimeout(5)
      show(b:sendto("first", ip, port), a:receive(3))
      show(b:setpeername(ip, port), b, b:send("second"))
      local data, from, at = a:receivefrom()
      show(data, from, math.type and math.type(at) or type(at), select(2, b:getsockname()) == tostring(at))
      show(b:setpeername("*"), b, pcall(b.send, b, "x"))
      show(a:close(), a:receive())
    """
    kind = "integer" if version == "5.4" else "number"
    assert text_of(switch, SOCKET + code, version) == (
        f"udp{{unconnected}}: 0x|1;nil|timeout;5|fir;1|udp{{connected}}: 0x|6;second|127.0.0.1|{kind}|true;"
        "1|udp{unconnected}: 0x|false|calling 'send' on bad self (udp{connected} expected);1|nil|closed;"
    )


@pytest.mark.parametrize("version", MOST)
def test_select(switch: Switch, version: str) -> None:
    with serving(conversation(echo)) as port:
        code = f"""
          local a, b = socket.connect("127.0.0.1", {port}), socket.connect("127.0.0.1", {port})
          local r, w, e = socket.select({{ a, b }}, nil, 0.02)
          show(#r, #w, e)
          r, w, e = socket.select({{ a }}, {{ b }}, 5)
          show(#r, w[1] == b, w[b], e)
          b:send("one\\ntwo\\n")
          r, w, e = socket.select({{ a, b }}, nil, 5)
          show(r[1] == b, r[b], r[a], e)
          b:receive()
          r, w, e = socket.select({{ b }}, {{}}, 5)
          show(#r, b:receive())
        """
        assert (
            text_of(switch, SOCKET + code, version)
            == "0|0|timeout;0|true|1|nil;true|1|nil|nil;1|two|nil|nil;"
        )


@pytest.mark.parametrize("version", MOST)
def test_names_and_failures(switch: Switch, version: str) -> None:
    code = """
      show(socket.dns.toip("127.0.0.1") == "127.0.0.1", socket.dns.gethostname())
      show(socket.dns.getaddrinfo("127.0.0.1")[1].family, socket.dns.getaddrinfo("::1")[1].family)
      show(socket.dns.toip("no host"))
      show(socket.connect("127.0.0.1", 1))
      show(socket.connect("127.0.0.1", "no-such-service"))
      show(pcall(socket.connect, "127.0.0.1"))
      local t = socket.tcp()
      show(pcall(t.send, t, "x"))
      show(pcall(t.setoption, t, "zz", true))
      show(pcall(socket.connect("127.0.0.1", 1) or socket.tcp().receive, t))
    """
    assert text_of(switch, SOCKET + code, version) == (
        f"true|{socket.gethostname()};inet|inet6;nil|host not found;nil|connection refused;"
        "nil|service not supported for socket type;"
        "false|bad argument #2 to 'connect' (string expected, got nil);"
        "false|calling 'send' on bad self (tcp{client} expected);"
        "false|bad argument #1 to 'setoption' (unsupported option `zz');"
        "false|calling 'receive' on bad self (tcp{client} expected);"
    )
    error = ran(switch, "local c = require('socket').udp()\nc:sendto()", Limits(version=version)).result.error
    assert error == "[string \"line\"]:2: bad argument #1 to 'sendto' (string expected, got nil)"


@pytest.mark.parametrize("version", MOST)
def test_exceptions_sources_and_sinks(switch: Switch, version: str) -> None:
    with serving(conversation(echo)) as port:
        code = f"""
          local finished = 0
          local try = socket.newtry(function() finished = finished + 1 end)
          show(socket.protect(function() try(1) try(nil, "failed", "more") end)())
          show(finished, try(1, 2, 3))
          show(pcall(socket.protect(function() error("plain", 0) end)))
          show(socket.skip(2, 1, 2, 3), socket._VERSION)
          local ltn12 = require("ltn12")
          local c = socket.connect("127.0.0.1", {port})
          show(ltn12.pump.all(ltn12.source.string("1234567890"), socket.sink("keep-open", c)))
          local t = {{}}
          show(ltn12.pump.all(socket.source("by-length", c, 6), (ltn12.sink.table(t))), table.concat(t))
          c:shutdown("send")
          t = {{}}
          show(ltn12.pump.all(socket.source("until-closed", c), (ltn12.sink.table(t))), table.concat(t), c:getfd())
          show(pcall(socket.sink, "zz", c))
        """
        shown = text_of(switch, SOCKET + code, version)
    assert shown.endswith("unknown key (zz);")
    assert shown.startswith("nil|failed;1|1|2|3;false|plain;3|LuaSocket 3.0.0;1;1|123456;1|7890|-1;false|")


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@needs_openssl
@pytest.mark.parametrize("version", MOST)
def test_tls(switch: Switch, tmp_path: Path, version: str) -> None:
    pem = certificate(tmp_path)
    with serving(encrypted(conversation(echo), pem)) as port:
        code = f"""
          local ssl = require("ssl")
          local function connected(parameters)
            local plain = assert(socket.connect("127.0.0.1", {port}))
            local c = assert(ssl.wrap(plain, parameters))
            return c, c:dohandshake()
          end
          local c, done = connected({{ mode = "client", protocol = "any", verify = "none", options = "all" }})
          show(c, done, c:send("over TLS\\r\\nand more"))
          show(c:receive())
          show(c:receive(8), c:info("protocol"), c:getpeercertificate():pem():sub(1, 27))
          show(c:close(), c:send("x"))
          show(select(2, connected({{ mode = "client", protocol = "any", verify = "peer" }})))
          show(select(2, connected({{ mode = "client", protocol = "tlsv1_2", verify = {{ "peer" }},
            cafile = "{pem}" }})))
          show(ssl.newcontext({{ mode = "client", protocol = "zz" }}))
          show(ssl.newcontext({{ mode = "client", protocol = "any", cafile = "/nope" }}))
        """
        assert text_of(switch, SOCKET + code, version) == (
            "SSL connection: 0x|true|18|nil|nil;over TLS|nil|nil;and more|TLSv1.3|-----BEGIN CERTIFICATE-----;"
            "1|nil|closed|0;false|certificate verify failed;true;nil|invalid protocol (zz);"
            "nil|error loading CA locations (No such file or directory);"
        )


@needs_openssl
def test_a_tls_server_of_the_scripts_own(switch: Switch, tmp_path: Path) -> None:
    """Both ends in one script, as sockets that do not wait."""
    pem = certificate(tmp_path)
    code = f"""
      local ssl = require("ssl")
      local server = socket.bind("127.0.0.1", 0)
      local c = socket.connect("127.0.0.1", (select(2, server:getsockname())))
      local s = server:accept()
      s, c = ssl.wrap(s, {{ mode = "server", protocol = "any", key = "{pem}", certificate = "{pem}" }}),
        ssl.wrap(c, {{ mode = "client", protocol = "any", verify = "none" }})
      s:settimeout(0)
      c:settimeout(0)
      local words = {{}}
      for _ = 1, 10 do
        local a, why_a = s:dohandshake()
        local b, why_b = c:dohandshake()
        words[why_a or why_b or "done"] = true
        if a and b then break end
        socket.select({{ s, c }}, nil, 0.1)
      end
      c:settimeout(5)
      show(words.wantread, words.done, s:send("hi\\n"), c:receive())
    """
    assert text_of(switch, SOCKET + code) == "true|true|3|hi|nil|nil;"
