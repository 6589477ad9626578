from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.arguments import separate
from host.dial_string import DialString, DialStringError, Leg, parse_dial_string, parse_variables
from host.originate_command import USAGE, OriginateUsageError, parse_originate


def single(text: str) -> DialString:
    (dial_string,) = parse_dial_string(text).dial_strings
    return dial_string


def from_command(text: str) -> dict[str, str]:
    """The variables of a dial string that came through the arguments of `originate`."""
    return dict(single(parse_originate(f"{text} &park()").call_url).variables)


def test_one_leg() -> None:
    assert single("loopback/1000/default") == DialString(((Leg("loopback", "1000/default"),),))
    assert single("nothing") == DialString(((Leg("nothing", ""),),))
    assert single("/1000").groups == ((Leg("", "1000"),),)


def test_separators() -> None:
    assert single("a/1,b/2|c/3").groups == ((Leg("a", "1"), Leg("b", "2")), (Leg("c", "3"),))
    assert single("|a/1").groups == ((Leg("a", "1"),),)
    assert single("a/1|").groups == single("a/1,").groups == ((Leg("a", "1"),),)
    assert single("a/1,,b/2").groups == ((Leg("a", "1"), Leg("", ""), Leg("b", "2")),)


def test_variables_in_their_brackets() -> None:
    dial_string = single("<u=1,v=1>{v=2,w=2}[x=3][y=4]a/1,[x=5]b/2")
    assert dial_string.variables == (("u", "1"), ("v", "2"), ("w", "2"))
    assert dial_string.groups == ((Leg("a", "1", (("x", "3"), ("y", "4"))), Leg("b", "2", (("x", "5"),))),)
    assert single("{a=1}{b=2,a=3}x/y").variables == (("b", "2"), ("a", "3"))


def test_enterprise() -> None:
    parsed = parse_dial_string(" <a=all,ignore_early_media=false> {b=1}error/X:_:{b=2}loopback/1|error/Y")
    assert parsed.is_enterprise
    assert parsed.variables == (("a", "all"), ("ignore_early_media", "true"))
    assert [d.variables for d in parsed.dial_strings] == [(("b", "1"),), (("b", "2"),)]
    assert len(parsed.dial_strings[1].groups) == 2
    assert not parse_dial_string("error/X").is_enterprise


def test_a_wrong_one_of_several_leaves_the_others() -> None:
    wrong, right, nothing = parse_dial_string("{a=1:_:x/y:_:").dial_strings
    assert (wrong.groups, wrong.error) == ((), "Parse Error!")
    assert right.groups == ((Leg("x", "y"),),)
    assert nothing.error == "No origination URL specified!"


def test_braces_after_a_separator_are_no_braces() -> None:
    assert single("error/USER_BUSY|{a=1}loopback/x").groups[1] == (Leg("{a=1}loopback", "x"),)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("{p='one two',q='one,two',r=four}x/y", {"p": "one two", "q": "one", "r": "four"}),
        ("{q=one\\,two,r=\\'one,two\\',s=one\\stwo}x/y", {"q": "one,two", "r": "one,two", "s": "one two"}),
        ("{^^;a=x,y;b=z}x/y", {"a": "x,y", "b": "z"}),
        ("'{u=1, a = 1 ,b,c=k=v}x/y'", {"u": "1", "a": "1", "c": "k=v"}),
        ("{a=1,b=two,e=}x/y", {"a": "1", "b": "two"}),
    ],
)
def test_variables_through_originate(text: str, variables: dict[str, str]) -> None:
    assert from_command(text) == variables


def test_quotes_hold_commas_where_nothing_took_them_before() -> None:
    assert single("{a='x,y',b='it\\'s'}x/y").variables == (("a", "x,y"), ("b", "it's"))


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("[a=x\\,y,b=z]x/y", (("a", "x,y"), ("b", "z"))),
        ("[^^:a=x,y:b=z]x/y", (("a", "x,y"), ("b", "z"))),
        ("[a=1,b=2]x/y", (("a", "1"), ("b", "2"))),
        ("[a=[1,2],b=3]x/y", (("a", "[1"), ("b", "3"))),
    ],
)
def test_variables_of_a_leg(text: str, variables: tuple[tuple[str, str], ...]) -> None:
    assert single(text).groups == ((Leg("x", "y", variables),),)
    assert single(f"{text},{text}|{text}").groups[0] == (Leg("x", "y", variables),) * 2


