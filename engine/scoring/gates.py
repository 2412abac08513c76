"""The hard gates of SPEC 2.4. What is not known blocks, and says so.

A gate that does not apply to the token's chain gives no finding.
"""

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
NOTHING_TOLD = ContractFacts("", 0, 0)


class Evidence:
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


def _honeypot(look: Evidence) -> Finding:
    gate, threshold = Gate.HONEYPOT, "must be no"
    found = look.values.get("honeypot_detected")
    if found is None:
        return look.unknown(gate, threshold, "whether it can be sold is")
    if found:
        note, value = _trap(look)
        return look.blocked(gate, value, threshold, note, value if note in value else f"{note}: {value}")
    return look.passed(gate, "no, sell works", threshold)


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


def _evidence(look: Evidence) -> Finding:
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


def _named(look: Evidence, gate: Gate, flags: dict[str, bool | None], threshold: str, clear: str) -> Finding:
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


def _untradable(look: Evidence) -> Finding:
    facts = look.facts or NOTHING_TOLD
    if look.is_solana:
        flags = {"no transfers": facts.is_non_transferable}
    else:
        flags = {"cannot buy": facts.cannot_buy, "cannot sell": facts.cannot_sell_all}
    return _named(look, Gate.UNTRADABLE, flags, "buy and sell", "both work")


def _tax(look: Evidence) -> Finding:
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


def _mintable(look: Evidence) -> Finding:
    gate, threshold = Gate.MINTABLE, "no live owner"
    can_mint = look.values.get("owner_can_mint")
    if can_mint is None or look.facts is None:
        return look.unknown(gate, threshold, "who can mint is")
    if can_mint:
        owner = (look.facts.owner_address or "")[:6]
        value = f"owner {owner}" if owner and not look.is_solana else "mint authority"
        return look.blocked(gate, value, threshold, "mintable", f"mintable by a live {value}")
    return look.passed(gate, "owner 0x0" if look.facts.is_mintable else "cannot be minted", threshold)


def _owner(look: Evidence) -> Finding:
    facts = look.facts or NOTHING_TOLD
    flags = {"balance edit": facts.owner_can_change_balance}
    if not look.is_solana:
        flags |= {
            "hidden owner": facts.has_hidden_owner,
            "owner returns": facts.can_take_back_ownership,
            "self-destruct": facts.can_selfdestruct,
        }
    owner = (facts.owner_address or "").lower()
    return _named(look, Gate.OWNER, flags, "none", "renounced" if owner in RENOUNCED else "no powers")


def _freeze(look: Evidence) -> Finding | None:
    if not look.is_solana:
        return None
    facts = look.facts or NOTHING_TOLD
    return _named(look, Gate.FREEZE, {"freezable": facts.is_freezable}, "no authority", "not freezable")


def _rug_lp(look: Evidence) -> Finding:
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


def _rug_creator(look: Evidence) -> Finding | None:
    if look.is_solana:
        return None
    facts = look.facts or NOTHING_TOLD
    flags = {"rug creator": facts.creator_made_honeypots, "fake token": facts.is_fake}
    return _named(look, Gate.RUG_CREATOR, flags, "none", "no honeypots")


def _liquidity_floor(look: Evidence) -> Finding:
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


def _age(look: Evidence) -> Finding:
    gate, threshold = Gate.AGE, f">= {LEAST_AGE_H:g} h"
    hours = look.values.get("token_age_hours")
    if hours is None:
        return look.unknown(gate, threshold, "its age is")
    if hours < LEAST_AGE_H - EPSILON:
        value = f"{int(hours * 60)}m"
        return look.blocked(gate, value, threshold, f"age {value}", f"age {value} < {LEAST_AGE_H:g}h")
    return look.passed(gate, f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} d", threshold)


def _siphon(look: Evidence) -> Finding | None:
    if look.is_solana or (look.facts is not None and look.facts.simulation_succeeded is None):
        return None  # another source gave the verdict; the trial sale that these flags come from was not made
    gate, threshold = Gate.SIPHON, "none"
    if look.facts is None:
        return look.unknown(gate, threshold, "the trial sale is")
    flags = [flag for flag in look.facts.critical_flags if flag in CRITICAL_FLAGS]
    if flags:
        words = flags[0].replace("_", " ")
        return look.blocked(gate, words, threshold, CRITICAL_FLAGS[flags[0]], words)
    return look.passed(gate, "none", threshold)


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


def _short(value: float) -> str:
    """`50k`, `2.41M`: three significant digits."""
    for scale, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:.3g}{suffix}"
    return f"{value:.3g}"
