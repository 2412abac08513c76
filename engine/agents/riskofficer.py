"""The strategy's own limits on positions and size (SPEC 3.8)."""

from engine.agents.base import AgentContext, Objection, verdict
from engine.agents.notes import clip
from engine.model.candidates import AgentReport, GapCandidate
from engine.model.ids import symbol_of
from engine.strategies.gaps_config import GapsConfig


class RiskOfficer:
    """Hard veto at the limits of 3.8 and for a size of nothing. A limit that is off is said to be off."""

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
        words = (_size_words(context), self._sector_words(context), self._count_words(context))
        return verdict(self.name, objections, True, words)

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


def _size_words(context: AgentContext) -> str:
    if context.prices is None or context.sizing is None:
        return ""
    sizing = context.sizing
    return (
        f"{sizing.quantity:f} at {context.prices.limit_price:f}: {sizing.binding} allows {sizing.value:.2f}"
    )
