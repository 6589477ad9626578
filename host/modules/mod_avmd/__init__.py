"""mod_avmd: hear the beep of an answering machine: `avmd_start`, `avmd_stop`, `avmd`, events avmd::beep, …"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.application_table import ApplicationTable
from host.arguments import separate
from host.log import LogLevel
from host.modules.mod_avmd.detection import BeepDetection, CannotListen, described, running
from host.modules.mod_avmd.settings import AvmdSettingError, AvmdSettings, read_settings, with_entries

if TYPE_CHECKING:
    from host.event import Event
    from host.event_bus import Subscription
    from host.interfaces import ApiRequest
    from host.session import Session
    from host.switch import Switch

NAME: Final = "mod_avmd"

SYNTAX: Final = (
    "<uuid> < start | stop | set [inbound|outbound|default] | load [inbound|outbound] | reload | show >"
)
_USAGE: Final = f"-USAGE: {SYNTAX}\n\n"

# FreeSWITCH's words in `avmd show`, in its order.
_SHOWN: Final = {
    "debug": "debug\t\t\t\t\t\t  ",
    "report_status": "report status\t\t\t\t  ",
    "fast_math": "fast_math\t\t\t\t\t  ",
    "require_continuous_streak": "require continuous streak\t  ",
    "sample_n_continuous_streak": "sample n continuous streak\t ",
    "sample_n_to_skip": "sample n to skip\t\t\t   ",
    "require_continuous_streak_amp": "require continuous streak amp  ",
    "sample_n_continuous_streak_amp": "sample n continuous streak amp ",
    "simplified_estimation": "simplified estimation\t\t  ",
    "inbound_channel": "inbound channel\t\t\t\t",
    "outbound_channel": "outbound channel\t\t\t   ",
    "detection_mode": "detection mode\t\t\t\t ",
    "sessions": "sessions\t\t\t\t\t   ",
    "detectors_n": "detectors n\t\t\t\t\t",
    "detectors_lagged_n": "detectors lagged n\t\t\t ",
}

# By the switch's core UUID: `unload` gets no more than the switch.
_subscriptions: Final[dict[str, Subscription]] = {}


class Avmd:
    """The module's settings, and what listens by them."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.settings = AvmdSettings()
        self.reload()

    def reload(self, event: Event | None = None) -> None:
        """Read avmd.conf (again)."""
        self.settings = read_settings(self._switch.xml, lambda text: self._switch.log(LogLevel.ERR, text))

    def aim(self, direction: str) -> None:
        """Listen on `inbound` or on `outbound` channels only."""
        inbound = direction == "inbound"
        self.settings = replace(
            self.settings, inbound_channel=int(inbound), outbound_channel=int(not inbound)
        )

    def say(self, text: str) -> None:
        """Log what was done, where that is wanted."""
        if self.settings.report_status:
            self._switch.log(LogLevel.INFO, text)

    def show(self) -> str:
        """Return the settings and how many calls listen, as FreeSWITCH shows them."""
        sessions = sum(running(session) is not None for session in list(self._switch.sessions.values()))
        values = asdict(self.settings) | {"sessions": sessions}
        lines = [f"{words}\t{int(values[name])}\n" for name, words in _SHOWN.items()]
        return f"\n\n{'=' * 97}\n\nAvmd global settings\n\n\n{''.join(lines)}\n\n"


def load(switch: Switch) -> None:
    """Bring the applications and the command."""
    avmd = Avmd(switch)
    applications, commands = ApplicationTable(NAME), ApiTable(NAME)

    @applications.application("avmd_start", "", "Start avmd detection", media=True)
    def avmd_start(session: Session, data: str) -> None:
        """Listen for a beep beside the call, by the settings and those in `data`: `name=value,name=value`."""
        start(avmd, session, data)

    @applications.application("avmd_stop", "", "Stop avmd detection", media=True)
    def avmd_stop(session: Session, data: str) -> None:
        """Listen no more and tell with avmd::stop whether there was a beep."""
        detection = running(session)
        if detection is None:
            session.channel.log(
                LogLevel.ERR,
                f"Stop failed - no avmd session running on this channel [{session.channel.name}]!",
            )
            return
        total = detection.stop()
        if detection.settings.report_status:
            session.channel.log(
                LogLevel.INFO,
                f"Avmd on channel [{session.channel.name}] stopped, beep status: [{detection.status}], "
                f"total running time [{total}] [us]",
            )

    @applications.application("avmd", SYNTAX, "Beep detection", media=True)
    def avmd_application(session: Session, data: str) -> None:
        """Start as `avmd_start` does without settings of its own, or `stop`: the application's former interface."""
        channel = session.channel
        channel.log(
            LogLevel.WARNING,
            "YOU ARE USING DEPRECATED APP INTERFACE. Please read documentation about new syntax",
        )
        detection = running(session)
        if detection is None:
            start(avmd, session, "")
        elif data.lower() == "stop":
            detection.stop()
        else:
            channel.log(LogLevel.WARNING, "Cannot run 2 at once on the same channel!")

    @commands.command("avmd", SYNTAX, "Voicemail beep detection")
    def avmd_command(request: ApiRequest) -> str:
        """Start or stop listening on a channel, or show and change the settings."""
        return command(avmd, request)

    applications.register(switch)
    commands.register(switch)
    _subscriptions[switch.core_uuid] = switch.bus.subscribe(avmd.reload, ["RELOADXML"])


