from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host.expression import evaluate, expression
from host.expression_function import ExpressionError


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("2+3*4", "14"),
        ("(2+3)*4", "20"),
        ("10-4-3", "3"),
        ("100/10/5", "2"),
        ("2^3^2", "64"),
        ("-2^2", "4"),
        ("2^-1", "0.5"),
        ("2*-3^2", "18"),
        ("--5", "5"),
        ("5*-2", "-10"),
        (".5+.25", "0.75"),
        (".", "0"),
        ("1/3", "0.3333333333"),
        ("0.00000000001", "0"),
        ("1000000*1000000", "1000000000000"),
        ("0*-1", "0"),
        ("-0", "0"),
        ("sqrt(-1)", "nan"),
        ("mod(1,0)", "nan"),
        ("x=5;x+1", "6"),
        ("x=2|y=3|x*y", "6"),
        ("x=y=3;x+y", "6"),
        ("(x=4)+x", "8"),
        ("1 # a comment\n+1", "2"),
        ("max(1,min(5,3))", "3"),
        ("many(1,2,3)", "3"),
        ("mod(-7,3)", "-1"),
        ("if(0,1/0,2)", "2"),
        ("select(5,1,2,3)", "3"),
        ("select(5,1,2)", "2"),
        ("for(i=0,below(i,5),i=i+1,s=s+i)", "10"),
        ("poly(2,1,0,3)", "7"),
        ("clamp(7,0,5)", "2"),
        ("pntchange(0,10,0,100,5)", "50"),
        ("land(6,3)", "2"),
        ("lor(6,3)", "7"),
        ("deg(M_PI)", "180"),
        ("rand(&s);s", "2531011"),
        ("x=x+1;1/(x-1)", "1"),
        ("2 abs(-3)", "3"),
        ("1" + "+1" * 5000, "5001"),
    ],
)
def test_answers(text: str, answer: str) -> None:
    assert expression(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1+",
        "(",
        ")",
        "()",
        "2 3",
        "2,3",
        "2(3)",
        "(1)(2)",
        "1;;2",
        ";",
        "1.2.3",
        "1e3",
        "0x10",
        "10%3",
        "1==1",
        "1+x=2",
        "nosuch(1)",
        "abs()",
        "abs(1,)",
        "abs(1,2)",
        "abs(&x)",
        "rand(1)",
        "rand(&M_PI)",
        "1/0",
        "10^400",
        "exp(-10000)",
        "0^-1",
        "(-8)^0.5",
        "ln(0)",
        "logn(8,1)",
        "M_PI=3",
        '"a"',
        "1 # nothing ends this",
        "x" * 300,
        "(" * 1000 + "1" + ")" * 1000,
        "for(0,1,0,0)",
    ],
)
def test_errors(text: str) -> None:
    assert expression(text) == "!err!"


def test_infinity_and_nan_are_written() -> None:
    assert expression("9" * 200 + "*" + "9" * 200) == "inf"
    assert expression(f"x={'9' * 200}*{'9' * 200};x-x") in ("nan", "-nan")


def test_random_numbers() -> None:
    assert 0 <= evaluate("randomize(&s);rand(&s)") < 1
    assert 5 <= evaluate("randomize(&s);random(5,6,&s)") <= 6


@settings(deadline=3000)
@given(st.text(st.sampled_from("12.x+-*/^(),;|=& #maxifrnd"), max_size=30))
def test_any_text(text: str) -> None:
    assert isinstance(expression(text), str)


NUMBERS = st.integers(0, 10**6)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_against_python(a: int, b: int, c: int) -> None:
    assert expression(f"{a}+{b}*{c}-{a}") == str(b * c)
    assert expression(f"({a}-{b})*2") == str((a - b) * 2)


def test_endless_loops_end() -> None:
    begin = time.process_time()
    with pytest.raises(ExpressionError):
        evaluate("for(i=0,1,i=i+1,i)")
    assert time.process_time() - begin < 10
