"""What the variables of a dial string, and some of the caller's, say about how to dial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.truth import is_true

if TYPE_CHECKING:
    from host.channel import Channel

# FreeSWITCH: SWITCH_DEFAULT_TIMEOUT, for a call without a limit of its own.
DEFAULT_TIMEOUT: Final = 60

# FreeSWITCH's defaults and bounds for repeated attempts, in ms; a value outside of them is ignored.
DEFAULT_RETRY_SLEEP: Final = 1000
SHORTEST_RETRY: Final = 500
LONGEST_RETRY_SLEEP: Final = 60_000
LONGEST_RETRY_PERIOD: Final = 300_000
MOST_ATTEMPTS: Final = 100

# Variables of the calling channel that count as if they stood in the dial string, where it does not name them.
FROM_CALLER: Final = frozenset(
    {
        "group_confirm_key",
        "group_confirm_file",
        "group_confirm_error_file",
        "group_confirm_read_timeout",
        "group_confirm_cancel_timeout",
        "group_confirm_timeout",
        "forked_dial",
        "fail_on_single_reject",
        "hangup_on_single_reject",
        "ignore_early_media",
        "bridge_early_media",
        "originate_continue_on_timeout",
        "ignore_ring_ready",
        "return_ring_ready",
        "ring_ready",
        "instant_ringback",
        "progress_timeout",
        "language",
    }
)


@dataclass(frozen=True, slots=True)
class Confirm:
    """What a called one has to press before the call counts as answered (`group_confirm_…`).

    `key` may be `exec`: then `file` is an application and its data to run. `timeout` in seconds extends the leg's
    own limit from the answer on; 0 takes the limit away, None leaves it.
    """

    key: str
    file: str
    error_file: str = ""
    read_timeout_ms: int = 5000
    timeout: int | None = None


@dataclass(frozen=True, slots=True)
class DialOptions:
    """How to dial: limits in seconds, waits in ms. `fail_on` is "" or the causes on which all is given up."""

    timeout: int
    progress_timeout: int
    early_media: bool
    ring_on_early_media: bool
    ignore_ring_ready: bool
    return_ring_ready: bool
    ring_ready: bool
    instant_ringback: bool
    continue_on_timeout: bool
    fail_on: str
    hangup_on_reject: bool
    attempts: int
    retry_sleep_ms: int
    retry_timeout: int
    retry_period_ms: int
    confirm: Confirm | None


def dial_options(variables: Mapping[str, str], timeout: int) -> DialOptions:
    """Read the options from the variables for all legs; `timeout` counts when they have none."""
    early = variables.get("ignore_early_media", "")
    ignores = is_true(early) or early in ("consume", "ring_ready")
    early_media = not ignores and not is_true(variables.get("bridge_early_media"))
    confirm = confirm_of(variables)
    if confirm is not None and "group_confirm_early_ok" in variables:
        early_media = is_true(variables["group_confirm_early_ok"])
    limit = _positive(variables, "originate_timeout") or timeout
    retry_timeout = _positive(variables, "originate_retry_timeout")
    attempts = _positive(variables, "originate_retries")
    hangup_on_reject = is_true(variables.get("hangup_on_single_reject"))
    return DialOptions(
        timeout=limit if limit > 0 else DEFAULT_TIMEOUT,
        progress_timeout=_positive(variables, "progress_timeout"),
        early_media=early_media,
        ring_on_early_media=early == "ring_ready",
        ignore_ring_ready=is_true(variables.get("ignore_ring_ready")),
        return_ring_ready=is_true(variables.get("return_ring_ready")),
        ring_ready=is_true(variables.get("ring_ready")),
        instant_ringback=is_true(variables.get("instant_ringback")),
        continue_on_timeout=is_true(variables.get("originate_continue_on_timeout")),
        fail_on=variables.get("fail_on_single_reject") or ("true" if hangup_on_reject else ""),
        hangup_on_reject=hangup_on_reject,
        attempts=attempts if 0 < attempts <= MOST_ATTEMPTS or (attempts and retry_timeout) else 1,
        retry_sleep_ms=_bounded(
            variables, "originate_retry_sleep_ms", LONGEST_RETRY_SLEEP, DEFAULT_RETRY_SLEEP
        ),
        retry_timeout=retry_timeout,
        retry_period_ms=_bounded(variables, "originate_retry_min_period_ms", LONGEST_RETRY_PERIOD, 0),
        confirm=confirm,
    )


def confirm_of(variables: Mapping[str, str]) -> Confirm | None:
    """Return what `group_confirm_key` and its companions ask for, None without a key."""
    key = variables.get("group_confirm_key")
    if not key:
        return None
    timeout: int | None = None
    given = variables.get("group_confirm_timeout", "")
    if given.isdigit():
        timeout = leading_int(given)
    elif is_true(variables.get("group_confirm_cancel_timeout")):
        timeout = 0
    return Confirm(
        key=key,
        file=_unless_undef(variables.get("group_confirm_file")),
        error_file=_unless_undef(variables.get("group_confirm_error_file")),
        read_timeout_ms=_positive(variables, "group_confirm_read_timeout") or 5000,
        timeout=timeout,
    )


def confirm_of_leg(channel: Channel, general: Confirm | None) -> Confirm | None:
    """Return what a leg's own variables ask for, what it does not name being as for all legs."""
    own = {name: value for name, value in channel.variables.items() if name.startswith("group_confirm_")}
    if general is not None:
        own.setdefault("group_confirm_key", general.key)
        own.setdefault("group_confirm_file", general.file)
        own.setdefault("group_confirm_error_file", general.error_file)
        own.setdefault("group_confirm_read_timeout", str(general.read_timeout_ms))
        if general.timeout is not None:
            own.setdefault("group_confirm_timeout", str(general.timeout))
    return confirm_of(own)


def _positive(variables: Mapping[str, str], name: str) -> int:
    return max(0, leading_int(variables.get(name, "")))


def _bounded(variables: Mapping[str, str], name: str, longest: int, default: int) -> int:
    value = _positive(variables, name)
    return value if SHORTEST_RETRY <= value <= longest else default


def _unless_undef(text: str | None) -> str:
    return "" if text is None or text == "undef" else text
