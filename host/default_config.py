"""The configuration that serves when none is given: scripts by name, one domain, the event socket, English phrases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from xml.sax.saxutils import quoteattr

# What a call to a script needs.
DEFAULT_MODULES = (
    "mod_commands",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_expr",
    "mod_hash",
    "mod_db",
    "mod_loopback",
    "mod_conference",
    "mod_fifo",
    "mod_valet_parking",
    "mod_voicemail",
    "mod_sndfile",
    "mod_native_file",
    "mod_local_stream",
    "mod_http_cache",
    "mod_tone_stream",
    "mod_say_en",
    "mod_flite",
    "mod_event_socket",
    "mod_lua",
)
# What is loaded besides where the package that it needs is installed.
MODULES_OF_PACKAGES = {"pocketsphinx": ("mod_pocketsphinx",), "pycurl": ("mod_curl", "mod_httapi")}
EVENT_SOCKET_ADDRESS = "127.0.0.1"
EVENT_SOCKET_PORT = 8021
EVENT_SOCKET_PASSWORD = "ClueCon"
# Whom `httapi` asks that names nobody.
HTTAPI_URL = "http://localhost/"

# Global variables beside it, in ms: a call that has heard nothing for so long, or for so long on hold, has lost its
# far end. FreeSWITCH takes these in place of a profile's `rtp-timeout-sec`, which is deprecated.
MEDIA_TIMEOUTS = {"media_timeout": "300000", "media_hold_timeout": "1800000"}

# A script's name may hold folders. Neither `..` nor a leading dot or slash: the caller dials it, and must not
# leave the scripts' folder.
_SCRIPT_NAME = r"^lua-([\w-][\w.-]*(?:/[\w-][\w.-]*)*)$"

_KEY = "([0-9#*])"


def default_configuration(
    scripts_dir: str,
    *,
    modules: Sequence[str] | None = None,
    domain: str = "localhost",
    event_socket_port: int = EVENT_SOCKET_PORT,
    sip: tuple[str, int] | None = None,
    websocket: tuple[str, int] | None = None,
    page_port: int = 0,
) -> str:
    """Return the configuration as XML text; without `modules` it loads those of a call and of installed packages.

    With `sip` (address, port) a SIP profile listens there and takes every call, in the context `public`; with
    `websocket` browsers reach it there, from the page at `page_port` of the same machine alone where one is named.

    In the contexts `default` and `public` the destination `lua-NAME` runs `NAME.lua`, which the Lua module looks
    for in the switch's `script_dir`; `scripts_dir` is where `require` finds the scripts' own modules.
    """
    if modules is None:
        modules = list(DEFAULT_MODULES)
        for package, more in MODULES_OF_PACKAGES.items():
            modules += more if find_spec(package) is not None else ()
    modules = [*modules, "mod_sofia"] if sip is not None else modules
    return f"""<document type="freeswitch/xml">
  <section name="configuration">{_sip_profile(*sip, websocket, page_port) if sip is not None else ""}
    <configuration name="modules.conf">
      <modules>
{_lines(8, (f"<load module={quoteattr(name)}/>" for name in modules))}
      </modules>
    </configuration>
    <configuration name="event_socket.conf">
      <settings>
        <param name="nat-map" value="false"/>
        <param name="listen-ip" value="{EVENT_SOCKET_ADDRESS}"/>
        <param name="listen-port" value="{event_socket_port}"/>
        <param name="password" value="{EVENT_SOCKET_PASSWORD}"/>
      </settings>
    </configuration>
    <configuration name="conference.conf">
      <caller-controls>
        <group name="default">
{_lines(10, _CONTROLS)}
        </group>
      </caller-controls>
      <profiles>
        <profile name="default">
{_lines(10, (f"<param name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in _ROOM))}
        </profile>
      </profiles>
    </configuration>
    <configuration name="voicemail.conf">
      <settings/>
      <profiles>
        <profile name="default"/>
      </profiles>
    </configuration>
    <configuration name="httapi.conf">
      <profiles>
        <profile name="default">
          <params>
            <param name="gateway-url" value={quoteattr(HTTAPI_URL)}/>
          </params>
        </profile>
      </profiles>
    </configuration>
    <configuration name="lua.conf">
      <settings>
        <param name="script-directory" value={quoteattr(scripts_dir + "/?.lua")}/>
      </settings>
    </configuration>
  </section>
  <section name="dialplan">
{_context("default")}
{_context("public")}
  </section>
  <section name="chatplan">
    <context name="public"/>
  </section>
  <section name="directory">
    <domain name={quoteattr(domain)}>
      <params>
        <param name="dial-string" value="loopback/${{dialed_user}}/default"/>
      </params>
      <variables>
        <variable name="user_context" value="default"/>
      </variables>
      <groups>
        <group name="default">
          <users>
            <user id="1000">
              <params>
                <param name="vm-password" value="1000"/>
              </params>
            </user>
          </users>
        </group>
      </groups>
    </domain>
  </section>
  <section name="languages">
    <language name="en" say-module="en">
      <phrases>
        <macros>
{english_voicemail_macros()}
        </macros>
      </phrases>
    </language>
  </section>
</document>
"""


def _sip_profile(address: str, port: int, websocket: tuple[str, int] | None, page_port: int) -> str:
    where = quoteattr(address)
    binding = ""
    if websocket is not None:
        binding = f"""
            <param name="ws-binding" value={quoteattr(f"{websocket[0]}:{websocket[1]}")}/>"""
    if websocket is not None and page_port:
        binding += f"""
            <param name="ws-page-port" value="{page_port}"/>"""
    return f"""
    <configuration name="sofia.conf">
      <profiles>
        <profile name="internal">
          <settings>
            <param name="sip-ip" value={where}/>
            <param name="rtp-ip" value={where}/>
            <param name="sip-port" value="{port}"/>{binding}
            <param name="context" value="public"/>
            <param name="dialplan" value="XML"/>
            <param name="codec-prefs" value="opus,G722,PCMU,PCMA"/>
            <param name="inbound-late-negotiation" value="true"/>
            <param name="log-auth-failures" value="true"/>
          </settings>
        </profile>
      </profiles>
    </configuration>"""


def english_voicemail_macros() -> str:
    """Return the phrase macros of the English voicemail as XML, with FreeSWITCH's names, inputs and prompt files."""
    return "\n".join(_macro(name, *inputs) for name, inputs in _VOICEMAIL.items())


def _context(name: str) -> str:
    return f"""    <context name="{name}">
      <extension name="lua-NAME">
        <condition field="destination_number" expression={quoteattr(_SCRIPT_NAME)}>
          <action application="lua" data="$1.lua"/>
        </condition>
      </extension>
    </context>"""


def _macro(name: str, *inputs: tuple[str, str]) -> str:
    last = len(inputs) - 1
    body = [
        f"""            <input pattern={quoteattr(pattern)}{' break_on_match="true"' if number < last else ""}>
              <match>
{_lines(16, (_action(step) for step in steps.split()))}
              </match>
            </input>"""
        for number, (pattern, steps) in enumerate(inputs)
    ]
    return "\n".join([f'          <macro name="{name}">', *body, "          </macro>"])


def _action(step: str) -> str:
    """Return the action of a step: `say-TYPE:DATA`, `sleep:MS`, a tone, or a prompt of the voicemail or `ivr/`."""
    kind, colon, data = step.partition(":")
    if kind.startswith("say-"):
        return f'<action function="say" data="{data}" method="pronounced" type="{kind[4:]}"/>'
    if kind == "sleep" and colon:
        return f'<action function="execute" data="sleep({data})"/>'
    path = step if "/" in step else f"voicemail/vm-{step}"
    return f'<action function="play-file" data="{path}.wav"/>'


def _menu(*prompts: str, pause: bool = False) -> str:
    """Return the steps of "PROMPT press KEY" for each prompt, the keys being the groups of the input in order."""
    steps = [f"{prompt} press say-name_spelled:${key}" for key, prompt in enumerate(prompts, 1) if prompt]
    return (" sleep:100 " if pause else " ").join(steps)


def _keys(count: int) -> str:
    return "^" + ":".join([_KEY] * count) + "$"


def _lines(indent: int, lines: Iterable[str]) -> str:
    return "\n".join(" " * indent + line for line in lines)


# The keys and sounds that callers of FreeSWITCH's conferences know.
_CONTROLS = tuple(
    f'<control action="{action}" digits="{key}"/>'
    for key, action in (
        ("0", "mute"),
        ("*", "deaf mute"),
        ("9", "energy up"),
        ("8", "energy equ"),
        ("7", "energy dn"),
        ("3", "vol talk up"),
        ("2", "vol talk zero"),
        ("1", "vol talk dn"),
        ("6", "vol listen up"),
        ("5", "vol listen zero"),
        ("4", "vol listen dn"),
        ("#", "hangup"),
    )
)
_ROOM = (
    ("rate", "8000"),
    ("interval", "20"),
    ("energy-level", "100"),
    ("muted-sound", "conference/conf-muted.wav"),
    ("unmuted-sound", "conference/conf-unmuted.wav"),
    ("alone-sound", "conference/conf-alone.wav"),
    ("enter-sound", "tone_stream://%(200,0,500,600,700)"),
    ("exit-sound", "tone_stream://%(500,0,300,200,100,50,25)"),
    ("kicked-sound", "conference/conf-kicked.wav"),
    ("locked-sound", "conference/conf-locked.wav"),
    ("is-locked-sound", "conference/conf-is-locked.wav"),
    ("is-unlocked-sound", "conference/conf-is-unlocked.wav"),
    ("pin-sound", "conference/conf-pin.wav"),
    ("bad-pin-sound", "conference/conf-bad-pin.wav"),
)

_ANY = "^(.*)$"
# FreeSWITCH: mod_voicemail asks for these macros with this data; the words are steps, see `_action`.
_VOICEMAIL: dict[str, tuple[tuple[str, str], ...]] = {
    "voicemail_enter_id": ((_ANY, "enter_id say-name_spelled:$1"),),
    "voicemail_enter_pass": ((_ANY, "enter_pass say-name_spelled:$1"),),
    "voicemail_fail_auth": ((_ANY, "fail_auth"),),
    "voicemail_change_pass_success": ((_ANY, "password_has_been_changed"),),
    "voicemail_change_pass_fail": ((_ANY, "password_not_valid"),),
    "voicemail_hello": ((_ANY, ""),),
    "voicemail_goodbye": ((_ANY, "goodbye"),),
    "voicemail_abort": ((_ANY, "abort"),),
    "voicemail_message_count": (
        ("^(1):(.*)$", "you_have say-items:$1 $2 message"),
        (r"^(\d+):(.*)$", "you_have say-items:$1 $2 messages"),
    ),
    # FreeSWITCH: the key to leave with is spelled with the phonetic prompts.
    "voicemail_menu": (
        (
            _keys(4),
            _menu("listen_new", "listen_saved", "advanced", pause=True)
            + " sleep:100 to_exit press say-name_phonetic:$4",
        ),
    ),
    "voicemail_config_menu": (
        (
            _keys(5),
            _menu(
                "to_record_greeting",
                "choose_greeting",
                "record_name2",
                "change_password",
                "main_menu",
                pause=True,
            ),
        ),
    ),
    "voicemail_record_name": ((_ANY, "record_name1"),),
    "voicemail_record_file_check": ((_keys(3), _menu("listen_to_recording", "save_recording", "rerecord")),),
    "voicemail_record_urgent_check": ((_keys(2), _menu("mark-urgent", "continue")),),
    "voicemail_forward_prepend": ((_keys(2), _menu("forward_add_intro", "send_message_now")),),
    "voicemail_forward_message_enter_extension": (
        (_keys(1), "forward_enter_ext followed_by say-name_spelled:$1"),
    ),
    "voicemail_invalid_extension": ((_ANY, "that_was_an_invalid_ext"),),
    # The seventh part is the e-mail address; without one the key for it is not offered.
    "voicemail_listen_file_check": (
        (
            _keys(6)[:-1] + ":(.*)$",
            _menu(
                "listen_to_recording",
                "save_recording",
                "delete_recording",
                "forward_to_email",
                "return_call",
                "to_forward",
            ),
        ),
        (
            _keys(6),
            _menu(
                "listen_to_recording", "save_recording", "delete_recording", "", "return_call", "to_forward"
            ),
        ),
    ),
    "voicemail_choose_greeting": ((_ANY, "choose_greeting_choose"),),
    "voicemail_choose_greeting_fail": ((_ANY, "choose_greeting_fail"),),
    "voicemail_record_greeting": ((_ANY, "record_greeting"),),
    "voicemail_record_message": ((_ANY, "record_message"),),
    "voicemail_greeting_selected": ((r"^(\d+)$", "greeting say-items:$1 selected"),),
    "voicemail_play_greeting": ((_ANY, "person say-name_spelled:$1 not_available"),),
    "voicemail_say_number": ((r"^(\d+)$", "say-items:$1"),),
    "voicemail_say_message_number": ((r"^([a-z]+):(\d+)$", "$1 message_number say-items:$2"),),
    "voicemail_say_phone_number": (
        ("^000|^$|^[Aa]non|^[Pp]rivate", "message_from sleep:100 ivr/ivr-anonymous_caller sleep:500"),
        (_ANY, "message_from sleep:100 say-name_spelled:$1 sleep:500"),
    ),
    "voicemail_say_name": ((_ANY, "say-name_spelled:$1"),),
    "voicemail_ack": (
        ("^(too-small)$", "too-small"),
        ("^(deleted|saved|emailed|marked-urgent)$", "message $1"),
    ),
    "voicemail_say_date": ((_ANY, "say-short_date_time:$1"),),
    "voicemail_disk_quota_exceeded": ((_ANY, "mailbox_full"),),
}
