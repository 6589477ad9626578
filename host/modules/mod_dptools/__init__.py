"""mod_dptools: the applications, endpoints and the `inline` dialplan that dialplans are made of.

Every file of this package brings a part of them through its own `load(switch)`.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.switch import Switch


def load(switch: Switch) -> None:
    """Let every part bring what it has."""
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda part: part.name):
        part = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(part, "load"):
            part.load(switch)


def unload(switch: Switch) -> None:
    """Let every part end what it began; what is registered is taken back anyway."""
    for found in pkgutil.iter_modules(__path__):
        part = importlib.import_module(f"{__name__}.{found.name}")
        if hasattr(part, "unload"):
            part.unload(switch)