def unload(switch: Switch) -> None:
    """Listen no more, on no call."""
    subscription = _subscriptions.pop(switch.core_uuid, None)
    if subscription is not None:
        switch.bus.unsubscribe(subscription)
    for session in list(switch.sessions.values()):
        detection = running(session)
        if detection is not None:
            detection.stop()


def start(avmd: Avmd, session: Session, entries: str) -> None:
    """Begin to listen on a call; what keeps it from that is logged."""
    channel = session.channel
    if running(session) is not None:
        channel.log(LogLevel.ERR, "Avmd already started!")
        return
    try:
        settings = with_entries(avmd.settings, entries)
        if settings.report_status:
            channel.log(LogLevel.INFO, f"Avmd dynamic configuration: {described(settings)}")
        detection = BeepDetection(session, settings)
    except AvmdSettingError as error:
        for line in error.lines:
            channel.log(LogLevel.ERR, line)
        channel.log(
            LogLevel.ERR,
            "Failed to set dynamic parameters for avmd session. "
            "Parsing error, please check the parameters passed to this APP.",
        )
    except CannotListen:
        channel.log(LogLevel.ERR, f"Can't set direction for channel [{channel.name}]")
    else:
        if settings.report_status:
            channel.log(
                LogLevel.INFO, f"Avmd on channel [{channel.name}] started! direction={detection.direction}"
            )
        return
    if avmd.settings.report_status:
        channel.log(LogLevel.ERR, f"Avmd on channel [{channel.name}] NOT started")


def command(avmd: Avmd, request: ApiRequest) -> str:
    """Answer the API command `avmd`."""
    words = separate(request.argument, " ", 3)
    if not words:
        return f"-ERR, bad command!\n{_USAGE}"
    first, *more = words
    match first.lower():
        case "reload":
            avmd.reload()
            avmd.say("XML reloaded")
            return _report(avmd, "+OK\n XML reloaded\n\n")
        case "load" | "set" as action if len(more) != 1:
            return f"-ERR, {action} command takes 1 parameter!\n{_USAGE}"
        case "load" | "set" as action:
            return _aim(avmd, action, more[0].lower())
        case "show":
            return avmd.show() + _report(avmd, "+OK\n show\n\n")
    return _on_channel(avmd, request, first, more[0] if more else "")


def _aim(avmd: Avmd, action: str, what: str) -> str:
    """Set or load (after reading avmd.conf again) a direction, or set FreeSWITCH's own settings."""
    if what in ("inbound", "outbound"):
        if action == "load":
            avmd.reload()
        avmd.aim(what)
        avmd.say(f"{what.capitalize()} XML configuration loaded")
        return _report(avmd, f"+OK\n {what} XML configuration loaded\n\n")
    if action == "set" and what == "default":
        avmd.settings = AvmdSettings()
        avmd.say("Reset to factory settings")
        return _report(avmd, "+OK\n reset to factory settings\n\n")
    return f"-ERR, {action} command: bad syntax!\n{_USAGE}"


def _report(avmd: Avmd, reply: str) -> str:
    return reply if avmd.settings.report_status else ""


def _on_channel(avmd: Avmd, request: ApiRequest, uuid: str, action: str) -> str:
    session = request.switch.find_session(uuid)
    if session is None:
        return f"-ERR, no FreeSWITCH session for uuid [{uuid}]!\n{_USAGE}"
    name, action = session.channel.name, action.lower()
    detection = running(session)
    if detection is not None:
        if action != "stop":
            return _report(avmd, f"-ERR, avmd for FreeSWITCH session [{uuid}]\n already started\n\n")
        detection.stop()
        return _report(avmd, f"+OK\n [{uuid}] [{name}] stopped\n\n")
    if action == "stop":
        return f"+ERR, avmd has not yet been started on\n [{uuid}] [{name}]\n\n"
    if session.channel.outbound and avmd.settings.outbound_channel and not session.channel.media_ready:
        return (
            f"-ERR, channel [{name}] for FreeSWITCH session [{uuid}]\n"
            f" has no read codec assigned yet. Please try again.\n\n+ERR\n [{uuid}] [{name}] NOT started!\n\n"
        )
    if action != "start":
        return f"-ERR, did you mean\n api avmd {uuid} start ?\n{_USAGE}"
    try:
        BeepDetection(session, avmd.settings)
    except CannotListen:
        return (
            f"-ERR, can't set direction for channel [{name}]\n for FreeSWITCH session [{uuid}]."
            f" Please check avmd configuration\n\n+ERR\n [{uuid}] [{name}] NOT started!\n\n"
        )
    return _report(avmd, f"+OK\n [{uuid}] [{name}] started!\n\n")
