"""iLBC's adaptive codebook (RFC 3951 3.6.2 to 3.7): three stages that describe samples by those described before.

A memory of decoded samples ends where the target begins. Codebook vectors are windows on it, and on what a filter
makes of it; for targets of 40 samples also vectors that repeat its last 20 to 39 samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.ilbc_tables import (
    EXPANSION_AHEAD,
    EXPANSION_FILTER,
    GAINS,
    GREATEST_GAIN,
    LEAST_SCALE,
    STAGES,
    SUB_BLOCK,
)

Floats = NDArray[np.float32]

_SINGLE: Final = np.dtype(np.float32)
# So long the weighting filter rings; its poles are within a circle of 0.43.
RING: Final = 24
_FADE: Final = 5
_REPEATS: Final = SUB_BLOCK // 2
_GAINS: Final = [table.astype(np.float32) for table in GAINS]
_GAIN_LIMITS: Final = [(table[1:] + table[:-1]) / 2 for table in _GAINS]
# Less than the energy of any vector that is not nothing.
_NO_ENERGY: Final = np.float32(1e-20)


def _expansion(size: int) -> Floats:
    """Return the matrix that expands a memory of `size` samples by the filter of 3.6.3.2, with zeros around it."""
    matrix = np.zeros((size, size))
    for tap, weight in enumerate(EXPANSION_FILTER):
        matrix += weight * np.eye(size, k=tap - EXPANSION_AHEAD)
    return matrix.astype(np.float32)


def _repetition() -> Floats:
    """Return what makes of a memory's last samples the vectors of delays 20 to 39 (3.6.3.3), as a matrix.

    Its shape is (44, 20 * 40). The last samples of a period fade over into those of the period before.
    """
    # The longest delay less one, and what fades over into its end.
    reach = SUB_BLOCK - 1 + _FADE
    matrix = np.zeros((reach, _REPEATS, SUB_BLOCK), np.float32)
    for vector in range(_REPEATS):
        delay = _REPEATS + vector
        for place in range(SUB_BLOCK):
            fade = max(0, place - delay + _FADE) / _FADE if place < delay else 0.0
            matrix[reach - delay + place % delay, vector, place] += 1 - fade
            if fade:
                matrix[reach - 2 * delay + place, vector, place] += fade
    return matrix.reshape(reach, -1)


_REPETITION: Final = _repetition()


class Codebook:
    """The codebooks of memories of `memory` samples for targets of `target` samples."""

    def __init__(self, memory: int, target: int) -> None:
        self.memory = memory
        self.target = target
        self.windows = memory - target + 1
        self.repeats = _REPEATS if target == SUB_BLOCK else 0
        self.section = self.windows + self.repeats
        self._expansion = _expansion(memory)

    def __len__(self) -> int:
        return 2 * self.section

    def vectors(self, memories: Floats) -> Floats:
        """Return the vectors (N, len(self), target) of memories (N, memory), in the order of their indices."""
        count = len(memories)
        sections = np.empty((count, 2, self.memory), np.float32)
        sections[:, 0] = memories
        np.matmul(memories, self._expansion, out=sections[:, 1])
        vectors = np.empty((count, 2, self.section, self.target), np.float32)
        line, part, item = sections.strides
        last = (self.memory - self.target) * item
        # Index 0 is the window that ends with the memory.
        shape = (count, 2, self.windows, self.target)
        vectors[:, :, : self.windows] = np.ndarray(shape, _SINGLE, sections, last, (line, part, -item, item))
        if self.repeats:
            # One product of many rows costs a fourth of one for each line.
            recent = sections.reshape(2 * count, -1)[:, -len(_REPETITION) :]
            repeated = np.ascontiguousarray(recent) @ _REPETITION
            vectors[:, :, self.windows :] = repeated.reshape(count, 2, self.repeats, self.target)
        return vectors.reshape(count, len(self), self.target)


@dataclass(frozen=True, slots=True)
class Description:
    """What describes targets of N lines: indices of vectors and of gains, (N, 3), and the `decoded` samples."""

    vectors: NDArray[np.intp]
    gains: NDArray[np.intp]
    decoded: Floats


def describe(
    codebook: Codebook,
    memories: Floats,
    targets: Floats,
    responses: Floats,
    late: NDArray[np.bool_] | None = None,
) -> Description:
    """Describe targets (N, target) by memories (N, memory), in the domain of the weighting filter.

    `responses` (N, RING) are its first samples after an impulse. Where `late` is given only the vectors that it has
    True for are taken in the second and third stage.
    """
    size = codebook.memory
    plain = np.concatenate((memories, targets), 1)
    weighted = _filter(plain, responses)
    lines = np.arange(len(targets))
    both = codebook.vectors(np.concatenate((weighted[:, :size], memories)))
    vectors, decoded_vectors = both[: len(lines)], both[len(lines) :]
    target = weighted[:, size:]
    energy = np.einsum("ij,ij->i", target, target)
    inverse = 1 / np.maximum(np.einsum("ijk,ijk->ij", vectors, vectors), _NO_ENERGY)
    chosen = np.empty((len(lines), STAGES), np.intp)
    codes = np.empty((len(lines), STAGES), np.intp)
    gains = np.empty((len(lines), STAGES), np.float32)
    scale = np.ones(len(lines), np.float32)
    for stage in range(STAGES):
        products = np.matmul(vectors, target[..., np.newaxis])[..., 0]
        if stage == 0:
            np.maximum(products, 0, out=products)
        ideal = products * inverse
        products *= ideal
        products[abs(ideal) >= GREATEST_GAIN] = -1
        if stage and late is not None:
            products[:, ~late] = -1
        best = products.argmax(1)
        chosen[:, stage] = best
        wanted = ideal[lines, best]
        code = np.searchsorted(_GAIN_LIMITS[stage], wanted / scale)
        codes[:, stage] = code
        gain = _GAINS[stage][code] * scale
        gains[:, stage] = gain
        if stage < STAGES - 1:
            target = target - gain[:, np.newaxis] * vectors[lines, best]
            scale = np.maximum(abs(gain), LEAST_SCALE)
    coded = _sum(vectors, chosen, gains)
    codes[:, 0] = _matched_gain(codes[:, 0], energy, np.einsum("ij,ij->i", coded, coded))
    return Description(chosen, codes, _sum(decoded_vectors, chosen, _decoded_gains(codes)))


def _filter(samples: Floats, responses: Floats) -> Floats:
    """Return samples (N, samples) filtered with responses (N, RING), with zeros before them."""
    padded = np.zeros((len(samples), RING - 1 + samples.shape[1]), np.float32)
    padded[:, RING - 1 :] = samples
    line, item = padded.strides
    shape = (*samples.shape, RING)
    windows = np.ndarray(shape, _SINGLE, padded, (RING - 1) * item, (line, item, -item))
    filtered: Floats = np.matmul(windows, responses[..., np.newaxis])[..., 0]
    return filtered


def _sum(vectors: Floats, chosen: NDArray[np.intp], gains: Floats) -> Floats:
    """Return the chosen vectors (N, target) of each line, times their gains, in one."""
    picked = vectors[np.arange(len(chosen))[:, np.newaxis], chosen]
    added: Floats = np.matmul(gains[:, np.newaxis], picked)[:, 0]
    return added


def _matched_gain(codes: NDArray[np.intp], energy: Floats, coded: Floats) -> NDArray[np.intp]:
    """Return the first stage's gains with which the codes have the target's energy, at most (3.7).

    They are no smaller than they were, and hardly more than two times that.
    """
    table = _GAINS[0]
    gain = table[codes]
    matching = np.searchsorted(table, gain * np.sqrt(energy / np.maximum(coded, _NO_ENERGY))) - 1
    doubled = np.minimum(np.searchsorted(table, 2 * gain), len(table) - 1)
    return np.maximum(codes, np.minimum(matching, doubled))


def _decoded_gains(codes: NDArray[np.intp]) -> Floats:
    """Return the gains (N, 3) that a decoder has of their codes."""
    gains = np.empty(codes.shape, np.float32)
    gains[:, 0] = _GAINS[0][codes[:, 0]]
    for stage in range(1, STAGES):
        scale = np.maximum(abs(gains[:, stage - 1]), LEAST_SCALE)
        gains[:, stage] = _GAINS[stage][codes[:, stage]] * scale
    return gains
