"""Calls that a web server steers, in virtual time: what it is told, and what its documents do."""

from __future__ import annotations

import base64
import threading
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from host.clock import RealClock
from host.event import Event
from host.hangup_cause import HangupCause
from host.interfaces import ApiCommand, Application, ChatInterface, SpeechInterface
from host.ivr.record import session_recordings
from host.log import LogEntry, LogLevel
from host.modules.mod_httapi.document import LIMIT
from host.session import Session
from host.switch import Switch
from media.source import Samples
from tests.host.modules.mod_httapi.web import Answer, Asked, Web, configuration, document, param, permission
from tests.host.one_call import Outcome, in_call

MENU = (
    '<playback file="silence_stream://1000" error-file="silence_stream://100" name="choice" digit-timeout="1000"'
    ' input-timeout="2000" loops="1">'
    '<bind action="{url}/sales" strip="#">~\\d{{2}}#</bind><bind>7</bind></playback>'
)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("no_proxy", "*")
    web = Web()
    yield web
    web.close()


def httapi(
    switch: Switch,
    web: Web,
    *documents: str | Answer,
    data: str = "",
    params: str = param("method", "post"),
    permissions: str = "",
    settings: str = "",
    press: tuple[tuple[int, str], ...] = (),
    say: Samples | None = None,
    hangup_ms: int | None = None,
) -> Outcome:
    """Run the application in a call whose server answers with these documents."""
    web.documents = list(documents)
    switch.xml.load_text(configuration(web.url, params=params, permissions=permissions, settings=settings))
    for module in ("mod_sndfile", "mod_httapi"):
        switch.modules.load(module)

    def run(session: Session) -> str:
        session.execute("httapi", data)
        return session.channel.state.name

    return in_call(switch, run, press=press, say=say, hangup_ms=hangup_ms)


def test_the_server_is_told_of_the_call_and_of_its_end(virtual_switch: Switch, web: Web) -> None:
    outcome = httapi(virtual_switch, web, "<hangup>USER_BUSY</hangup>")
    first, last = web.asked
    assert (first.method, first.path, first.headers["user-agent"]) == ("POST", "/gate", "mod_httapi/1.0")
    assert next(iter(first.fields)) == "session_id" and first.fields["session_id"] == outcome.session.uuid
    assert first.fields["hostname"] == "moonline"
    assert first.fields["Caller-Caller-ID-Number"] == "1000"
    assert first.fields["Caller-Destination-Number"] == "test"
    assert first.fields["Caller-Unique-ID"] == outcome.session.channel.profile.uuid
    assert first.fields["url"] == f"{web.url}/gate"
    assert "exiting" not in first.fields
    assert last.fields["exiting"] == "true" and last.fields["session_id"] == outcome.session.uuid
    assert outcome.session.channel.hangup_cause is HangupCause.USER_BUSY
    assert "Received HTTP response: 204." not in outcome.logs


@pytest.mark.parametrize(
    ("data", "method", "path", "fields"),
    [
        ("", "GET", "/gate", {}),
        ("{color=red,method=POST}", "POST", "/gate", {"color": "red", "method": "POST"}),
        ("{url=URL/in,size=3}", "GET", "/in", {"size": "3"}),
        ("URL/out", "GET", "/out", {}),
        ("{color=red}URL/${color}", "GET", "/red", {"color": "red"}),
        ("{color=red}nowhere", "GET", "/gate", {"color": "red"}),
        ("URL/k?a=b", "GET", "/k", {"a": "b"}),
        ("{user_agent=Me}", "GET", "/gate", {"user_agent": "Me"}),
        ("{HTTAPI_SESSION_ID=mine}", "GET", "/gate", {"session_id": "mine"}),
    ],
)
def test_arguments(
    virtual_switch: Switch, web: Web, data: str, method: str, path: str, fields: dict[str, str]
) -> None:
    web.documents = ["<break/>"]
    virtual_switch.xml.load_text(configuration(web.url))
    virtual_switch.modules.load("mod_httapi")
    application = virtual_switch.applications.get("httapi")
    assert application is not None
    # without the expansion that a dialplan does
    outcome = in_call(virtual_switch, lambda call: application.run(call, data.replace("URL", web.url)))
    asked = web.asked[0]
    assert (asked.method, asked.path) == (method, path)
    assert asked.fields.items() >= fields.items()
    assert asked.headers["user-agent"] == fields.get("user_agent", "mod_httapi/1.0")
    assert outcome.session.channel.hangup_cause is HangupCause.NORMAL_CLEARING