def test_nested_variables_have_to_be_allowed() -> None:
    assert not single("{a=${b}}x/y").nested_variables
    assert single("{Origination_Nested_Vars=TRUE,a=${b}}x/y").nested_variables
    assert dict(single("{a=x${b}y,c=1}x/y").variables) == {"a": "x${b}y", "c": "1"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "No origination URL specified!"),
        ("{}", "No origination URL specified!"),
        ("{a=1", "Parse Error!"),
        ("{a=1}{b=2", "Parse Error!"),
        ("<a=1", "Parse Error!"),
        ("|", "Nothing to do"),
        ("<a=1:_:x/y", "Parse Error!"),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(DialStringError, match=error):
        parse_dial_string(text)


def test_an_unclosed_leg_fails_when_it_is_its_turn() -> None:
    assert single("a/1|[x=1b/2").groups == ((Leg("a", "1"),), (Leg("", "", (), "Parse Error!"),))


def test_long_lists_hold_the_rest_in_the_last() -> None:
    groups = single("|".join(["a/1"] * 200)).groups
    assert len(groups) == 128
    assert groups[-1][0].address.startswith("1|a/1")
    assert len(parse_dial_string(":_:".join(["a/1"] * 200)).dial_strings) == 128


def test_time_grows_with_the_text_alone() -> None:
    begin = time.process_time()
    single("[" * 50_000 + ",x")
    single("{}" * 50_000 + "x")
    single("[]" * 50_000 + ",x")
    assert time.process_time() - begin < 10


def test_parse_variables() -> None:
    assert parse_variables("a=1,b='x,y',A=2") == (("b", "x,y"), ("A", "2"))
    assert parse_variables("a=1;b=2", ";") == (("a", "1"), ("b", "2"))
    assert parse_variables("") == ()


DIALS = st.text(st.sampled_from("ab=,|:_<>{}[]'\\^/; "), max_size=50)


@given(DIALS)
def test_any_text_is_a_dial_string_or_an_error(text: str) -> None:
    try:
        parsed = parse_dial_string(text)
    except DialStringError:
        return
    assert parsed.dial_strings
    for dial_string in parsed.dial_strings:
        assert bool(dial_string.groups) == (not dial_string.error)
        assert all(dial_string.groups)


WORD = st.text("abcdefgh0123456789", min_size=1, max_size=8)


@given(st.dictionaries(WORD, WORD, min_size=1, max_size=4), st.lists(WORD, min_size=1, max_size=4))
def test_what_is_written_is_read(variables: dict[str, str], addresses: list[str]) -> None:
    written = ",".join(f"{name}={value}" for name, value in variables.items())
    legs = ",".join(f"[{written}]x/{address}" for address in addresses)
    parsed = single(f"{{{written}}}{legs}")
    assert dict(parsed.variables) == variables
    assert [(leg.address, dict(leg.variables)) for leg in parsed.groups[0]] == [
        (a, variables) for a in addresses
    ]


# -- the command -------------------------------------------------------------------------------------------------


def test_originate_arguments() -> None:
    command = parse_originate("x/1 2000 inline ctx 'Ada Five' 5555 10")
    assert (command.call_url, command.extension, command.application) == ("x/1", "2000", None)
    assert (command.dialplan, command.context) == ("inline", "ctx")
    assert (command.caller_id_name, command.caller_id_number, command.timeout) == ("Ada Five", "5555", 10)
    command = parse_originate("x/1 1000 undef UNDEF undef 5")
    assert (command.dialplan, command.context, command.caller_id_name) == ("XML", "default", None)
    assert (command.caller_id_number, command.timeout) == ("5", 60)


@pytest.mark.parametrize(
    ("text", "application", "arguments"),
    [
        ("&park()", "park", ""),
        ("&park", "park", None),
        ("&playback(silence_stream://5000)more)", "playback", "silence_stream://5000"),
        ("&playback(tone_stream://%(1000,0,300))", "playback", "tone_stream://%(1000,0,300"),
        ("'&playback(silence_stream://5000 and more)'", "playback", "silence_stream://5000 and more"),
        ("&", None, None),
        ("1000", None, None),
    ],
)
def test_originate_applications(text: str, application: str | None, arguments: str | None) -> None:
    command = parse_originate(f"x/1 {text}")
    assert (command.application, command.arguments) == (application, arguments)


@pytest.mark.parametrize("text", ["", "x/1", "a b c d e f g h", "x/1 undef"])
def test_originate_usage(text: str) -> None:
    with pytest.raises(OriginateUsageError) as caught:
        parse_originate(text)
    assert str(caught.value) == USAGE


@given(st.text(st.sampled_from("ab &()'\\^9"), max_size=40))
def test_any_originate(text: str) -> None:
    try:
        command = parse_originate(text)
    except OriginateUsageError:
        return
    assert [command.call_url] == separate(text, " ", 10)[:1] or command.call_url == ""
