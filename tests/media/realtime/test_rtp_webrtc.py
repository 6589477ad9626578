"""A line whose far end is a scripted browser: every datagram is the test's own."""

from __future__ import annotations

import datetime
from typing import Final

import numpy as np
import pytest
from aioice import stun

from media.dtls_certificate import fingerprint_of, new_certificate
from media.dtls_handshake import DtlsHandshake
from media.ice_lite import is_stun
from media.notice import FirstPacket, KeysAgreed, KeysRefused
from media.realtime.webrtc_path import CONSENT
from media.rtcp import is_rtcp
from media.srtp import SrtpError, SrtpReceiver, SrtpSender
from media.webrtc_parameters import (
    Certificate,
    DtlsParameters,
    Fingerprint,
    IceCredentials,
    IceParameters,
)
from tests.media.realtime.far_end import Bench, FarEnd, frame, sounds

NOW = datetime.datetime.now(datetime.UTC)
OURS, THEIRS = new_certificate("ours", NOW), new_certificate("theirs", NOW)
HERE, THERE = (
    IceCredentials("here", "password-of-this-side-0"),
    IceCredentials("there", "password-of-that-side-0"),
)
TICK: Final = 20_000  # µs
PATIENCE: Final = 20  # ticks that a datagram on the loopback interface may take


class Browser:
    """A far end that checks the path and shakes hands."""

    def __init__(self, bench: Bench, end: FarEnd, local: tuple[str, int], *, active: bool) -> None:
        self.bench, self.end, self.local = bench, end, local
        self.handshake = DtlsHandshake(DtlsParameters(THEIRS, active, (fingerprint_of(OURS),)))

    def check(self, *, chosen: bool = True, password: str = HERE.password) -> None:
        attributes: dict[str, object] = {"USERNAME": "here:there", "PRIORITY": 1, "ICE-CONTROLLING": 5}
        if chosen:
            attributes["USE-CANDIDATE"] = None
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
        request.add_message_integrity(password.encode())
        self.send(bytes(request))

    def send(self, datagram: bytes) -> None:
        self.end.socket.sendto(datagram, self.local)

    def shake(self) -> None:
        """Carry the handshake on until it is through, or nothing comes any more."""
        for datagram in self.handshake.start():
            self.send(datagram)
        idle = 0
        while not self.handshake.finished and idle < PATIENCE:
            self.bench.tick()
            came = [one for one in self.end.datagrams() if not is_stun(one)]
            idle = 0 if came else idle + 1
            for datagram in came:
                for reply in self.handshake.receive(datagram):
                    self.send(reply)
        self.bench.tick()
        if self.handshake.keys is not None:
            keys = self.handshake.keys
            assert keys.remote is not None
            self.end.sender = SrtpSender(keys.suite, keys.local)
            self.end.receiver = SrtpReceiver(keys.suite, keys.remote)

    def answers(self) -> list[stun.Message]:
        """Return the answers to checks after a tick."""
        self.bench.tick()
        return [stun.parse_message(one) for one in self.end.datagrams() if is_stun(one)]


def called(
    bench: Bench,
    *,
    active: bool = False,
    remote: tuple[Fingerprint, ...] | None = None,
    shown: Certificate = OURS,
    ice: bool = True,
    line: int = 1,
) -> Browser:
    """Return the far end of a line; `active` is the line's part in the handshake."""
    told = (fingerprint_of(THEIRS),) if remote is None else remote
    end, local = bench.open(
        line,
        known=not ice,
        learning=not ice,
        rtcp_mux=True,
        jitter_ms=0,
        ice=IceParameters(HERE, THERE) if ice else None,
        dtls=DtlsParameters(shown, active, told),
    )
    return Browser(bench, end, local, active=not active)


@pytest.mark.parametrize("active", (True, False))
def test_after_check_and_handshake_both_are_heard(bench: Bench, active: bool) -> None:
    browser = called(bench, active=active)
    browser.check()
    browser.shake()
    assert bench.notices[1] == [KeysAgreed("AEAD_AES_256_GCM")]
    for value in range(1, 20):
        browser.end.say(browser.local, frame(value))
        assert bench.hear(1)[0] == sounds(value)
        bench.lines.say(1, 0, np.full(160, 500, np.int16))
        bench.lines.send()
    assert FirstPacket() in bench.notices[1]
    assert len(browser.end.received()) >= 15


