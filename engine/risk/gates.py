"""Gates G1-G11 of SPEC 11.3 as pure functions: each gives value, limit and reason, also after a failure.

A gate whose data do not exist says `not_applicable` and why. On a live account nothing is excused: what is
not measured, and what is switched off, fails there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from math import isfinite

from engine.clock import US_PER_S
from engine.model.candidates import AgentReport, GateResult, GateStatus, Regime, Vote
from engine.model.market import Quote
from engine.model.positions import AccountKind
from engine.money import ZERO
from engine.risk.limits import LimitSwitches


class GateStage(StrEnum):
    """When the gates run; the age limit of the quote differs."""

    PROPOSAL = "proposal"
    APPROVAL = "approval"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class GateInput:
    """Everything the gates look at, fixed at one instant. Money Decimal in account currency."""

    stage: GateStage
    now_us: int
    engine_state: str
    """STARTING, RUNNING, DEGRADED, HALTED or STOPPED; only RUNNING passes."""
    halt_reason: str
    account_kind: AccountKind
    strategy_stage: str
    """shadow | paper | canary | live (SPEC 14)."""
    quote: Quote | None
    quote_max_age_us: int
    """15 s at proposal; at approval and send 3 s for equities, 5 s for crypto (SPEC 11.3)."""
    reports: tuple[AgentReport, ...]
    regime: Regime
    dataset: bool
    """True when the data are a stored dataset that cannot hold news, sectors or spreads (SPEC 9.8)."""
    rule: str
    """`naive` or `full` (SPEC 14, gaps.rule)."""
    open_in_strategy: int
    """Open positions and working entries of this strategy."""
    max_in_strategy: int
    open_total: int
    max_total: int
    open_in_instrument: int
    entries_this_session: int
    max_entries_per_session: int
    quantity: Decimal
    lot_size: Decimal
    limit_price: Decimal
    tick_size: Decimal | None
    buying_power: Decimal
    market_open: bool
    switches: LimitSwitches


TITLES = {
    "G1": "engine",
    "G2": "data",
    "G3": "stage",
    "G4": "agents",
    "G5": "regime",
    "G6": "news",
    "G7": "liquidity",
    "G8": "positions",
    "G9": "size",
    "G10": "portfolio",
    "G11": "order",
}
STAGES = frozenset({"paper", "canary", "live"})
"""Stages that may trade; `shadow` only watches."""
LIVE_STAGES = frozenset({"canary", "live"})
MAX_CLOCK_SKEW_US = US_PER_S
"""How far in the future a quote may lie (SPEC 11.3)."""
# Signals are off: a result that is no number is NaN or infinite, and fails its check like other bad input.
_QUIET = Context(prec=28, traps=[])


def evaluate(inputs: GateInput) -> tuple[GateResult, ...]:
    """All eleven results in order; a failure does not end it."""
    return tuple(gate(inputs) for gate in _GATES)


def first_failure(results: Sequence[GateResult]) -> GateResult | None:
    """The first gate that failed; None when the trade may go on."""
    return next((result for result in results if result.status is GateStatus.FAIL), None)


def _passed(gate: str, value: str, limit: str, reason: str) -> GateResult:
    return GateResult(gate, TITLES[gate], GateStatus.PASS, value, limit, reason)


def _failed(gate: str, value: str, limit: str, reason: str) -> GateResult:
    return GateResult(gate, TITLES[gate], GateStatus.FAIL, value, limit, reason)


def _excused(inputs: GateInput, gate: str, value: str, limit: str, reason: str) -> GateResult:
    """Not applicable, except where money is at stake."""
    if inputs.account_kind is AccountKind.LIVE:
        return _failed(gate, value, limit, f"{reason}; a live account needs it")
    return GateResult(gate, TITLES[gate], GateStatus.NOT_APPLICABLE, value, limit, reason)


def _engine(inputs: GateInput) -> GateResult:
    limit = "RUNNING"
    if inputs.engine_state != limit:
        why = f": {inputs.halt_reason}" if inputs.halt_reason else ""
        return _failed("G1", inputs.engine_state, limit, f"the engine is {inputs.engine_state}{why}")
    return _passed("G1", limit, limit, "the engine is RUNNING; drawdown of the account is not measured here")


def _data(inputs: GateInput) -> GateResult:
    quote, limit = inputs.quote, f"{inputs.quote_max_age_us / 1e6:g} s"
    if quote is None:
        return _failed("G2", "no quote", limit, "there is no quote")
    age_us = inputs.now_us - quote.ts_event
    value = f"{age_us / 1e6:.1f} s"
    if problem := _quote_problem(quote):
        return _failed("G2", value, limit, problem)
    if age_us < -MAX_CLOCK_SKEW_US:
        return _failed("G2", value, limit, f"the quote lies {-age_us / 1e6:.3f} s in the future, limit 1 s")
    if age_us > inputs.quote_max_age_us:
        return _failed("G2", value, limit, f"the quote is {age_us / 1e6:.3f} s old, limit {limit}")
    return _passed("G2", value, limit, "quote fresh and two-sided; GO/NO-GO does not apply to this strategy")


def _quote_problem(quote: Quote) -> str:
    if quote.bid is None or quote.ask is None:
        return f"the quote has no {'bid' if quote.bid is None else 'ask'}"
    if not (isfinite(quote.bid) and isfinite(quote.ask) and quote.bid > 0 and quote.ask > 0):
        return f"the quote is not two prices: bid {quote.bid:g}, ask {quote.ask:g}"
    if quote.bid > quote.ask:
        return f"the quote is crossed: bid {quote.bid:g} above ask {quote.ask:g}"
    return ""


def _stage(inputs: GateInput) -> GateResult:
    stage, kind = inputs.strategy_stage, inputs.account_kind
    value = f"{stage} on {kind}"
    if kind is AccountKind.LIVE:
        if stage not in LIVE_STAGES:
            return _failed("G3", value, "canary or live", f"stage {stage} does not trade a live account")
        return _failed("G3", value, "evidence of an edge", "no_edge_evidence: none has been collected")
    if stage not in STAGES:
        return _failed("G3", value, "paper, canary or live", f"stage {stage} does not trade")
    return _passed(
        "G3", value, "paper, canary or live", f"no evidence of an edge; a {kind} account needs none"
    )


def _agents(inputs: GateInput) -> GateResult:
    voters = [report for report in inputs.reports if report.vote is not Vote.ABSTAIN]
    against = [report for report in voters if report.vote is Vote.VETO]
    value = f"{len(voters) - len(against)} of {len(voters)} approve"
    if against:
        reasons = "; ".join(f"{report.agent}: {', '.join(report.reasons) or 'veto'}" for report in against)
        return _failed("G4", value, "all", reasons)
    if not voters:
        return _failed("G4", value, "all", "no agent voted")
    silent = [report for report in inputs.reports if report.vote is Vote.ABSTAIN]
    names = ", ".join(f"{report.agent} ({', '.join(report.reasons)})" for report in silent)
    return _passed("G4", value, "all", f"abstained: {names}" if names else "all voters approve")


def _regime(inputs: GateInput) -> GateResult:
    limit = "normal or high_vix"
    if not inputs.switches.regime:
        return _excused(
            inputs, "G5", inputs.regime, limit, f"the regime veto is off ({inputs.switches.name})"
        )
    if inputs.regime in (Regime.NORMAL, Regime.HIGH_VIX):
        return _passed("G5", inputs.regime, limit, f"regime {inputs.regime}")
    return _failed("G5", inputs.regime, limit, f"no entries in regime {inputs.regime}")


def _news(inputs: GateInput) -> GateResult:
    if inputs.dataset:
        return _excused(inputs, "G6", "unknown", "known", "dataset has no news or earnings dates")
    return _failed("G6", "unknown", "known", "no news source: headlines and earnings dates are unknown")


def _liquidity(inputs: GateInput) -> GateResult:
    if inputs.rule == "naive":
        return _excused(inputs, "G7", "not measured", "none", "rule naive has its own liquidity limit")
    if inputs.dataset:
        return _excused(inputs, "G7", "not measured", "measured", "dataset has no spreads")
    return _failed("G7", "not measured", "measured", "spread and slippage are not measured")


def _positions(inputs: GateInput) -> GateResult:
    switches = inputs.switches
    counts = (
        ("in strategy", inputs.open_in_strategy, inputs.max_in_strategy, switches.concurrent),
        ("in all", inputs.open_total, inputs.max_total, switches.concurrent),
        ("in instrument", inputs.open_in_instrument, 1, switches.one_per_instrument),
        ("this session", inputs.entries_this_session, inputs.max_entries_per_session, switches.per_session),
    )
    value = ", ".join(f"{count} {name}" for name, count, _, _ in counts)
    limit = ", ".join(f"< {bound} {name}" if on else f"off {name}" for name, _, bound, on in counts)
    full = [f"{count} {name}, limit {bound}" for name, count, bound, on in counts if on and count >= bound]
    if full:
        return _failed("G8", value, limit, "; ".join(full))
    off = [name for name, _, _, on in counts if not on]
    if off and (inputs.account_kind is AccountKind.LIVE or len(off) == len(counts)):
        return _excused(inputs, "G8", value, limit, f"limits off ({switches.name}): {', '.join(off)}")
    without = f"limits off ({switches.name}): {', '.join(off)}; " if off else ""
    return _passed("G8", value, limit, f"room left; {without}sector not applicable: no sector source")


def _size(inputs: GateInput) -> GateResult:
    value = f"{inputs.quantity:,}"
    if _is_positive(inputs.quantity):
        return _passed("G9", value, "> 0", f"quantity {value}")
    return _failed("G9", value, "> 0", "too_small: nothing is left after all caps and multipliers")


def _portfolio(inputs: GateInput) -> GateResult:
    reason = "correlation and VaR come with the risk ledger"
    return _excused(inputs, "G10", "not measured", "measured", reason)


def _order(inputs: GateInput) -> GateResult:
    lot, tick, price = inputs.lot_size, inputs.tick_size, inputs.limit_price
    notional = _QUIET.multiply(inputs.quantity, price)
    ruled = inputs.switches.buying_power or inputs.account_kind is AccountKind.LIVE
    problems = []
    if not inputs.market_open:
        problems.append("the market is closed")
    if not _is_positive(price) or not (tick is None or _is_multiple(price, tick)):
        problems.append(f"limit {price:,} is not a price on tick {tick}")
    if not _is_multiple(inputs.quantity, lot):
        problems.append(f"quantity {inputs.quantity:,} is not in lots of {lot:,}")
    if ruled and not _covers(inputs.buying_power, notional):
        problems.append(f"value {notional:,} is above buying power {inputs.buying_power:,}")
    limit = f"<= {inputs.buying_power:,}" if ruled else "none"
    if problems:
        return _failed("G11", f"{notional:,}", limit, "; ".join(problems))
    money = "within buying power" if ruled else f"buying power off ({inputs.switches.name})"
    return _passed("G11", f"{notional:,}", limit, f"market open, tick and lot valid, {money}")


def _is_positive(value: Decimal) -> bool:
    return value.is_finite() and value > ZERO


def _is_multiple(value: Decimal, step: Decimal) -> bool:
    return _is_positive(step) and _QUIET.remainder(value, step) == ZERO


def _covers(available: Decimal, needed: Decimal) -> bool:
    return available.is_finite() and needed.is_finite() and needed <= available


_GATES: tuple[Callable[[GateInput], GateResult], ...] = (
    _engine,
    _data,
    _stage,
    _agents,
    _regime,
    _news,
    _liquidity,
    _positions,
    _size,
    _portfolio,
    _order,
)
