from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.modules.mod_commands.stun_message import StunError, binding_request, mapped_address

# RFC 5769, section 2.2: the sample IPv4 response, and section 2.3 for IPv6.
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
IPV4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)
IPV6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
)


def test_a_request_is_a_header_alone() -> None:
    request = binding_request(TRANSACTION)
    assert request == bytes.fromhex("000100002112a442") + TRANSACTION


def test_the_rfcs_samples_are_read() -> None:
    assert mapped_address(IPV4, TRANSACTION) == ("192.0.2.1", 32853)
    assert mapped_address(IPV6, TRANSACTION) == ("2001:db8:1234:5678:11:2233:4455:6677", 32853)


def test_an_old_server_answers_plainly() -> None:
    body = bytes.fromhex("0001000800010e10c0000201")
    answer = bytes.fromhex("0101000c2112a442") + TRANSACTION + body
    assert mapped_address(answer, TRANSACTION) == ("192.0.2.1", 3600)


def test_an_answer_to_another_question_is_refused() -> None:
    with pytest.raises(StunError):
        mapped_address(IPV4, bytes(12))


@given(st.binary(max_size=80), st.integers(0, 91))
def test_any_bytes_are_an_address_or_refused(tail: bytes, kept: int) -> None:
    for message in (tail, IPV4[:kept] + tail, IPV6[: min(kept, 48)] + tail):
        try:
            address, port = mapped_address(message, TRANSACTION)
        except StunError:
            continue
        assert address and 0 <= port <= 65535
