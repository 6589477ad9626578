"""mod_expr: arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from host.api_table import ApiTable
from host.expression import expression
from host.interfaces import ApiRequest

if TYPE_CHECKING:
    from host.switch import Switch

_commands: Final = ApiTable("mod_expr")


@_commands.command("expr", "<expr>", "Eval an expression")
def expr(request: ApiRequest) -> str:
    """Return the value, `!err!` when it cannot be computed."""
    return expression(request.argument)


def load(switch: Switch) -> None:
    """Bring the command `expr`."""
    _commands.register(switch)
