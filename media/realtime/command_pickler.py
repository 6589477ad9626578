"""What crosses from the host's process to the media engine's: values whole, sound by its place, few things by name."""

from __future__ import annotations

import io
import pickle
import socket
from types import FunctionType
from typing import Any, Final, Protocol

from media.realtime.remote_recording import RemoteRecording
from media.source import Live, Samples

# Sound shorter than this (bytes) travels in the command: a page of shared memory would not be filled.
_SHARED_FROM: Final = 4096

# What a source, a sink or a detector may be made of: the engine's process loads nothing else.
_KNOWN: Final = ("media.", "numpy", "builtins", "collections", "functools", "copyreg", "_codecs")


class Shelf(Protocol):
    """Keeps what both processes know by name."""

    def place(self, sound: Samples) -> tuple[object, ...] | None:
        """Return what stands for a sound; None where there is no room for it."""

    def introduce(self, live: Live) -> None:
        """Tell what a `Live` source is, before the first command that names it."""


class CommandPickler(pickle.Pickler):
    """Pickles commands: sound by its place in shared memory, recordings by number, nothing that media does not know."""

    def __init__(self, file: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._shelf = shelf
        self.descriptors: list[int] = []

    def persistent_id(self, obj: object) -> object:
        if type(obj) is Samples and 2 * (obj.length or 0) >= _SHARED_FROM:
            return self._shelf.place(obj)
        if isinstance(obj, Live):
            self._shelf.introduce(obj)
            return ("live", obj.number)
        if isinstance(obj, RemoteRecording):
            return ("recording", obj.number)
        if isinstance(obj, HostedSink):
            return ("sink", obj.tap)
        if isinstance(obj, socket.socket):
            self.descriptors.append(obj.fileno())
            return ("socket",)
        return None

    def reducer_override(self, obj: object) -> Any:
        # Classes and functions are asked about, too: those that make up what is unpickled.
        if isinstance(obj, type | FunctionType) and not f"{obj.__module__}.".startswith(_KNOWN):
            raise TypeError(f"{obj.__module__}.{obj.__qualname__} cannot go to the media engine's process")
        return NotImplemented


class HostedSink:
    """Stands for a sink that stays in the host's process."""

    def __init__(self, tap: int) -> None:
        self.tap = tap

    def write(self, samples: object) -> None:
        """Belongs to the other process."""
        raise TypeError("a sink of the host's process takes its audio there")
