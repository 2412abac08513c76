"""The hard gates of SPEC 2.4. What is not known blocks, and says so.

A gate that does not apply to the token's chain gives no finding.
"""

from collections.abc import Callable

from engine.features.token_catalogue import CONTRACT_MAX_AGE_US
from engine.features.token_chain import RENOUNCED
from engine.features.token_look import SOLANA, US_PER_HOUR, Clock, TokenReading
from engine.model.candidates import MissingReason
from engine.model.tokens import ContractFacts, TokenSnapshot
from engine.money import EPSILON
from engine.scoring.findings import MARKET_GATES, SIMULATED_GATES, Finding, Gate, GateVerdict, SafetyLimits

VERDICT_MAX_AGE_S = 900
LIQUIDITY_FALL_PCT = -30.0
LEAST_AGE_H = 1.0
CRITICAL_FLAGS = {
    "high_siphon_rate": "siphon",
    "high_fail_rate": "sales fail",
    "extremely_high_taxes": "huge tax",
}
"""Words of the simulation that block -> the note."""
UNPROVED = "unproved"
THRESHOLDS = {
    Gate.HONEYPOT: "must be no",
    Gate.EVIDENCE: f"<= {VERDICT_MAX_AGE_S} s",
    Gate.UNTRADABLE: "buy and sell",
    Gate.MINTABLE: "no live owner",
    Gate.OWNER: "none",
    Gate.FREEZE: "no authority",
    Gate.RUG_CREATOR: "none",
    Gate.AGE: f">= {LEAST_AGE_H:g} h",
    Gate.SIPHON: "none",
}
"""What must hold, in words, where no limit of the config says it."""
NOTHING_TOLD = ContractFacts("", 0, 0)


class Evidence:
    """What the gates look at, and how a finding is written.

    `is_told` False: a gate that passes says nothing, for which no words have to be made.
    """

    __slots__ = ("facts", "is_solana", "is_told", "limits", "reading", "snapshot", "values")

    def __init__(
        self, snapshot: TokenSnapshot, reading: TokenReading, limits: SafetyLimits, is_told: bool = True
    ) -> None:
        self.snapshot, self.reading, self.limits, self.is_told = snapshot, reading, limits, is_told
        self.values, self.facts = reading.values, reading.contract
        self.is_solana = snapshot.chain == SOLANA

    def passed(self, gate: Gate, value: str | Callable[[], str]) -> Finding | None:
        if not self.is_told:
            return None
        words = value if isinstance(value, str) else value()
        return Finding(gate, GateVerdict.PASS, words, self._threshold(gate), *self._origin(gate))

    def blocked(self, gate: Gate, value: str, note: str, reason: str) -> Finding:
        threshold = self._threshold(gate)
        return Finding(gate, GateVerdict.BLOCK, value, threshold, *self._origin(gate), note, reason)

    def unknown(self, gate: Gate, what: str) -> Finding:
        return self.unproved(gate, "unknown", f"{what} not known")

    def unproved(self, gate: Gate, value: str, reason: str) -> Finding:
        threshold = self._threshold(gate)
        return Finding(gate, GateVerdict.UNKNOWN, value, threshold, *self._origin(gate), UNPROVED, reason)

    def _threshold(self, gate: Gate) -> str:
        if gate is Gate.TAX:
            return f"<= {self.limits.tax_max_pct:g} %"
        if gate is Gate.RUG_LP:
            return f">= {self.limits.lp_lock_block_pct:g} %"
        if gate is Gate.LIQUIDITY_FLOOR:
            return f">= {_short(self.limits.liquidity_floor_usd)}"
        return THRESHOLDS[gate]

    def _origin(self, gate: Gate) -> tuple[str, int | None]:
        if gate in MARKET_GATES or gate is Gate.RUG_LP:
            return "market", self.snapshot.ts_event
        told = self.snapshot.contract
        source = "" if told is None else told.source
        if gate in SIMULATED_GATES:
            simulated = self.reading.stamps[Clock.SIMULATION]
            return source, None if simulated is None else simulated[0]
        return source, None if told is None else told.ts_event


