"""How the commands and applications of mod_curl are written."""

from __future__ import annotations

from typing import Final

CURL: Final = (
    "curl url [headers|json|content-type <mime-type>|connect-timeout <seconds>|timeout <seconds>"
    "|append_headers <header_name:header_value>[|append_headers <header_name:header_value>]"
    "|insecure|secure|[proxy <http://proxy:port>]] [get|head|post|delete|put [data]]"
)
SEND_COMMAND: Final = (
    "<url> <filenameParamName=filepath> [nopost|postparam1=foo&postparam2=bar..."
    " [event|stream|both|none  [identifier ]]]"
)
SEND_APPLICATION: Final = (
    "<url> <filenameParamName=filepath> [nopost|postparam1=foo&postparam2=bar... [event|none  [identifier ]]]"
)
