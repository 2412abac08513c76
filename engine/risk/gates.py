"""Gates G1-G11 of SPEC 11.3 as pure functions: each gives value, limit and reason, also after a failure.

A gate whose data do not exist says `not_applicable` and why. On a live account nothing is excused: what is
not measured, and what is switched off, fails there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from math import isfinite, nan

from engine.clock import US_PER_S
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, GateResult, GateStatus, Regime, Vote
from engine.model.checks import Step
from engine.model.evidence import EdgeEvidence
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.money import EPSILON, ZERO, to_decimal
from engine.risk.anomalies import ORDERS_PER_MINUTE
from engine.risk.collar import PriceReferences, collar_problems
from engine.risk.drawdown import Level
from engine.risk.evidence import evidence_words
from engine.risk.exposure import Exposure
from engine.risk.fatfinger import fat_finger_problems
from engine.risk.limits import LimitSwitches, RiskConfig
from engine.risk.rates import rate_problems
from engine.risk.slippage import expected_slippage_pct
from engine.risk.var import ValueAtRisk
from engine.risk.view import RiskView
from engine.risk.words import money, percent


class GateStage(StrEnum):
    """When the gates run; the age limit of the quote differs. An approval and its send are one instant."""

    PROPOSAL = "proposal"
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
    config: RiskConfig
    symbol_halt: str
    """Why the instrument is halted; "" when it is not."""
    reconciled_age_us: int | None
    """Since our books were last compared with the venue's; None where they are one (a replay)."""
    clock_skew_us: int | None
    """Our clock less the venue's; None where they are one."""
    risk: RiskView
    exposure: Exposure | None
    """What moves together with the instrument; None: not known, or not measured in this run."""
    value_at_risk: ValueAtRisk | None
    """Of one day and what is held; None: not known, or not measured in this run."""
    sector_open: int | None
    """Positions and entries of its sector, unknown sectors being one; None without a sector source."""
    max_per_sector: int
    duplicates: int
    """Brackets of the same instrument, side and strategy that are open or ten minutes young."""
    references: PriceReferences
    adv_usd: float | None
    """Mean traded value of a day, USD."""
    live_missing: tuple[str, ...]
    """What a live account lacks of what live mode needs (`engine.risk.live`); empty on others."""
    assessment: Assessment | None = None
    """What the full rule found out; None under a rule that has none."""
    evidence: EdgeEvidence | None = None
    """Of the strategy's own past proposals, as it is now; None: nobody collects any."""
    waiver: str = ""
    """Who allowed a live account to trade without evidence, and when; "" nobody."""
    frozen: str = ""
    """Why the strategy proposes nothing until a person releases it; "" when it may."""
    late_news: str = ""
    """What was told since the agents judged and speaks against it; "" nothing."""
    realized_vol: float | None = None
    """Of the instrument, per year."""
    slippage_max_pct: float = 0.5
    """One way, percent."""


Problem = tuple[str, str, str]
"""What was measured, its limit, and the sentence."""
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
"""Between our clock and the venue's, and how far in the future a quote may lie (SPEC 11.3)."""
MAX_RECONCILED_AGE_US = 120 * US_PER_S
"""RELIABILITY 7."""
NEWS_AGENT = "newssentry"
MAX_SPREAD_RATIO = 0.01
"""Of the mid, when an order is approved and sent (RELIABILITY 8)."""
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


def _is_ruled(inputs: GateInput) -> bool:
    """Whether the limits of the account as a whole apply; on a live account they always do."""
    return inputs.switches.portfolio or inputs.account_kind is AccountKind.LIVE


def _first(gate: str, problems: Sequence[Problem]) -> GateResult:
    """A failure with the numbers of the first problem and the sentences of all."""
    value, limit, _ = problems[0]
    return _failed(gate, value, limit, "; ".join(problem[2] for problem in problems))


def _engine(inputs: GateInput) -> GateResult:
    problems = [*_state_problems(inputs), *_venue_problems(inputs)]
    if problems:
        return _first("G1", problems)
    if not _is_ruled(inputs):
        off = f"drawdown limits off ({inputs.switches.name})"
        return _passed("G1", "RUNNING", "RUNNING", f"the engine is RUNNING; {off}")
    risk = inputs.risk
    fall = f"drawdown {percent(risk.drawdown)}, {risk.level.effect}"
    return _passed("G1", "RUNNING", "RUNNING", f"the engine is RUNNING; {fall}")