def _honeypot(look: Evidence) -> Finding | None:
    found = look.values.get("honeypot_detected")
    if found is None:
        return look.unknown(Gate.HONEYPOT, "whether it can be sold is")
    if found:
        note, value = _trap(look)
        return look.blocked(Gate.HONEYPOT, value, note, value if note in value else f"{note}: {value}")
    return look.passed(Gate.HONEYPOT, "no, sell works")


def _trap(look: Evidence) -> tuple[str, str]:
    """What keeps it from being sold: in a few words, and in full."""
    facts = look.facts or NOTHING_TOLD
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


def _evidence(look: Evidence) -> Finding | None:
    gate = Gate.EVIDENCE
    age_us = look.reading.age_us(Clock.SIMULATION)
    if look.facts is None or age_us is None:
        hours = CONTRACT_MAX_AGE_US // US_PER_HOUR
        return look.unknown(gate, f"contract facts of the last {hours} h are")
    age_s = age_us // 1_000_000
    if "honeypot_detected" in look.values:
        return look.passed(gate, lambda: f"{max(age_s, 0)} s old")
    if look.reading.missing["honeypot_detected"] is not MissingReason.STALE:
        return look.unknown(gate, f"a verdict on selling within {VERDICT_MAX_AGE_S} s is")
    reason = f"verdict on selling {age_s} s old > {VERDICT_MAX_AGE_S} s"
    return look.unproved(gate, f"{age_s} s old", reason)


def _named(
    look: Evidence, gate: Gate, flags: dict[str, bool | None], clear: str | Callable[[], str]
) -> Finding | None:
    """Blocked by the first flag that is set; unknown while one of them is."""
    if look.facts is None:
        return look.unknown(gate, "the contract is")
    unknown = ""
    for words, flag in flags.items():
        if flag:
            return look.blocked(gate, words, words, words)
        if flag is None and not unknown:
            unknown = words
    return look.unknown(gate, f"{unknown}: is") if unknown else look.passed(gate, clear)


def _untradable(look: Evidence) -> Finding | None:
    facts = look.facts or NOTHING_TOLD
    if look.is_solana:
        flags = {"no transfers": facts.is_non_transferable}
    else:
        flags = {"cannot buy": facts.cannot_buy, "cannot sell": facts.cannot_sell_all}
    return _named(look, Gate.UNTRADABLE, flags, "both work")


def _tax(look: Evidence) -> Finding | None:
    gate, most = Gate.TAX, look.limits.tax_max_pct
    buy, sell = look.values.get("buy_tax_pct"), look.values.get("sell_tax_pct")
    worst = max(-1.0 if buy is None else buy, -1.0 if sell is None else sell)
    if worst > most + EPSILON:
        note = f"tax {worst:.0f}%" if worst >= most + 0.5 else f"tax {worst:.1f}%"
        value = f"buy {_or_unknown(buy)} / sell {_or_unknown(sell)} %"
        return look.blocked(gate, value, note, f"{note} > {most:g}%")
    if buy is None or sell is None:
        return look.unknown(gate, "the tax is")
    return look.passed(gate, lambda: f"buy {buy:g} / sell {sell:g} %")


def _or_unknown(value: float | None) -> str:
    return "?" if value is None else f"{value:g}"


def _mintable(look: Evidence) -> Finding | None:
    gate, facts = Gate.MINTABLE, look.facts
    can_mint = look.values.get("owner_can_mint")
    if can_mint is None or facts is None:
        return look.unknown(gate, "who can mint is")
    if can_mint:
        owner = (facts.owner_address or "")[:6]
        value = f"owner {owner}" if owner and not look.is_solana else "mint authority"
        return look.blocked(gate, value, "mintable", f"mintable by a live {value}")
    return look.passed(gate, "owner 0x0" if facts.is_mintable else "cannot be minted")


def _owner(look: Evidence) -> Finding | None:
    facts = look.facts or NOTHING_TOLD
    flags = {"balance edit": facts.owner_can_change_balance}
    if not look.is_solana:
        flags |= {
            "hidden owner": facts.has_hidden_owner,
            "owner returns": facts.can_take_back_ownership,
            "self-destruct": facts.can_selfdestruct,
        }
    return _named(look, Gate.OWNER, flags, lambda: _powers(facts))


