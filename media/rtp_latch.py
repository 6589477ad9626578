"""Symmetric RTP: which address a stream is taken from and sent to, and who is refused.

A peer behind NAT sends from another address than its SDP names, so the address is learnt from its packets.
Whoever can guess a port could take a call over that way; hence an address is learnt only until it is
certain, and learnt again only when its packets have stopped or the signalling says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.rtp import sequence_difference

Address = tuple[str, int]

# Good packets in a row by which a source is certain: 100 ms of speech, which a blind guess does not hit.
LATCH_PACKETS = 5
# … and which are spread over this time at least: a burst that is shot into the port convinces nobody.
LATCH_MICROSECONDS = 60_000
# A signalled address that was heard within this time needs no correction, whoever else sends.
SIGNALLED_MICROSECONDS = 500_000
# Silence after which another source may take the place: longer than the pauses between comfort noise packets.
RELATCH_MICROSECONDS = 3_000_000
# Sources watched at the same time; a flood of addresses must not grow the table.
MAX_CANDIDATES = 8
# Sequence numbers that a candidate may skip and still count as one stream.
_MAX_GAP = 8


@dataclass(slots=True)
class _Candidate:
    sequence: int
    ssrc: int
    good: int
    since: int
    seen: int


class SourceLatch:
    """Decides packet by packet. `offer` only what has been parsed and has an expected payload type.

    `remote` is where to send. It starts as the signalled address and follows the source that is latched.
    Until a source is certain, every packet from the signalled address is taken, and those of the first
    candidate, so that no word is lost; with `learning` off only the signalled address is ever taken.
    """

    def __init__(
        self,
        signalled: Address | None = None,
        *,
        learning: bool = True,
        packets: int = LATCH_PACKETS,
        relatch: int = RELATCH_MICROSECONDS,
    ) -> None:
        if packets < 1:
            raise ValueError(f"a source cannot be certain after {packets} packets")
        self.remote = signalled
        self.locked = False
        self.refused = 0
        self.relatched = 0
        self.learning = learning
        self._signalled = signalled
        self._packets = packets
        self._relatch = relatch
        self._heard: int | None = None
        self._candidates: dict[Address, _Candidate] = {}

    def signal(self, address: Address) -> None:
        """The signalling names an address (SDP of an answer or a re-INVITE): learning starts again from there.

        The address that is latched stays when it is named again, so a session refresh changes nothing.
        """
        if address == self._signalled:
            return
        self._signalled = address
        self.remote = address
        self.locked = False
        self._heard = None
        self._candidates.clear()

    def offer(self, source: Address, sequence: int, ssrc: int, now: int) -> bool:
        """Whether a packet that arrived at `now` (µs) is taken."""
        if self.locked and source == self.remote:
            self._heard = now
            # The same address again: whoever else was watched has to start over.
            if self._candidates:
                self._candidates.clear()
            return True
        if not self.learning:
            taken = source == self._signalled
            self.locked |= taken
            return self._judge(taken, now)
        if self.locked and self._heard is not None and now - self._heard < self._relatch:
            return self._judge(False, now)
        candidate = self._watch(source, sequence, ssrc, now)
        if candidate is not None and self._is_certain(candidate, source, now):
            self.relatched += self.locked
            self.remote = source
            self.locked = True
            self._candidates.clear()
            return self._judge(True, now)
        if self.locked:
            return self._judge(False, now)
        # Not certain yet: the signalled address may speak, and who came first.
        first = next(iter(self._candidates), None)
        return self._judge(source in (self._signalled, first), now)

    def _is_certain(self, candidate: _Candidate, source: Address, now: int) -> bool:
        if candidate.good < self._packets or now - candidate.since < LATCH_MICROSECONDS:
            return False
        if self._signalled is None or self._signalled == source:
            return True
        named = self._candidates.get(self._signalled)
        return named is None or now - named.seen >= SIGNALLED_MICROSECONDS

    def _judge(self, taken: bool, now: int) -> bool:
        if not taken:
            self.refused += 1
        elif self.locked:
            self._heard = now
        return taken

    def _watch(self, source: Address, sequence: int, ssrc: int, now: int) -> _Candidate | None:
        candidate = self._candidates.get(source)
        if candidate is None:
            if len(self._candidates) >= MAX_CANDIDATES:
                oldest = min(self._candidates, key=lambda address: self._candidates[address].seen)
                if now - self._candidates[oldest].seen < self._relatch:
                    return None
                del self._candidates[oldest]
            candidate = self._candidates[source] = _Candidate(sequence, ssrc, 1, now, now)
            return candidate
        step = sequence_difference(sequence, candidate.sequence)
        fresh = now - candidate.seen < self._relatch
        candidate.seen = now
        if candidate.ssrc == ssrc and fresh and 0 < step <= _MAX_GAP:
            candidate.good += 1
            candidate.sequence = sequence
        elif candidate.ssrc != ssrc or not fresh or abs(step) > _MAX_GAP:
            candidate.sequence, candidate.ssrc, candidate.good, candidate.since = sequence, ssrc, 1, now
        return candidate