def _state_problems(inputs: GateInput) -> list[Problem]:
    problems = []
    if inputs.engine_state != "RUNNING":
        why = f": {inputs.halt_reason}" if inputs.halt_reason else ""
        reason = f"the engine is {inputs.engine_state}{why}"
        problems.append((inputs.engine_state or "unknown", "RUNNING", reason))
    if inputs.live_missing:
        reason = f"live mode is refused: {'; '.join(inputs.live_missing)}"
        problems.append((f"{len(inputs.live_missing)} missing", "none missing", reason))
    risk = inputs.risk
    if _is_ruled(inputs) and risk.level is Level.STOPPED:
        limit = f"< {percent(inputs.config.dd_levels[-1])}"
        reason = f"drawdown {percent(risk.drawdown)} stopped the account (L3) until a person releases it"
        problems.append((percent(risk.drawdown), limit, reason))
    elif _is_ruled(inputs) and not _is_known(risk.drawdown):
        problems.append(("unknown", "measured", "the drawdown of the account is not known"))
    if inputs.symbol_halt:
        problems.append(("halted", "not halted", f"the symbol is halted: {inputs.symbol_halt}"))
    return problems


def _venue_problems(inputs: GateInput) -> list[Problem]:
    problems = []
    is_live = inputs.account_kind is AccountKind.LIVE
    age_us, skew_us = inputs.reconciled_age_us, inputs.clock_skew_us
    if (age_us is None and is_live) or (age_us is not None and not 0 <= age_us <= MAX_RECONCILED_AGE_US):
        value = "never" if age_us is None else f"{age_us / US_PER_S:.0f} s ago"
        limit = f"<= {MAX_RECONCILED_AGE_US // US_PER_S} s"
        problems.append((value, limit, f"the books were last reconciled {value}, limit {limit[3:]}"))
    if (skew_us is None and is_live) or (skew_us is not None and abs(skew_us) > MAX_CLOCK_SKEW_US):
        value = "unknown" if skew_us is None else f"{abs(skew_us) / US_PER_S:.3f} s"
        problems.append((value, "<= 1 s", f"our clock differs from the venue's by {value}, limit 1 s"))
    return problems


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
    if inputs.account_kind is not AccountKind.SIMULATION and quote.provenance is not Provenance.LIVE:
        reason = f"a {quote.provenance} quote decides nothing on a {inputs.account_kind} account"
        return _failed("G2", quote.provenance, Provenance.LIVE, reason)
    spread = quote.spread_ratio
    is_judged = inputs.stage is not GateStage.PROPOSAL and not inputs.dataset
    if is_judged and spread is not None and spread > MAX_SPREAD_RATIO + EPSILON:
        value, limit = percent(spread), f"<= {percent(MAX_SPREAD_RATIO)}"
        return _failed("G2", value, limit, f"spread {value} of the mid, limit {percent(MAX_SPREAD_RATIO)}")
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
    if inputs.frozen:
        return _failed("G3", "frozen", "not frozen", f"the strategy is frozen: {inputs.frozen}")
    if kind is AccountKind.LIVE:
        if stage not in LIVE_STAGES:
            return _failed("G3", value, "canary or live", f"stage {stage} does not trade a live account")
        return _edge(inputs, value)
    if stage not in STAGES:
        return _failed("G3", value, "paper, canary or live", f"stage {stage} does not trade")
    if inputs.assessment is not None:
        return _passed("G3", value, "paper, canary or live", evidence_words(inputs.evidence, kind))
    return _passed(
        "G3", value, "paper, canary or live", f"no evidence of an edge; a {kind} account needs none"
    )


def _edge(inputs: GateInput, value: str) -> GateResult:
    """Real money is offered what was shown to pay, or what a person took upon themselves (SPEC 3.3.6)."""
    words = evidence_words(inputs.evidence, inputs.account_kind)
    if inputs.evidence is not None and inputs.evidence.is_shown:
        return _passed("G3", value, "evidence of an edge", words)
    if inputs.waiver:
        return _passed(
            "G3", value, "evidence of an edge, or a waiver", f"{words}; allowed by {inputs.waiver}"
        )
    return _failed("G3", value, "evidence of an edge", f"no_edge_evidence: {words}")


