"""What must not hurt the host: lost, doubled and late datagrams, and text that is no SIP."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.sip.host_configuration import Extension
from tests.sip.lossy_relay import LossyRelay, Mischief
from tests.sip.parallel_rows import ParallelRows
from tests.sip.raw_phone import RawPhone, status
from tests.sip.raw_phone import field as header
from tests.sip.served_host import ServedHost
from tests.sip.sipp import Sipp
from tests.sip.until import PATIENCE

ANSWER = ("answer", "")
# Longer than a message takes that is sent twice.
TONE = ("playback", "tone_stream://%(1500,0,440)")


@dataclass(frozen=True, slots=True)
class Loss:
    """A call during which messages that begin so are lost once: from SIPp to the host, and back."""

    name: str
    scenario: str
    outward: Sequence[str] = ()
    homeward: Sequence[str] = ()
    inbound: bool = True
    ends: dict[str, str] = field(default_factory=lambda: {"Hangup-Cause": "NORMAL_CLEARING"})

    def run(self, host: ServedHost) -> list[str]:
        """Make the call and return what is wrong."""
        if self.inbound:
            with LossyRelay(
                ("127.0.0.1", host.ports.open), Mischief(once=self.outward), Mischief(once=self.homeward)
            ) as relay:
                keys = {"contact": relay.contact}
                sipp = Sipp(self.scenario, ("127.0.0.1", relay.port), self.name, keys, linger=1500)
                result = sipp.run()
        else:
            sipp = Sipp(self.scenario, None, linger=1500)
            with LossyRelay(
                ("127.0.0.1", sipp.port), Mischief(once=self.homeward), Mischief(once=self.outward)
            ) as relay:
                sipp.keys = {"contact": f"127.0.0.1:{relay.port}"}
                with sipp:
                    variables = f"{{row={self.name}}}"
                    host.api(
                        f"originate {variables}sofia/open/callee@127.0.0.1:{relay.port} &playback({TONE[1]})"
                    )
                    result = sipp.wait()
        wrong = [] if result.passed else [result.summary]
        wrong += [f"no message began with {text}" for text in relay.never_seen]
        end = host.find(host.of_row(self.name, "CHANNEL_HANGUP_COMPLETE"), PATIENCE)
        if end is None:
            wrong.append("the host told of no hangup")
        else:
            wrong += [
                f"{name} is {end.get(name)!r}" for name, value in self.ends.items() if end.get(name) != value
            ]
        return wrong


ROWS = [
    Loss("loss-invite", "caller_waits", outward=["INVITE"]),
    Loss("loss-trying-and-ok", "caller_waits", homeward=["SIP/2.0 100", "SIP/2.0 200 OK"]),
    Loss("loss-ack", "caller_waits", outward=["ACK"]),
    Loss("loss-bye", "caller_hangs_up", outward=["BYE"]),
    Loss("loss-bye-of-host", "caller_waits", homeward=["BYE"]),
    Loss("loss-bye-answered", "caller_waits", outward=["SIP/2.0 200 OK"]),
    Loss("loss-out-invite", "callee_waits", homeward=["INVITE"], inbound=False),
    Loss("loss-out-ok", "callee_waits", outward=["SIP/2.0 200 OK"], inbound=False),
    Loss("loss-out-ack", "callee_waits", homeward=["ACK"], inbound=False),
    Loss("loss-out-bye", "callee_waits", homeward=["BYE"], inbound=False),
    Loss("loss-out-bye-of-peer", "callee_hangs_up", outward=["BYE"], inbound=False),
]  # fmt: skip
EXTENSIONS = [
    *(
        Extension(row.name, [ANSWER, ("park", "") if row.scenario == "caller_hangs_up" else TONE])
        for row in ROWS
    ),
    Extension("lossy", [ANSWER, ("park", "")]),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_lost_message_is_sent_again(rows: ParallelRows[Loss], row: Loss) -> None:
    rows.check(row)


def test_calls_go_on_while_datagrams_are_lost_doubled_and_late(host: ServedHost) -> None:
    calls = 100
    outward = Mischief(lose=0.04, double=0.05, hold_back=0.15, hold_seconds=0.25)
    homeward = Mischief(
        lose=0.02, double=0.05
    )  # SIPp takes no 180 after a 200: what goes home keeps its order
    with LossyRelay(("127.0.0.1", host.ports.open), outward, homeward) as relay:
        caller = Sipp(
            "caller_hangs_up_late", ("127.0.0.1", relay.port), "lossy", {"contact": relay.contact}, calls=calls,
            rate=50, linger=2000, trace=False,
        )  # fmt: skip
        result = caller.run()
    assert (result.calls, result.failed) == (calls, 0), result.summary
    assert min(relay.lost, relay.doubled, relay.reordered) > 0


def _malformed(phone: RawPhone) -> dict[str, bytes]:
    good = phone.request("INVITE", "nobody").encode()
    cut = {f"cut at {at}": good[:at] for at in (0, 1, 10, 40, len(good) // 2, len(good) - 5)}
    return cut | {
        "CSeq without a number": good.replace(b"CSeq: 1 INVITE", b"CSeq: INVITE"),
        "CSeq of another method": good.replace(b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
        "CSeq beyond 32 bits": good.replace(b"CSeq: 1 INVITE", b"CSeq: 99999999999 INVITE"),
        "negative length": good.replace(b"Content-Length: 0", b"Content-Length: -5"),
        "length of more than there is": good.replace(b"Content-Length: 0", b"Content-Length: 9999"),
        "no Via": b"\r\n".join(line for line in good.split(b"\r\n") if not line.startswith(b"Via")),
        "no From": b"\r\n".join(line for line in good.split(b"\r\n") if not line.startswith(b"From")),
        "no Call-ID": b"\r\n".join(line for line in good.split(b"\r\n") if not line.startswith(b"Call-ID")),
        "tel URI": good.replace(b"INVITE sip:nobody@", b"INVITE tel:+49", 1),
        "no URI": good.replace(b"INVITE sip:", b"INVITE ", 1),
        "another version": good.replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1),
        "unknown method": good.replace(b"INVITE", b"DANCE"),
        "broken Contact": good.replace(b"Contact: <sip:", b"Contact: <<<;;"),
        "broken To": good.replace(b"To: <sip:", b"To: \"un<closed"),
        "many headers": good.replace(b"Max-Forwards", b"X-A: b\r\n" * 4000 + b"Max-Forwards", 1)[:60_000],
        "a huge header": good.replace(b"Max-Forwards", b"X-A: " + b"b" * 60_000 + b"\r\nMax-Forwards", 1)[:65_000],
        "a thousand Via": good.replace(b"Max-Forwards", b"Via: SIP/2.0/UDP a.example\r\n" * 1000 + b"Max-Forwards", 1),
        "a Via of a far port": good.replace(b";branch", b"0000;branch", 1),
        "bytes": bytes(range(256)) * 4,
        "zeros": bytes(1000),
        "line ends": b"\r\n\r\n",
        "a broken response": b"SIP/2.0 abc\r\n\r\n",
        "a response to nobody": b"SIP/2.0 200 OK\r\n" + good.split(b"\r\n", 1)[1],
        "broken SDP": phone.request("INVITE", "nobody", headers={"Content-Type": "application/sdp"},
                                    body="v=0\r\nm=audio x RTP\r\nc=\r\n").encode(),
        "not UTF-8": good.replace(b"<sip:raw@", b'"\xff\xfe" <sip:raw@'),
    }  # fmt: skip


def test_malformed_messages_are_refused_or_dropped(host: ServedHost) -> None:
    with RawPhone(host.ports.open) as phone:
        for name, data in _malformed(phone).items():
            phone.send(data)
            while answer := phone.receive(0.06):
                code = status(answer)
                assert code in (0, 100) or 400 <= code < 700, f"{name}: {answer}"
                if header(answer, "CSeq").endswith("INVITE") and code >= 400:
                    phone.acknowledge(data.decode("latin-1"), answer)
        assert status(phone.ask(phone.request("OPTIONS", ""))) == 200
    assert host.api("status").startswith("UP")


def test_streams_that_are_no_sip_are_closed_and_others_go_on(host: ServedHost) -> None:
    address = ("127.0.0.1", host.ports.open)
    for data in (
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        bytes(70_000),
        b"A" * 200_000,
        b"INVITE sip:a SIP/2.0\r\n",
    ):
        # A host that has had enough closes while we still send.
        with contextlib.suppress(ConnectionError), socket.create_connection(address) as stream:
            stream.sendall(data)
    idle = [socket.create_connection(address) for _ in range(50)]
    result = Sipp("options", address, transport="t1").run()
    assert result.passed, result.summary
    for stream in idle:
        stream.close()


def test_an_answer_that_is_never_acknowledged_is_sent_again(host: ServedHost) -> None:
    body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
    with RawPhone(host.ports.open) as phone:
        request = phone.request("INVITE", "loss-bye", headers={"Content-Type": "application/sdp"}, body=body)
        answer = phone.ask(request)
        assert status(answer) == 200
        again = [phone.receive() for _ in range(2)]
        assert [status(one) for one in again] == [200, 200]
        tag = header(answer, "To").partition("tag=")[2]
        for method, cseq in (("ACK", 1), ("BYE", 2)):
            text = phone.request(
                method, "loss-bye", call_id=header(request, "Call-ID"), to_tag=tag, cseq=cseq
            )
            if method == "ACK":
                phone.send(text.encode())
            else:
                assert status(phone.ask(text)) == 200
