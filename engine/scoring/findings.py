"""What a safety gate finds, and what the gates measure against (SPEC 2.4)."""

from dataclasses import dataclass
from enum import StrEnum


class Gate(StrEnum):
    """The twelve gates, in the order they are told."""

    HONEYPOT = "honeypot"
    EVIDENCE = "evidence"
    UNTRADABLE = "untradable"
    TAX = "tax"
    MINTABLE = "mintable"
    OWNER = "owner"
    FREEZE = "freeze"
    RUG_LP = "rug_lp"
    RUG_CREATOR = "rug_creator"
    LIQUIDITY_FLOOR = "liquidity_floor"
    AGE = "age"
    SIPHON = "siphon"


MARKET_GATES = frozenset({Gate.LIQUIDITY_FLOOR, Gate.AGE})
"""They speak of the market, not of the contract: a block by them leaves the sub-score alone."""


SIMULATED_GATES = frozenset({Gate.HONEYPOT, Gate.EVIDENCE, Gate.SIPHON})
"""They stand on a trial sale, which may be newer than the other facts of the contract."""


class GateVerdict(StrEnum):
    """Unknown blocks like block does."""

    PASS = "pass"  # noqa: S105
    BLOCK = "block"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """What the gates measure against; percent and USD (SPEC 2.4)."""

    liquidity_floor_usd: float = 50_000.0
    tax_max_pct: float = 10.0
    lp_lock_block_pct: float = 50.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one gate found. `value` and `threshold` are words fit to show and to store.

    `note`: at most 14 characters for a table, `LP 22%`; `reason`: with the limit, `LP 22% < 50%`; both ""
    when it passes. `event_us`: when the evidence was true; None when there is none.
    """

    gate: Gate
    verdict: GateVerdict
    value: str
    threshold: str
    source: str
    event_us: int | None
    note: str = ""
    reason: str = ""