def test_another_profile(virtual_switch: Switch, web: Web) -> None:
    outcome = httapi(virtual_switch, web, data="{httapi_profile=none}")
    assert web.asked == []
    assert "Cannot find profile [none]" in outcome.logs
    assert "Cannot find suitable profile" in outcome.logs


def test_a_menu_asks_again_until_it_understands(virtual_switch: Switch, web: Web) -> None:
    menu = MENU.format(url=web.url)
    outcome = httapi(virtual_switch, web, menu, "<hangup/>", press=((500, "9"), (700, "9"), (3000, "42#")))
    # 99 is no match: a second later the call is told so, and asked again
    assert outcome.played == ["silence_stream://1000", "silence_stream://100", "silence_stream://1000"]
    second = web.asked[1]
    assert second.path == "/sales"
    assert second.fields.items() >= {"choice": "42", "input_type": "dtmf"}.items()
    assert web.asked[2].path == "/sales" and "choice" not in web.asked[2].fields


def test_keys_that_are_known_need_no_pause(virtual_switch: Switch, web: Web) -> None:
    work = '<playback file="silence_stream://60000" action="ACTION"><bind>7</bind><bind>78</bind></playback>'
    outcome = httapi(
        virtual_switch, web, work.replace("ACTION", f"{web.url}/next"), "<break/>", press=((500, "7"),)
    )
    assert web.asked[1].path == "/next"
    assert web.asked[1].fields.items() >= {"dialed_digits": "7", "input_type": "dtmf"}.items()
    assert outcome.kinds("played")[0]["ended"] == "input"
    assert 1950 < int(str(outcome.kinds("played")[0]["ms"])) < 2200  # the key, and no further one in 1.5 s


def test_a_menu_that_nobody_answers(virtual_switch: Switch, web: Web) -> None:
    outcome = httapi(virtual_switch, web, MENU.format(url=web.url), "<break/>")
    assert len(outcome.played) == 4
    assert web.asked[1].path == "/gate"
    assert web.asked[1].fields.items() >= {"choice": "invalid", "input_type": "invalid"}.items()


def test_keys_may_lead_into_the_dialplan(virtual_switch: Switch, web: Web) -> None:
    work = '<playback file="silence_stream://9000"><bind action="dial:other:XML">~\\d{3}</bind></playback>'
    outcome = httapi(
        virtual_switch, web, work, permissions=permission("dial-set-context"), press=((500, "123"),)
    )
    transfer = outcome.kinds("transfer")[0]
    assert (transfer["extension"], transfer["context"]) == ("123", "other")
    # the dialplan has no such extension, and the call's end is told though another has it
    assert web.asked[-1].fields["exiting"] == "true"


def test_a_recording_is_uploaded(virtual_switch: Switch, web: Web, tmp_path: Path) -> None:
    virtual_switch.global_variables.set("temp_dir", str(tmp_path))
    voice = Samples(np.full(80_000, 4000, dtype=np.int16), 8000)
    work = '<record file="../a/b.c.wav" name="message" limit="30" action="ACTION"><bind>#</bind></record>'
    outcome = httapi(
        virtual_switch,
        web,
        work.replace("ACTION", f"{web.url}/stored"),
        "<break/>",
        press=((2000, "#"),),
        say=voice,
    )
    asked = web.asked[1]
    assert (asked.method, asked.path) == ("POST", "/stored")
    name, content = asked.files["message"]
    assert name == "___a_b_c.wav"
    assert 14_000 < _samples(content) < 18_000
    assert asked.fields["session_id"] == outcome.session.uuid
    assert not list(tmp_path.glob("*___a_b_c.wav"))
    assert web.asked[2].files == {}


