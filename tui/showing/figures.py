"""Everything that Portfolio, Risk and Health show of one engine, with what is kept between two views."""

from collections.abc import Callable

from engine.core import Engine
from engine.model.events import Event
from tui.showing.gauges import Gauges
from tui.showing.health import HealthMaker
from tui.showing.portfolio import PortfolioMaker
from tui.showing.risk import RiskMaker
from tui.showing.trades import Trades
from tui.shown.health import HealthView
from tui.shown.portfolio import PortfolioView
from tui.shown.risk import RiskView


class Figures:
    """Made once for an engine; `hear` must be told of its events. `wall`: monotonic seconds."""

    def __init__(self, engine: Engine, gauges: Gauges | None, wall: Callable[[], float]) -> None:
        self._trades = Trades(engine)
        self._portfolio = PortfolioMaker(engine, self._trades)
        self._risk = RiskMaker(engine, wall)
        self._health = HealthMaker(engine, gauges, wall)

    def hear(self, event: Event) -> None:
        """An event of the engine."""
        self._trades.hear(event)

    def portfolio(self) -> PortfolioView:
        """As of now."""
        return self._portfolio.make()

    def risk(self) -> RiskView:
        """As of now."""
        return self._risk.make()

    def health(self) -> HealthView:
        """As of now."""
        return self._health.make()
