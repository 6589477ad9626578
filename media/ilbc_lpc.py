"""iLBC's linear prediction (RFC 3951 3.2 to 3.4) for many lines at once.

A filter is its coefficients a(0) = 1 to a(10) of A(z). Line spectral frequencies (LSFs) are in radians a sample,
ten in rising order.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from media.ilbc_tables import (
    ASYMMETRIC_WINDOW,
    LAG_WINDOW,
    LSF_CODEBOOKS,
    LSF_DISTANCE,
    LSF_MOVE,
    LSF_RANGE,
    ORDER,
    SUB_BLOCK,
    SYMMETRIC_WINDOW,
    SYNTHESIS_CHIRP,
    WEIGHTING_CHIRP,
)

Floats = NDArray[np.float64]

_HALF: Final = ORDER // 2
_WINDOW: Final = len(SYMMETRIC_WINDOW)
_POWERS: Final = np.arange(ORDER + 1)
_WIDENING: Final = SYNTHESIS_CHIRP**_POWERS
_WEIGHTING: Final = WEIGHTING_CHIRP**_POWERS
_TOEPLITZ: Final = abs(np.subtract.outer(_POWERS[:-1], _POWERS[:-1]))
# Energy that even silence has, so that its filter exists: A(z) = 1.
_LEAST_ENERGY: Final = 1e-6


def _polynomials() -> tuple[Floats, Floats]:
    """Return what makes of a(0) to a(10) the sum and difference polynomials, and the other way.

    P(z) = A(z) + z^-11 A(1/z) less its root at -1 and Q(z) = A(z) - z^-11 A(1/z) less its root at 1 are symmetric,
    so on the unit circle each is a series of cosines, that is of Chebyshev polynomials of cos(w): coefficients 0 to 5
    of P, then those of Q, in rising order. Their roots are the cosines of the LSFs.
    """
    series = np.zeros((ORDER + 1, 2, _HALF + 1))
    for kind, sign in enumerate((1, -1)):
        quotient = np.zeros(ORDER + 1)
        for power in range(_HALF + 1):
            part = np.eye(ORDER + 1)[power] + (sign * np.eye(ORDER + 1)[ORDER + 1 - power] if power else 0)
            quotient = part - sign * quotient
            series[:, kind, _HALF - power] = quotient * (2 if power < _HALF else 1)
    # Back, from the values of the two at six angles: they are products of the distances to the roots.
    angles = (np.arange(_HALF + 1) + 0.5) * np.pi / (_HALF + 1)
    fit = np.linalg.inv(np.cos(np.outer(np.arange(_HALF + 1), angles)))
    back = np.zeros((2, _HALF + 1, ORDER + 1))
    for kind, sign in enumerate((1, -1)):
        for place in range(_HALF + 1):
            half = fit[place][::-1] / np.where(np.arange(_HALF + 1) < _HALF, 2, 1)
            whole = np.concatenate((half, half[-2::-1]))
            back[kind, place] = np.convolve(whole, (1, sign))[: ORDER + 1] / 2
    return series.reshape(ORDER + 1, -1), back.reshape(-1, ORDER + 1)


_TO_SERIES, _FROM_VALUES = _polynomials()
_ANGLE_COSINES: Final = np.cos((np.arange(_HALF + 1) + 0.5) * np.pi / (_HALF + 1))


def _colleague() -> tuple[Floats, Floats]:
    """Return the matrix whose eigenvalues are the roots of the fifth Chebyshev polynomial, in its balanced form.

    And what its last row loses for each of the coefficients 0 to 4 of a series that ends with 2 T5.
    """
    matrix = np.zeros((_HALF, _HALF))
    beside = np.full(_HALF - 1, 0.5)
    beside[0] = np.sqrt(0.5)
    places = np.arange(_HALF - 1)
    matrix[places, places + 1] = matrix[places + 1, places] = beside
    loss = np.full(_HALF, 0.25)
    loss[0] = 0.5 * np.sqrt(0.5)
    return matrix, loss


_COLLEAGUE, _LOSS = _colleague()


def prediction_filters(speech: Floats, sets: int) -> Floats:
    """Return A(z) of the last 240 samples of `speech` (lines, samples), and before it, of two sets, of the first.

    Shape (lines, sets, 11); the formants are widened as 3.2.2 says.
    """
    padded = np.zeros((len(speech), sets, _WINDOW + ORDER))
    np.multiply(speech[:, -_WINDOW:], ASYMMETRIC_WINDOW, out=padded[:, -1, :_WINDOW])
    if sets > 1:
        np.multiply(speech[:, :_WINDOW], SYMMETRIC_WINDOW, out=padded[:, 0, :_WINDOW])
    line, part, item = padded.strides
    lagged = np.ndarray((len(speech), sets, ORDER + 1, _WINDOW), float, padded, 0, (line, part, item, item))
    correlations = np.matmul(lagged, padded[:, :, :_WINDOW, np.newaxis])[..., 0]
    correlations[..., 0] += _LEAST_ENERGY
    correlations *= LAG_WINDOW
    filters: Floats = np.empty_like(correlations)
    filters[..., 0] = 1
    solved = np.linalg.solve(correlations[..., _TOEPLITZ], -correlations[..., 1:, np.newaxis])
    np.multiply(solved[..., 0], _WIDENING[1:], out=filters[..., 1:])
    return filters


def spectral_frequencies(filters: Floats) -> Floats:
    """Return the LSFs (..., 10) of filters (..., 11) that are stable."""
    series = (filters @ _TO_SERIES).reshape(*filters.shape[:-1], 2, _HALF + 1)
    matrices = np.empty((*series.shape[:-1], _HALF, _HALF))
    matrices[...] = _COLLEAGUE
    matrices[..., -1, :] -= series[..., :-1] * _LOSS
    roots = np.linalg.eigvals(matrices).real
    cosines = np.sort(roots.reshape(*filters.shape[:-1], ORDER))[..., ::-1]
    frequencies: Floats = np.arccos(np.clip(cosines, -1, 1))
    return frequencies


def _split_codebook() -> tuple[Floats, Floats, tuple[slice, ...]]:
    """Return the codebooks as one matrix over all ten LSFs, half the energies of its vectors, and their places."""
    total = sum(len(book) for book in LSF_CODEBOOKS)
    matrix = np.zeros((ORDER, total))
    energies = np.zeros(total)
    places, first, column = [], 0, 0
    for book in LSF_CODEBOOKS:
        size, width = book.shape
        places.append(slice(column, column + size))
        matrix[first : first + width, places[-1]] = book.T
        energies[places[-1]] = 0.5 * np.sum(book**2, 1)
        first, column = first + width, column + size
    return matrix, energies, tuple(places)


_CODEBOOK, _HALF_ENERGIES, _SPLITS = _split_codebook()


def quantize(frequencies: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the three codebooks' indices (..., 3) nearest to LSFs (..., 10), and those that a decoder has of them."""
    nearness = frequencies @ _CODEBOOK - _HALF_ENERGIES
    indices = np.stack([nearness[..., part].argmax(-1) for part in _SPLITS], -1)
    parts = [book[indices[..., place]] for place, book in enumerate(LSF_CODEBOOKS)]
    quantized = np.concatenate(parts, -1)
    _part(quantized.reshape(-1, ORDER))
    return indices, quantized