def _agents(inputs: GateInput) -> GateResult:
    voters = [report for report in inputs.reports if report.vote is not Vote.ABSTAIN]
    against = [report for report in voters if report.vote is Vote.VETO]
    value = f"{len(voters) - len(against)} of {len(voters)} approve"
    counted = "" if inputs.assessment is None else inputs.assessment.vote
    hard = [report for report in against if report.hard]
    if against and (hard or not counted):
        reasons = "; ".join(f"{report.agent}: {', '.join(report.reasons) or 'veto'}" for report in against)
        return _failed("G4", value, "all", reasons)
    if not voters:
        return _failed("G4", value, "all", "no agent voted")
    silent = [report for report in inputs.reports if report.vote is Vote.ABSTAIN]
    names = ", ".join(f"{report.agent} ({', '.join(report.reasons)})" for report in silent)
    words = f"abstained: {names}" if names else "all voters approve"
    if inputs.assessment is None:
        return _passed("G4", value, "all", words)
    outvoted = ", ".join(report.agent for report in against)
    words = f"{counted}; outvoted: {outvoted}" if outvoted else f"{counted or words}"
    return _scores(inputs.assessment, value, words)


def _scores(found: Assessment, votes: str, words: str) -> GateResult:
    """The strategy's own thresholds, beside the count of votes."""
    checks = [check for check in found.checks if check.step is Step.SCORES]
    failed = [(check.value, check.limit, check.reason) for check in checks if check.is_failed]
    if failed:
        return _first("G4", failed)
    if not checks:
        return _failed("G4", "not scored", "EV and BCS", "the candidate has no scores")
    value = ", ".join([votes, *(check.value for check in checks)])
    limit = ", ".join(["all or outvoted", *(check.limit for check in checks)])
    return _passed("G4", value, limit, "; ".join([words, *(check.reason for check in checks)]))


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
    if inputs.late_news:
        return _failed(
            "G6", "news since", "none against it", f"told since the agents judged: {inputs.late_news}"
        )
    if inputs.dataset:
        return _excused(inputs, "G6", "unknown", "known", "dataset has no news or earnings dates")
    heard = next((report for report in inputs.reports if report.agent == NEWS_AGENT), None)
    if heard is None or heard.vote is Vote.ABSTAIN:
        reason = "no news source: headlines and earnings dates are unknown"
        return _failed("G6", "unknown", "known", reason)
    words = "; ".join(heard.reasons) or heard.vote.value
    if heard.vote is Vote.VETO and (heard.hard or inputs.assessment is None or not inputs.assessment.vote):
        return _failed("G6", "headlines against it", "none", words)
    if inputs.assessment is not None:
        return _earnings(inputs.assessment, words)
    if inputs.rule != "naive" or inputs.account_kind is AccountKind.LIVE:
        return _failed("G6", "earnings unknown", "known", f"no source of earnings dates; {words}")
    return _passed(
        "G6", "headlines judged", "none against it", f"{words}; rule naive asks for no earnings date"
    )


def _earnings(found: Assessment, words: str) -> GateResult:
    check = found.check("earnings")
    if check is None:
        return _failed("G6", "earnings unknown", "known", f"days of results were not looked at; {words}")
    if check.status is not GateStatus.PASS:
        return _failed("G6", check.value, check.limit, f"{check.reason}; {words}")
    return _passed("G6", check.value, check.limit, f"{check.reason}; {words}")


def _liquidity(inputs: GateInput) -> GateResult:
    if inputs.rule == "naive":
        return _excused(inputs, "G7", "not measured", "none", "rule naive has its own liquidity limit")
    if inputs.dataset:
        return _excused(inputs, "G7", "not measured", "measured", _assumed(inputs.assessment))
    spread = None if inputs.quote is None else inputs.quote.spread_ratio
    notional = _QUIET.multiply(inputs.quantity, inputs.limit_price)
    order_usd = float(notional) if notional.is_finite() else nan
    slippage = expected_slippage_pct(spread, order_usd, inputs.adv_usd, inputs.realized_vol)
    if spread is None or slippage is None:
        return _failed("G7", "not measured", "measured", "spread and slippage are not measured")
    most = inputs.slippage_max_pct
    value = f"spread {percent(spread)}, slippage {slippage:.3f} %"
    limit = f"spread <= {percent(MAX_SPREAD_RATIO)}, slippage < {most:g} %"
    problems = []
    # What is no number fails as well.
    if not spread <= MAX_SPREAD_RATIO + EPSILON:
        problems.append(f"spread {percent(spread)} of the mid, limit {percent(MAX_SPREAD_RATIO)}")
    if not slippage < most - EPSILON:
        problems.append(f"slippage {slippage:.3f} % one way, limit {most:g} %")
    if problems:
        return _failed("G7", value, limit, "; ".join(problems))
    return _passed("G7", value, limit, "spread and slippage of this order are within their limits")


