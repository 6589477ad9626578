"""Forms of arguments that nobody was recorded to give: too many words, other letters, flags, edges of numbers."""

from __future__ import annotations

import pytest

from host.clock import SECOND
from host.event import Event
from host.session import Session
from host.switch import Switch

USAGE_OF_LIMIT = "USAGE: limit_usage <backend> <realm> <id> [rate]\n"


@pytest.mark.parametrize(
    ("command", "argument", "reply"),
    [
        ("eval", "UUID:none [${nothing}]", "[]"),
        ("expand", "${echo(echo)} hi", "INVALID COMMAND!\n-ERR Cannot execute command\n"),
        ("bgapi", "UUID:job-1 echo", "+OK Job-UUID: job-1\n"),
        (
            "xml_wrap",
            "encoded",
            '<result>\n  <row id="1">\n    <data>INVALID COMMAND!\n</data>\n  </row>\n</result>\n',
        ),
        ("db", "delete/realm", "+OK"),
        ("hash", "insert/realm/key/''", "+OK\n"),
        ("hash_remote", "kill x y", "-ERR No such remote instance x\n"),
        ("limit_usage", "realm key", "0"),
        ("limit_usage", "hash realm key RATE", "0/0"),
        ("limit_usage", "hash", USAGE_OF_LIMIT),
        ("limit_hash_usage", "realm", "0"),
        ("limit_interval_reset", "nobody realm key", "+OK"),
        ("limit_reset", "hash", "-ERR"),
        ("limit_status", "hash", "-ERR not supported yet (locking problems)."),
        ("user_exists", "id 1 example.org more", "false"),
        ("xml_locate", "directory domain name example.org more", "can't find anything\n"),
        ("sched_transfer", "+1 nobody", "-ERR No such channel!\n"),
        ("say_string", "en.wav tlh number pronounced 7", "-ERR Usage: <module_name>[.<ext>] <lang>[.<ext>]"),
        ("alias", "ADD word echo", "+OK\n"),
        ("alias", "del word more", "-USAGE: "),
        ("complete", "add", "+OK\n"),
        ("unload", "-f", "-ERR [No such module!]\n"),
        ("unload", "mod_commands", "-ERR [Module is not unloadable]\n"),
        ("console", "loglevel 9", "+OK console log level set to DEBUG\n"),
        ("console", "loglevel -1", "+OK console log level set to CONSOLE\n"),
        ("console", "loglevel warn", "-ERR Invalid console loglevel (warn)!\n\n"),
        ("console", "colorize help", "USAGE:\n"),
        ("timer_test", "31", "parameter missing: "),
        ("timer_test", "20 2", "Avg: 20.000ms Total Time: 40.000ms\n"),
        ("console_complete", "uuid_kil", "\n\n[           uuid_kill]\t\n\nwrite=8:uuid_kill "),
        ("console_complete", "no-such-word", "\n\n\n\n"),
        ("user_data", "1@ attr id", ""),
        ("group_call", "desk+F", "error/NO_ROUTE_DESTINATION"),
        ("uuid_buglist", "''", ""),
        ("uuid_hold", "''", "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n"),
        ("uuid_hold", "off ''", "+OK Success\n"),
        ("uuid_media", "''", "-USAGE: [off] <uuid>\n-ERR Operation failed\n"),
        ("uuid_media_reneg", "''", "-USAGE: <uuid>[ <codec_string>]\n-ERR Operation Failed\n"),
        ("uuid_msrp_send", "'x y'", "-ERR Usage: uuid_msrp_send <uuid> msg\n"),
        ("uuid_outgoing_answer", "''", "-ERR No such channel!\n"),
        ("uuid_ring_ready", "''", "-ERROR\n"),
        ("uuid_set_media_stats", "'x' y", "-ERR No such channel 'x' y!\n"),
        ("uuid_simplify", "''", "-ERR Operation failed\n"),
        ("sched_hangup", "''", "-USAGE: [+]<time> <uuid> [<cause>]\n"),
        ("sched_api", "+1000  echo", "+OK Added: 1\n"),
    ],
)
def test_replies(switch: Switch, command: str, argument: str, reply: str) -> None:
    answered = switch.api(command, argument)
    assert answered == reply or (
        reply.startswith(("-USAGE", "-ERR Usage", "USAGE:\n", "parameter")) and answered.startswith(reply)
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1", "1"),
        ('"x"', '"x"'),
        ("null", "null"),
        ("[1]", '[1,"error","Invalid request or non-existant command",null]'),
        (
            "{} and more",
            '{"status":"error","message":"Invalid request or non-existant command","response":null}',
        ),
        (
            '{"a":[1.0,1e10,0.1,12345678901234567890]}',
            '{"a":[1,10000000000,0.1,1.2345678901234567e+19],"status":"error",'
            '"message":"Invalid request or non-existant command","response":null}',
        ),
    ],
)
def test_json_of_other_kinds_is_answered(switch: Switch, text: str, answer: str) -> None:
    assert switch.api("json", text) == f"{answer}\n"


