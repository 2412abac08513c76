"""Whether the past of a strategy's own proposals shows an edge (SPEC 3.3.6)."""

from dataclasses import dataclass

PROPOSALS_NEEDED = 100
SESSIONS_NEEDED = 60


@dataclass(frozen=True, slots=True)
class EdgeEvidence:
    """Net returns of past walk-forward and shadow proposals, same gates, at 1x cost; fractions.

    `n` proposals on `sessions` different sessions. `bound`: the mean is above it with 95 % confidence, by a
    bootstrap of whole sessions; `low` and `high` hold it with 95 %. None where there is nothing to draw from.
    """

    n: int
    sessions: int
    mean: float | None
    bound: float | None
    low: float | None
    high: float | None

    @property
    def is_shown(self) -> bool:
        """Whether an account with real money may be offered proposals."""
        enough = self.n >= PROPOSALS_NEEDED and self.sessions >= SESSIONS_NEEDED
        return enough and self.bound is not None and self.bound > 0


NO_EVIDENCE = EdgeEvidence(0, 0, None, None, None, None)
