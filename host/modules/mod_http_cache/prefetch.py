"""Documents fetched ahead of their use, by a few threads in the background."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from host.log import LogLevel
from host.modules.mod_http_cache.transfer import TransferError

if TYPE_CHECKING:
    from host.modules.mod_http_cache.cache import HttpCache
    from host.modules.mod_http_cache.settings import Settings
    from host.switch import Switch


class Prefetch:
    """A queue of URLs and the threads that work on it; each of them ends with the queue."""

    def __init__(self, switch: Switch, cache: HttpCache, settings: Settings) -> None:
        self._switch = switch
        self._cache = cache
        self._settings = settings
        self._lock = threading.Lock()
        self._queue: deque[tuple[str, bool]] = deque()
        self._threads = 0

    def add(self, url: str, *, refresh: bool) -> bool:
        """Have a URL fetched; False when too many are waiting."""
        with self._lock:
            if len(self._queue) >= self._settings.prefetch_queue_size:
                return False
            self._queue.append((url, refresh))
            starts = self._threads < self._settings.prefetch_thread_count
            self._threads += starts
        if starts:
            self._switch.clock.spawn(self._work, "http-prefetch")
        return True

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._threads -= 1
                    return
                url, refresh = self._queue.popleft()
            try:
                self._cache.get(url, refresh=refresh)
            except TransferError as error:
                self._switch.log(LogLevel.ERR, f"Failed to prefetch {url}: {error}")
