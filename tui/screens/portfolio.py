"""What the account is worth, holds and earned."""

from collections.abc import Iterable
from typing import cast

from tui.actions import Place
from tui.screens.acting import ActingScreen
from tui.screens.arrange import Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.shown.details import Topic
from tui.widgets.equity import EquityPane
from tui.widgets.figures import FiguresPane
from tui.widgets.holdings import ByStrategyPane, PositionsPane, RoundTripsPane
from tui.widgets.look import Look
from tui.widgets.pane import Pane


class PortfolioScreen(ActingScreen):
    """Figures, the curve, positions and closed trades."""

    name_in_navigation = "portfolio"
    order = (Place.POSITIONS, Place.EQUITY, Place.ROUND_TRIPS, Place.BY_STRATEGY)
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield FiguresPane(options, id="figures")
        yield EquityPane(options, id="equity")
        yield PositionsPane(options, id="positions")
        yield ByStrategyPane(options, id="by-strategy")
        yield RoundTripsPane(options, id="round-trips")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if not wide:
            figures, curve, lower = rows(area, 0, 3, max(area.height * 10 // 21, 6), 0)
            left, right = columns(lower, 44, 0)
            return {
                Place.FIGURES: figures,
                Place.EQUITY: curve,
                Place.POSITIONS: left,
                Place.ROUND_TRIPS: right,
            }
        figures, curve, lower = rows(area, 1, 3, max(area.height * 16 // 36, 8), 0)
        left, right = columns(lower, 0, 50)
        held, strategies = rows(left, 1, 0, max(lower.height * 6 // 15, 5))
        return {
            Place.FIGURES: figures,
            Place.EQUITY: curve,
            Place.POSITIONS: held,
            Place.BY_STRATEGY: strategies,
            Place.ROUND_TRIPS: right,
        }

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        return Topic.EQUITY, cast(EquityPane, self.pane(Place.EQUITY)).period

    def action_period(self, by: int) -> None:
        """A longer or a shorter period of the curve."""
        if not self.pane(Place.EQUITY).display:
            self.refuse("[", "the curve is not on the screen")
            return
        cast(EquityPane, self.pane(Place.EQUITY)).step(by)
        self.show()
