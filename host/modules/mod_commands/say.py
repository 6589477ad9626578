"""The command `say_string`: which files say something."""

from __future__ import annotations

from typing import Final

from host.api_table import ApiTable
from host.arguments import separate
from host.interfaces import ApiRequest
from host.say.request import (
    SayError,
    SayGender,
    SayMethod,
    SayRequest,
    SayType,
    UnknownSayType,
    by_name,
    say_zone,
)

commands: Final = ApiTable("mod_commands")
command = commands.command

_USAGE: Final = (
    "-ERR Usage: <module_name>[.<ext>] <lang>[.<ext>] <say_type> <say_method> [<say_gender>] <text>\n"
)
_DEFAULT_ENDING: Final = "wav"


@command("say_string")
def say_string(request: ApiRequest) -> str:
    """Return the files as one `file_string://`; a text after `~` gives the bare list."""
    parts = separate(request.argument, " ", 6)
    if len(parts) < 5:
        return _USAGE
    module, ending = _ending(parts[0])
    if ending is None:
        ending = _ending(parts[1])[1] or _DEFAULT_ENDING
    gender = parts[4] if len(parts) > 5 else None
    text = parts[-1]
    bare = text.startswith("~")
    interface = request.switch.says.get(module)
    if interface is None:
        return _USAGE
    session = request.session
    lookup = session.channel.get_variable if session is not None else request.switch.global_variables.get
    said = SayRequest(
        text.removeprefix("~"),
        by_name(SayType, parts[2]),
        by_name(SayMethod, parts[3]),
        by_name(SayGender, gender),
        request.switch.clock.time(),
        say_zone(lookup("timezone")),
        lookup,
    )
    words: list[str] = []
    try:
        words.extend(interface.words(said))
    except UnknownSayType:
        return _USAGE
    except SayError:
        pass  # what was said before it stays said
    if not words:
        return ""
    files = "!".join(word if "://" in word else f"{word}.{ending}" for word in words)
    return files if bare else f"file_string://{files}"


def _ending(text: str) -> tuple[str, str | None]:
    """Return a name and the file ending behind its dot, None without a dot."""
    name, dot, ending = text.partition(".")
    return name, ending if dot else None
