"""What a face is shown of the market itself: what it is, how fast it goes, and how its sources do."""

from engine.backtest.drive import Drive
from engine.core import Engine
from engine.parts import EngineState
from tui.shown.deck import MarketView


def market_view(engine: Engine, drive: Drive | None) -> MarketView:
    """`drive`: what steps the market; None where time runs by itself."""
    parts = engine.parts
    feeds, now = parts.feeds(), parts.clock.now_us()
    speaking = sum(feed.last_us is not None and now - feed.last_us <= feed.max_age_us for feed in feeds)
    if drive is None:
        stopped = engine.state is EngineState.STOPPED
        return MarketView(parts.provenance.value, False, None, speaking, len(feeds), stopped)
    # Stored bars are one source, and never late.
    ok, total = (speaking, len(feeds)) if feeds else (1, 1)
    return MarketView(
        parts.provenance.value, drive.paused, drive.speed, ok, total, drive.ended, slow=drive.why_slow
    )
