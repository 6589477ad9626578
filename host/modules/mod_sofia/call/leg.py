"""One SIP leg: its dialog, its media, and what the switch and the far end tell each other about it.

The SIP thread owns the dialog; what the session's thread wants done is queued for it, in order.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from host.channel import Flag
from host.hangup_cause import HangupCause
from host.ivr.hold import held_by_far_end
from host.log import LogLevel
from host.modules.mod_sofia.call import in_dialog, reinvite
from host.modules.mod_sofia.call.dialog import Dialog
from host.modules.mod_sofia.call.endpoint_message import take_message
from host.modules.mod_sofia.call.invite_headers import extra_headers
from host.modules.mod_sofia.call.offer_relay import relay
from host.modules.mod_sofia.call.partner import tell_partner
from host.modules.mod_sofia.call.refer import Referral
from host.modules.mod_sofia.call.session_timer import SessionTimer
from host.modules.mod_sofia.message import Body, Message, Source, cseq_of, headers_of
from host.modules.mod_sofia.sip_cause import reason_value, status_phrase
from host.truth import is_true

if TYPE_CHECKING:
    from host.modules.mod_sofia.call.leg_media import LegMedia
    from host.modules.mod_sofia.profile.profile import Profile
    from host.session import Session

# FreeSWITCH: how long a refused re-INVITE's call may go on without an ACK is up to the transaction (64 * T1).
_ACK_LOST: Final = HangupCause.RECOVERY_ON_TIMER_EXPIRE
# FreeSWITCH: causes that tell the far end that another one took the call.
_ELSEWHERE: Final = (HangupCause.PICKED_OFF, HangupCause.LOSE_RACE)


class SofiaLeg:
    """The endpoint's side of a SIP channel. Subclasses begin the call, as the one called or the one who calls."""

    def __init__(self, profile: Profile, dialog: Dialog) -> None:
        self.profile = profile
        self.sofia = profile.sofia
        self.stack = profile.sofia.stack
        self.dialog = dialog
        self.session: Session | None = None
        self.media: LegMedia | None = None
        self.far_end: Source | None = (
            None  # where requests go in place of the route, behind NAT and on streams
        )
        self.confirmed = False  # a 2xx was sent or received
        self.ended = False
        self.timer = SessionTimer(weakref.proxy(self))
        self.registered = False
        self.invite_pending = False  # our own re-INVITE waits for its answer (RFC 3261 section 14.1)
        self.answering: Any = None  # their re-INVITE that waits for ours
        self.referral: Referral | None = None
        self.referred = False  # a REFER of the far end is under way
        self._ending: Callable[[], object] | None = None
        self.held_back: list[Callable[[], object]] | None = None  # ends of the call, while a REFER is decided
        self.allowed: set[str] = set()
        self.held = False  # by the far end
        self.taken_in = False  # its sound is on the way back here, for a hold that is noted afterwards
        self.owns_call_id = False
        self.least_interval = 0  # Min-SE of a 422 (RFC 4028 section 7.3: told in all further requests)
        self.contact = ""
        self.on_ended: list[Callable[[], object]] = []

    # -- the SIP thread ------------------------------------------------------------------------------------------

    def register(self) -> None:
        """Have the requests of the dialog come here."""
        if not self.registered:
            self.registered = True
            self.profile.transactions.regConsumer(self, self.dialog.call_id)
            self.profile.legs.add(self)

    def isYours(self, request: Message) -> SofiaLeg | None:
        """Return self for a request of this dialog (sippy asks)."""
        return self if self.dialog.claims(request) else None

    def recvRequest(self, request: Message, transaction: Any) -> tuple[None, Any, Any]:
        """Take a request within the dialog (sippy brings it)."""
        request.transaction = transaction
        if not self.dialog.in_order(request):
            self.profile.respond(request, 500, "Server Internal Error")
        else:
            in_dialog.receive(self, request)
        return None, None, None

    def send(
        self,
        method: str,
        *,
        headers: tuple[tuple[str, str], ...] = (),
        body: Body | None = None,
        on_response: Callable[[Message], object] | None = None,
        started: Callable[[Any], object] | None = None,
    ) -> Any:
        """Send a request within the dialog, none once the leg has ended; `started` gets each transaction of it."""
        if self.ended and method != "BYE":
            return None
        request = self.dialog.request(method, headers=headers)

        def begun(transaction: Any) -> None:
            self._note_number(transaction)
            if started is not None:
                started(transaction)

        contact = self.contact if method in ("INVITE", "UPDATE", "SUBSCRIBE", "REFER", "NOTIFY") else ""
        return self.profile.transact(
            request,
            on_response=on_response,
            contact=contact,
            body=body,
            next_hop=self.next_hop(),
            credentials=self.credentials(),
            started=begun,
        )

    def _note_number(self, transaction: Any) -> None:
        """Count on from a request that was sent again with credentials."""
        self.dialog.local_cseq = max(self.dialog.local_cseq, cseq_of(transaction.request)[0])

    def next_hop(self) -> Source | None:
        """Return where requests go in place of route and Contact: not over a stream that is no more."""
        far = self.far_end
        if far is not None and far.transport != "udp" and not self.profile.transactions.connected(far):
            return None
        return far

    def credentials(self) -> tuple[str, str] | None:
        """Return user and password for challenges: `sip_auth_username` and `sip_auth_password`, by default."""
        if self.session is None:
            return None
        variables = self.session.channel.variables
        user, password = variables.get("sip_auth_username"), variables.get("sip_auth_password")
        return (user, password) if user and password else None

    def finish(self) -> None:
        """Forget the dialog: nothing more is sent or received for it."""
        if self.ended:
            return
        self.ended = True
        self.timer.stop()
        if self.registered:
            self.registered = False
            self.profile.transactions.unregConsumer(self, self.dialog.call_id)
            self.profile.legs.discard(self)
        for told in self.on_ended:
            told()

    def lose(self, cause: HangupCause, status: int = 0, disposition: str = "", phrase: str = "") -> None:
        """Hang the channel up for a reason that came from the far end, or from the signalling itself.

        FreeSWITCH: the status goes to the channel, its phrase to the one that it is bridged with.
        """
        session = self.session
        if session is None:
            return
        variables = session.channel.variables
        if not session.channel.down:
            if disposition:
                variables.set("sip_hangup_disposition", disposition)
            if status:
                variables.set("sip_term_status", str(status))
                variables.set("proto_specific_hangup_cause", f"sip:{status}")
                tell_partner(session, ("sip_hangup_phrase", phrase or status_phrase(status)))
            variables.set("sip_term_cause", str(int(cause)))
        session.channel.hangup(cause)

    def _end(self, end: Callable[[], object]) -> None:
        """End the call now, or once a REFER of the far end is done: the NOTIFY of that goes out before."""
        if self.referred:
            self._ending = end
        else:
            end()

    def end_later(self) -> None:
        """End a call whose end has waited."""
        end, self._ending = self._ending, None
        if end is not None:
            end()

    def lose_call(self, status: int) -> None:
        """The far end does not know the call any more: end it without a BYE."""
        self.finish()
        self.lose(HangupCause.NORMAL_TEMPORARY_FAILURE, status)

    def lose_acknowledgement(self) -> None:
        """Nobody acknowledged our 2xx: end the call (RFC 3261 section 13.3.1.4)."""
        self.lose(_ACK_LOST, 408)

    def refresh_session(self) -> None:
        """Refresh the session timer: an UPDATE where both sides like it, else a re-INVITE with the same offer."""
        if self.profile.settings.update_refresher and self.allows("UPDATE"):
            reinvite.send_update(self)
        elif self.media is not None:
            reinvite.send_invite(self, self.media.same_offer)

    def session_timeout(self) -> int:
        """Return the session interval we want, in s: `sip_session_timeout`, else the profile's; 0 for none."""
        value = None
        if self.session is not None:
            value = self.session.channel.variables.get("sip_session_timeout")
        if value is not None and value.isdigit():
            return int(value)
        return self.profile.settings.session_timeout

    def allows(self, method: str) -> bool:
        """Return whether the far end's Allow names a method; one that sent no Allow takes none but RFC 3261's."""
        return method in self.allowed

    def note_allow(self, message: Message) -> None:
        """Remember the far end's Allow."""
        for value in headers_of(message, "allow"):
            self.allowed |= {part.strip().upper() for part in value.split(",")}

    def contact_uri(self) -> str:
        """Return the URI of our Contact, without brackets."""
        return self.contact.strip().partition("<")[2].partition(">")[0]

    @property
    def offer_unanswered(self) -> bool:
        """Whether an offer of either side in the INVITE that begins the call has no answer yet."""
        return False

    def note_hold(self) -> None:
        """Tell the session when the far end has put us on hold, or taken us off it."""
        media, session = self.media, self.session
        if media is None or session is None or media.bypassed or media.held == self.held or self.taken_in:
            return
        self.held = media.held
        held = self.held
        session.run_in_session(lambda call: held_by_far_end(call, held))

    def relay(self, request: Message) -> bool:
        """Pass an offer within the call on to the other far end, when sound passes there; False to answer it here."""
        return relay(self, request)

    def end_early(self) -> None:
        """Answer the INVITE that begins the call when a BYE ends its early dialog; nothing to do for one of ours."""

    def receive_prack(self, request: Message) -> None:
        """Refuse a PRACK: nothing of ours waits for one."""
        self.profile.respond(request, 481, "Call/Transaction Does Not Exist")

    def refuse(self, code: int, reason: str, headers: tuple[tuple[str, str], ...]) -> None:
        """Answer a call that we were asked to take with a final refusal; nothing to do for one that we place."""

    def provisional(self, code: int, reason: str) -> None:
        """Send a provisional response; nothing to do for a call that we place."""

    def log(self, level: LogLevel, text: str) -> None:
        """Log a line of the call."""
        if self.session is not None:
            self.session.channel.log(level, text)
        else:
            self.profile.switch.log(level, text)

    def log_state(self, state: str, status: int, sdp: str | None = None) -> None:
        """Log how far the call is, by the names of sofia-sip's states, and the far end's description."""
        session = self.session
        if session is None:
            return
        name = session.channel.name
        session.channel.log(LogLevel.DEBUG, f"Channel {name} entering state [{state}][{status}]")
        if sdp:
            session.channel.log(LogLevel.DEBUG, f"Remote SDP:\n{sdp}")

    # -- the session's thread: ChannelIO -------------------------------------------------------------------------

    def answer(self, session: Session) -> None:
        """Nothing to do for a leg that we called."""

    def pre_answer(self, session: Session) -> None:
        """Nothing to do for a leg that we called."""

    def ring_ready(self, session: Session) -> None:
        """Nothing to do for a leg that we called."""

    def send_dtmf(self, session: Session, digit: str, duration: int, processed: bool = True) -> None:
        """Send a digit as `dtmf_type` says: an RFC 4733 event, an INFO, or not at all."""
        kind = (session.channel.get_variable("dtmf_type") or self.profile.settings.dtmf_type).lower()
        if kind == "info" or (kind != "none" and Flag.PROXY_MODE in session.channel.flags):
            ms = duration // 8
            body = Body("application/dtmf-relay", f"Signal={digit}\r\nDuration={ms}\r\n")
            self.stack.call(lambda: self.send("INFO", body=body))
        elif kind != "none":
            session.line.send_digit(digit, duration)

    def hangup(self, session: Session) -> None:
        """End the call towards the far end; how depends on how far it got."""
        channel = session.channel
        cause = channel.hangup_cause
        if self.media is not None:
            self.media.close_relay()
            self.media.report(channel.variables)
        if not channel.answered:
            self.count_failure()
        channel.log(LogLevel.DEBUG, f"Channel {channel.name} hanging up, cause: {cause.name}")
        elsewhere = Flag.INTERCEPT in channel.flags or cause in _ELSEWHERE
        if elsewhere:
            channel.variables.set("call_completed_elsewhere", "true")
            elsewhere = not channel.is_true("ignore_completed_elsewhere")
        variables = dict(channel.variables.items())
        headers: list[tuple[str, str]] = []
        if not is_true(variables.get("disable_q850_reason")):
            reason = variables.get("sip_reason")
            headers.append(("Reason", reason or reason_value(cause, elsewhere=elsewhere)))
        headers += extra_headers(variables, "sip_bye_h_")
        if not self.ended:
            self.note_hangup(session, headers)
        self.stack.call(lambda: self._end(lambda: self.end_call(cause, tuple(headers))))

    def count_failure(self) -> None:
        """Count a call that ended without an answer."""

    def note_hangup(self, session: Session, headers: list[tuple[str, str]]) -> None:
        """Leave in the variables how we end the call; headers may be added to what goes out."""
        channel = session.channel
        channel.log(LogLevel.DEBUG, f"Sending BYE to {channel.name}")
        channel.variables.set("sip_hangup_disposition", "send_bye")

    def end_call(self, cause: HangupCause, headers: tuple[tuple[str, str], ...]) -> None:
        """Send BYE, in the SIP thread."""
        if not self.ended:
            self.send("BYE", headers=headers)
            self.finish()

    def message(self, session: Session, kind: str, argument: str) -> bool:
        """Take a message of the switch; see `endpoint_message`."""
        return take_message(self, session, kind, argument)
