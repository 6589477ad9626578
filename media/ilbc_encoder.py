"""An encoder of iLBC (RFC 3951) that works on the frames of many lines at once.

A frame is 20 ms (160 samples at 8 kHz, 38 bytes) or 30 ms (240 samples, 50 bytes). What a line's encoder remembers is
a row of an array, so that rows of any lines can be taken together, in whatever order:

    states = new_states(30, lines=200)
    some = states[rows]
    payloads = encode_frames(samples, some)
    states[rows] = some
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media import ilbc_lpc
from media.ilbc_codebook import RING, Codebook, Description, describe
from media.ilbc_start_state import StartState, encode_start_state
from media.ilbc_tables import (
    BITS,
    HIGH_PASS_POLES,
    HIGH_PASS_ZEROS,
    LSF_MEAN,
    LSF_WEIGHTS,
    ORDER,
    STATE_SAMPLES,
    SUB_BLOCK,
)

Floats = NDArray[np.float64]

RATE: Final = 8000
FRAME_BYTES: Final = {20: 38, 30: 50}
# A.6: what the first target, beside the start state, and the later ones see of the decoded samples.
_SHORT_MEMORY: Final = 85
_MEMORY: Final = 147
_PAIR: Final = 2 * SUB_BLOCK
# The prediction's window reaches back so far that it is 240 samples, or twice that with 60 between (3.2).
_LOOK_BACK: Final = {20: 80, 30: 60}
# Lines that are encoded together: their codebooks stay in the processor's cache.
_TOGETHER: Final = 32


def _high_pass(size: int) -> Floats:
    """Return the matrix that filters `size` samples: of the two inputs and outputs before them, and of them."""
    given = np.eye(4 + size)
    inputs = [*given[:2], *given[4:]]
    outputs = [*given[2:4]]
    for place in range(size):
        output = sum(HIGH_PASS_ZEROS[tap] * inputs[place + 2 - tap] for tap in range(3))
        output = output - sum(HIGH_PASS_POLES[tap] * outputs[place + 2 - tap] for tap in (1, 2))
        outputs.append(output)
    return np.array(outputs[2:]).T.copy()


class _Mode:
    """What is the same for all frames of 20 or of 30 ms.

    `targets[kind]`, `memories[kind]` and `blocks[kind]` tell of each target that is described by the codebook, after
    the start state, where its samples are, those of its memory, latest last, and whose filter weights it; `kind` is
    two times the start state's pair of sub-blocks, and one more where it is first in it. A place of `samples` is of
    a sample that is zero.
    """

    def __init__(self, mode: int) -> None:
        self.mode = mode
        self.samples = samples = RATE * mode // 1000
        self.look_back = _LOOK_BACK[mode]
        self.parts = samples // SUB_BLOCK
        self.sets = LSF_WEIGHTS[mode].shape[1] - 1
        state = STATE_SAMPLES[mode]
        self.short = Codebook(_SHORT_MEMORY, _PAIR - state)
        self.long = Codebook(_MEMORY, SUB_BLOCK)
        # Before the states: two samples of input, the speech of the look-back, LSFs as they were and as decoded.
        self.state_size = 2 + self.look_back + 2 * ORDER
        self.high_pass = _high_pass(samples)
        kinds = 2 * (self.parts - 1)
        self.short_targets = np.empty((kinds, _PAIR - state), np.intp)
        self.short_memories = np.full((kinds, _SHORT_MEMORY), samples)
        self.targets = np.empty((kinds, self.parts - 2, SUB_BLOCK), np.intp)
        self.memories = np.full((kinds, self.parts - 2, _MEMORY), samples)
        self.blocks = np.empty((kinds, self.parts - 1), np.intp)
        self._arrange(state)
        # 3.6.3: of the first sub-block's second and third vectors only 128 can be told, with 7 bits.
        windows, section = self.long.windows, self.long.section
        places = np.arange(len(self.long)) % section
        self.late = (places < 44) | (places >= windows)
        self.late_codes = np.cumsum(self.late) - 1
        bits = [(place, sum(counts)) for place, counts in enumerate(BITS[mode])]
        order = [
            (place, total - 1 - bit)
            for part in range(3)
            for place, total in bits
            for bit in range(sum(BITS[mode][place][:part]), sum(BITS[mode][place][: part + 1]))
        ]
        self.bit_places, self.bit_shifts = np.array(order, np.intp).T

    def _arrange(self, state: int) -> None:
        spare = _PAIR - state
        for kind in range(len(self.targets)):
            pair, first = divmod(kind, 2)
            start = pair * SUB_BLOCK
            if first:
                self.short_targets[kind] = np.arange(start + state, start + _PAIR)
                self.short_memories[kind, -state:] = np.arange(start, start + state)
            else:
                self.short_targets[kind] = np.arange(start + spare - 1, start - 1, -1)
                self.short_memories[kind, -state:] = np.arange(start + _PAIR - 1, start + spare - 1, -1)
            self.blocks[kind, 0] = pair + first
            # Forward to the end, then backward to the beginning, with time reversed.
            order = [*range(pair + 2, self.parts), *range(pair - 1, -1, -1)]
            for place, block in enumerate(order):
                begin, end = block * SUB_BLOCK, (block + 1) * SUB_BLOCK
                if block > pair:
                    self.targets[kind, place] = np.arange(begin, end)
                    memory = np.arange(max(start, begin - _MEMORY), begin)
                else:
                    self.targets[kind, place] = np.arange(end - 1, begin - 1, -1)
                    memory = np.arange(min(self.samples, end + _MEMORY) - 1, end - 1, -1)
                self.memories[kind, place, -len(memory) :] = memory
                self.blocks[kind, place + 1] = block


# Most processes speak no iLBC.
_mode: Final = cache(_Mode)


def new_states(mode: int, lines: int) -> Floats:
    """Return what encoders remember that have encoded nothing: (lines, size), a row for each line.

    `mode` is 20 or 30; ValueError for another.
    """
    if mode not in FRAME_BYTES:
        raise ValueError(f"iLBC has modes 20 and 30, not {mode}")
    states = np.zeros((lines, _mode(mode).state_size))
    states[:, -2 * ORDER :] = np.tile(LSF_MEAN, 2)
    return states


def encode_frames(samples: NDArray[np.int16] | NDArray[np.float64], states: Floats) -> NDArray[np.uint8]:
    """Encode the next frame of each line, samples of shape (lines, 160 or 240) in the range of int16.

    Returns payloads of shape (lines, 38 or 50) and updates `states`, as `new_states` gives them for 20 or 30 ms.
    ValueError for another number of samples, and for states that are not theirs.
    """
    lines, size = samples.shape
    length = size * 1000 // RATE
    mode = _mode(length) if length in FRAME_BYTES else None
    if mode is None or mode.samples != size or states.shape != (lines, mode.state_size):
        raise ValueError(f"{states.shape} states cannot take {samples.shape} samples")
    payloads = np.empty((lines, FRAME_BYTES[mode.mode]), np.uint8)
    for at in range(0, lines, _TOGETHER):
        part = slice(at, at + _TOGETHER)
        payloads[part] = _encode(mode, samples[part], states[part])
    return payloads


@dataclass(frozen=True, slots=True)
class _Prediction:
    """Indices of LSFs (lines, sets, 3), the quantised filters and the weighting filters of all sub-blocks."""

    indices: NDArray[np.intp]
    synthesis: Floats
    weighting: Floats


def _encode(
    mode: _Mode, samples: NDArray[np.int16] | NDArray[np.float64], states: Floats
) -> NDArray[np.uint8]:
    speech = _pass_high(mode, samples, states)
    prediction = _predict(mode, speech, states)
    residual = ilbc_lpc.residual(speech, prediction.synthesis)
    states[:, 2 : 2 + mode.look_back] = speech[:, mode.samples :]
    start = encode_start_state(mode.mode, residual, prediction.synthesis, prediction.weighting)
    descriptions = _describe_rest(mode, residual, prediction.weighting, start)
    return _pack(mode, prediction.indices, start, descriptions)


def _pass_high(mode: _Mode, samples: NDArray[np.int16] | NDArray[np.float64], states: Floats) -> Floats:
    """Return the speech without hum (3.1), behind that of the former frame."""
    end = 2 + mode.look_back
    given: Floats = np.concatenate((states[:, :2], states[:, end - 2 : end], samples), 1, dtype=np.float64)
    states[:, :2] = samples[:, -2:]
    return np.concatenate((states[:, 2:end], given @ mode.high_pass), 1)


def _predict(mode: _Mode, speech: Floats, states: Floats) -> _Prediction:
    lines = len(speech)
    frequencies = ilbc_lpc.spectral_frequencies(ilbc_lpc.prediction_filters(speech, mode.sets))
    indices, quantized = ilbc_lpc.quantize(frequencies)
    # The former frame's, and this one's, as they are and as they are decoded.
    known = np.empty((lines, 2, 1 + mode.sets, ORDER))
    known[:, :, 0] = states[:, -2 * ORDER :].reshape(lines, 2, ORDER)
    known[:, 0, 1:] = frequencies
    known[:, 1, 1:] = quantized
    states[:, -2 * ORDER :] = known[:, :, -1].reshape(lines, 2 * ORDER)
    filters = ilbc_lpc.filters_of(LSF_WEIGHTS[mode.mode] @ known)
    return _Prediction(indices, filters[:, 1], ilbc_lpc.weighting_denominators(filters[:, 0]))


def _describe_rest(mode: _Mode, residual: Floats, weighting: Floats, start: StartState) -> list[Description]:
    """Describe all that is not in the start state, each target by what was decoded before."""
    row = np.arange(len(residual))[:, np.newaxis]
    kind = 2 * start.pair + start.first
    responses = np.fft.irfft(1 / np.fft.rfft(weighting, 4 * RING))[..., :RING].astype(np.float32)
    wanted = residual.astype(np.float32)
    decoded = np.zeros((len(residual), mode.samples + 1), np.float32)
    state = mode.short_memories[kind, -start.codes.shape[1] :]
    decoded[row, state] = np.where(start.first[:, np.newaxis], start.decoded, start.decoded[:, ::-1])
    descriptions = []
    for turn in range(mode.parts - 1):
        book, late = (mode.long, None) if turn else (mode.short, None)
        if turn == 1:
            late = mode.late
        places = mode.targets[kind, turn - 1] if turn else mode.short_targets[kind]
        memory = mode.memories[kind, turn - 1] if turn else mode.short_memories[kind]
        response = responses[row[:, 0], mode.blocks[kind, turn]]
        found = describe(book, decoded[row, memory], wanted[row, places], response, late)
        decoded[row, places] = found.decoded
        descriptions.append(found)
    return descriptions


def _pack(
    mode: _Mode, indices: NDArray[np.intp], start: StartState, descriptions: list[Description]
) -> NDArray[np.uint8]:
    lines = len(indices)
    short, *rest = descriptions
    rest[0].vectors[:, 1:] = mode.late_codes[rest[0].vectors[:, 1:]]
    head = np.stack((start.pair + 1, start.first, start.scale), 1)
    parameters = np.concatenate(
        (
            indices.reshape(lines, -1),
            head,
            start.codes,
            short.vectors,
            short.gains,
            *(each.vectors for each in rest),
            *(each.gains for each in rest),
            np.zeros((lines, 1), np.intp),
        ),
        1,
    )
    bits = parameters[:, mode.bit_places] >> mode.bit_shifts & 1
    return np.packbits(bits.astype(np.uint8), axis=1)