def test_a_recording_that_the_hangup_ended_goes_along_with_the_last_request(
    virtual_switch: Switch, web: Web, tmp_path: Path
) -> None:
    virtual_switch.global_variables.set("temp_dir", str(tmp_path))
    httapi(
        virtual_switch,
        web,
        '<record file="m.wav"/>',
        hangup_ms=1000,
        say=Samples(np.full(16_000, 4000, np.int16), 8000),
    )
    assert len(web.asked) == 2
    assert web.asked[1].fields["exiting"] == "true"
    assert web.asked[1].files["attached_file"][0] == "m.wav"


def test_the_whole_call_is_recorded_and_told_where_it_belongs(
    virtual_switch: Switch, web: Web, tmp_path: Path
) -> None:
    virtual_switch.global_variables.set("temp_dir", str(tmp_path))
    recordings: list[list[str]] = []
    virtual_switch.applications.add(
        Application("look", "mod_test", lambda call, data: recordings.append(list(session_recordings(call))))
    )
    # the address of every tag counts for the next request, so another tag leads back
    work = (
        '<recordCall name="call" action="ACTION"/><recordCall name="again"/><continue action="GATE"/>'
        '<execute application="look"/><pause milliseconds="1000"/>'
    )
    work = work.replace("ACTION", f"{web.url}/archive").replace("GATE", f"{web.url}/gate")
    outcome = httapi(virtual_switch, web, work, "<hangup/>", permissions=permission("execute-apps"))
    path = str(tmp_path / f"{outcome.session.uuid}.wav")
    assert recordings == [[path]]
    upload, last = web.asked[2:]
    assert (upload.path, last.path) == ("/archive", "/gate")
    name, content = upload.files["call"]
    assert name == f"{outcome.session.uuid}.wav"
    assert _samples(content) >= 8000
    assert upload.fields["exiting"] == last.fields["exiting"] == "true"
    assert last.files == {} and not (tmp_path / f"{outcome.session.uuid}.wav").exists()


def _samples(content: bytes) -> int:
    with wave.open(BytesIO(content)) as file:
        assert file.getframerate() == 8000
        return int(file.getnframes())


def test_redirects_of_the_server_and_of_its_documents(virtual_switch: Switch, web: Web) -> None:
    httapi(
        virtual_switch,
        web,
        Answer("no", 302, "text/html", (("Location", f"{web.url}/here"),)),
        Answer(document("<continue/>", params=f"<url>{web.url}/next</url><empty/><kept>1</kept>")),
        f'<continue temp-action="{web.url}/once"/>',
        "<continue/>",
        "<break/>",
        params="",
    )
    assert [asked.path for asked in web.asked] == ["/gate", "/here", "/next", "/once", "/next", "/next"]
    assert [asked.fields.get("kept") for asked in web.asked] == [None, None, "1", "1", "1", "1"]


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (Answer("", 500), "Received HTTP response: 500."),
        (Answer("{}", 200, "application/json"), "Received unsupported content-type application/json"),
        (Answer("<document><work><pau"), "No instructions found in result!"),
        (Answer("no XML"), "No instructions found in result!"),
        (Answer(""), "No instructions found in result!"),
        (Answer(document("")), "No instructions found in result!"),
        (Answer("<document/>"), "No instructions found in result!"),
        ("<dance/><hangup/>", "Unsupported Tag: [dance]"),
        ("<playback/>", "missing file attribute!"),
        ("<speak>hello</speak>", "speak: missing engine attribute!"),
        (
            "<say>12</say>",
            "speak: missing required attributes or text! (language) (type) (method) ",
        ),
        ("<sms>hello</sms>", "Missing 'to' Attribute!"),
        ("<execute/>", "Invalid app"),
        (Answer("<document><work>" + " " * LIMIT), "Error 1!"),
    ],
)
def test_what_cannot_be_used_is_logged_and_ends_the_application(
    virtual_switch: Switch, web: Web, answer: str | Answer, line: str
) -> None:
    outcome = httapi(virtual_switch, web, answer)
    assert line in outcome.logs
    assert [asked.fields.get("exiting") for asked in web.asked] == [None, "true"]


