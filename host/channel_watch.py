"""Waiting for what happens to a channel: watchers that are called when its state or its flags change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host.channel import Channel
    from host.channel_state import ChannelState
    from host.clock import Clock


@contextlib.contextmanager
def watching(notify: Callable[[], object], *channels: Channel) -> Iterator[None]:
    """Have `notify()` called at every change of the channels, in whatever thread it happens, inside the block."""
    for channel in channels:
        channel.watchers.append(notify)
    try:
        yield
    finally:
        for channel in channels:
            channel.watchers.remove(notify)


def wait_until(
    clock: Clock, condition: Callable[[], bool], *channels: Channel, deadline: int | None = None
) -> bool:
    """Block until `condition()` holds, asked at every change of the channels; False at `deadline` (µs).

    Commands for the waiting session are not run meanwhile: this is for changes that other threads are about to make.
    """
    waiter = clock.waiter()
    with watching(waiter.notify, *channels):
        while not condition():
            if not waiter.wait(deadline):
                return condition()
    return True


def wait_for_state(clock: Clock, channel: Channel, state: ChannelState) -> bool:
    """Block until the channel runs `state`; False when it is hung up or was sent elsewhere instead."""
    wait_until(clock, lambda: channel.running_state is state or channel.state is not state, channel)
    return channel.running_state is state
