"""Whether a token may be touched at all: gates, and deductions from the safety sub-score (SPEC 2.4)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.features.token_look import TokenReading
from engine.model.tokens import TokenSnapshot
from engine.money import EPSILON
from engine.scoring.findings import MARKET_GATES, Finding, GateVerdict, SafetyLimits
from engine.scoring.gates import GATES, MOVING_GATES, NOTHING_TOLD, ORDER, STANDING_GATES, Evidence

LP_WELL_LOCKED_PCT = 80.0
TAX_FREE_PCT = 5.0
CREATOR_PCT = 15.0
TOP10_PCT = 70.0
UNLOCK_PCT, LARGE_UNLOCK_PCT = 10.0, 20.0


class Severity(StrEnum):
    """How bad the worst finding is; caps the sub-score."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


SEVERITY_CAPS = {Severity.NONE: 1.0, Severity.LOW: 0.7, Severity.MEDIUM: 0.4, Severity.HIGH: 0.0}

DEDUCTIONS = {
    "unverified": 0.6,
    "blacklist": 0.35,
    "pausable": 0.35,
    "proxy": 0.3,
    "tax_modifiable": 0.3,
    "lp_lock": 0.35,
    "tax": 0.2,
    "creator_share": 0.2,
    "top10_share": 0.35,
    "mint_renounced": 0.1,
    "unlock": 0.35,
    "large_unlock": 0.6,
}


@dataclass(frozen=True, slots=True)
class Safety:
    """What was deducted, what blocks, and the sub-score `score`, 0..1."""

    score: float
    deductions: tuple[str, ...]
    """Keys of DEDUCTIONS."""
    decisive: Finding | None
    """The finding that blocks, one that is known before one that is not; None when nothing blocks."""
    evidence: Evidence | None = None
    """What the gates looked at."""
    stands: tuple[Finding, ...] = ()
    """What blocks for as long as the contract and its holders stay the same."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Of all gates; their words are made when they are asked for."""
        if self.evidence is None:
            return () if self.decisive is None else (self.decisive,)
        told = Evidence(self.evidence.snapshot, self.evidence.reading, self.evidence.limits)
        return tuple(found for gate in GATES if (found := gate(told)) is not None)

    @property
    def is_blocked(self) -> bool:
        """Whether a gate blocks, for what is known or for what is not."""
        return self.decisive is not None

    @property
    def is_unproved(self) -> bool:
        """Blocked only by what is not known."""
        return self.decisive is not None and self.decisive.verdict is GateVerdict.UNKNOWN


def contract_safety(deductions: Iterable[str], severity: Severity) -> float:
    """max(0, 1 - sum of deductions), then the cap of the worst finding."""
    left = max(0.0, 1.0 - sum([DEDUCTIONS[name] for name in deductions]))
    return min(left, SEVERITY_CAPS[severity])


def judge(
    snapshot: TokenSnapshot, reading: TokenReading, limits: SafetyLimits, before: Safety | None = None
) -> Safety:
    """Every gate and every deduction of one token. `before`: of the look before, by the same limits."""
    look = Evidence(snapshot, reading, limits, is_told=False)
    if before is not None and _is_still(look, before.evidence):
        deductions, stands = before.deductions, before.stands
    else:
        deductions, stands = tuple(_deductions(look)), _blocking(STANDING_GATES, look)
    moves = _blocking(MOVING_GATES, look)
    blocking = stands + moves
    if stands and moves:
        blocking = tuple(sorted(blocking, key=_order))
    decisive = next((found for found in blocking if found.verdict is GateVerdict.BLOCK), None)
    if decisive is None and blocking:
        decisive = blocking[0]
    is_contract_bad = any(found.gate not in MARKET_GATES for found in blocking)
    score = contract_safety(deductions, Severity.HIGH if is_contract_bad else Severity.NONE)
    return Safety(score, deductions, decisive, look, stands)


def _is_still(look: Evidence, before: Evidence | None) -> bool:
    """Whether the contract, when it was read and all that stands are what they were."""
    return (
        before is not None
        and look.reading.standing is not None
        and look.reading.standing is before.reading.standing
        and look.snapshot.contract is before.snapshot.contract
    )


def _blocking(gates: Iterable[Callable[[Evidence], Finding | None]], look: Evidence) -> tuple[Finding, ...]:
    """What does not pass."""
    return tuple([found for gate in gates if (found := gate(look)) is not None])


def _order(found: Finding) -> int:
    return ORDER[found.gate]


def _deductions(look: Evidence) -> Iterable[str]:
    """What a token is marked down for. A fact that a source must tell counts as bad while it is not known.

    Only the creator's share and unlocks may stay unknown (the catalogue calls them nullable): unknown unlocks
    cap the tokenomics instead.
    """
    values, facts = look.values, look.facts or NOTHING_TOLD
    if not look.is_solana:
        if values.get("contract_verified") != 1:
            yield "unverified"
        if facts.is_pausable is not False:
            yield "pausable"
        if values.get("proxy_upgradeable") != 0:
            yield "proxy"
        if facts.is_tax_modifiable is not False or facts.is_personal_tax_modifiable is not False:
            yield "tax_modifiable"
        if facts.is_mintable and values.get("owner_can_mint") == 0:
            yield "mint_renounced"
    if values.get("blacklist_capable") != 0:
        yield "blacklist"
    if values.get("lp_locked_pct", 0.0) < LP_WELL_LOCKED_PCT - EPSILON:
        yield "lp_lock"
    buy, sell = values.get("buy_tax_pct"), values.get("sell_tax_pct")
    if buy is None or sell is None or max(buy, sell) >= TAX_FREE_PCT - EPSILON:
        yield "tax"
    if values.get("creator_holding_pct", 0.0) > CREATOR_PCT + EPSILON:
        yield "creator_share"
    if values.get("top10_holder_pct", 100.0) > TOP10_PCT + EPSILON:
        yield "top10_share"
    unlock = values.get("unlock_30d_pct", 0.0)
    if unlock >= UNLOCK_PCT - EPSILON:
        yield "large_unlock" if unlock >= LARGE_UNLOCK_PCT - EPSILON else "unlock"
