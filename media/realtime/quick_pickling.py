"""Dataclasses of the messages between processes, pickled as calls of their classes.

Frozen dataclasses with slots are pickled by Python code that asks for the fields of every object, on both sides; that
takes twice as long as all the rest.
"""

from __future__ import annotations

import copyreg
import dataclasses
from collections.abc import Callable
from operator import attrgetter
from types import ModuleType
from typing import Any


def pickle_quickly(*modules: ModuleType) -> None:
    """Register all dataclasses that these modules define, whose fields are the arguments they are made with."""
    for module in modules:
        for kind in vars(module).values():
            if (
                isinstance(kind, type)
                and kind.__module__ == module.__name__
                and dataclasses.is_dataclass(kind)
                and all(field.init and not field.kw_only for field in dataclasses.fields(kind))
            ):
                copyreg.pickle(kind, _reducer(kind))


def _reducer(kind: type[Any]) -> Callable[[object], tuple[type[Any], tuple[Any, ...]]]:
    names = [field.name for field in dataclasses.fields(kind)]
    if len(names) > 1:
        several = attrgetter(*names)
        return lambda made: (kind, several(made))
    return lambda made: (kind, tuple(getattr(made, name) for name in names))