def test_no_document_makes_the_host_read_its_files(virtual_switch: Switch, web: Web, tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(document("<hangup>USER_BUSY</hangup>"))
    evil = (
        f'<!DOCTYPE d [<!ENTITY secret SYSTEM "file://{secret}">]>'
        f"<d><params><url>file://{secret}</url><put_file>{secret}</put_file><leak>&secret;</leak></params>"
        "<work><continue/></work></d>"
    )
    outcome = httapi(virtual_switch, web, Answer(evil))
    assert "Received HTTP response: 0." in outcome.logs
    assert outcome.session.channel.hangup_cause is HangupCause.NORMAL_CLEARING
    assert len(web.asked) == 1 and secret.exists()  # the last one goes nowhere, too


DENIED = (HangupCause.DESTINATION_OUT_OF_ORDER, "Permission Denied!")


@pytest.mark.parametrize(
    ("work", "permissions", "cause", "line"),
    [
        ('<execute application="set">a=b</execute>', "", *DENIED),
        (
            '<execute application="set">a=b</execute>',
            permission(
                "execute-apps", inside='<application-list><application name="info"/></application-list>'
            ),
            *DENIED,
        ),
        (
            '<execute application="set">a=${b}</execute>',
            permission("execute-apps"),
            HangupCause.DESTINATION_OUT_OF_ORDER,
            "Expand Variables: Permission Denied!",
        ),
        (
            "<conference>${system(touch x)}</conference>",
            "",
            HangupCause.DESTINATION_OUT_OF_ORDER,
            "Expand Variables: Permission Denied!",
        ),
        ("<dial>1000</dial>", permission("dial", "false"), *DENIED),
        ("<conference>room</conference>", permission("all", "false"), *DENIED),
        (
            '<getVariable name="caller_id_number"/>',
            "",
            HangupCause.NORMAL_CLEARING,
            "variable caller_id_number permission denied!",
        ),
    ],
)
def test_what_is_not_permitted_is_refused(
    virtual_switch: Switch, web: Web, work: str, permissions: str, cause: HangupCause, line: str
) -> None:
    outcome = httapi(virtual_switch, web, f"{work}<hangup>USER_BUSY</hangup>", permissions=permissions)
    assert line in outcome.logs
    assert outcome.session.channel.hangup_cause is cause
    assert outcome.session.channel.get_variable("a") is None
    assert len(web.asked) == 2


def test_params_and_variables_need_permission(virtual_switch: Switch, web: Web) -> None:
    given = document("<continue/>", params="<p>1</p>", variables="<a>1</a><b>2</b>")
    outcome = httapi(
        virtual_switch, web, Answer(given), "<break/>", permissions=permission("set-params", "false")
    )
    assert "p" not in web.asked[1].fields
    assert outcome.session.channel.get_variable("a") is None
    assert not [line for line in outcome.logs if "denied" in line]


def test_a_list_of_variables(virtual_switch: Switch, web: Web) -> None:
    listed = '<variable-list><variable name="A"/></variable-list>'
    given = document(
        '<getVariable name="a"/><getVariable name="caller_id_number" permanent="true"/>',
        params="<p>1</p>",
        variables="<a>1</a><b>2</b><a>${c}</a>",
    )
    outcome = httapi(
        virtual_switch,
        web,
        Answer(given),
        "<continue/>",
        "<break/>",
        permissions=permission("set-vars", inside=listed) + permission("get-vars"),
    )
    assert "variable b permission denied!" in outcome.logs
    assert "Invalid data (${a} contains a variable)" in outcome.logs
    assert outcome.session.channel.get_variable("b") is None
    told = [(a.fields.get("a"), a.fields.get("caller_id_number"), a.fields.get("p")) for a in web.asked]
    assert told[1:] == [("1", "1000", "1"), (None, "1000", "1"), (None, "1000", "1")]


def test_applications_get_what_tags_say_with_variables_where_permitted(
    virtual_switch: Switch, web: Web
) -> None:
    outcome = httapi(
        virtual_switch,
        web,
        Answer(
            document(
                '<execute application="set">a=${word} ${caller_id_number} ${unknown} ${expr(1+1)}</execute>'
                '<execute application="set" data="b=2"/><log level="ERR">${word}!</log>',
                params="<word>told</word>",
                variables="<mine>1</mine>",
            )
        ),
        permissions=permission("execute-apps") + permission("expand-vars", inside="<api-list/>"),
    )
    get = outcome.session.channel.get_variable
    assert get("a") == "told   <API execute Permission Denied>"  # what nobody knows is empty
    assert get("b") == "2"
    assert "told!" in outcome.logs


def test_dialling(virtual_switch: Switch, web: Web) -> None:
    work = '<dial context="c" dialplan="XML" caller-id-name="N" caller-id-number="5">1234</dial>'
    outcome = httapi(virtual_switch, web, work, permissions=permission("dial-set-cid-name"))
    transfer = outcome.kinds("transfer")[0]
    assert (transfer["extension"], transfer["context"]) == ("1234", "default")
    get = outcome.session.channel.get_variable
    assert (get("effective_caller_id_name"), get("effective_caller_id_number")) == ("N", None)


def test_dial_strings(virtual_switch: Switch, web: Web) -> None:
    seen: list[str] = []
    for name in ("bridge", "conference", "voicemail"):
        virtual_switch.applications.add(
            Application(name, "mod_test", lambda call, data, name=name: seen.append(f"{name} {data}"))  # type: ignore[misc]
        )
    work = (
        '<dial caller-id-name="No">loopback/1000</dial><conference profile="wide" pin="1" flags="mute">r@x</conference>'
        '<voicemail check="true" id="1000"/><voicemail auth-only="true" domain="d" profile="p" id="1"/>'
    )
    httapi(virtual_switch, web, work, "<break/>", permissions=permission("dial-full-originate"))
    assert seen == [
        "bridge {origination_caller_id_name='',origination_caller_id_number='1000'}loopback/1000",
        "conference r@default+1+flags{mute}",
        f"voicemail check  default {virtual_switch.domain} 1000",
        "voicemail check auth_only p d 1",
    ]


def test_what_is_spoken_said_and_waited_for(virtual_switch: Switch, web: Web, tmp_path: Path) -> None:
    texts: list[tuple[str, str]] = []

    def speak(text: str, voice: str, rate: int) -> Samples:
        texts.append((text, voice))
        return Samples(np.zeros(rate // 2, np.int16), rate)

    virtual_switch.speeches.add(SpeechInterface("test", "mod_test", speak))
    work = (
        '<speak engine="test" voice="v">of the text</speak><speak engine="test" text="t" file="f"/>'
        '<speak engine="test" file="press"><bind>5</bind></speak><pause milliseconds="2000" loops="1"/><pause/>'
        '<say language="xx" type="number" method="pronounced">12</say>'
    )
    outcome = httapi(virtual_switch, web, work, "<break/>", press=((1200, "5"),))
    assert texts == [("of the text", "v"), ("t", ""), ("press", "")]
    assert web.asked[1].fields["dialed_digits"] == "5"
    channel = outcome.session.channel
    took = (channel.profile.times.hungup - channel.profile.times.answered) / 1_000_000
    assert took == pytest.approx(0.5 + 0.5 + 0.2 + 2 * 2 + 1, abs=0.3)
    failed = outcome.logs.index("Open of languages and phrases failed.")
    assert outcome.logs[failed + 1] == "Process Tag: [break]"  # what cannot be said is passed over


def test_a_mailboxs_name(virtual_switch: Switch, web: Web, tmp_path: Path) -> None:
    replies = ["silence_stream://100", "nowhere.wav"]
    virtual_switch.api_commands.add(
        ApiCommand(
            "vm_prefs",
            "mod_test",
            lambda request: replies.pop(0) if request.argument == "1@d|name_path" else "",
        )
    )
    outcome = httapi(virtual_switch, web, '<vmName id="1@d"/><vmname id="1@d"/><hangup>USER_BUSY</hangup>')
    assert outcome.played == ["silence_stream://100"]
    assert "Invalid file! [nowhere.wav]" in outcome.logs
    assert outcome.session.channel.hangup_cause is HangupCause.NORMAL_CLEARING


def test_messages_and_log_lines(virtual_switch: Switch, web: Web) -> None:
    sent: list[tuple[str | None, ...]] = []
    names = ("proto", "from", "to", "type")

    def send(message: Event) -> bool:
        sent.append((*(message.get_header(name) for name in names), message.body))
        return True

    virtual_switch.chats.add(ChatInterface("sip", "mod_test", send))
    entries: list[LogEntry] = []
    virtual_switch.logs.add_sink(entries.append)
    work = '<sms to="2000@x">hello</sms><log level="ERR">one</log><log level="what" clean="true">two</log><break/>'
    httapi(virtual_switch, web, work)
    assert sent == [("httapi", "1000", "2000@x", "text/plain", "hello")]
    found = [(entry.level, entry.text, entry.clean) for entry in entries if entry.text in ("one", "two")]
    assert found == [(LogLevel.ERR, "one", False), (LogLevel.DEBUG, "two", True)]


def test_answering_ends_the_application(virtual_switch: Switch, web: Web) -> None:
    outcome = httapi(virtual_switch, web, "<Answer/><hangup>USER_BUSY</hangup>")
    assert outcome.session.channel.hangup_cause is HangupCause.NORMAL_CLEARING


def test_a_caller_who_hangs_up_while_the_server_thinks_is_not_waited_for(tmp_path: Path, web: Web) -> None:
    thinking, free = threading.Event(), threading.Event()

    def think(asked: Asked) -> None:
        if "exiting" not in asked.fields:
            thinking.set()
            free.wait(60)

    web.before = think
    clock = RealClock()
    with clock.participating():
        switch = Switch(clock, tmp_path, seed=1, media_process=False)
        try:
            outcome = httapi(switch, web, "<hangup>USER_BUSY</hangup>", hangup_ms=300)
        finally:
            switch.close()
    assert thinking.is_set() and not free.is_set()
    free.set()
    assert outcome.session.channel.hangup_cause is HangupCause.NORMAL_CLEARING
    assert web.asked[-1].fields["exiting"] == "true"
    assert not [line for line in outcome.logs if "HTTP response" in line]


def test_credentials_of_the_url_and_of_the_profile(virtual_switch: Switch, web: Web) -> None:
    host = web.url[len("http://") :]
    params = param("gateway-credentials", "me:secret")
    httapi(
        virtual_switch,
        web,
        "<continue action='http://you:it%3As@HOST/in'/>".replace("HOST", host),
        "<break/>",
        params=params,
    )
    told = [base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) for asked in web.asked]
    assert told == [b"me:secret", b"you:it:s", b"you:it:s"]
    assert web.asked[1].path == "/in"


def test_only_the_fields_that_are_named(virtual_switch: Switch, web: Web) -> None:
    named = param("enable-post-var", "Caller-Unique-ID") + param("enable-post-var", "session_id")
    httapi(virtual_switch, web, "<break/>", params=named)
    assert sorted(web.asked[0].fields) == ["Caller-Unique-ID", "session_id"]


def test_debugging(virtual_switch: Switch, web: Web) -> None:
    virtual_switch.modules.load("mod_httapi")
    assert virtual_switch.api("httapi", "debug_on") == "OK\n"
    assert virtual_switch.api("httapi", "DEBUG_OFF") == "OK\n"
    for wrong in ("", "debug"):
        assert virtual_switch.api("httapi", wrong) == "USAGE: [debug_on|debug_off]\n"
    virtual_switch.modules.unload("mod_httapi")
    assert virtual_switch.api("httapi", "debug_on") == "-ERR httapi Command not found!\n"
    outcome = httapi(virtual_switch, web, "<break/>", settings=param("debug", "true"))
    shown = [line for line in outcome.logs if line.startswith("Debugging Return Data:\n<document")]
    assert len(shown) == 1
