"""The strategy's own limits on positions and size, the filters, and what the past allows (SPEC 3.7, 3.8)."""

from datetime import date

from engine.agents.base import AgentContext, Objection, objection, verdict
from engine.agents.notes import clip
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, GapCandidate
from engine.model.checks import Step
from engine.model.ids import symbol_of
from engine.model.policy import GapsPolicy, TickerState
from engine.strategies.filters import is_covered
from engine.strategies.gaps_config import GapsConfig


class RiskOfficer:
    """Hard veto at the limits of 3.8 and for a size of nothing. A limit that is off is said to be off.

    Under the full rule also for a filter of 3.7, and for an instrument that its own past keeps out (3.11).
    """

    name = "riskofficer"

    def __init__(self, config: GapsConfig) -> None:
        self._config = config

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        switches = context.market.switches
        objections = []
        if switches.one_per_instrument and candidate.instrument in context.market.open_instruments:
            symbol = symbol_of(candidate.instrument)
            reason = f"{symbol} is held or being entered, limit 1 per instrument"
            objections.append(Objection(reason, "held", "1 in instrument", "< 1 in instrument"))
        cap = self._config.max_concurrent
        if switches.concurrent and context.open_in_strategy >= cap:
            count = context.open_in_strategy
            reason = f"{count} positions open or entering, limit {cap}"
            objections.append(
                Objection(reason, f"open {count}/{cap}", f"{count} in strategy", f"< {cap} in strategy")
            )
        cap = self._config.entries_per_session
        if switches.per_session and context.entries_this_session >= cap:
            count = context.entries_this_session
            reason, value = f"{count} entries this session, limit {cap}", f"{count} this session"
            objections.append(Objection(reason, f"entries {count}/{cap}", value, f"< {cap} this session"))
        objections.extend(self._sector_objections(context))
        objections.extend(self._size_objections(context))
        words: tuple[str, ...] = (
            _size_words(context),
            self._sector_words(context),
            self._count_words(context),
        )
        if candidate.assessment is not None:
            objections.extend(self._full_objections(candidate, candidate.assessment, context))
            words += (self._cash_words(context), *_filter_words(candidate.assessment))
        return verdict(self.name, objections, True, words)

    def _full_objections(
        self, candidate: GapCandidate, found: Assessment, context: AgentContext
    ) -> list[Objection]:
        policy = context.market.policy
        against_it = [] if policy is None else _past_objections(candidate, policy, context.market.session)
        against_it += [objection(check) for check in found.failed(Step.FILTERS)]
        cost = _order_usd(context)
        if (
            cost
            and context.market.switches.buying_power
            and not is_covered(float(context.cash), cost, self._config)
        ):
            cover = self._config.cash_cover
            reason = (
                f"free cash {context.cash:,.2f}, limit more than {cover:g} times the order of {cost:,.2f}"
            )
            value, limit = f"{context.cash:,.2f} free", f"> {cover * cost:,.2f}"
            against_it.append(Objection(reason, clip(f"cash < {cover:g} orders"), value, limit))
        return against_it

    def _cash_words(self, context: AgentContext) -> str:
        cover, cost = self._config.cash_cover, _order_usd(context)
        return f"free cash {context.cash:,.2f}, limit more than {cover * cost:,.2f}" if cost else ""

    def _sector_objections(self, context: AgentContext) -> list[Objection]:
        cap, count = self._config.max_per_sector, context.in_sector
        if not context.sector or not context.market.switches.concurrent or count < cap:
            return []
        reason = f"{count} positions open or entering in {context.sector}, limit {cap}"
        note = f"sector {count}/{cap}"
        return [Objection(reason, note, f"{count} in {context.sector}", f"< {cap} in {context.sector}")]

    def _sector_words(self, context: AgentContext) -> str:
        return (
            f"{context.sector} {context.in_sector} of {self._config.max_per_sector}" if context.sector else ""
        )

    def _size_objections(self, context: AgentContext) -> list[Objection]:
        prices, sizing = context.prices, context.sizing
        if prices is None:
            reason = "a side of the quote is missing, so there is no price to size at"
            return [Objection(reason, "no price", "no price", "a two-sided quote")]
        if sizing is None:
            reason = (
                f"stop {prices.stop_price:f}, limit {prices.limit_price:f} and target"
                f" {prices.target_price:f} are not in order: the tick is too coarse for this price"
            )
            return [Objection(reason, clip("tick too coarse"), "not in order", "stop < limit < target")]
        if sizing.quantity > 0:
            return []
        reason = (
            f"too small: {sizing.binding} allows {sizing.value:.2f} of {context.market.equity:.2f} equity,"
            f" one lot costs {prices.limit_price:f}"
        )
        brief = "drawdown stop" if sizing.binding == "drawdown" else "too small"
        return [Objection(reason, brief, f"{sizing.value:.2f} allowed", f">= {prices.limit_price:f}")]

    def _count_words(self, context: AgentContext) -> str:
        switches = context.market.switches
        open_words = f"{context.open_in_strategy} open, limit {self._config.max_concurrent}"
        return open_words if switches.concurrent else f"{open_words} (not a limit in this run)"


def _past_objections(candidate: GapCandidate, policy: GapsPolicy, session: date) -> list[Objection]:
    """Ejected tickers and those that cool down after an exit."""
    symbol, found = symbol_of(candidate.instrument), []
    standing = policy.standing(candidate.instrument, session)
    if standing.state is TickerState.EJECTED:
        past = f"{standing.wins} of {standing.n} trades won, rate {standing.rate:.2f}"
        until = "" if standing.until is None else f" until {standing.until}"
        reason = f"{symbol} is ejected{until}: {past}"
        found.append(Objection(reason, "ejected", f"rate {standing.rate:.2f}", "not ejected"))
    until_day = policy.cools_until(candidate.instrument, session)
    if until_day is not None:
        reason = f"{symbol} cools down after its last exit, next entry on {until_day}"
        found.append(Objection(reason, "cooldown", f"session {session}", f">= {until_day}"))
    return found


def _order_usd(context: AgentContext) -> float:
    """What the entry costs; 0 where it has no size."""
    if context.prices is None or context.sizing is None:
        return 0.0
    return float(context.prices.limit_price * context.sizing.quantity)


def _filter_words(found: Assessment) -> tuple[str, ...]:
    return tuple(check.reason for check in found.checks if check.step is Step.FILTERS)


def _size_words(context: AgentContext) -> str:
    if context.prices is None or context.sizing is None:
        return ""
    sizing = context.sizing
    return (
        f"{sizing.quantity:f} at {context.prices.limit_price:f}: {sizing.binding} allows {sizing.value:.2f}"
    )
