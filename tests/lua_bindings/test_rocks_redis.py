"""The rock redis against a server of this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from host.switch import Switch
from tests.eventually import eventually
from tests.free_ports import free_port
from tests.lua_bindings.scripted import MOST, SHOW, text_of

REDIS = (
    SHOW
    + """
  local redis = require("redis")
  shown = function(value)
    if type(value) ~= "table" or value[1] == nil then return tostring(value) end
    local inner = {}
    for j, each in ipairs(value) do inner[j] = tostring(each) end
    return "[" .. table.concat(inner, ",") .. "]"
  end
"""
)

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None, reason="no redis-server here")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    number = free_port()
    folder = tmp_path_factory.mktemp("redis")
    command = f"redis-server --port {number} --bind 127.0.0.1 --save --appendonly no --dir {folder}"
    server = subprocess.Popen(command.split(), stdout=subprocess.DEVNULL)

    def answers() -> bool:
        assert server.poll() is None, f"it ended with {server.returncode}"
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", number)) == 0

    eventually(answers)
    yield number
    server.terminate()
    server.wait()


@needs_redis
@pytest.mark.parametrize("version", MOST)
def test_commands(switch: Switch, port: int, version: str) -> None:
    code = f"""
      local c = redis.connect("127.0.0.1", {port})
      c:flushall()
      show(c:ping(), c:set("a", "1"), c:get("a"), c:get("none"), c:incr("a"), c:exists("a"), c:del("a", "b"))
      show(c:hmset("h", {{ x = 1 }}), c:hset("h", "y", 2), c:hgetall("h").x, c:hmget("h", "x", "y"),
        c:hexists("h", "z"))
      show(c:expire("h", 100), c:ttl("h"), c:type("h"), c:rpush("l", 1, 2), c:lrange("l", 0, -1))
      show(c:sadd("s", 1), c:sismember("s", 1), c:setnx("s", 1), c:zadd("z", 1, "m"), c:zscore("z", "m"))
      show(c:zrange("z", 0, -1, "withscores")[1], c:zrange("z", 0, -1, {{ withscores = true }})[1])
      show(c:mset({{ a = 1, b = 2 }}), c:mget("a", "b"), c:mget({{ "b", "a" }}), c:rename("b", "c"), c:persist("c"))
      show(c:eval("return {{ 1, 'a' }}", 0), c:config("get", "port").port,
        c:sort("l", {{ limit = {{ 0, 1 }}, sort = "desc" }}))
      show(c:set("bytes", "\\0\\r\\n\\255"), c:get("bytes") == "\\0\\r\\n\\255", type(c:info().server.redis_version))
      show(c:select(1), c:get("a"), c:select(0), c:scan(0)[1], c:hscan("h", 0)[2].x, c:zscan("z", 0)[2][1])
      show(pcall(c.incr, c, "h"))
      show(c:quit(), pcall(c.ping, c))
      local again = redis.connect("redis://127.0.0.1:{port}?db=1")
      show(again:set("only", "here"), again:dbsize())
    """
    shown = text_of(switch, REDIS + code, version).split(";")
    assert shown[:9] == [
        "true|true|1|nil|2|true|1",
        "true|true|1|[1,2]|false",
        "true|100|hash|2|[1,2]",
        "1|true|false|1|1",
        "[m,1]|[m,1]",
        "true|[1,2]|[2,1]|true|false",
        f"[1,a]|{port}|[2]",
        "true|true|string",
        "true|nil|true|0|1|[m,1]",
    ]
    assert shown[9].endswith("redis error: WRONGTYPE Operation against a key holding the wrong kind of value")
    assert shown[10].startswith("true|false|") and shown[10].endswith("closed")
    assert shown[11] == "true|1"


@needs_redis
@pytest.mark.parametrize("version", MOST)
def test_pipelines_and_transactions(switch: Switch, port: int, version: str) -> None:
    code = f"""
      local c = redis.connect({{ host = "127.0.0.1", port = {port}, timeout = 5 }})
      c:flushall()
      local replies, count = c:pipeline(function(p)
        p:set("x", 1)
        p:get("x")
        p:exists("x")
        p:hmset("h", {{ a = 1 }})
        p:hgetall("h")
      end)
      show(count, replies[1], replies[2], replies[3], replies[5].a)
      replies, count = c:transaction(function(t)
        t:set("x", 2)
        t:get("x")
        t:exists("none")
      end)
      show(count, replies)
      local other = redis.connect("127.0.0.1", {port})
      local tries = 0
      replies = c:transaction({{ watch = "x", cas = true, retry = 2 }}, function(t)
        tries = tries + 1
        local before = t:get("x")
        if tries == 1 then other:set("x", 10) end
        t:multi()
        t:set("x", before + 1)
      end)
      show(tries, replies, c:get("x") + 0 == 11)
      show(pcall(c.transaction, c, {{ watch = "x" }}, function(t) other:incr("x") t:get("x") end))
      show(pcall(c.pipeline, c, function() error("own", 0) end))
      show(c:transaction(function(t) t:set("x", 99) t:discard() end), c:get("x"))
      show(pcall(c.pipeline, c, function(p) p:incr("h") p:ping() end))
      show(c:ping())
      redis.define_command("shout", {{ command = "echo", response = function(reply) return reply:upper() end }})
      show(redis.connect("127.0.0.1", {port}):shout("word"))
    """
    shown = text_of(switch, REDIS + code, version).split(";")
    assert shown[:3] == ["5|true|1|true|1", "3|[true,2,false]", "2|[true]|true"]
    assert shown[3].endswith("MULTI/EXEC transaction aborted by the server")
    assert shown[4] == "false|own"
    assert shown[5].endswith("|12")
    assert "WRONGTYPE" in shown[6]
    assert shown[7:9] == ["true", "WORD"]


@needs_redis
@pytest.mark.parametrize("version", MOST)
def test_messages(switch: Switch, port: int, version: str) -> None:
    code = f"""
      local c, p = redis.connect("127.0.0.1", {port}), redis.connect("127.0.0.1", {port})
      for message, abort in c:pubsub({{ subscribe = {{ "news" }}, psubscribe = "n*" }}) do
        show(message.kind, message.channel, message.payload)
        if message.kind == "psubscribe" then p:publish("news", "hello") end
        if message.kind == "pmessage" then abort() end
      end
      show(c:ping())
    """
    assert text_of(switch, REDIS + code, version) == (
        "subscribe|news|1;psubscribe|n*|2;message|news|hello;pmessage|news|hello;true;"
    )


def test_nobody_there(switch: Switch) -> None:
    shown = text_of(switch, REDIS + 'show(pcall(redis.connect, "127.0.0.1", 1))')
    assert shown.endswith("could not connect to 127.0.0.1:1 [connection refused];")
