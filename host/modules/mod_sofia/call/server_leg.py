"""A call that somebody places to us: from its INVITE to our answer."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.call import session_timer
from host.modules.mod_sofia.call.dialog import Dialog
from host.modules.mod_sofia.call.invite_headers import ALLOW, extra_headers, user_text
from host.modules.mod_sofia.call.leg import SofiaLeg
from host.modules.mod_sofia.call.partner import tell_partner
from host.modules.mod_sofia.call.reinvite import SDP, option_tag, timer_headers
from host.modules.mod_sofia.message import Body, Message, cseq_of, header_of, sdp_of, source_of, uri_user
from host.modules.mod_sofia.sip_cause import partner_status, sip_status, status_phrase
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg_media import LegMedia
    from host.modules.mod_sofia.profile.profile import Profile
    from host.session import Session

Header = tuple[str, str]

# FreeSWITCH: the variable with what the other far end has described, for the one whose sound goes there.
OTHER_SDP: Final = "switch_m_sdp"


@dataclass(slots=True)
class _Reliable:
    """A provisional response that waits for its PRACK."""

    rseq: int
    send: Callable[[], object]
    carries_offer: bool
    began: float
    interval: float  # until it is sent again, in s
    timer: Any = None


class ServerLeg(SofiaLeg):
    """The leg of an INVITE that came in. It exists before its session does, which may take a look into a directory."""

    def __init__(self, profile: Profile, invite: Message) -> None:
        super().__init__(profile, Dialog.of_request(invite))
        self.invite = invite
        self.offer = sdp_of(invite)
        self.answered_finally = False
        self.cancelled: HangupCause | None = None
        self._withdrawn = False  # by a CANCEL, which may be held back while its INVITE has its 487 already
        self.local_sdp = ""
        self._own = False  # that is of sound that passes here
        self._other_final = False
        self.counted = True  # among the profile's calls in progress
        self.refusal: tuple[int, str, tuple[Header, ...]] | None = None
        self._rseq = random.randint(1, 0x7FFF)
        self._reliable: _Reliable | None = None
        self._waiting: deque[Callable[[], object]] = deque()
        self._farewell: Callable[[], object] | None = None  # a BYE that waits for their ACK
        source = source_of(invite)
        user = user_text(uri_user(invite.getHFBody("to").getUri().url))
        uri = profile.contact_uri(source.transport, user, source.ip)
        self.contact = f"<{uri}{'' if ';transport=' in uri else f';transport={source.transport}'}>"
        self.note_allow(invite)

    # -- what the caller does meanwhile --------------------------------------------------------------------------

    def cancel(self, request: Message | None = None) -> None:
        """Take a CANCEL, or the end of the INVITE's own Expires; sippy has answered the INVITE with 487."""
        self._withdrawn = True
        if self.held_back is not None:
            self.held_back.append(lambda: self.cancel(request))
            return
        if self.answered_finally:
            return
        self.answered_finally = True
        self._count_out()
        self.cancelled = HangupCause.ORIGINATOR_CANCEL
        self.finish()
        self._stop_reliable()
        session = self.session
        if session is not None:
            cancelled = (("sip_invite_failure_status", "487"), ("sip_invite_failure_phrase", "CANCEL"))
            for name, value in cancelled:
                session.channel.variables.set(name, value)
            reason = header_of(request, "reason") if request is not None else None
            if reason:
                session.channel.variables.set("sip_reason", reason)
                tell_partner(session, ("sip_reason", reason))
        self.lose(self.cancelled, 487, "recv_cancel")

    # -- ChannelIO, in the session's thread ----------------------------------------------------------------------

    def ring_ready(self, session: Session) -> None:
        """Send 180."""
        self.stack.call(lambda: self.provisional(180, "Ringing"))

    def pre_answer(self, session: Session) -> None:
        """Send 183 with our session description; a call whose media cannot be agreed on is refused with 488."""
        sdp = self._describe(session)
        if sdp is not None:
            self.stack.call(lambda: self.provisional(183, "Session Progress", sdp))

    def answer(self, session: Session) -> None:
        """Send 200 with our session description; a call whose media cannot be agreed on is refused with 488."""
        sdp = self._describe(session)
        if sdp is None:
            return
        headers = tuple(extra_headers(dict(session.channel.variables.items()), "sip_rh_"))
        self.stack.call(lambda: self._accept(sdp, headers))

    def count_failure(self) -> None:
        """Count a call that ended without an answer."""
        self.profile.counters.failed_calls_in += 1

    def note_hangup(self, session: Session, headers: list[Header]) -> None:
        """Leave in the variables how we end the call; a refusal takes the headers of `sip_rh_` along.

        FreeSWITCH: the caller is refused with the status that the one called gave, unless `sip_ignore_remote_cause`.
        """
        channel = session.channel
        if channel.answered:
            super().note_hangup(session, headers)
            return
        variables = dict(channel.variables.items())
        headers += extra_headers(variables, "sip_rh_")
        code = sip_status(channel.hangup_cause)
        if not is_true(variables.get("sip_ignore_remote_cause")):
            passed = partner_status(variables.get("last_bridge_proto_specific_hangup_cause"))
            if passed is not None and 300 <= passed <= 699:
                channel.log(
                    LogLevel.DEBUG,
                    f"{channel.name} Overriding SIP cause {code} with {passed} from the other leg",
                )
                code = passed
        if self.refusal is None:
            self.refusal = code, status_phrase(code), ()
        channel.log(LogLevel.DEBUG, f"Responding to INVITE with: {self.refusal[0]}")
        channel.variables.set("sip_hangup_disposition", "send_refuse")

    def end_call(self, cause: HangupCause, headers: tuple[Header, ...]) -> None:
        """Refuse what is not answered, else send BYE: not before the ACK, or the end of waiting for it.

        RFC 3261 section 15: one who was called sends no BYE before that.
        """
        if self.ended:
            return
        if self.answered_finally:
            if self.answering is self.invite:
                self._farewell = lambda: super(ServerLeg, self).end_call(cause, headers)
            else:
                super().end_call(cause, headers)
            return
        code = sip_status(cause)
        phrase = status_phrase(code)
        if self.refusal is not None:
            code, phrase, more = self.refusal
            headers = (*headers, *more)
        self._refuse(code, phrase, headers)

    @property
    def offer_unanswered(self) -> bool:
        """Whether the offer of the INVITE, or ours that goes along with an answer, has no answer yet."""
        return not self.confirmed and (not self.local_sdp or self._reliable is not None)

    def refuse(self, code: int, reason: str, headers: tuple[Header, ...]) -> None:
        """Have the call refused with this response when it is hung up."""
        self.refusal = (code, reason, headers)

    # -- the SIP thread ------------------------------------------------------------------------------------------

    def provisional(self, code: int, reason: str, sdp: str = "") -> None:
        """Send a provisional response; reliably where the far end requires it or both sides like it (RFC 3262)."""
        if self.answered_finally:
            return
        if self._reliable is not None:
            self._waiting.append(lambda: self.provisional(code, reason, sdp))
            return
        if code > 100:
            self.register()
            self.log_state("early", code)
        body = Body(SDP, sdp) if sdp else None
        headers: tuple[Header, ...] = (("Allow", ALLOW),)
        required = option_tag(self.invite, "100rel", "require")
        liked = self.profile.settings.enable_100rel and option_tag(self.invite, "100rel")
        if code <= 100 or not (required or liked):
            self._send(code, reason, headers, body)
            return
        self._rseq += 1
        headers = (*headers, ("Require", "100rel"), ("RSeq", str(self._rseq)))

        def send() -> None:
            self._send(code, reason, headers, body)

        t1 = self.profile.settings.timer_t1 / 1000
        reliable = _Reliable(self._rseq, send, bool(sdp) and self.offer is None, self.stack.now(), t1)
        self._reliable = reliable
        send()
        reliable.timer = self.stack.call_later(t1, self._repeat)

    def end_early(self) -> None:
        """Answer the INVITE with 487 when a BYE ends its early dialog (RFC 3261 section 15.1.2)."""
        self._refuse(487, "Request Terminated", ())

    def receive_prack(self, request: Message) -> None:
        """Take the PRACK for a reliable provisional response, its answer or its offer, and go on with what waited."""
        reliable = self._reliable
        numbers = (header_of(request, "rack") or "").split()
        fits = (
            reliable is not None
            and len(numbers) == 3
            and leading_int(numbers[0]) == reliable.rseq
            and leading_int(numbers[1]) == cseq_of(self.invite)[0]
        )
        if reliable is None or not fits:
            self.profile.respond(request, 481, "Call/Transaction Does Not Exist")
            return
        self._stop_reliable()
        sdp, body = sdp_of(request), None
        if sdp is not None and self.media is not None:
            if reliable.carries_offer:
                if not self.media.accept(sdp):
                    self.log(LogLevel.WARNING, "The answer in a PRACK fits no offer of ours")
            else:
                answer = None if self.media.bypassed else self.media.answer(sdp)
                if answer is None:
                    self.profile.respond(request, 488, "Not Acceptable Here")
                    return
                body = Body(SDP, answer)
        self.profile.respond(request, 200, "OK", body=body)
        while self._waiting and self._reliable is None:
            self._waiting.popleft()()

    def _repeat(self) -> None:
        """Send it again, each time after twice as long, for 64 * T1 (RFC 3262 section 3)."""
        reliable = self._reliable
        if reliable is None:
            return
        if self.stack.now() - reliable.began >= self.profile.settings.timer_t1x64 / 1000:
            self._stop_reliable()
            self._refuse(504, "Server Time-out", ())
            self.lose(HangupCause.RECOVERY_ON_TIMER_EXPIRE, 504)
            return
        reliable.send()
        reliable.interval *= 2
        reliable.timer = self.stack.call_later(reliable.interval, self._repeat)

    def _stop_reliable(self) -> None:
        if self._reliable is not None and self._reliable.timer is not None:
            self._reliable.timer.cancel()
        self._reliable = None

    def _send(self, code: int, reason: str, headers: tuple[Header, ...], body: Body | None) -> None:
        self.profile.respond(
            self.invite,
            code,
            reason,
            headers=headers,
            body=body,
            contact=self.contact if code > 100 else "",
            tag=self.dialog.local_tag,
        )

    def _accept(self, sdp: str, extra: tuple[Header, ...]) -> None:
        if self.answered_finally or self._withdrawn:
            return
        if (
            self._reliable is not None
        ):  # RFC 3262 section 3: no 2xx before the PRACK when a description went along
            self._waiting.append(lambda: self._accept(sdp, extra))
            return
        try:
            timer = timer_headers(self, self.invite)
        except session_timer.IntervalTooSmall as error:
            self._refuse(422, "Session Interval Too Small", (("Min-SE", str(error.least)),))
            self.lose(HangupCause.INTERWORKING, 422)
            return
        self.answered_finally = True
        self.confirmed = True
        self._count_out()
        self.register()
        late = self.offer is None
        self.answering = self.invite
        self.log_state("completed", 200)

        def acknowledged(ack: Message) -> None:
            self.answering = None
            if self._farewell is not None:
                self._farewell()
                return
            answer = sdp_of(ack)
            self.log_state("ready", 200, answer)
            if not late or self.media is None or (answer is None and self.media.agreement is not None):
                return
            if answer is None or not self.media.accept(answer):
                self.log(LogLevel.WARNING, "The ACK has no answer that fits our offer")
                self.lose(HangupCause.INCOMPATIBLE_DESTINATION, 488)
            self.note_hold()

        def lost() -> None:
            self.answering = None
            if self._farewell is not None:
                self._farewell()
                return
            self.lose_acknowledgement()

        self.profile.respond(
            self.invite,
            200,
            "OK",
            headers=(("Allow", ALLOW), ("Supported", "timer, path, replaces"), *timer, *extra),
            body=Body(SDP, sdp),
            contact=self.contact,
            tag=self.dialog.local_tag,
            on_ack=acknowledged,
            on_no_ack=lost,
        )

    def _refuse(self, code: int, reason: str, headers: tuple[Header, ...]) -> None:
        if self.answered_finally:
            return
        self.answered_finally = True
        self._count_out()
        self._stop_reliable()
        if self.session is None:
            self.count_failure()
        self.profile.respond(self.invite, code, reason, headers=headers, tag=self.dialog.local_tag)
        self.log_state("terminated", code)
        self.finish()

    def reject(self, code: int, reason: str, headers: tuple[Header, ...] = ()) -> None:
        """Refuse the call before it has a session. Any thread may do it."""
        self.stack.call(lambda: self._refuse(code, reason, headers))

    def dismiss(self) -> None:
        """Forget the call: somebody else has answered its INVITE for good."""
        self.answered_finally = True
        self._count_out()
        self.finish()

    def _count_out(self) -> None:
        if self.counted:
            self.counted = False
            self.profile.proceeding -= 1

    def _describe(self, session: Session) -> str | None:
        """Return our description of the call's media; None when nothing fits, and the call is hung up."""
        media = self.media
        sdp = None
        if media is not None and media.bypassed:
            sdp = self._describe_other(session, media)
        if sdp is None and media is not None:
            if self.local_sdp and self._own:
                return media.last_description  # an UPDATE may have changed it
            self._own = media.open()
            if self._own:
                sdp = media.offer() if self.offer is None else media.answer(self.offer)
        if sdp is None:
            self.refuse(488, "Not Acceptable Here", ())
            session.channel.hangup(HangupCause.INCOMPATIBLE_DESTINATION)
            return None
        self.local_sdp = sdp
        session.channel.log(LogLevel.DEBUG, f"Local SDP {session.channel.name}:\n{sdp}")
        return sdp

    def _describe_other(self, session: Session, media: LegMedia) -> str | None:
        """Return the description of whom the caller is to hear, as that one gave it.

        None where there is no such: FreeSWITCH then lets sound pass here.
        """
        other = session.channel.variables.get(OTHER_SDP)
        if other is None:
            session.channel.log(LogLevel.DEBUG, "Disabling proxy mode due to call answer with no bridge")
            session.channel.flags -= {Flag.PROXY_MODE, Flag.PROXY_MEDIA}
            return None
        self._own = False
        media.note_remote(self.offer or "")
        return media.describe_other(other)

    def note_other(self, description: str, called: LegMedia, *, final: bool) -> None:
        """Take what one who is called for this caller has described; what comes with an answer counts (`final`)."""
        session = self.session
        if session is not None and not self._other_final:
            self._other_final = final
            if self.media is not None:
                self.media.join_relay(called)
            session.channel.variables.set(OTHER_SDP, description)
