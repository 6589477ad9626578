"""Logins, sessions that survive a connection, permissions, event channels, commands: pages of a scripted client."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.event import Event
from host.modules.mod_verto.commands import USAGE
from host.modules.mod_verto.event_channels import MOST_CHANNELS
from host.modules.mod_verto.login_damping import MOST_FAILURES
from tests.host.modules.mod_verto.verto_rig import ALLOWED, PASSWORD, Rig, configuration, user, verto_switch

HASH = hashlib.md5(f"1002:example.org:{PASSWORD}".encode()).hexdigest()
USERS = (
    user("1000", ALLOWED, '<variable name="colour" value="green"/>')
    + user("1001", ALLOWED)
    + f'<user id="1002"><params><param name="a1-hash" value="{HASH}"/>{ALLOWED}</params></user>'
    + '<user id="1003"><params/></user>'
    + user("1004", '<param name="jsonrpc-password" value="other"/>' + ALLOWED)
    + user("guest1", ALLOWED)
    + user("1005")
)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with verto_switch(tmp_path, configuration(users=USERS)) as made:
        yield made


@contextmanager
def events(rig: Rig, *names: str) -> Iterator[list[Event]]:
    """Collect events."""
    found: list[Event] = []
    subscription = rig.switch.bus.subscribe(found.append, names)
    try:
        yield found
    finally:
        rig.switch.bus.unsubscribe(subscription)


def test_nothing_before_a_login(rig: Rig) -> None:
    page = rig.page()
    for method in ("verto.ping", "echo", "login", "nothing"):
        assert page.error(method) == {"code": -32000, "message": "Authentication Required"}
    page.say('{"jsonrpc":"2.0","method":"login","id":7}')
    assert page.hear()["error"] == {"code": -32001, "message": "Missing params"}
    page.close()


@pytest.mark.parametrize(
    ("login", "password", "message"),
    (
        ("1000@example.org", "", "Missing passwd"),
        ("1000@example.org", "wrong", "Authentication Failure"),
        ("1003@example.org", "wrong", "Authentication Failure"),
        ("1004@example.org", PASSWORD, "Authentication Failure"),
        ("1002@example.org", HASH, "Authentication Failure"),
        ("9999@example.org", PASSWORD, "Login Incorrect"),
        ("1000", PASSWORD, "Missing or improper credentials"),
    ),
)
def test_logins_that_fail(rig: Rig, login: str, password: str, message: str) -> None:
    page = rig.page()
    assert page.error("login", login=login, passwd=password) == {"code": -32001, "message": message}
    assert page.error("verto.ping")["code"] == -32000
    page.close()


@pytest.mark.parametrize(
    ("login", "password"),
    (("1000@example.org", PASSWORD), ("1002@example.org", PASSWORD), ("1004@example.org", "other")),
)
def test_logins_that_go_well(rig: Rig, login: str, password: str) -> None:
    page = rig.page()
    assert page.log_in(login, password)["message"] == "logged in"
    assert page.expect("verto.clientReady") == {"reattached_sessions": []}
    assert page.result("verto.ping")["message"] == "PONG"
    page.close()


def test_events_of_a_login(rig: Rig) -> None:
    with events(rig, "CUSTOM") as found:
        page = rig.page()
        page.error("login", login="1000@example.org", passwd="x")
        page.log_in("1000@example.org", sessid="session-1")
        page.close()
        rig.wait(lambda: [one for one in found if one.subclass == "verto::client_disconnect"])
    told = [one for one in found if (one.subclass or "").startswith("verto::")]
    assert [one.subclass for one in told] == [
        "verto::client_connect",
        "verto::login",
        "verto::login",
        "verto::client_disconnect",
    ]
    names = ("verto_profile_name", "verto_login", "verto_success", "verto_result_txt", "verto_sessid")
    assert [[one.get_header(name) for name in names] for one in told[1:3]] == [
        ["pages", "1000@example.org", "0", "Authentication Failure", None],
        ["pages", "1000@example.org", "1", "Logged in", "session-1"],
    ]
    assert told[3].get_header("verto_login") == "1000@example.org"
    assert all((one.get_header("verto_client_address") or "").startswith("127.0.0.1:") for one in told)


def test_a_user_without_permissions(rig: Rig) -> None:
    page = rig.page("1005@example.org")
    assert page.error("verto.ping")["code"] == -32601
    assert rig.api(f"verto perm {page.sessid} methods verto") == "+OK"
    assert page.result("verto.ping")["message"] == "PONG"
    assert rig.api(f"verto noperm {page.sessid} methods verto") == "+OK"
    assert page.error("verto.ping")["code"] == -32601
    assert rig.api("verto perm nobody methods verto") == "-ERR"
    page.close()


def test_commands_of_the_switch(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    assert page.error("fsapi", cmd="status") == {"code": -32602, "message": "Permission Denied"}
    assert page.error("jsapi", command="fsapi", data={"cmd": "status"})["code"] == -32602
    rig.api(f"verto perm {page.sessid} fsapi eval,global_getvar")
    rig.api(f"verto perm {page.sessid} jsapi fsapi")
    assert page.result("fsapi", cmd="global_getvar", arg="hostname")["message"] == rig.switch.hostname
    assert page.error("fsapi", cmd="eval", arg="hello")["code"] == -32602
    assert page.result("jsapi", command="fsapi", data={"cmd": "global_getvar", "arg": "hostname"})["message"]
    assert page.error("jsapi", command="fsapi", data={"cmd": "status"})["code"] == -32602
    assert page.error("jsapi", command="status", data={})["code"] == -32602
    page.close()


def test_a_session_is_taken_over(rig: Rig) -> None:
    first = rig.page("1000@example.org", sessid="mine")
    first.expect("verto.clientReady")
    second = rig.page("1000@example.org", sessid="mine")
    first.expect("verto.punt")
    assert first.ended()
    rig.wait(lambda: len(rig.verto.clients) == 1)
    assert second.result("verto.ping")["sessid"] == "mine"
    assert rig.api("verto_contact 1000@example.org") == "verto.rtc/u:mine"
    second.close()


def test_nobody_takes_the_session_of_another(rig: Rig) -> None:
    first = rig.page("1000@example.org", sessid="mine")
    thief = rig.page()
    error = thief.error("login", login="1001@example.org", passwd=PASSWORD, sessid="mine")
    assert error == {"code": -32001, "message": "Session in use"}
    assert thief.ended()
    assert first.result("verto.ping")["sessid"] == "mine"
    first.close()


def test_sessions_that_are_no_names_are_not_taken(rig: Rig) -> None:
    page = rig.page("1000@example.org", sessid="x,loopback/9")
    assert (
        "," not in page.sessid and rig.api("verto_contact 1000@example.org") == f"verto.rtc/u:{page.sessid}"
    )
    page.close()


def test_too_many_channels(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    told = page.result(
        "verto.subscribe", eventChannel=[f"demo.{number}" for number in range(MOST_CHANNELS + 1)]
    )
    assert told["unauthorizedChannels"] == [f"demo.{MOST_CHANNELS}"]
    page.result("verto.unsubscribe", eventChannel="demo.0")
    page.result("verto.subscribe", eventChannel="demo")
    page.close()


def test_who_can_be_called(rig: Rig) -> None:
    assert rig.api("verto_contact 1000@example.org") == "error/user_not_registered"
    assert rig.api("verto_contact") == ""
    old = rig.page("1000@example.org", sessid="old")
    new = rig.page("1000@example.org", sessid="new")
    assert rig.api("verto_contact 1000@example.org") == "verto.rtc/u:new,verto.rtc/u:old"
    rig.switch.global_variables.set("domain", "example.org")
    assert rig.api("verto_contact 1000") == "verto.rtc/u:new,verto.rtc/u:old"
    old.close()
    rig.wait(lambda: len(rig.verto.clients) == 1)
    assert rig.api("verto_contact 1000@example.org") == "verto.rtc/u:new"
    new.close()


def test_reports(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    stranger = rig.page()
    rig.wait(lambda: len(rig.verto.clients) == 2)
    lines = rig.api("verto status").splitlines()
    assert lines[0] == f"{'Name':>25}\t   Type\t  {'Data':>40}\tState"
    assert lines[2].split("\t")[1] == "profile" and lines[2].endswith("RUNNING")
    assert [line.rsplit("\t", 1)[1] for line in lines[3:5]] == ["CONN_NO_REG (WS)", "CONN_REG (WS)"]
    assert "pages::1000@example.org" in lines[4] and lines[-1] == "1 profile , 2 clients"
    assert "<name>1000@example.org</name>" in rig.api("verto xmlstatus")
    assert '"entity":\t"1000@example.org"' in rig.api("verto jsonstatus")
    assert rig.api("verto") == rig.api("verto help") == USAGE
    assert rig.api("verto nonsense") == "Unknown Command [nonsense]\n"
    assert rig.api("verto debug 3") == "Debug Level: 3\n" and rig.api("verto debug 11") == "Debug Level: 3\n"
    assert rig.api("verto debug-level NOTICE") == "Debug Level: NOTICE\n"
    assert rig.api("verto announce hello there") == "+OK\n"
    assert page.expect("verto.announce") == {"msg": ["hello", "there"]}
    for one in (page, stranger):
        one.close()


def test_event_channels(rig: Rig) -> None:
    one, two = rig.page("1000@example.org"), rig.page("1001@example.org")
    told = one.result("verto.subscribe", eventChannel=["demo", "conference.3000", "secret"])
    assert told["subscribedChannels"] == ["demo", "conference.3000"]
    assert told["unauthorizedChannels"] == ["secret"]
    again = one.result("verto.subscribe", eventChannel="demo")
    assert again["alreadySubscribedChannels"] == ["demo"] and again["subscribedChannels"] == []
    assert one.error("verto.subscribe", eventChannel="secret")["unauthorizedChannels"] == ["secret"]
    two.result("verto.broadcast", eventChannel="demo", localBroadcast=True, data={"x": 1})
    event = one.expect("verto.event")
    assert (event["data"], event["userid"], event["eventSerno"]) == ({"x": 1}, "1001@example.org", 0)
    assert event["subscribedChannel"] == event["eventChannel"] == "demo"
    two.result("verto.broadcast", eventChannel="demo", localBroadcast=True, data=2)
    assert one.expect("verto.event")["eventSerno"] == 1
    denied = two.result("verto.broadcast", eventChannel="secret", data=2)
    assert (denied["code"], denied["message"]) == (-32002, "Permission Denied.")
    assert two.result("verto.broadcast", data=2)["message"] == "eventChannel not specified."
    assert one.result("verto.unsubscribe", eventChannel=["demo", "x"]) == {
        "unsubscribedChannels": ["demo"],
        "notSubscribedChannels": ["x"],
        "sessid": one.sessid,
    }
    assert one.error("verto.unsubscribe", eventChannel="demo")["notSubscribedChannels"] == ["demo"]
    for page in (one, two):
        page.close()


def test_what_others_have_for_an_event_channel(rig: Rig) -> None:
    one, two = rig.page("1000@example.org"), rig.page("1001@example.org")
    one.result("verto.subscribe", eventChannel="conference")
    rig.api('event_channel_broadcast {"eventChannel":"conference.3000","data":"hello"}')
    event = one.expect("verto.event")
    assert (event["data"], event["subscribedChannel"]) == ("hello", "conference")
    rig.api('event_channel_broadcast {"eventChannel":"' + two.sessid + '","data":"for you"}')
    assert two.expect("verto.event")["data"] == "for you"
    with events(rig, "CUSTOM") as found:
        two.result("verto.broadcast", eventChannel="demo", data="out")
    assert [event.subclass for event in found] == ["event_channel::demo"]
    for page in (one, two):
        page.close()


def test_guests_see_what_is_public(rig: Rig) -> None:
    guest = rig.page("guest1@example.org")
    client = rig.verto.client_of(guest.sessid)
    assert client is not None
    guest.result("verto.subscribe", eventChannel="demo")
    rig.api(f"verto noperm {guest.sessid} event_channels demo")
    for text, visibility in (("a", "private"), ("b", "public")):
        message = f'{{"eventChannel":"demo","data":"{text}","contentVisibility":"{visibility}"}}'
        rig.api(f"event_channel_broadcast {message}")
    assert guest.expect("verto.event")["data"] == "b"
    guest.close()


def test_messages(rig: Rig) -> None:
    one, two = rig.page("1000@example.org"), rig.page("1001@example.org")
    assert rig.api("chat verto|1000@example.org|1001@example.org|hello|text/plain").startswith("Sent")
    told = two.expect("verto.info")["msg"]
    assert (told["from"], told["to"], told["body"]) == ("1000@example.org", "1001@example.org", "hello")
    message = {"to": "verto+1001@example.org", "body": "hi"}
    assert one.result("verto.info", msg=message)["message"] == "SENT"
    error = one.error("verto.info", msg={"to": "x"})
    assert error["message"] == "INVALID MESSAGE to and body params required"
    for page in (one, two):
        page.close()


def test_a_speed_test(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    page.expect("verto.clientReady")
    for frame in ("#SPU 2000", "#SPB ...", "#SPE"):
        page.connection.send(frame)
    assert str(page.connection.recv()).startswith("#SPU ")
    frames = [page.connection.recv() for _ in range(20)]
    assert {len(frame) for frame in frames} == {1024, 976}
    assert str(page.connection.recv()).startswith("#SPD ")
    assert page.result("verto.ping")["message"] == "PONG"
    stranger = rig.page()
    stranger.connection.send("#SPU 2000")
    assert stranger.ended()
    page.close()


def test_guessers_are_not_let_in(rig: Rig) -> None:
    page = rig.page()
    for _ in range(MOST_FAILURES + 1):
        page.say(
            {"jsonrpc": "2.0", "method": "login", "params": {"login": "1000@example.org", "passwd": "x"}}
        )
    assert page.ended()
    with pytest.raises(Exception, match="503"):
        rig.page()


def test_everybody_may_come_with_blind_reg(tmp_path: Path) -> None:
    blind = '<param name="blind-reg" value="true"/><param name="force-register-domain" value="example.org"/>'
    with verto_switch(tmp_path, configuration(users=USERS, profile=blind)) as rig:
        page = rig.page("anybody")
        assert rig.api("verto_contact anybody@example.org") == f"verto.rtc/u:{page.sessid}"
        assert page.result("echo", a=1)["a"] == 1
        wrong = rig.page()
        assert wrong.error("login", login="1000", passwd="x")["message"] == "Authentication Failure"
        for one in (page, wrong):
            one.close()


def test_access_lists(tmp_path: Path) -> None:
    refused = '<param name="apply-connection-acl" value="10.0.0.0/8"/>'
    with verto_switch(tmp_path, configuration(profile=refused)) as rig, pytest.raises(Exception, match="503"):
        rig.page()


def test_root(tmp_path: Path) -> None:
    root = '<param name="root-password" value="very secret"/>'
    with verto_switch(tmp_path, configuration(profile=root)) as rig:
        page = rig.page()
        assert page.error("login", login="root", passwd="x")["message"] == "Authentication Failure"
        page.log_in("root", "very secret")
        assert page.result("fsapi", cmd="global_getvar", arg="hostname")["message"] == rig.switch.hostname
        page.close()


def test_a_login_expires(tmp_path: Path) -> None:
    expires = '<variable name="login-expires" value="4102444800"/>'
    with verto_switch(tmp_path, configuration(users=user("1000", ALLOWED, expires))) as rig:
        page = rig.page()
        assert page.log_in("1000@example.org")["auth-expires"] == 4_102_444_800
        client = rig.verto.client_of(page.sessid)
        assert client is not None and client.expiry is not None
        client.expiry.callback()
        assert page.ended()


def test_presence(rig: Rig) -> None:
    page = rig.page("1000@example.org")
    page.result("verto.subscribe", eventChannel="presence.1001@example.org")
    rig.api("originate {presence_id=1001@example.org}null/x &park()")
    event = page.expect("verto.event")
    assert event["eventChannel"] == "presence.1001@example.org"
    assert event["data"]["channelPresenceID"] == "1001@example.org"
    page.close()


def test_all_events(tmp_path: Path) -> None:
    wanted = user("1000", '<param name="jsonrpc-allowed-methods" value="verto"/>'
                  '<param name="jsonrpc-allowed-event-channels" value="FSevent"/>')  # fmt: skip
    setting = '<param name="enable-fs-events" value="true"/>'
    with verto_switch(tmp_path, configuration(users=wanted, settings=setting)) as rig:
        page = rig.page("1000@example.org")
        page.result("verto.subscribe", eventChannel="FSevent.custom::mine")
        event = rig.switch.new_event("CUSTOM", "mine")
        event.add_header("colour", "green")
        rig.switch.fire(event)
        told = page.expect("verto.event")
        assert told["eventChannel"] == "FSevent.custom::mine" and told["data"]["colour"] == "green"
        page.close()