@pytest.mark.parametrize("active", (True, False))
def test_keys_come_without_ice_as_well(bench: Bench, active: bool) -> None:
    browser = called(bench, active=active, ice=False)
    bench.tick()
    browser.shake()
    assert bench.notices[1] == [KeysAgreed("AEAD_AES_256_GCM")]
    browser.end.say(browser.local, frame(9))
    assert bench.hear(1)[0] == sounds(9)


def test_nothing_goes_out_before_there_are_keys(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    for _ in range(5):
        bench.speak(1)
    assert all(is_stun(one) for one in browser.end.datagrams())
    browser.end.say(browser.local, frame(1))
    assert (bench.hear(1) == 0).all()
    report = bench.lines.report(1)
    assert report is not None and report.unauthentic == 1


def test_who_fails_the_check_gets_no_handshake(bench: Bench) -> None:
    browser = called(bench)
    browser.check(password="guessed")
    assert [answer.error_code for answer in browser.answers()] == [401]
    browser.shake()
    assert not browser.handshake.finished and bench.notices[1] == []


def test_another_certificate_is_refused_for_good(bench: Bench) -> None:
    browser = called(bench, remote=(fingerprint_of(OURS),))
    browser.check()
    browser.shake()
    (notice,) = bench.notices[1]
    assert isinstance(notice, KeysRefused) and "not the one that was told" in notice.reason
    bench.speak(1)
    assert browser.end.datagrams() == []


def test_the_far_end_may_choose_another_path(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    browser.end.say(browser.local, frame(3))
    assert bench.hear(1)[0] == sounds(3)
    moved = FarEnd(browser.end.ssrc)
    bench.ends.append(moved)
    moved.sender, moved.receiver = browser.end.sender, browser.end.receiver
    moved.sequence, moved.timestamp = browser.end.sequence, browser.end.timestamp
    browser.end = moved
    browser.check()
    assert [answer.error_code for answer in browser.answers()] == [None]
    for value in (4, 5):
        moved.say(browser.local, frame(value))
        heard = bench.hear(1)
    assert heard[-1] == sounds(5)
    bench.speak(1)
    assert len(moved.received()) >= 1


def test_checks_go_on_during_the_call(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    for value in range(1, 10):
        browser.end.say(browser.local, frame(value))
        browser.check()
        assert bench.hear(1)[0] == sounds(value)
    assert len([one for one in browser.end.datagrams() if is_stun(one)]) == 9


def pass_by(bench: Bench, us: int) -> None:
    """Let a time go by in which the line says nothing."""
    for _ in range(us // TICK):
        bench.tick()


def sound(browser: Browser) -> list[bytes]:
    """Return what has come of sound."""
    return [one for one in browser.end.datagrams() if not (is_stun(one) or is_rtcp(one))]


@pytest.mark.parametrize("comes_back", ("check", "sound"))
def test_who_has_left_is_sent_nothing_until_it_comes_back(bench: Bench, comes_back: str) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    pass_by(bench, CONSENT * 3 // 4)
    browser.check()  # all that a browser on hold sends
    pass_by(bench, CONSENT * 3 // 4)
    browser.answers()
    bench.speak(1)
    assert sound(browser)
    pass_by(bench, CONSENT // 2)
    browser.answers()
    for _ in range(5):
        bench.speak(1)
    assert browser.end.datagrams() == []
    if comes_back == "check":
        browser.check()
        assert [answer.error_code for answer in browser.answers()] == [None]
    else:
        browser.end.say(browser.local, frame(3))
        assert bench.hear(1)[0] == sounds(3)
    bench.speak(1)
    assert sound(browser)
    assert bench.notices[1].count(KeysAgreed("AEAD_AES_256_GCM")) == 1


def test_who_checks_no_more_but_speaks_is_there(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    for _ in range(3):
        pass_by(bench, CONSENT * 3 // 4)
        browser.end.say(browser.local, frame(3))
    pass_by(bench, CONSENT // 4)
    bench.speak(1)
    assert sound(browser)


def test_without_ice_nobody_is_asked_whether_it_is_there(bench: Bench) -> None:
    browser = called(bench, ice=False)
    bench.tick()
    browser.shake()
    pass_by(bench, CONSENT * 2)
    bench.speak(1)
    assert sound(browser)


def test_a_renewed_description_changes_nothing(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    bench.change(1, event_type=101)
    browser.end.say(browser.local, frame(3))
    assert bench.hear(1)[0] == sounds(3)
    assert len(bench.notices[1]) == 2


def test_any_datagram_may_come(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    random = np.random.default_rng(5)
    for first in range(0, 256, 3):
        browser.send(bytes([first]) + random.bytes(int(random.integers(0, 60))))
        bench.tick()
    browser.end.say(browser.local, frame(7))
    assert bench.hear(1)[0] == sounds(7)


def test_a_line_that_was_certain_of_its_far_end_takes_a_browser(bench: Bench) -> None:
    end, local = bench.open(1, rtcp_mux=True, jitter_ms=0)
    for value in range(1, 12):
        end.say(local, frame(value))
        bench.hear(1)
    moved = FarEnd(8)
    bench.ends.append(moved)
    bench.change(
        1,
        remote=None,
        learning=False,
        ice=IceParameters(HERE, THERE),
        dtls=DtlsParameters(OURS, True, (fingerprint_of(THEIRS),)),
    )
    browser = Browser(bench, moved, local, active=False)
    browser.check()
    browser.shake()
    assert KeysAgreed("AEAD_AES_256_GCM") in bench.notices[1]
    heard = set()
    for value in range(20, 40):
        moved.say(local, frame(value))
        heard.add(int(bench.hear(1)[0]))
    assert sounds(30) in heard


def test_whoever_has_another_certificate_gets_the_call_alone(bench: Bench) -> None:
    browser = called(bench)
    browser.check()
    browser.shake()
    browser.end.say(browser.local, frame(3))
    assert bench.hear(1)[0] == sounds(3)
    another = new_certificate("another", NOW)
    bench.change(
        1,
        ice=IceParameters(HERE, IceCredentials("else", "password-of-that-side-1")),
        dtls=DtlsParameters(OURS, False, (fingerprint_of(another),)),
    )
    browser.end.datagrams()
    browser.end.say(browser.local, frame(4))
    assert bench.hear(1)[0] != sounds(4)
    bench.speak(1)
    assert browser.end.datagrams() == []


def test_without_ice_sound_follows_the_description(bench: Bench) -> None:
    browser = called(bench, ice=False)
    browser.shake()
    moved = FarEnd()
    bench.ends.append(moved)
    bench.change(1, remote=moved.address)
    browser.send(bytes(20))  # looks like STUN
    bench.tick()
    browser.end.datagrams()
    bench.speak(1)
    assert len(moved.datagrams()) == 1 and browser.end.datagrams() == []


@pytest.mark.parametrize("active", (True, False))
def test_a_stranger_spoils_no_handshake(bench: Bench, active: bool) -> None:
    browser = called(bench, active=active, ice=False)
    strangers = [FarEnd() for _ in range(10)]
    bench.ends += strangers
    for stranger in strangers:
        stranger.socket.sendto(b"\x15\xfe\xfd" + bytes(8) + b"\x00\x02\x02\x28", browser.local)  # fatal alert
        bench.tick()
    begun = browser.end.datagrams()
    if active:  # what came before belongs to handshakes that were given up
        for reply in browser.handshake.receive(begun[-1]):
            browser.send(reply)
    browser.shake()
    assert bench.notices[1] == [KeysAgreed("AEAD_AES_256_GCM")]


def test_a_certificate_that_is_none_is_told(bench: Bench) -> None:
    with pytest.raises(SrtpError):
        called(bench, shown=Certificate("no", "key"))
    bench.notices.clear()


def test_a_flood_of_checks_is_answered_as_time_allows(bench: Bench) -> None:
    browsers = [called(bench, line=number) for number in range(1, 21)]
    for browser in browsers:
        for _ in range(8):
            browser.check()
    bench.tick()
    answered = sum(len([one for one in browser.end.datagrams() if is_stun(one)]) for browser in browsers)
    assert 0 < answered <= 64
    browsers[0].check()
    assert browsers[0].answers()
