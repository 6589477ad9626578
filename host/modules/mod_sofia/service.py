"""What makes a running mod_sofia of its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from host.interfaces import JsonApi
from host.modules.mod_sofia.call.endpoint import MODULE, SofiaEndpoint
from host.modules.mod_sofia.call.inbound import receive_invite
from host.modules.mod_sofia.call.invite_headers import ALLOW
from host.modules.mod_sofia.command import commands
from host.modules.mod_sofia.message import Message
from host.modules.mod_sofia.presence import notifier
from host.modules.mod_sofia.sofia import Sofia

if TYPE_CHECKING:
    from host.modules.mod_sofia.profile.profile import Profile
    from host.switch import Switch


def start(switch: Switch) -> Sofia:
    """Register what the module brings and start its profiles."""
    sofia = Sofia(switch)
    sofia.handlers.update(
        {
            "INVITE": receive_invite,
            "OPTIONS": receive_options,
            "REGISTER": lambda profile, request: profile.registrar.handle_register(profile, request),
        }
    )
    switch.endpoints.add(SofiaEndpoint(sofia))
    notifier.attach(sofia)
    commands.table(
        MODULE, sofia, lambda profile, user, host: notifier.presence_of_user(sofia, profile, user, host)
    ).register(switch)
    for name, run in commands.json_commands(sofia).items():
        switch.json_commands.add(JsonApi(name, MODULE, run))
    sofia.start()
    return sofia


def stop(sofia: Sofia) -> None:
    """End everything."""
    notifier.detach(sofia)
    sofia.stop()


def receive_options(profile: Profile, request: Message) -> None:
    """Say what we can do; 503 while there is no room for calls (`sip-options-respond-503-on-busy`)."""
    settings = profile.settings
    if settings.sip_options_respond_503_on_busy and profile.switch.refuses_session(outbound=False):
        profile.respond(request, 503, "Maximum Calls In Progress", headers=(("Retry-After", "300"),))
        return
    profile.respond(
        request,
        200,
        "OK",
        headers=(("Allow", ALLOW), ("Supported", "timer, path, replaces"), ("Accept", "application/sdp")),
    )
