"""A gateway's subscription at its provider (`<subscription event="message-summary">`): begun, renewed, ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from host.log import LogLevel
from host.modules.mod_sofia.call.dialog import new_call_id, new_tag
from host.modules.mod_sofia.message import Message, OutgoingRequest, header_of, status_of, tag_of, to_of

if TYPE_CHECKING:
    from host.modules.mod_sofia.gateway.gateway import Gateway, Timer
    from host.modules.mod_sofia.gateway.gateway_settings import GatewaySubscription

_EARLY: Final = 2  # FreeSWITCH: seconds before the end that a subscription is renewed
_SECONDS: Final = re.compile(r"\s*([0-9]{1,10})")


class ProviderSubscription:
    """One subscription, in the SIP thread; its NOTIFY requests go the way of all that come in.

    FreeSWITCH: it is tried again `retry-seconds` after a refusal, as long as the gateway is there.
    """

    def __init__(self, gateway: Gateway, settings: GatewaySubscription) -> None:
        self.gateway = gateway
        self.settings = settings
        self.active = False
        self._timer: Timer | None = None
        self._running = False
        self._begin_dialog()

    def start(self) -> None:
        """Subscribe, and keep it so."""
        self._running = True
        name = self.gateway.name
        text = f"subscribing to [{self.settings.event}] on gateway [{name}]"
        self.gateway.profile.switch.log(LogLevel.DEBUG, text)
        self._send(self.settings.expire_seconds)

    def stop(self) -> None:
        """End it without waiting for an answer."""
        self._running = False
        self._cancel()
        if self.active:
            self.active = False
            text = f"UN-Subbing {self.gateway.name} {self.settings.event}"
            self.gateway.profile.switch.log(LogLevel.NOTICE, text)
            self._send(0)

    def _begin_dialog(self) -> None:
        self._call_id, self._from_tag, self._to_tag, self._cseq = new_call_id(), new_tag(), "", 0

    def _send(self, expires: int) -> None:
        gateway, settings = self.gateway.settings, self.settings
        self._cseq += 2  # the answer to a challenge takes the number between
        headers = [("Event", settings.event), ("Expires", str(expires))]
        headers += [("Accept", settings.content_type)] if settings.content_type else []
        self.gateway.profile.send_request(
            OutgoingRequest(
                "SUBSCRIBE",
                gateway.register_to if settings.username_in_request else gateway.register_url,
                gateway.register_from,
                gateway.register_from,
                self._answered if expires else None,
                call_id=self._call_id,
                from_tag=self._from_tag,
                to_tag=self._to_tag,
                cseq=self._cseq,
                headers=headers,
                contact=self.gateway.contact,
                routes=self.gateway.routes,
                credentials=self.gateway.credentials,
            )
        )

    def _answered(self, response: Message) -> None:
        status, phrase = status_of(response)
        if not self._running or status < 200:
            return
        if status < 300:
            self.active = True
            self._to_tag = tag_of(to_of(response))
            granted = _SECONDS.match(header_of(response, "expires") or "")
            seconds = int(granted[1]) if granted is not None else self.settings.expire_seconds
            self._again(max(min(seconds, self.settings.expire_seconds) - _EARLY, 1))
            return
        self.active = False
        self._begin_dialog()  # RFC 6665 section 4.1.2.1: what is refused has no dialog any more
        text = f"{self.gateway.name} Failed Subscription to {self.settings.event} [{status} {phrase}]"
        self.gateway.profile.switch.log(LogLevel.WARNING, text)
        self._again(self.settings.retry_seconds)

    def _again(self, seconds: int) -> None:
        self._cancel()
        self._timer = self.gateway.stack.call_later(seconds, self._renew)

    def _renew(self) -> None:
        self._timer = None
        if self._running:
            self._send(self.settings.expire_seconds)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
