"""What the list of gems shows: every scored token, the flagged ones first (SPEC 2, DESIGN 10).

Scores and confidence of 100, sub-scores 0..1, money USD, times int microseconds; `None` is not known.
"""

from dataclasses import dataclass
from enum import StrEnum

from engine.model.tokens import TokenId


class GemKind(StrEnum):
    """What a row is; decides glyph and color class."""

    FLAGGED = "flagged"
    """It waits for a person."""
    HELD = "held"
    """A position of it is open."""
    PROVISIONAL = "provisional"
    """It would be flagged by what is known; too much is not."""
    BLOCKED = "blocked"
    """A safety gate blocks, for what is known or for what is not."""
    PASSIVE = "passive"
    """It does not reach the flag rule."""


class SafetyWord(StrEnum):
    """The safety verdict in one word."""

    PASS = "pass"  # noqa: S105
    CAUTION = "caution"
    """No gate blocks, but too much was deducted to be flagged."""
    BLOCK = "block"
    UNKNOWN = "unkn"
    """Blocked by what is not known."""


@dataclass(frozen=True, slots=True)
class GemRow:
    """One scored token."""

    id: TokenId
    symbol: str
    chain: str
    score: float
    score_max: float
    """What it could be if everything missing were perfect."""
    confidence: float
    change_24h_ratio: float | None
    parts: tuple[float | None, ...]
    """Eight sub-scores: sentiment, accumulation, on-chain, liquidity, tokenomics, safety, narrative,
    community."""
    safety: SafetyWord
    price_usd: float
    liquidity_usd: float | None
    volume_24h_usd: float | None
    age_us: int | None
    """Since its first pool was made, when it was scored."""
    seen_us: int
    """When the sources last told of it."""
    kind: GemKind
    words: str
    """At most 14 characters: `flagged`, or the shortest decisive reason: `LP 22%`, `2/3 signals`."""


@dataclass(frozen=True, slots=True)
class GemsView:
    """The board. `scanned`: tokens looked at within 24 hours; `rows` has at most 500 of them."""

    rows: tuple[GemRow, ...]
    flagged: int
    provisional: int
    blocked: int
    scanned: int
    last_scan_us: int | None
    note: str
    """Why there is nothing to show; "" when there is."""


NO_GEMS = GemsView(
    rows=(),
    flagged=0,
    provisional=0,
    blocked=0,
    scanned=0,
    last_scan_us=None,
    note="This market has no tokens",
)
"""Of a market without tokens, and before an engine said anything."""
