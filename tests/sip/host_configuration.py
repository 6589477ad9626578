"""The configuration folder of a host that SIP peers call: profiles, accounts, extensions, gateways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

from tests.sip.free_ports import free_port, free_ports

DOMAIN = "moonline.test"
PASSWORDS = {"1000": "secret-of-1000", "1001": "secret-of-1001", "1002": "secret-of-1002"}
MODULES = (
    "mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_expr", "mod_hash", "mod_db", "mod_loopback",
    "mod_sndfile", "mod_tone_stream", "mod_event_socket", "mod_voicemail", "mod_lua", "mod_sofia",
)  # fmt: skip
RTP_PORTS = 400

Action = tuple[str, str]


@dataclass(slots=True)
class Extension:
    """A number of the context `sip` and the applications that a call to it runs.

    With `of_a_row` the call's variable `row` becomes the number, by which its events are found.
    """

    number: str
    actions: Sequence[Action]
    of_a_row: bool = True


@dataclass(slots=True)
class Gateway:
    """A trunk by name with its parameters."""

    name: str
    params: Mapping[str, str]


@dataclass(slots=True)
class HostPorts:
    """What a host listens on. Profiles: `open` takes every call, `internal` asks for the account's password,
    `timed` wants session timers and reliable provisional responses.
    """

    event_socket: int = field(default_factory=free_port)
    open: int = field(default_factory=free_port)
    open_tls: int = field(default_factory=free_port)
    internal: int = field(default_factory=free_port)
    internal_tls: int = field(default_factory=free_port)
    timed: int = field(default_factory=free_port)
    rtp: int = field(default_factory=lambda: free_ports(RTP_PORTS))
    rtp_count: int = RTP_PORTS


_COMMON = {
    "user-agent-string": "Moonline",
    "sip-ip": "127.0.0.1",
    "rtp-ip": "127.0.0.1",
    "dialplan": "XML",
    "context": "sip",
    "codec-prefs": "PCMU,PCMA",
    "inbound-codec-prefs": "PCMU,PCMA",
    "outbound-codec-prefs": "PCMU,PCMA",
    "inbound-codec-negotiation": "generous",
    "dtmf-duration": "2000",
    "rfc2833-pt": "101",
    "accept-blind-reg": "false",
    "accept-blind-auth": "false",
    "nonce-ttl": "60",
    "manage-presence": "true",
    "challenge-realm": DOMAIN,
    "force-register-domain": DOMAIN,
    "force-register-db-domain": DOMAIN,
    "force-subscription-domain": DOMAIN,
}


def write_configuration(
    folder: Path,
    ports: HostPorts,
    *,
    extensions: Sequence[Extension] = (),
    gateways: Sequence[Gateway] = (),
    profiles: Mapping[str, Mapping[str, str]] | None = None,
    modules: Sequence[str] = MODULES,
    tls_folder: Path | None = None,
    sections: str = "",
) -> Path:
    """Write `freeswitch.xml` below `folder` and return the folder of the configuration.

    `profiles` changes parameters of the profiles `open`, `internal` and `timed`. The gateways are those of `open`.
    `tls_folder` holds `agent.pem` and `cafile.pem`. `sections` goes into the section of configurations as it is.
    """
    changes = profiles or {}
    tls = _tls_params(tls_folder)
    texts = [
        _profile("open", {"sip-port": str(ports.open), "auth-calls": "false", "enable-3pcc": "true",
                          "auth-messages": "false", "auth-subscriptions": "false", "liberal-dtmf": "true",
                          **_tls(tls, ports.open_tls), **changes.get("open", {})}, gateways),
        _profile("internal", {"sip-port": str(ports.internal), "auth-calls": "true",
                              **_tls(tls, ports.internal_tls), **changes.get("internal", {})}),
        _profile("timed", {"sip-port": str(ports.timed), "auth-calls": "false", "enable-timer": "true",
                           "enable-100rel": "true", "enable-3pcc": "true", "minimum-session-expires": "90",
                           "session-timeout": "120", **changes.get("timed", {})}),
    ]  # fmt: skip
    conf = folder / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    (conf / "freeswitch.xml").write_text(f"""<document type="freeswitch/xml">