def test_the_language_decides_what_module_speaks(switch: Switch) -> None:
    switch.xml.load_text(
        '<document type="freeswitch/xml"><section name="languages"><language name="en" say-module="en">'
        "<phrases><macros/></phrases></language></section></document>"
    )
    for module, file in (("nobody.gsm", "7.gsm"), ("en.", "7.wav"), ("de", "7.wav")):
        assert switch.api("say_string", f"{module} en number pronounced 7") == f"file_string://digits/{file}"
    assert switch.api("say_string", "en.wav en.gsm number pronounced 7").startswith("-ERR Usage: ")


def test_lengths_of_digits_make_room_for_each_other(switch: Switch) -> None:
    assert switch.api("fsctl", "max_dtmf_duration 9999999") == "+OK max dtmf duration: 192000\n"
    assert switch.api("fsctl", "min_dtmf_duration 3000") == "+OK min dtmf duration: 3000\n"
    assert switch.api("fsctl", "default_dtmf_duration 1") == "+OK default dtmf duration: 400\n"
    assert switch.api("fsctl", "min_dtmf_duration") == "+OK min dtmf duration: 400\n"


def test_commands_in_texts_are_refused_without_api_expansion(switch: Switch, leg: Session) -> None:
    switch.api("fsctl", "api_expansion off")
    assert switch.api("eval", "[${echo(x)}]") == "[<API execute Permission Denied>]"
    assert leg.expand("[${echo(x)}]") == "[<API Execute Permission Denied>]"


def test_a_limit_of_nobody_lets_nobody_pass(switch: Switch, leg: Session) -> None:
    assert switch.api("uuid_limit", f"{leg.uuid} nobody realm key") == "+OK"
    switch.clock.sleep(SECOND)
    assert leg.channel.profile.destination_number == "limit_exceeded"


def test_a_call_over_its_limit_is_hung_up_with_the_cause_given(switch: Switch, leg: Session) -> None:
    assert switch.api("uuid_limit", f"{leg.uuid} hash realm key 0 !USER_BUSY") == "+OK"
    assert leg.channel.hangup_cause.name == "USER_BUSY"


def test_the_back_ends_that_count_a_call_are_told(switch: Switch, leg: Session) -> None:
    for backend in ("hash", "db", "hash"):
        switch.api("uuid_limit", f"{leg.uuid} {backend} realm key")
    assert leg.channel.get_variable("limit_backend") == "hash,db"


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        ("uuid_buglist {} more", "<media-bugs>\n</media-bugs>\n"),
        ("uuid_simplify {} more", "+OK Success\n"),
        ("uuid_loglevel {} 99", "+OK\n"),
        ("uuid_loglevel {} -1", "+OK\n"),
        ("uuid_loglevel {} warn", "-ERR Invalid log level!\n"),
        ("uuid_codec_param {} audio read x y", "+OK Command sent reply: [NOT SENT]\n"),
        ("uuid_video_refresh {} manual", "null/x video refresh now in manual mode.\n+OK Success\n"),
        ("uuid_video_refresh {} x", "null/x video refresh now in auto mode.\n+OK Success\n"),
        ("uuid_video_bitrate {}", "-USAGE: <uuid> [auto|manual]\n-ERR Operation Failed\n"),
        ("uuid_msrp_send {} text", "-ERR No msrp_session.\n"),
        ("uuid_display {} a|b", "+OK Success\n"),
        ("uuid_bridge {} nobody nobody2", "-ERR Invalid uuid\n"),
        ("uuid_transfer {} -bleg", "+OK\n"),
        ("eval uuid:{} ${Event-Name}", "CHANNEL_DATA"),
    ],
)
def test_replies_about_a_call(switch: Switch, leg: Session, argument: str, reply: str) -> None:
    command, _, rest = argument.replace("{}", leg.uuid).partition(" ")
    assert switch.api(command, rest) == reply


