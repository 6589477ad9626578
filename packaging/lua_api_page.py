#!/usr/bin/env python3
"""Write `docs/lua_api.md`: every function, class and method that scripts can call, what it does and how it waits.

`.venv/bin/python packaging/lua_api_page.py` writes the page; with `--check` it only tells whether the page is what it
should be.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lua_bindings.definitions import lua_api_page  # noqa: E402

PAGE = ROOT / "docs" / "lua_api.md"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it; return 1 when it is out of date."""
    text = lua_api_page()
    if "--check" in arguments:
        return int(not PAGE.exists() or PAGE.read_text("utf-8") != text)
    PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
