"""What the account is worth, holds and earned."""

from collections.abc import Iterable
from functools import partial
from typing import cast

from tui.actions import Action, Place
from tui.screens.acting import ActingScreen
from tui.screens.arrange import EXTRA_COLUMNS, Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.shown.details import Topic
from tui.shown.portfolio import RoundTripRow, StrategyRow
from tui.widgets.accounts import AccountsPane
from tui.widgets.equity import EquityPane
from tui.widgets.figures import FiguresPane
from tui.widgets.holdings import ByStrategyPane, PositionsPane, RoundTripsPane
from tui.widgets.instruments import InstrumentsPane, TradesRow
from tui.widgets.look import Look
from tui.widgets.pane import Pane

ACCOUNT_COLUMNS = 44


class PortfolioScreen(ActingScreen):
    """Figures, the curve, positions and closed trades; wide terminals show the account beside the curve."""

    name_in_navigation = "portfolio"
    order = (
        Place.POSITIONS,
        Place.EQUITY,
        Place.ROUND_TRIPS,
        Place.INSTRUMENTS,
        Place.BY_STRATEGY,
        Place.ACCOUNTS,
    )
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield FiguresPane(options, id="figures")
        yield EquityPane(options, id="equity")
        yield PositionsPane(options, id="positions")
        yield ByStrategyPane(options, id="by-strategy")
        yield RoundTripsPane(options, id="round-trips")
        yield InstrumentsPane(options, id="instruments")
        yield AccountsPane(options, id="accounts")

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
        boxes = {Place.FIGURES: figures, Place.EQUITY: curve}
        if area.width >= EXTRA_COLUMNS - 2:
            boxes[Place.EQUITY], boxes[Place.ACCOUNTS] = columns(curve, 0, ACCOUNT_COLUMNS)
        left, right = columns(lower, 0, 50)
        below = max(lower.height * 6 // 15, 5)
        boxes[Place.POSITIONS], boxes[Place.INSTRUMENTS] = rows(left, 1, 0, below)
        boxes[Place.ROUND_TRIPS], boxes[Place.BY_STRATEGY] = rows(right, 1, 0, below)
        return boxes

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        return Topic.EQUITY, cast(EquityPane, self.pane(Place.EQUITY)).period

    def shows(self, action: Action, look: Look) -> bool:
        if action.id == "chart.longer":
            return self.pane(Place.EQUITY).display
        return super().shows(action, look)

    def action_open(self) -> None:
        """The bracket of a position; of closed trades what there is to tell."""
        from tui.screens.sheet import Sheet
        from tui.screens.trades import strategy_lines, trades_lines, trip_lines

        row = self.active.selected_row
        if isinstance(row, RoundTripRow):
            self.app.push_screen(Sheet((row.symbol, f"B-{row.number}, closed"), partial(trip_lines, row)))
        elif isinstance(row, TradesRow):
            self.app.push_screen(
                Sheet((row.symbol or "All", "closed trades"), partial(trades_lines, row.symbol))
            )
        elif isinstance(row, StrategyRow):
            self.app.push_screen(
                Sheet((row.strategy, "closed trades"), partial(strategy_lines, row.strategy))
            )
        else:
            super().action_open()

    def action_period(self, by: int) -> None:
        """A longer or a shorter period of the curve."""
        if not self.pane(Place.EQUITY).display:
            self.refuse("]" if by > 0 else "[", "the curve is not on the screen")
            return
        cast(EquityPane, self.pane(Place.EQUITY)).step(by)
        self.show()