def _part(frequencies: Floats) -> None:
    """Move LSFs (sets, 10) apart that are nearer than 50 Hz or in a wrong order, as decoders do (3.2.5, A.26)."""
    close = (np.diff(frequencies) < LSF_DISTANCE).any(1)
    close |= (frequencies[:, 0] < LSF_RANGE[0]) | (frequencies[:, -2] > LSF_RANGE[1])
    # Few are, and each step depends on the one before.
    for row in np.flatnonzero(close).tolist():
        values = frequencies[row].tolist()
        for place in [*range(ORDER - 1), *range(ORDER - 1)]:
            low, high = values[place], values[place + 1]
            if high < low:
                high = low + LSF_MOVE
            elif high - low < LSF_DISTANCE:
                low, high = low - LSF_MOVE, high + LSF_MOVE
            values[place], values[place + 1] = min(max(low, LSF_RANGE[0]), LSF_RANGE[1]), high
        frequencies[row] = values


def filters_of(frequencies: Floats) -> Floats:
    """Return A(z), (..., 11), of LSFs (..., 10)."""
    # P has the first, third, … root, Q the others.
    roots = np.cos(frequencies).reshape(*frequencies.shape[:-1], _HALF, 2).swapaxes(-1, -2)
    values = (2 * (_ANGLE_COSINES[:, np.newaxis] - roots[..., np.newaxis, :])).prod(-1)
    filters: Floats = values.reshape(*frequencies.shape[:-1], 2 * len(_ANGLE_COSINES)) @ _FROM_VALUES
    return filters


def residual(speech: Floats, filters: Floats) -> Floats:
    """Filter the end of `speech` (lines, samples), a part of 40 samples with each of (lines, parts, 11) filters.

    At least 10 samples go before. Shape (lines, 40 * parts).
    """
    lines, parts = filters.shape[:2]
    speech = np.ascontiguousarray(speech)
    line, item = speech.strides
    first = (speech.shape[1] - parts * SUB_BLOCK) * item
    steps = (line, SUB_BLOCK * item, item, -item)
    windows = np.ndarray((lines, parts, SUB_BLOCK, ORDER + 1), float, speech, first, steps)
    left: Floats = np.matmul(windows, filters[..., np.newaxis])
    return left.reshape(lines, -1)


def weighting_denominators(filters: Floats) -> Floats:
    """Return the denominators of the perceptual weighting filters of 3.4, of A(z) that is not quantised."""
    return filters * _WEIGHTING
