"""Work that the caller hears, and whose keys the server gets: playback, say, speak, pause, vmName."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from host.byte_text import to_bytes
from host.hangup_cause import HangupCause
from host.ivr.detect_speech import AsrInitError, GrammarError
from host.ivr.input_args import InputArgs
from host.ivr.play import play_file
from host.ivr.play_and_detect_speech import play_and_detect_speech
from host.ivr.say import say
from host.ivr.session_transfer import session_transfer
from host.ivr.sleep import sleep
from host.ivr.speak import speak_text
from host.leading_number import leading_int
from host.log import LogLevel
from host.modules.mod_httapi.keys import Keys, bound_keys, milliseconds
from host.status import Status

if TYPE_CHECKING:
    from host.modules.mod_httapi.client import Client
    from host.modules.mod_httapi.document import Work
    from host.session import Session

# FreeSWITCH: how long a prompt with keys waits for the first one behind its end.
_INPUT_TIMEOUT_MS: Final = 5000
_PAUSE_MS: Final = 1000
_DIAL: Final = "dial:"

# Plays a prompt; returns how it ended, and what the caller said.
_Play = Callable[["InputArgs | None"], tuple[Status, str]]


def prompt(client: Client, work: Work, body: str) -> bool:
    """Play what the tag says, as often as `loops` says until keys are understood; False when it cannot be played."""
    keys = bound_keys(client, work)
    play = _play(client, work, body, has_keys=keys is not None)
    if play is None:
        return False
    try:
        return _until_understood(client, work, play, keys)
    finally:
        if keys is not None:
            keys.close()


def _until_understood(client: Client, work: Work, play: _Play, keys: Keys | None) -> bool:
    session = client.session
    name = work.get("name") or "dialed_digits"
    error_file = work.get("error-file")
    pause_ms = _pause_ms(work)
    wait_ms = pause_ms or milliseconds(client, "input", work.get("input-timeout"), _INPUT_TIMEOUT_MS)
    listens = _listens(work)
    status = Status.FALSE
    for _ in range(max(0, leading_int(work.get("loops") or "")) + 1):
        status, said = play(keys)
        if said:
            client.once.set(name, said)
            client.once.set("input_type", "detected_speech")
            return _submit(client, name, keys) and status is Status.SUCCESS
        if not session.channel.ready:
            break
        if keys is None and not pause_ms:
            return _submit(client, name, keys)
        if status is Status.SUCCESS and not listens:
            status = sleep(session, wait_ms, keys)
            if status is Status.SUCCESS and keys is not None:
                status = Status.BREAK  # nothing was pressed
        if keys is not None and keys.match is not None:
            return _submit(client, name, keys)
        if status is Status.BREAK:
            if error_file is not None:
                play_file(session, error_file)
                client.once.set(name, "invalid")
                client.once.set("input_type", "invalid")
            status = Status.SUCCESS
        elif not status:
            break
    return status is Status.SUCCESS


def _pause_ms(work: Work) -> int:
    """Return how long a pause is; 0 where it is none."""
    if work.name.lower() != "pause":
        return 0
    given = leading_int(work.get("milliseconds") or "")
    return given if given > 0 else _PAUSE_MS


def _listens(work: Work) -> bool:
    return work.name.lower() == "playback" and None not in (work.get("asr-engine"), work.get("asr-grammar"))


def _play(client: Client, work: Work, body: str, *, has_keys: bool) -> _Play | None:
    """Return what plays the prompt; None when the tag lacks something."""
    session, tag = client.session, work.name.lower()
    file = work.get("file") or ("" if has_keys else body)
    text = work.get("text") or work.get("file") or body
    if tag == "pause":
        return lambda args: (Status.SUCCESS, "")
    if tag == "say":
        language, kind, method = (work.get(name) or "" for name in ("language", "type", "method"))
        if not (language and kind and method and text):
            client.log(
                LogLevel.ERR, "speak: missing required attributes or text! (language) (type) (method) "
            )
            return None
        return _silent(partial(say, session, text, language, kind, method, work.get("gender")))
    if tag == "speak":
        engine = work.get("engine") or ""
        if not engine:
            client.log(LogLevel.ERR, "speak: missing engine attribute!")
            return None
        return _silent(partial(speak_text, session, engine, work.get("voice") or "", text))
    if tag == "vmname":
        return _name(client, work)
    if not file:
        client.log(LogLevel.ERR, "missing file attribute!")
        session.channel.hangup(HangupCause.DESTINATION_OUT_OF_ORDER)
        return None
    if _listens(work):
        engine, grammar = work.get("asr-engine") or "", work.get("asr-grammar") or ""
        return lambda args: _listen(client, file, engine, grammar)
    return _silent(partial(_play_file, session, file))


def _play_file(session: Session, path: str, args: InputArgs | None) -> Status:
    return play_file(session, path, args=args)


def _silent(play: Callable[[InputArgs | None], Status]) -> _Play:
    return lambda args: (play(args), "")


def _listen(client: Client, file: str, engine: str, grammar: str) -> tuple[Status, str]:
    """Play and listen; keys are those of `playback_terminators`, since the speech engine is the one that waits."""
    try:
        return play_and_detect_speech(client.session, file, engine, grammar)
    except (AsrInitError, GrammarError):
        return Status.FALSE, ""


def _name(client: Client, work: Work) -> _Play | None:
    """Return what plays the recorded name of a mailbox, or spells its number."""
    session, box = client.session, work.get("id") or ""
    path = session.switch.api("vm_prefs", f"{box}|name_path")
    if path:
        if "://" not in path and not os.path.exists(to_bytes(path)):
            client.log(LogLevel.ERR, f"Invalid file! [{path}]")
            return None
        return _silent(partial(_play_file, session, path))
    play_file(session, "voicemail/vm-person.wav")
    language, gender = work.get("language") or "", work.get("gender")
    text = box.partition("@")[0]
    return _silent(partial(say, session, text, language, "name_spelled", "pronounced", gender))


def _submit(client: Client, name: str, keys: Keys | None) -> bool:
    """Take down the keys that were understood and where they lead; False when it is another extension."""
    matched = client.matched
    digits = ""
    if matched is not None and matched.match is not None:
        digits = matched.match.digits
        for sign in matched.match.action.strip:
            digits = digits.partition(sign)[0]
        client.once.set(name, digits)
        client.once.set("input_type", "dtmf")
    action = (matched.matching_action if matched is not None else None) or (keys.action if keys else None)
    if not action or matched is None:
        return True
    if not action.lower().startswith(_DIAL):
        client.params.set("url", action)
        return True
    permissions, context, dialplan = client.profile.permissions, "", ""
    if permissions.may("dial-set-context"):
        context, _, dialplan = action[len(_DIAL) :].partition(":")
        if not permissions.may("dial-set-dialplan"):
            dialplan = ""
    session_transfer(client.session, digits, dialplan, context)
    return False
