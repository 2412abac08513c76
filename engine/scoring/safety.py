"""Whether a token may be touched at all: hard gates, and deductions from the safety sub-score (SPEC 2.4).

What is not known blocks, and says so. A gate that does not apply to the token's chain gives no finding.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.features.token_catalogue import CONTRACT_MAX_AGE_US
from engine.features.token_chain import RENOUNCED
from engine.features.token_look import SOLANA, US_PER_HOUR, Clock, TokenReading
from engine.model.candidates import MissingReason
from engine.model.tokens import ContractFacts, TokenSnapshot

EPSILON = 1e-9
VERDICT_MAX_AGE_S = 900
LIQUIDITY_FALL_PCT = -30.0
LEAST_AGE_H = 1.0
LP_WELL_LOCKED_PCT = 80.0
TAX_FREE_PCT = 5.0
CREATOR_PCT = 15.0
TOP10_PCT = 70.0
UNLOCK_PCT, LARGE_UNLOCK_PCT = 10.0, 20.0
CRITICAL_FLAGS = frozenset({"high_siphon_rate", "high_fail_rate", "extremely_high_taxes"})
UNPROVED = "unproved"


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


@dataclass(frozen=True, slots=True)
class Safety:
    """All findings, what was deducted, and the sub-score `score`, 0..1."""

    score: float
    findings: tuple[Finding, ...]
    deductions: tuple[str, ...]
    """Keys of DEDUCTIONS."""
    decisive: Finding | None
    """The finding that blocks, one that is known before one that is not; None when nothing blocks."""

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
    left = max(0.0, 1.0 - sum(DEDUCTIONS[name] for name in deductions))
    return min(left, SEVERITY_CAPS[severity])


def judge(snapshot: TokenSnapshot, reading: TokenReading, limits: SafetyLimits) -> Safety:
    """Every gate and every deduction of one token."""
    look = _Evidence(snapshot, reading, limits)
    findings = tuple(found for gate in _GATES if (found := gate(look)) is not None)
    blocking = [found for found in findings if found.verdict is not GateVerdict.PASS]
    decisive = next((found for found in blocking if found.verdict is GateVerdict.BLOCK), None)
    if decisive is None and blocking:
        decisive = blocking[0]
    is_contract_bad = any(found.gate not in MARKET_GATES for found in blocking)
    deductions = tuple(_deductions(look))
    score = contract_safety(deductions, Severity.HIGH if is_contract_bad else Severity.NONE)
    return Safety(score, findings, deductions, decisive)


class _Evidence:
    """What the gates look at, and how a finding is written."""

    __slots__ = (
        "contract_us",
        "facts",
        "is_solana",
        "limits",
        "market_us",
        "reading",
        "simulated_us",
        "source",
        "values",
    )

    def __init__(self, snapshot: TokenSnapshot, reading: TokenReading, limits: SafetyLimits) -> None:
        self.reading, self.values, self.limits = reading, reading.values, limits
        self.facts = reading.contract
        self.is_solana = snapshot.chain == SOLANA
        self.market_us = snapshot.ts_event
        self.source = "" if snapshot.contract is None else snapshot.contract.source
        self.contract_us = None if snapshot.contract is None else snapshot.contract.ts_event
        simulated = reading.stamps[Clock.SIMULATION]
        self.simulated_us = None if simulated is None else simulated[0]

    def passed(self, gate: Gate, value: str, threshold: str) -> Finding:
        return Finding(gate, GateVerdict.PASS, value, threshold, *self._origin(gate))

    def blocked(self, gate: Gate, value: str, threshold: str, note: str, reason: str) -> Finding:
        return Finding(gate, GateVerdict.BLOCK, value, threshold, *self._origin(gate), note, reason)

    def unknown(self, gate: Gate, threshold: str, what: str) -> Finding:
        return Finding(
            gate,
            GateVerdict.UNKNOWN,
            "unknown",
            threshold,
            *self._origin(gate),
            UNPROVED,
            f"{what} not known",
        )

    def _origin(self, gate: Gate) -> tuple[str, int | None]:
        if gate in MARKET_GATES or gate is Gate.RUG_LP:
            return "market", self.market_us
        if gate in SIMULATED_GATES:
            return self.source, self.simulated_us
        return self.source, self.contract_us


def _honeypot(look: _Evidence) -> Finding:
    gate, threshold = Gate.HONEYPOT, "must be no"
    found = look.values.get("honeypot_detected")
    if found is None:
        return look.unknown(gate, threshold, "whether it can be sold is")
    if found:
        note, value = _trap(look)
        return look.blocked(gate, value, threshold, note, value if note in value else f"{note}: {value}")
    return look.passed(gate, "no, sell works", threshold)


def _trap(look: _Evidence) -> tuple[str, str]:
    """What keeps it from being sold: in a few words, and in full."""
    facts = look.facts or _NOTHING
    if facts.simulation_succeeded is False:
        return "honeypot", "a trial sale failed"
    if look.is_solana and not facts.is_honeypot:
        if facts.is_freezable:
            return "freezable", "freezable by a live authority"
        if facts.is_non_transferable:
            return "no transfers", "no transfers"
        if facts.has_transfer_hook:
            return "transfer hook", "transfer hook may refuse a sale"
        return "no sell route", "no sell route at any price"
    return "honeypot", "honeypot"


def _evidence(look: _Evidence) -> Finding:
    gate, threshold = Gate.EVIDENCE, f"<= {VERDICT_MAX_AGE_S} s"
    age_us = look.reading.age_us(Clock.SIMULATION)
    if look.facts is None or age_us is None:
        hours = CONTRACT_MAX_AGE_US // US_PER_HOUR
        what = f"contract facts of the last {hours} h are"
        return look.unknown(gate, threshold, what)
    age_s = age_us // 1_000_000
    if "honeypot_detected" not in look.values:
        found = look.unknown(gate, threshold, f"a verdict on selling within {VERDICT_MAX_AGE_S} s is")
        return (
            found
            if look.reading.missing["honeypot_detected"] is not MissingReason.STALE
            else Finding(
                gate,
                GateVerdict.UNKNOWN,
                f"{age_s} s old",
                threshold,
                found.source,
                found.event_us,
                UNPROVED,
                f"verdict on selling {age_s} s old > {VERDICT_MAX_AGE_S} s",
            )
        )
    return look.passed(gate, f"{max(age_s, 0)} s old", threshold)


def _named(look: _Evidence, gate: Gate, flags: dict[str, bool | None], threshold: str, clear: str) -> Finding:
    """Blocked by the first flag that is set; unknown while one of them is."""
    if look.facts is None:
        return look.unknown(gate, threshold, "the contract is")
    for words, flag in flags.items():
        if flag:
            return look.blocked(gate, words, threshold, words, words)
    for words, flag in flags.items():
        if flag is None:
            return look.unknown(gate, threshold, f"{words}: is")
    return look.passed(gate, clear, threshold)


def _untradable(look: _Evidence) -> Finding:
    facts = look.facts or _NOTHING
    if look.is_solana:
        flags = {"no transfers": facts.is_non_transferable}
    else:
        flags = {"cannot buy": facts.cannot_buy, "cannot sell": facts.cannot_sell_all}
    return _named(look, Gate.UNTRADABLE, flags, "buy and sell", "both work")


def _tax(look: _Evidence) -> Finding:
    gate, most = Gate.TAX, look.limits.tax_max_pct
    threshold = f"<= {most:g} %"
    buy, sell = look.values.get("buy_tax_pct"), look.values.get("sell_tax_pct")
    known = [tax for tax in (buy, sell) if tax is not None]
    if known and max(known) > most + EPSILON:
        worst = max(known)
        note = f"tax {worst:.0f}%" if worst >= most + 0.5 else f"tax {worst:.1f}%"
        value = f"buy {_or_unknown(buy)} / sell {_or_unknown(sell)} %"
        return look.blocked(gate, value, threshold, note, f"{note} > {most:g}%")
    if len(known) < 2:
        return look.unknown(gate, threshold, "the tax is")
    return look.passed(gate, f"buy {buy:g} / sell {sell:g} %", threshold)


def _or_unknown(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"


def _mintable(look: _Evidence) -> Finding:
    gate, threshold = Gate.MINTABLE, "no live owner"
    can_mint = look.values.get("owner_can_mint")
    if can_mint is None or look.facts is None:
        return look.unknown(gate, threshold, "who can mint is")
    if can_mint:
        owner = (look.facts.owner_address or "")[:6]
        value = f"owner {owner}" if owner and not look.is_solana else "mint authority"
        return look.blocked(gate, value, threshold, "mintable", f"mintable by a live {value}")
    return look.passed(gate, "owner 0x0" if look.facts.is_mintable else "cannot be minted", threshold)


def _owner(look: _Evidence) -> Finding:
    facts = look.facts or _NOTHING
    flags = {"balance edit": facts.owner_can_change_balance}
    if not look.is_solana:
        flags |= {
            "hidden owner": facts.has_hidden_owner,
            "owner returns": facts.can_take_back_ownership,
            "self-destruct": facts.can_selfdestruct,
        }
    owner = (facts.owner_address or "").lower()
    return _named(look, Gate.OWNER, flags, "none", "renounced" if owner in RENOUNCED else "no powers")


def _freeze(look: _Evidence) -> Finding | None:
    if not look.is_solana:
        return None
    facts = look.facts or _NOTHING
    return _named(look, Gate.FREEZE, {"freezable": facts.is_freezable}, "no authority", "not freezable")


def _rug_lp(look: _Evidence) -> Finding:
    gate, least = Gate.RUG_LP, look.limits.lp_lock_block_pct
    threshold = f">= {least:g} %"
    locked, fall = look.values.get("lp_locked_pct"), look.values.get("liquidity_change_24h_pct")
    value = f"{_or_unknown(locked if locked is None else round(locked, 1))} %"
    if fall is not None and fall <= LIQUIDITY_FALL_PCT + EPSILON:
        value = f"{value}, {fall:.0f} % in 24 h"
        return look.blocked(
            gate,
            value,
            threshold,
            f"liq {fall:.0f}%",
            f"liquidity {fall:.0f}% <= {LIQUIDITY_FALL_PCT:.0f}% in 24 h",
        )
    if locked is None:
        return look.unknown(gate, threshold, "what is locked of the pool is")
    if locked < least - EPSILON:
        note = f"LP {locked:.0f}%" if locked <= least - 0.5 else f"LP {locked:.1f}%"
        return look.blocked(gate, value, threshold, note, f"{note} < {least:g}%")
    return look.passed(gate, value, threshold)


def _rug_creator(look: _Evidence) -> Finding | None:
    if look.is_solana:
        return None
    facts = look.facts or _NOTHING
    flags = {"rug creator": facts.creator_made_honeypots, "fake token": facts.is_fake}
    return _named(look, Gate.RUG_CREATOR, flags, "none", "no honeypots")


def _liquidity_floor(look: _Evidence) -> Finding:
    gate, least = Gate.LIQUIDITY_FLOOR, look.limits.liquidity_floor_usd
    threshold = f">= {_short(least)}"
    liquidity = look.values.get("liquidity_pool_usd")
    if liquidity is None:
        return look.unknown(gate, threshold, "the liquidity of this minute is")
    value = _short(liquidity)
    if liquidity < least - EPSILON:
        value = value if value != _short(least) else f"{liquidity:,.0f}"
        return look.blocked(gate, value, threshold, f"liq {value}", f"liquidity {value} < {_short(least)}")
    return look.passed(gate, value, threshold)


def _age(look: _Evidence) -> Finding:
    gate, threshold = Gate.AGE, f">= {LEAST_AGE_H:g} h"
    hours = look.values.get("token_age_hours")
    if hours is None:
        return look.unknown(gate, threshold, "its age is")
    if hours < LEAST_AGE_H - EPSILON:
        value = f"{int(hours * 60)}m"
        return look.blocked(gate, value, threshold, f"age {value}", f"age {value} < {LEAST_AGE_H:g}h")
    return look.passed(gate, f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d", threshold)


def _siphon(look: _Evidence) -> Finding | None:
    if look.is_solana or (look.facts is not None and look.facts.simulation_succeeded is None):
        return None  # another source gave the verdict; the trial sale that these flags come from was not made
    gate, threshold = Gate.SIPHON, "none"
    if look.facts is None:
        return look.unknown(gate, threshold, "the trial sale is")
    flags = [flag for flag in look.facts.critical_flags if flag in CRITICAL_FLAGS]
    if flags:
        words = flags[0].replace("_", " ")
        return look.blocked(gate, words, threshold, _SHORT_FLAGS[flags[0]], words)
    return look.passed(gate, "none", threshold)


_SHORT_FLAGS = {
    "high_siphon_rate": "siphon",
    "high_fail_rate": "sales fail",
    "extremely_high_taxes": "huge tax",
}
_GATES = (
    _honeypot,
    _evidence,
    _untradable,
    _tax,
    _mintable,
    _owner,
    _freeze,
    _rug_lp,
    _rug_creator,
    _liquidity_floor,
    _age,
    _siphon,
)
_NOTHING = ContractFacts("", 0, 0)


def _short(value: float) -> str:
    """`50k`, `2.41M`: three significant digits."""
    for scale, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"


def _deductions(look: _Evidence) -> Iterable[str]:
    """What a token is marked down for. A fact that a source must tell counts as bad while it is not known.

    Only the creator's share and unlocks may stay unknown (the catalogue calls them nullable): unknown unlocks
    cap the tokenomics instead.
    """
    values, facts = look.values, look.facts or _NOTHING
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
