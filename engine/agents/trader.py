"""Whether the quote can be traded on (SPEC 3.4): its sides, its age and its spread."""

from engine.agents.base import AgentContext, Objection, verdict
from engine.agents.notes import age, clip
from engine.model.candidates import AgentReport, GapCandidate
from engine.money import EPSILON

MAX_QUOTE_AGE_US = 15_000_000
MAX_SPREAD_RATIO = 0.01


class Trader:
    """Soft veto for an old quote or a wide spread; hard where a side is missing or the sides are crossed."""

    name = "trader"

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        quote, spread = context.quote, context.quote.spread_ratio
        broken = []
        if quote.bid is None or quote.ask is None:
            side = "bid" if quote.bid is None else "ask"
            broken.append(Objection(f"the quote has no {side}", f"no {side}", f"no {side}", "two sides"))
        elif quote.bid > quote.ask:
            reason, limit = f"crossed quote: bid {quote.bid:g} above ask {quote.ask:g}", f"<= {quote.ask:g}"
            broken.append(Objection(reason, "crossed quote", f"bid {quote.bid:g}", limit))
        weak = []
        quote_age = context.market.now_us - quote.ts_event
        if quote_age > MAX_QUOTE_AGE_US:
            limit = age(MAX_QUOTE_AGE_US)
            weak.append(
                Objection(
                    f"the quote is {age(quote_age)} old, limit {limit}",
                    clip(f"quote {age(quote_age)} > {limit}"),
                    f"quote {quote_age / 1e6:.1f} s old",
                    f"<= {MAX_QUOTE_AGE_US / 1e6:g} s",
                )
            )
        if spread is not None and not context.market.dataset and spread > MAX_SPREAD_RATIO + EPSILON:
            weak.append(
                Objection(
                    f"spread {100 * spread:.2f}% of the mid, limit {100 * MAX_SPREAD_RATIO:.2f}%",
                    clip(f"spread {100 * spread:.1f}%"),
                    f"spread {100 * spread:.2f} %",
                    f"<= {100 * MAX_SPREAD_RATIO:.2f} %",
                )
            )
        words: tuple[str, ...] = (_age_words(quote_age), _spread_words(context))
        if candidate.assessment is not None:
            words += (_bracket_words(context),)
        return verdict(self.name, broken + weak, bool(broken), words)


def _bracket_words(context: AgentContext) -> str:
    """The order that it builds."""
    prices, sizing = context.prices, context.sizing
    if prices is None or sizing is None:
        return ""
    legs = f"stop {prices.stop_price:f}, target {prices.target_price:f}"
    return f"buy {sizing.quantity:f} at {prices.limit_price:f} or less, {legs}"


def _age_words(quote_age: int) -> str:
    return f"quote {quote_age / 1_000_000:.1f} s old, limit {age(MAX_QUOTE_AGE_US)}"


def _spread_words(context: AgentContext) -> str:
    if context.market.dataset:
        return "spread not applicable: the dataset has no quotes"
    spread = context.quote.spread_ratio
    return "" if spread is None else f"spread {100 * spread:.2f}%, limit {100 * MAX_SPREAD_RATIO:.2f}%"
