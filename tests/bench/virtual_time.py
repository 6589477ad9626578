"""How much call time passes in a second of wall time, for one hour of call with prompts, keys, silence, recordings."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from host.testing.scenario import Scenario
from host.testing.simulation import CallOptions, run_call
from media.recording import Recording

HERE = Path(__file__).parent


def run() -> None:
    """Print the factor, without and with a recording of what the caller hears."""
    with tempfile.TemporaryDirectory() as folder:
        prompt = f"{folder}/prompt.wav"
        with Recording(prompt, 8000) as file:
            file.write((np.sin(np.arange(160_000) / 5) * 8000).astype(np.int16))
        script, arguments = str(HERE / "hour.lua"), [prompt, f"{folder}/message.wav"]
        run_call(script, arguments)  # warms the caches
        for what, options in (
            ("one hour of call", CallOptions(limit=2 * 3600 * 1_000_000)),
            (
                "… recorded as heard",
                CallOptions(limit=2 * 3600 * 1_000_000, record=Path(folder, "heard.wav")),
            ),
        ):
            began = time.perf_counter()
            result = run_call(script, arguments, Scenario(), options)
            took = time.perf_counter() - began
            seconds = result.duration / 1_000_000
            print(
                f"{what:<24} {seconds:7.0f} s of call in {took:6.3f} s: {seconds / took:9,.0f} times real time"
            )