def test_what_a_call_was_sent_and_shown_is_noted(switch: Switch, leg: Session) -> None:
    switch.api("uuid_send_dtmf", f"{leg.uuid} 12")
    switch.api("uuid_display", f"{leg.uuid} Ada|101")
    get = leg.channel.get_variable
    assert get("last_dtmf_duration") == "1000"
    assert (get("last_sent_callee_id_name"), get("last_sent_callee_id_number")) == ("Ada", "101")


def test_a_heartbeat_is_a_task_only_when_it_is_scheduled(switch: Switch, leg: Session) -> None:
    beats: list[object] = []
    switch.bus.subscribe(beats.append, ["SESSION_HEARTBEAT"])
    switch.api("uuid_session_heartbeat", f"{leg.uuid} 10")
    assert switch.api("sched_del", leg.uuid) == "+OK Deleted: 0\n"
    switch.clock.sleep(25 * SECOND)
    assert len(beats) == 2
    switch.api("uuid_session_heartbeat", f"{leg.uuid} sched 10")
    switch.clock.sleep(25 * SECOND)
    assert len(beats) == 4
    assert switch.api("sched_del", leg.uuid) == "+OK Deleted: 1\n"


def test_keys_of_a_call_are_told_and_hidden_by_a_filter(switch: Switch) -> None:
    told: list[Event] = []
    switch.bus.subscribe(told.append, ["CHANNEL_HANGUP_COMPLETE"])
    for variables in ("", "{digits_dialed_filter=(23)}"):
        uuid = switch.api("originate", f"{variables}null/x &park()").split()[1]
        switch.api("uuid_recv_dtmf", f"{uuid} 1234")
        switch.clock.sleep(SECOND)
        switch.api("uuid_kill", uuid)
        switch.clock.sleep(SECOND)
    assert [event.get_header("variable_digits_dialed") for event in told] == ["1234", "1XX4"]


def test_spans_of_a_call_that_was_never_bridged(switch: Switch) -> None:
    told: list[Event] = []
    switch.bus.subscribe(told.append, ["CHANNEL_HANGUP_COMPLETE"])
    uuid = switch.api("originate", "null/x &park()").split()[1]
    switch.clock.sleep(3 * SECOND)
    switch.api("uuid_kill", uuid)
    switch.clock.sleep(SECOND)
    (event,) = told
    names = ("waitsec", "flow_billsec", "billsec", "progress_media_epoch", "caller_id")
    assert [event.get_header(f"variable_{name}") for name in names] == [
        "0",
        "3",
        "3",
        "0",
        '"Outbound Call" <x>',
    ]


def test_a_transfer_makes_the_called_leg_a_caller_with_a_further_profile(
    switch: Switch, leg: Session
) -> None:
    told: list[Event] = []
    switch.bus.subscribe(told.append, ["CHANNEL_PARK"])
    switch.api("uuid_transfer", f"{leg.uuid} park inline")
    switch.clock.sleep(SECOND)
    (event,) = told
    assert event.get_header("Caller-Profile-Index") == "2"
    assert event.get_header("Caller-Logical-Direction") == "inbound"


def test_a_broken_off_file_counts_to_the_end_of_the_block_that_was_read(switch: Switch, leg: Session) -> None:
    get = leg.channel.get_variable
    for seconds, samples in ((1, "16384"), (3, "32768"), (9, "64000")):
        switch.api("uuid_transfer", f"{leg.uuid} playback:silence_stream://8000,park inline")
        switch.clock.sleep(seconds * SECOND)
        switch.api("uuid_break", leg.uuid)
        switch.clock.sleep(SECOND)
        assert get("playback_samples") == samples


@pytest.mark.parametrize(
    ("dial_string", "cause"),
    [
        ("user/", "SUBSCRIBER_ABSENT"),
        ("user/nobody", "SUBSCRIBER_ABSENT"),
        ("group/", "NO_ROUTE_DESTINATION"),
        ("error/SUCCESS", "DESTINATION_OUT_OF_ORDER"),
        ("loopback/app=", "NO_ROUTE_DESTINATION"),
    ],
)
def test_dial_strings_that_name_nobody(switch: Switch, dial_string: str, cause: str) -> None:
    assert switch.api("originate", f"{dial_string} &park") == f"-ERR {cause}\n"