def _powers(facts: ContractFacts) -> str:
    return "renounced" if (facts.owner_address or "").lower() in RENOUNCED else "no powers"


def _freeze(look: Evidence) -> Finding | None:
    if not look.is_solana:
        return None
    facts = look.facts or NOTHING_TOLD
    return _named(look, Gate.FREEZE, {"freezable": facts.is_freezable}, "not freezable")


def _rug_lp(look: Evidence) -> Finding | None:
    gate, least = Gate.RUG_LP, look.limits.lp_lock_block_pct
    locked, fall = look.values.get("lp_locked_pct"), look.values.get("liquidity_change_24h_pct")
    if fall is not None and fall <= LIQUIDITY_FALL_PCT + EPSILON:
        return look.blocked(
            gate,
            f"{_locked(locked)}, {fall:.0f} % in 24 h",
            f"liq {fall:.0f}%",
            f"liquidity {fall:.0f}% <= {LIQUIDITY_FALL_PCT:.0f}% in 24 h",
        )
    if locked is None:
        return look.unknown(gate, "what is locked of the pool is")
    if locked < least - EPSILON:
        note = f"LP {locked:.0f}%" if locked <= least - 0.5 else f"LP {locked:.1f}%"
        return look.blocked(gate, _locked(locked), note, f"{note} < {least:g}%")
    return look.passed(gate, lambda: _locked(locked))


def _locked(value: float | None) -> str:
    return f"{_or_unknown(value if value is None else round(value, 1))} %"


def _rug_creator(look: Evidence) -> Finding | None:
    if look.is_solana:
        return None
    facts = look.facts or NOTHING_TOLD
    flags = {"rug creator": facts.creator_made_honeypots, "fake token": facts.is_fake}
    return _named(look, Gate.RUG_CREATOR, flags, "no honeypots")


def _liquidity_floor(look: Evidence) -> Finding | None:
    gate, least = Gate.LIQUIDITY_FLOOR, look.limits.liquidity_floor_usd
    liquidity = look.values.get("liquidity_pool_usd")
    if liquidity is None:
        return look.unknown(gate, "the liquidity of this minute is")
    if liquidity < least - EPSILON:
        value = _short(liquidity)
        value = value if value != _short(least) else f"{liquidity:,.0f}"
        return look.blocked(gate, value, f"liq {value}", f"liquidity {value} < {_short(least)}")
    return look.passed(gate, lambda: _short(liquidity))


def _age(look: Evidence) -> Finding | None:
    gate = Gate.AGE
    hours = look.values.get("token_age_hours")
    if hours is None:
        return look.unknown(gate, "its age is")
    if hours < LEAST_AGE_H - EPSILON:
        value = f"{int(hours * 60)}m"
        return look.blocked(gate, value, f"age {value}", f"age {value} < {LEAST_AGE_H:g}h")
    return look.passed(gate, lambda: f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d")


def _siphon(look: Evidence) -> Finding | None:
    facts = look.facts
    if look.is_solana or (facts is not None and facts.simulation_succeeded is None):
        return None  # another source gave the verdict; the trial sale that these flags come from was not made
    if facts is None:
        return look.unknown(Gate.SIPHON, "the trial sale is")
    for flag in facts.critical_flags:
        if flag in CRITICAL_FLAGS:
            words = flag.replace("_", " ")
            return look.blocked(Gate.SIPHON, words, CRITICAL_FLAGS[flag], words)
    return look.passed(Gate.SIPHON, "none")


GATES = (
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
MOVING_GATES = (_evidence, _rug_lp, _liquidity_floor, _age)
STANDING_GATES = tuple(gate for gate in GATES if gate not in MOVING_GATES)
"""They look at nothing but the contract and what stands for hours."""
ORDER = {gate: place for place, gate in enumerate(Gate)}


def _short(value: float) -> str:
    """`50k`, `2.41M`: three significant digits."""
    for scale, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"
