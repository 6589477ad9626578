"""The API command `regex`: tell whether a pattern matches, or put its captures into a text."""

from __future__ import annotations

from host.byte_text import byte_length, to_bytes, to_text
from host.regex import RegexError, search
from host.replace import split_delimited


def regex(argument: str) -> str:
    """Answer `regex <text>|<pattern>[|<substitution>[|<flags>]]`, with another delimiter after `m:`.

    Without a substitution the answer is true or false. With one it is the substitution (`%N` means `$N`), or
    without a match the text itself, nothing with the flag n, false with the flag b. Missing parts are -ERR; a
    pattern that is wrong or takes too many steps is no match.
    """
    parts = split_delimited(argument, 4)
    if len(parts) < 2:
        return "-ERR"
    subject, pattern = parts[:2]
    try:
        match = search(subject, pattern)
    except RegexError:
        match = None
    if len(parts) == 2:
        return "false" if match is None else "true"
    if match is not None:
        substitution = parts[2].replace("%", "$")
        # FreeSWITCH reserves that much for the answer and cuts what is longer.
        longest = (byte_length(subject) + byte_length(substitution) + 10) * match.count - 1
        result = match.substitute(substitution)
        return result if byte_length(result) <= longest else to_text(to_bytes(result)[:longest])
    flags = parts[3] if len(parts) > 3 else ""
    if "n" in flags:
        return ""
    return "false" if "b" in flags else subject