<section name="configuration">
<configuration name="modules.conf"><modules>
{_lines(f"<load module={quoteattr(name)}/>" for name in modules)}
</modules></configuration>
<configuration name="switch.conf"><settings>
<param name="rtp-start-port" value="{ports.rtp}"/><param name="rtp-end-port" value="{ports.rtp + ports.rtp_count - 1}"/>
<param name="max-sessions" value="3000"/><param name="sessions-per-second" value="1000"/>
</settings></configuration>
<configuration name="event_socket.conf"><settings><param name="listen-ip" value="127.0.0.1"/>
<param name="listen-port" value="{ports.event_socket}"/><param name="password" value="ClueCon"/>
</settings></configuration>
<configuration name="acl.conf"><network-lists>
<list name="nobody" default="deny"/>
<list name="neighbours" default="deny"><node type="allow" cidr="127.0.0.0/8"/></list>
</network-lists></configuration>
<configuration name="lua.conf"><settings/></configuration>
<configuration name="voicemail.conf"><settings/><profiles><profile name="default"/></profiles></configuration>
<configuration name="sofia.conf"><global_settings><param name="log-level" value="0"/></global_settings><profiles>
{_lines(texts)}
</profiles></configuration>
{sections}
</section>
<section name="dialplan"><context name="sip">
{_lines(map(_extension, extensions))}
</context></section>
<section name="chatplan"><context name="public"><extension name="any"><condition field="to" expression="^(.+)$">
<action application="stop" data="stored"/></condition></extension></context></section>
<section name="directory"><domain name="{DOMAIN}"><params>
<param name="dial-string" value="{{presence_id=${{dialed_user}}@${{dialed_domain}}}}\
${{sofia_contact(*/${{dialed_user}}@${{dialed_domain}})}}"/>
</params><groups><group name="default"><users>
{_lines(_user(name, password) for name, password in PASSWORDS.items())}
</users></group></groups></domain></section>
</document>
""")
    return conf


def _lines(texts: object) -> str:
    return "\n".join(texts)  # type: ignore[arg-type]


def _params(params: Mapping[str, str]) -> str:
    return _lines(
        f"<param name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in params.items()
    )


def _profile(name: str, params: Mapping[str, str], gateways: Sequence[Gateway] = ()) -> str:
    trunks = _lines(
        f"<gateway name={quoteattr(one.name)}>{_params(one.params)}</gateway>" for one in gateways
    )
    settings = _params({**_COMMON, **params})
    return f'<profile name="{name}"><gateways>{trunks}</gateways><domains/><settings>{settings}</settings></profile>'


def _tls_params(folder: Path | None) -> dict[str, str]:
    if folder is None:
        return {}
    return {"tls": "true", "tls-cert-dir": str(folder), "tls-version": "tlsv1.2", "tls-verify-policy": "none"}


def _tls(params: Mapping[str, str], port: int) -> dict[str, str]:
    return {**params, "tls-sip-port": str(port)} if params else {}


def _extension(extension: Extension) -> str:
    named = [("set", f"row={extension.number}")] if extension.of_a_row else []
    actions = _lines(
        f"<action application={quoteattr(application)} data={quoteattr(data)}/>"
        for application, data in [*named, *extension.actions]
    )
    pattern = quoteattr(f"^{extension.number}$")
    return (
        f"<extension name={quoteattr(extension.number)}>"
        f'<condition field="destination_number" expression={pattern}>{actions}</condition></extension>'
    )


def _user(name: str, password: str) -> str:
    return (
        f'<user id="{name}"><params><param name="password" value="{password}"/>'
        f'<param name="vm-password" value="{name}"/></params>'
        f'<variables><variable name="user_context" value="sip"/><variable name="accountcode" value="{name}"/>'
        f'<variable name="effective_caller_id_number" value="{name}"/></variables></user>'
    )