def _assumed(found: Assessment | None) -> str:
    known = None if found is None else found.check("slippage")
    return "dataset has no spreads" if known is None else f"dataset has no spreads; {known.reason}"


def _positions(inputs: GateInput) -> GateResult:
    switches = inputs.switches
    counts = [
        ("in strategy", inputs.open_in_strategy, inputs.max_in_strategy, switches.concurrent),
        ("in all", inputs.open_total, inputs.max_total, switches.concurrent),
        ("in instrument", inputs.open_in_instrument, 1, switches.one_per_instrument),
        ("this session", inputs.entries_this_session, inputs.max_entries_per_session, switches.per_session),
    ]
    off = [name for name, _, _, on in counts if not on]
    if _is_ruled(inputs):
        counts.append(("the same within 10 min", inputs.duplicates, 1, True))
    if inputs.sector_open is not None:
        counts.append(("in sector", inputs.sector_open, inputs.max_per_sector, switches.concurrent))
    value = ", ".join(f"{count} {name}" for name, count, _, _ in counts)
    limit = ", ".join(f"< {bound} {name}" if on else f"off {name}" for name, _, bound, on in counts)
    full = [f"{count} {name}, limit {bound}" for name, count, bound, on in counts if on and count >= bound]
    if full:
        return _failed("G8", value, limit, "; ".join(full))
    is_live = inputs.account_kind is AccountKind.LIVE
    if off and (is_live or not any((switches.concurrent, switches.one_per_instrument, switches.per_session))):
        return _excused(inputs, "G8", value, limit, f"limits off ({switches.name}): {', '.join(off)}")
    if inputs.sector_open is None and is_live:
        return _excused(inputs, "G8", value, limit, "no sector source")
    without = f"limits off ({switches.name}): {', '.join(off)}; " if off else ""
    sector = "sector not applicable: no sector source" if inputs.sector_open is None else "sector counted"
    return _passed("G8", value, limit, f"room left; {without}{sector}")


def _size(inputs: GateInput) -> GateResult:
    value = f"{inputs.quantity:,}"
    if not _is_positive(inputs.quantity):
        return _failed("G9", value, "> 0", "too_small: nothing is left after all caps and multipliers")
    if not _is_ruled(inputs):
        return _passed("G9", value, "> 0", f"quantity {value}")
    notional = _QUIET.multiply(inputs.quantity, inputs.limit_price)
    config = inputs.config
    problems = fat_finger_problems(notional, inputs.risk.equity, inputs.adv_usd, config.max_position_pct)
    if problems:
        return _failed("G9", money(notional), "not a fat finger", "; ".join(problems))
    return _passed("G9", value, "> 0", f"quantity {value}, value {money(notional)}")


