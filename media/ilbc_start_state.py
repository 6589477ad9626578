"""The start state of an iLBC block (RFC 3951 3.5 and 4.2): where it is, and its scalar quantisation.

It is the 57 or 58 samples of the residual that carry most of its power, at the beginning or the end of two sub-blocks.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from operator import mul
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.ilbc_tables import (
    EDGE_WEIGHTS,
    ORDER,
    PLACE_WEIGHTS,
    STATE_LEVELS,
    STATE_PEAK,
    STATE_SAMPLES,
    STATE_SCALES,
    SUB_BLOCK,
)

Floats = NDArray[np.float64]

_PAIR: Final = 2 * SUB_BLOCK
# What the all-pass filter still rings after so many samples is nothing: its poles are 50 Hz wide at least.
_RING: Final = 512
_SCALE_LIMITS: Final = (STATE_SCALES[1:] + STATE_SCALES[:-1]) / 2
_LEVEL_LIMITS: Final = (STATE_LEVELS[1:] + STATE_LEVELS[:-1]) / 2
_LIMIT_LIST: Final[list[float]] = _LEVEL_LIMITS.tolist()
_LEVEL_LIST: Final[list[float]] = STATE_LEVELS.tolist()
_LEAST_PEAK: Final = 10.0
# From so many lines on, steps over all of them cost less than the steps of each.
_MANY: Final = 8


@dataclass(frozen=True, slots=True)
class StartState:
    """Start states of N lines.

    `pair` is the first of the two sub-blocks, from 0 on, `first` tells that the state is their first samples, `scale`
    and `codes`, of shape (N, 57 or 58), are indices of quantisers; `decoded`, alike, is what a decoder makes of them.
    """

    pair: NDArray[np.intp]
    first: NDArray[np.bool_]
    scale: NDArray[np.intp]
    codes: NDArray[np.intp]
    decoded: Floats


def _pair_weights(mode: int) -> Floats:
    """Return the weights (samples, pairs) that make powers of pairs of sub-blocks of squared samples."""
    window = np.ones(_PAIR)
    window[: len(EDGE_WEIGHTS)] = EDGE_WEIGHTS
    window[-len(EDGE_WEIGHTS) :] = EDGE_WEIGHTS[::-1]
    pairs = len(PLACE_WEIGHTS[mode])
    weights = np.zeros((mode * 8, pairs))
    for pair, weight in enumerate(PLACE_WEIGHTS[mode]):
        weights[pair * SUB_BLOCK : pair * SUB_BLOCK + _PAIR, pair] = weight * window
    return weights


_PAIR_WEIGHTS: Final = {mode: _pair_weights(mode) for mode in STATE_SAMPLES}
_OFFSETS: Final = {mode: np.arange(size) for mode, size in STATE_SAMPLES.items()}


def encode_start_state(mode: int, residual: Floats, synthesis: Floats, weighting: Floats) -> StartState:
    """Find and quantise the start state of a residual (lines, samples).

    `synthesis` are the quantised A(z) of all sub-blocks, `weighting` the denominators of their perceptual weighting
    filters: (lines, sub-blocks, 11). `mode` is 20 or 30 ms.
    """
    size = STATE_SAMPLES[mode]
    lines = np.arange(len(residual))
    power = residual**2
    pair = (power @ _PAIR_WEIGHTS[mode]).argmax(1)
    start = pair * SUB_BLOCK
    spare = _PAIR - size
    edges = start[:, np.newaxis] + _OFFSETS[mode][:spare]
    head = power[lines[:, np.newaxis], edges].sum(1)
    tail = power[lines[:, np.newaxis], edges + size].sum(1)
    first = head > tail
    start = start + np.where(first, 0, spare)
    samples = residual[lines[:, np.newaxis], start[:, np.newaxis] + _OFFSETS[mode]]
    response = _all_pass(synthesis[lines, pair])
    spread = _circular(samples, response)
    peak = np.maximum(abs(spread).max(1), _LEAST_PEAK)
    scale = np.searchsorted(_SCALE_LIMITS, np.log10(peak))
    unit = 10 ** STATE_SCALES[scale] / STATE_PEAK
    # The second sub-block's filter weights what lies in it.
    turn = np.where(first, SUB_BLOCK, size - SUB_BLOCK)
    codes = _quantize(spread / unit[:, np.newaxis], weighting[lines, pair], weighting[lines, pair + 1], turn)
    levels = STATE_LEVELS[codes] * unit[:, np.newaxis]
    decoded = _circular(levels[:, ::-1], response)[:, ::-1]
    return StartState(pair, first, scale, codes, decoded)


def _all_pass(filters: Floats) -> NDArray[np.complex128]:
    """Return the transfer function of A(z) reversed over A(z), on the circle of the length of its ringing."""
    spectrum = np.fft.rfft(filters, _RING)
    return np.fft.rfft(filters[:, ::-1], _RING) / spectrum


def _circular(samples: Floats, response: NDArray[np.complex128]) -> Floats:
    """Filter samples, with as many zeros behind them, and fold what comes of these into what comes of those."""
    size = samples.shape[1]
    filtered = np.fft.irfft(np.fft.rfft(samples, _RING) * response, _RING)
    return filtered[:, :size] + filtered[:, size : 2 * size]


def _quantize(samples: Floats, before: Floats, after: Floats, turn: NDArray[np.intp]) -> NDArray[np.intp]:
    """Quantise samples one after the other, with the errors of the last ten weighted (figure 3.3).

    In the weighted domain each sample is predicted of what was quantised, which comes to taking from the sample the
    weighted errors so far. The weights are those of `before` up to sample `turn`, and those of `after` from there on.
    """
    if len(samples) < _MANY:
        rows = zip(samples.tolist(), before.tolist(), after.tolist(), turn.tolist(), strict=True)
        return np.array([_quantize_line(*row) for row in rows], np.intp)
    size = samples.shape[1]
    errors = np.zeros((len(samples), ORDER + size))
    codes = np.empty((len(samples), size), np.intp)
    late = np.arange(size) >= turn[:, np.newaxis]
    weights = np.where(late[..., np.newaxis], after[:, np.newaxis, :0:-1], before[:, np.newaxis, :0:-1])
    for place in range(size):
        noise = np.einsum("ij,ij->i", weights[:, place], errors[:, place : place + ORDER])
        wanted = samples[:, place] - noise
        code = np.searchsorted(_LEVEL_LIMITS, wanted)
        codes[:, place] = code
        errors[:, place + ORDER] = wanted - STATE_LEVELS[code]
    return codes


def _quantize_line(samples: list[float], before: list[float], after: list[float], turn: int) -> list[int]:
    weights = before[:0:-1]
    errors = [0.0] * ORDER
    codes = []
    for place, sample in enumerate(samples):
        if place == turn:
            weights = after[:0:-1]
        wanted = sample - sum(map(mul, weights, errors[place:]))
        code = bisect(_LIMIT_LIST, wanted)
        codes.append(code)
        errors.append(wanted - _LEVEL_LIST[code])
    return codes
