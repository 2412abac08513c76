"""Everything that Gaps, Portfolio, Risk and Health show of one engine and what is kept between two views."""

from collections.abc import Callable

from engine.core import Engine
from engine.model.events import Event
from tui.showing.gaps import GapBoard
from tui.showing.gauges import Gauges
from tui.showing.health import HealthMaker
from tui.showing.portfolio import PortfolioMaker
from tui.showing.risk import RiskMaker
from tui.showing.trades import Trades
from tui.shown.gaps import GapScanView
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
        self._gaps = GapBoard(engine)

    def hear(self, event: Event) -> None:
        """An event of the engine."""
        self._trades.hear(event)
        self._gaps.hear(event)

    def scan(self) -> GapScanView:
        """As of the last decision, and of what was followed since."""
        return self._gaps.make()

    def portfolio(self) -> PortfolioView:
        """As of now."""
        return self._portfolio.make()

    def risk(self) -> RiskView:
        """As of now."""
        return self._risk.make()

    def health(self) -> HealthView:
        """As of now."""
        return self._health.make()