def _portfolio(inputs: GateInput) -> GateResult:
    if not _is_ruled(inputs):
        reason = f"portfolio limits are off ({inputs.switches.name})"
        return _excused(inputs, "G10", "not measured", "measured", reason)
    equity, exposure, risk = inputs.risk.equity, inputs.exposure, inputs.value_at_risk
    if equity is None or not _is_known(equity) or exposure is None:
        missing = "what moves together" if exposure is None else "the equity of the account"
        return _failed("G10", "unknown", "measured", f"{missing} is not known")
    notional = _QUIET.multiply(inputs.quantity, inputs.limit_price)
    together = _QUIET.add(exposure.value, notional)
    most = _QUIET.multiply(equity, to_decimal(inputs.config.corr_exposure_max))
    most_at_risk = float(equity) * inputs.config.var_max_pct
    at_risk = "unknown" if risk is None else f"{risk.larger:,.2f}"
    value = f"{money(together)} moving together, {at_risk} at risk"
    limit = f"<= {money(most)} moving together, <= {most_at_risk:,.2f} at risk"
    problems = []
    if not _covers(most, together):
        share = percent(inputs.config.corr_exposure_max)
        words = f"{len(exposure.names)} held, {len(exposure.unknown)} of them of unknown correlation"
        problems.append(f"{money(together)} would move together ({words}), limit {money(most)} ({share})")
    # A risk that is no number fails as well.
    if risk is not None and not risk.larger <= most_at_risk:
        problems.append(f"VaR {at_risk} of one day, limit {most_at_risk:,.2f}")
    if risk is None and not _lacks_history(inputs):
        problems.append("VaR is not known: fewer than 60 common returns of what is held")
    if problems:
        return _failed("G10", value, limit, "; ".join(problems))
    if risk is None:
        reason = "VaR not applicable (dataset): fewer than 60 common returns of what is held in it"
        return _excused(inputs, "G10", value, limit, reason)
    return _passed("G10", value, limit, f"{len(exposure.names)} positions move with it; VaR {at_risk}")


def _lacks_history(inputs: GateInput) -> bool:
    """A stored dataset begins where it begins (SPEC 9.8); a live account never trades on that."""
    return inputs.dataset and inputs.account_kind is not AccountKind.LIVE


def _order(inputs: GateInput) -> GateResult:
    lot, tick, price = inputs.lot_size, inputs.tick_size, inputs.limit_price
    notional = _QUIET.multiply(inputs.quantity, price)
    ruled = inputs.switches.buying_power or inputs.account_kind is AccountKind.LIVE
    limit = f"<= {inputs.buying_power:,}" if ruled else "none"
    problems: list[Problem] = []
    if not inputs.market_open:
        problems.append(("closed", "open", "the market is closed"))
    if not _is_positive(price) or not (tick is None or _is_multiple(price, tick)):
        problems.append((f"{price:,}", f"tick {tick}", f"limit {price:,} is not a price on tick {tick}"))
    if not _is_multiple(inputs.quantity, lot):
        reason = f"quantity {inputs.quantity:,} is not in lots of {lot:,}"
        problems.append((f"{inputs.quantity:,}", f"lots of {lot:,}", reason))
    if ruled and not _covers(inputs.buying_power, notional):
        reason = f"value {notional:,} is above buying power {inputs.buying_power:,}"
        problems.append((f"{notional:,}", limit, reason))
    if _is_ruled(inputs):
        collar = collar_problems(price, inputs.references)
        problems += [(f"{price:,}", "within the collar", words) for words in collar]
        problems += _day_problems(inputs)
    if problems:
        return _first("G11", problems)
    funds = "within buying power" if ruled else f"buying power off ({inputs.switches.name})"
    words = f"market open, tick and lot valid, {funds}"
    if _is_ruled(inputs):
        words += f", within the price collar, {percent(inputs.risk.day_loss)} lost today"
    return _passed("G11", f"{notional:,}", limit, words)


def _day_problems(inputs: GateInput) -> list[Problem]:
    """The daily loss, and how fast orders may follow each other."""
    risk, most = inputs.risk, inputs.config.daily_loss_max
    loss = percent(risk.day_loss)
    problems = []
    if risk.day_loss is None or not risk.day_loss.is_finite():
        problems.append((loss, f"< {percent(most)}", "the loss of today is not known"))
    elif risk.is_day_over or risk.day_loss >= most:
        reason = f"the daily loss limit of {percent(most)} was reached, now {loss}: no entries today"
        problems.append((loss, f"< {percent(most)}", reason))
    rates = rate_problems(risk.entries_minute, risk.entries_today)
    problems += [(words.partition(" ")[0], "a slower pace", words) for words in rates]
    if risk.orders_minute > ORDERS_PER_MINUTE:
        reason = f"{risk.orders_minute} orders in the last minute, limit {ORDERS_PER_MINUTE}"
        problems.append((f"{risk.orders_minute} orders", f"<= {ORDERS_PER_MINUTE} orders", reason))
    return problems


def _is_known(value: Decimal | None) -> bool:
    return value is not None and value.is_finite()


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
