"""Mail for `freeswitch.email`, handed to the switch's mailer as FreeSWITCH does (`mailer-app`, `mailer-app-args`)."""

from __future__ import annotations

import shlex
import subprocess
from email.message import EmailMessage
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from host.switch import Switch

_DEFAULT_MAILER: Final = "sendmail"
_DEFAULT_ARGUMENTS: Final = "-t"
# A mailer queues a message and returns; one that hangs must not hold the script for ever.
_MAILER_TIMEOUT_S: Final = 60


class EmailError(Exception):
    """A message that could not be handed over."""


def compose(to: str, sender: str, headers: str | None, body: str | None, file: Path | None) -> EmailMessage:
    """Return the message; `headers` are lines `Name: value`. Raises EmailError for headers that are none."""
    message = EmailMessage()
    message["To"] = to
    message["From"] = sender
    content_type = ""
    try:
        for line in (headers or "").splitlines():
            name, colon, value = line.partition(":")
            if not colon:
                continue
            if name.strip().lower() == "content-type":
                content_type = value.strip()
                continue
            if name.strip().lower() in ("to", "from"):
                del message[name.strip()]
            message[name.strip()] = value.strip()
    except ValueError as error:
        raise EmailError(str(error)) from error
    subtype = "html" if content_type.startswith("text/html") else "plain"
    message.set_content(body or "", subtype=subtype)
    if file is not None:
        kind = guess_type(file.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        message.add_attachment(file.read_bytes(), maintype=main, subtype=sub, filename=file.name)
    return message


def send(
    switch: Switch,
    to: str,
    sender: str,
    headers: str | None,
    body: str | None,
    file: str | None,
    convert_command: str | None,
    convert_extension: str | None,
) -> None:
    """Compose a message and run the mailer with it. Raises EmailError."""
    attached = Path(file) if file else None
    if attached is not None and not attached.is_file():
        raise EmailError(f"cannot open file {file}")
    if attached is not None and convert_command and convert_extension:
        attached = _convert(attached, convert_command, convert_extension)
    message = compose(to, sender, headers, body, attached)
    settings = {"mailer-app": _DEFAULT_MAILER, "mailer-app-args": _DEFAULT_ARGUMENTS}
    found = switch.xml.configuration("switch.conf")
    if found is not None:
        for param in found.iterfind("settings/param"):
            if param.get("name") in settings:
                settings[param.get("name", "")] = param.get("value", "")
    command = [settings["mailer-app"], *shlex.split(settings["mailer-app-args"])]
    try:
        done = subprocess.run(
            command, input=bytes(message), timeout=_MAILER_TIMEOUT_S, capture_output=True, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmailError(str(error)) from error
    if done.returncode != 0:
        raise EmailError(f"{command[0]} ended with {done.returncode}")


def _convert(file: Path, command: str, extension: str) -> Path:
    made = file.with_suffix(f".{extension.lstrip('.')}")
    words = [*shlex.split(command), str(file), str(made)]
    try:
        subprocess.run(words, timeout=_MAILER_TIMEOUT_S, capture_output=True, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EmailError(f"cannot convert {file}: {error}") from error
    return made
