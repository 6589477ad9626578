"""A call that we place: from the INVITE to the answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from host import version
from host.hangup_cause import HangupCause
from host.ivr.uuid_bridge import partner_of
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_sofia.call import session_timer
from host.modules.mod_sofia.call.bypass import leg_of
from host.modules.mod_sofia.call.call_variables import passed_headers
from host.modules.mod_sofia.call.callee_facts import follow_source, learn
from host.modules.mod_sofia.call.destination import Destination
from host.modules.mod_sofia.call.dialog import Dialog
from host.modules.mod_sofia.call.leg import SofiaLeg
from host.modules.mod_sofia.call.partner import copy_to_partner, tell_partner
from host.modules.mod_sofia.call.redirection import Redirection, redirect
from host.modules.mod_sofia.call.reinvite import SDP, option_tag
from host.modules.mod_sofia.call.server_leg import OTHER_SDP, ServerLeg
from host.modules.mod_sofia.message import (
    Body,
    Message,
    OutgoingRequest,
    Source,
    cseq_of,
    header_of,
    sdp_of,
    status_of,
    tag_of,
    to_of,
)
from host.modules.mod_sofia.sip_cause import reason_cause, status_cause
from host.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from host.modules.mod_sofia.gateway.gateway import Gateway
    from host.modules.mod_sofia.profile.profile import Profile

# FreeSWITCH (sofia-sip): how often a call may be sent elsewhere by 3xx before it is given up.
MOST_REDIRECTIONS: Final = 5

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Invitation:
    """What goes into the INVITE but for its media: where to, from whom, and the headers."""

    destination: Destination
    from_address: str
    to_address: str
    headers: tuple[Header, ...]
    contact: str = ""
    call_id: str = ""
    cseq: int = 0
    next_hop: Source | None = None
    contacts: tuple[str, ...] = field(default=())


class ClientLeg(SofiaLeg):
    """The leg of an INVITE of ours."""

    def __init__(
        self, profile: Profile, dialog: Dialog, invitation: Invitation, gateway: Gateway | None = None
    ) -> None:
        super().__init__(profile, dialog)
        self.invitation = invitation
        self.gateway = gateway
        self.owns_call_id = True
        self.offer = ""
        self._request: OutgoingRequest | None = None
        self._transaction: Any = None
        self._pending = False  # an INVITE has no final answer yet
        self._cancelling = False
        self._challenged = False
        self._interval = 0
        self._interval_raised = False
        self._redirections = 0
        self._early_sdp = ""
        self._last_rseq: dict[str, int] = {}  # by To tag: each fork counts for itself
        self._cancel_headers: tuple[Header, ...] = ()

    def begin(self, session: Session) -> None:
        """Send the INVITE; called in the session's thread when the channel begins."""
        assert self.media is not None
        theirs = session.channel.variables.get(OTHER_SDP)
        if self.media.bypassed and theirs:
            self.offer = self.media.describe_other(theirs)
        else:
            if not self.media.open():
                session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
            self.offer = self.media.offer()
        self._interval = self.session_timeout() if self.profile.settings.enable_timer else 0
        self.stack.call(self._invite)

    def count_failure(self) -> None:
        """Count a call that ended without an answer."""
        self.profile.counters.failed_calls_out += 1
        if self.gateway is not None:
            self.gateway.counters.failed_calls_out += 1

    def note_hangup(self, session: Session, headers: list[Header]) -> None:
        """Leave in the variables how we end the call."""
        channel = session.channel
        if channel.answered:
            super().note_hangup(session, headers)
            return
        channel.log(LogLevel.DEBUG, f"Sending CANCEL to {channel.name}")
        for name, value in (
            ("sip_hangup_disposition", "send_cancel"),
            ("sip_invite_failure_status", "487"),
            ("sip_invite_failure_phrase", "CANCEL"),
        ):
            channel.variables.set(name, value)

    def credentials(self) -> tuple[str, str] | None:
        """Return the variables' credentials, else those of the gateway."""
        own = super().credentials()
        if own is not None or self.gateway is None:
            return own
        settings = self.gateway.settings
        user = settings.auth_username or settings.username
        return (user, settings.password) if user else None

    @property
    def offer_unanswered(self) -> bool:
        """Whether the offer of our INVITE has no answer yet."""
        return not self.confirmed and not self._early_sdp

    def end_call(self, cause: HangupCause, headers: tuple[Header, ...]) -> None:
        """Cancel what is not answered, else send BYE."""
        if self.ended:
            return
        if self.confirmed:
            super().end_call(cause, headers)
            return
        self._cancelling = True
        self._cancel_headers = headers
        if self._pending and self._transaction is not None:
            self.profile.transactions.cancel(self._transaction, headers)
        elif not self._pending:
            self.finish()

    def finish_unsent(self) -> None:
        """Forget the dialog of a call that could not even be begun."""
        self.stack.call(self.finish)

    # -- the SIP thread ------------------------------------------------------------------------------------------

    def _invite(self) -> None:
        if self.ended or self._cancelling:
            self.finish()
            return
        invitation = self.invitation
        self.register()
        self.dialog.local_cseq += 1
        if invitation.cseq and self.dialog.local_cseq == 1:
            self.dialog.local_cseq = invitation.cseq
        least = max(self.profile.settings.minimum_session_expires, self.least_interval)
        supported = ["timer", "path", "replaces"]
        if self.profile.settings.enable_100rel:
            supported.append("100rel")
        headers = (
            *invitation.headers,
            ("Supported", ", ".join(supported)),
            *session_timer.request_headers(self._interval, least, refresher=""),
        )
        self._request = OutgoingRequest(
            "INVITE",
            invitation.destination.uri,
            from_uri=invitation.from_address,
            to_uri=invitation.to_address,
            call_id=self.dialog.call_id,
            from_tag=self.dialog.local_tag,
            cseq=self.dialog.local_cseq,
            headers=headers,
            routes=invitation.destination.routes,
        )
        self._send()

    def _send(self) -> None:
        assert self._request is not None
        self._pending = True
        session = self.session
        if session is not None:
            channel = session.channel
            channel.log(LogLevel.INFO, f"{channel.name} sending invite call-id: {self.dialog.call_id}")
            channel.log(
                LogLevel.DEBUG,
                f"{channel.name} sending invite version: {version.full()}\nLocal SDP:\n{self.offer}",
            )
            self.log_state("calling", 0)

        def started(transaction: Any) -> None:
            self._transaction = transaction
            if self._cancelling:
                self.profile.transactions.cancel(transaction, self._cancel_headers)

        self.profile.transact(
            self._request,
            on_response=self._answered,
            contact=self.contact,
            body=Body(SDP, self.offer),
            next_hop=self.invitation.next_hop,
            started=started,
        )

    def _answered(self, response: Message) -> None:
        """Take a response to the INVITE."""
        code, phrase = status_of(response)
        if code < 200:
            if code > 100:
                self.log_state("proceeding", code, sdp_of(response))
            self._provisional(response, code)
            return
        self._pending = False
        if code < 300:
            self.log_state("ready", code, sdp_of(response))
        elif code not in (401, 407, 422):
            self.log_state("terminated", code)
        if 200 <= code < 300:
            self._accepted(response)
        elif self._cancelling:
            self.finish()
        elif (
            (code in (401, 407) and self._authorize(response))
            or (code == 422 and self._raise_interval(response))
            or (300 <= code < 400 and self._redirect(response))
        ):
            return
        else:
            self._refused(response, code, phrase)

    def _provisional(self, response: Message, code: int) -> None:
        session = self.session
        if code == 100 or session is None or self._cancelling:
            return
        follow_source(self, response)
        learn(self, session, response, "sip_ph_")
        copy_to_partner(session, "sip_ph_")
        if option_tag(response, "100rel", "require") and not self._acknowledge(response):
            return
        sdp = sdp_of(response)
        if sdp is not None and self.media is not None and sdp != self._early_sdp:
            if not self.media.accept(sdp):
                self.log(LogLevel.WARNING, f"The early media of a {code} fits no offer of ours")
                return
            self._early_sdp = sdp
        if sdp is not None:
            self._pass_on(session, sdp, final=False)
            self.tell(session.mark_pre_answered)
            self._follow(session, Session.pre_answer)
        elif code in (180, 181, 182) or (code == 183 and not self.profile.settings.ignore_183nosdp):
            self.tell(session.mark_ring_ready)

    def _acknowledge(self, response: Message) -> bool:
        """Send PRACK; False for what was repeated, or comes before its turn (RFC 3262 section 4)."""
        rseq = leading_int(header_of(response, "rseq") or "")
        tag = tag_of(to_of(response))
        last = self._last_rseq.get(tag)
        if rseq <= 0 or (last is not None and rseq != last + 1):
            return False
        self._last_rseq[tag] = rseq
        number = cseq_of(response)[0]
        self.send("PRACK", headers=(("RAck", f"{rseq} {number} INVITE"),))
        return True

    def _accepted(self, response: Message) -> None:
        """Take a 2xx and acknowledge it."""
        session = self.session
        follow_source(self, response)
        self.profile.transactions.sendACK(response.transaction, self.next_hop())
        if session is None or self.ended:
            return
        self.confirmed = True
        learn(self, session, response, "sip_rh_")
        copy_to_partner(session, "sip_rh_")
        if self._cancelling or session.channel.down:
            self.stack.call(lambda: super(ClientLeg, self).end_call(session.channel.hangup_cause, ()))
            return
        sdp = sdp_of(response)
        media = self.media
        fits = media is not None
        if media is not None and sdp is not None and sdp != self._early_sdp:
            fits = media.accept(sdp)
        elif sdp is None and not self._early_sdp:
            fits = False
        if not fits:
            self.lose(HangupCause.INCOMPATIBLE_DESTINATION, 488)
            return
        self.timer.begin(
            session_timer.accept_response(header_of(response, "session-expires"), self._interval)
        )
        session.channel.variables.set("sip_term_status", None)
        self.note_hold()
        self._pass_on(session, sdp or self._early_sdp, final=True)
        self.tell(session.mark_answered)
        self._follow(session, Session.answer)

    def _pass_on(self, session: Session, description: str, *, final: bool) -> None:
        """Give the caller, whose sound goes to this far end, what this one has described."""
        caller = leg_of(partner_of(session))
        if self.media is not None and self.media.bypassed and isinstance(caller, ServerLeg):
            caller.note_other(description, self.media, final=final)

    def _follow(self, session: Session, follow: Callable[[Session], object]) -> None:
        """Have a caller who hears early media of this far end already get its answer, too."""
        caller = partner_of(session)
        if (
            self.media is not None
            and self.media.bypassed
            and caller is not None
            and caller.channel.variables.get("signal_bridge_to") == session.uuid
        ):
            caller.run_in_session(follow)

    def _authorize(self, response: Message) -> bool:
        """Send the INVITE again with an answer to a challenge; False without credentials, or the second time."""
        credentials = self.credentials()
        if credentials is None or self._challenged or self._request is None:
            return False
        again = self.profile.authorized(self._request, response, Body(SDP, self.offer), credentials)
        if again is None:
            return False
        self._challenged = True
        self._request = again
        self.dialog.local_cseq = again.cseq
        self.invitation = replace(self.invitation, headers=self.invitation.headers)
        self._send()
        return True

    def _raise_interval(self, response: Message) -> bool:
        least = leading_int(header_of(response, "min-se") or "")
        if self._interval_raised or least <= self._interval:
            return False
        self._interval_raised, self._interval = True, least
        self.least_interval = least
        self._challenged = False
        self._invite()
        return True

    def _redirect(self, response: Message) -> bool:
        """Follow a 3xx, or do what else it comes to (see `redirection`); False for one that is a refusal."""
        session = self.session
        if session is None or self._redirections >= MOST_REDIRECTIONS:
            return False
        self._redirections += 1
        profile = self.profile

        def decide() -> None:
            decision = redirect(profile, session, response)
            self.stack.call(lambda: self._redirected(response, decision))

        return self.stack.work(decide)

    def _redirected(self, response: Message, decision: Redirection | None) -> None:
        if self.ended or self._cancelling:
            self.finish()
        elif decision is None:
            self._refused(response, *status_of(response))
        elif decision.cause is not None:
            self.finish()
            self.lose(decision.cause, disposition="recv_refuse")
        else:
            self.log(LogLevel.INFO, f"Redirected to {decision.uri}")
            self.dialog.remote_tag = ""
            target = Destination(decision.uri, self.invitation.destination.to_uri)
            self.invitation = replace(self.invitation, destination=target, next_hop=None)
            self._challenged = False
            try:
                self._invite()
            except ValueError as error:
                self.log(LogLevel.WARNING, f"Cannot follow to {decision.uri}: {error}")
                self._refused(response, *status_of(response))

    def _refused(self, response: Message, code: int, phrase: str) -> None:
        session = self.session
        self.finish()
        if session is None:
            return
        session.channel.variables.set("sip_call_id", self.dialog.call_id)
        failure = [("sip_invite_failure_status", str(code)), ("sip_invite_failure_phrase", phrase)]
        reason = header_of(response, "reason")
        cause = None
        if reason:
            failure.append(("sip_reason", reason))
            if not session.channel.is_true("ignore_q850_reason"):
                cause = reason_cause(reason, self.profile.settings.username)
        for name, value in (*failure, *passed_headers(response, "sip_rh_")):
            session.channel.variables.set(name, value)
        tell_partner(session, *failure)
        copy_to_partner(session, "sip_rh_")
        self.lose(cause or status_cause(code), code, "recv_refuse", phrase)

    def tell(self, mark: Callable[[], object]) -> None:
        """Let the session note what the far end did; in another thread where that runs commands of the user's."""
        session = self.session
        assert session is not None
        if any(name.lower().startswith("api_on_") for name, _ in session.channel.variables.items()):
            self.stack.work(mark)
        else:
            mark()
