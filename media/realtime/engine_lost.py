"""What is raised where there is no media engine any more."""

from __future__ import annotations


class EngineLost(RuntimeError):
    """The engine's process is gone, and with it the line, playback or recording that was asked for."""
