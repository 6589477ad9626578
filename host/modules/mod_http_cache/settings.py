"""http_cache.conf: where documents are kept, how many, how long, and what a download may cost."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from host.leading_number import leading_int
from host.log import LogLevel
from host.truth import is_true

if TYPE_CHECKING:
    from host.switch import Switch

CONFIGURATION: Final = "http_cache.conf"


@dataclass(slots=True)
class Settings:
    """The settings with FreeSWITCH's defaults; times in seconds, sizes in bytes.

    `connect_timeout` is also how long a server may be silent, `download_timeout` how long a whole document may take.
    FreeSWITCH knows no `max-size` and `max-file-size`: a gigabyte of prompts is days of sound, and the largest file
    is two hours of 48 kHz stereo.
    """

    location: str
    max_urls: int = 4000
    max_size: int = 1 << 30
    max_file_size: int = 1 << 30
    default_max_age: int = 86400
    connect_timeout: int = 300
    download_timeout: int = 300
    prefetch_queue_size: int = 100
    prefetch_thread_count: int = 8
    ssl_cacert: str = ""
    ssl_verifypeer: bool = True
    ssl_verifyhost: bool = True


def read_settings(switch: Switch) -> Settings:
    """Read the configuration; without a `location` documents are kept in `http_cache` below `cache_dir`."""
    settings = Settings(os.path.join(switch.global_variables.get("cache_dir") or ".", "http_cache"))
    configuration = switch.xml.configuration(CONFIGURATION)
    if configuration is None:
        return settings
    for param in configuration.iterfind("settings/param"):
        name, value = param.get("name", "").lower(), param.get("value", "")
        match name:
            case "location" if value:
                settings.location = os.path.abspath(value)
            case "ssl-cacert":
                # FreeSWITCH's example names a file that is not always there.
                settings.ssl_cacert = value if os.path.exists(value) else ""
                if not settings.ssl_cacert:
                    switch.log(LogLevel.WARNING, f"There is no ssl-cacert {value}, the system's are used")
            case "ssl-verifypeer":
                settings.ssl_verifypeer = is_true(value)
            case "ssl-verifyhost":
                settings.ssl_verifyhost = is_true(value)
            case "default-max-age":
                settings.default_max_age = max(0, leading_int(value))
            case (
                "max-urls"
                | "max-size"
                | "max-file-size"
                | "connect-timeout"
                | "download-timeout"
                | "prefetch-queue-size"
                | "prefetch-thread-count"
            ) if leading_int(value) > 0:
                setattr(settings, name.replace("-", "_"), leading_int(value))
            case "enable-file-formats":
                pass  # nothing else here brings http:// and https://
            case _:
                switch.log(LogLevel.ERR, f"Unsupported param in {CONFIGURATION}: {name}={value}")
    for profile in configuration.iterfind("profiles/profile"):
        name = profile.get("name", "")
        switch.log(LogLevel.ERR, f"{CONFIGURATION}: profile {name}: requests are not signed for S3 or Azure")
    return settings
