"""An account that never held money: no share of it is known, it has not fallen, and the console opens."""

from collections.abc import Callable
from typing import Any

from engine.core import Engine
from tui.showing.desk import deck
from tui.showing.figures import Figures
from tui.showing.market import market_view
from tui.shown.deck import LinkState


def test_of_no_money_no_ratio_is_shown(live: Callable[..., None]) -> None:
    async def go(make: Callable[[], Engine], venue: Any) -> None:
        engine = make()
        figures = Figures(engine, None, lambda: 0.0)
        view = deck(engine, None, market_view(engine, None), LinkState.IN_PROCESS, (), figures)
        assert view.header.equity == 0
        assert (view.header.day_pnl_ratio, view.header.drawdown_ratio) == (None, 0.0)
        assert (view.portfolio.change_ratio, view.portfolio.day_pnl_ratio) == (None, None)
        assert (view.risk.exposure_ratio, view.risk.drawdown_ratio) == (None, 0.0)

    live(go)
