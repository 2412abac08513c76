"""What a strategy may know beside prices and books: a model, companies, the volume of this morning."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from engine.model.company import CompanyFacts
from engine.model.ids import InstrumentId
from engine.ports import Predictor, Sessions
from engine.strategies.base import StrategyContext


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Sources of it, asked at each decision; the defaults know nothing."""

    model: Callable[[date], Predictor | None] = lambda session: None
    """What is on the shelf for a session; None: no model is registered."""
    company: Callable[[InstrumentId], CompanyFacts | None] | None = None
    """None: there is no source of company facts."""
    volume_ratio: Callable[[InstrumentId], float | None] | None = None
    """Of the session so far; None: no source."""
    earnings_dates: Callable[[InstrumentId], Sequence[date]] = lambda instrument: ()
    """As the person wrote them down."""
    spy_price: Callable[[date], float | None] = lambda session: None
    """SPY's price at the open of a session, where no quote of it is streamed."""
    spread_bps: float = 10.0
    """Assumed where a dataset has no quotes (SPEC 9.8)."""

    def join(self, context: StrategyContext, sessions: Sessions) -> StrategyContext:
        """The context with all of it."""
        return replace(
            context,
            model=self.model(context.session),
            company=self.company,
            volume_ratio=self.volume_ratio,
            sessions_between=lambda first, last: len(sessions.between(first, last)),
            earnings_dates=self.earnings_dates,
            spy_price=self.spy_price(context.session),
            assumed_spread_bps=self.spread_bps,
        )


NOTHING_KNOWN = Knowledge()
