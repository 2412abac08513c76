"""What every widget must know beside its own rows: the time, and whether values and approvals hold."""

from dataclasses import dataclass

from tui.shown.deck import DeckView, LinkState
from tui.shown.details import Detail


@dataclass(frozen=True, slots=True)
class Look:
    """Made from a view at one instant."""

    view: DeckView
    now_us: int
    """The engine's time, carried on between views of a live market."""
    silent_us: int = 0
    """Since the engine's last answer. A replay's clock stands meanwhile, it may be far from real time."""
    detail: Detail | None = None
    """About what the screen has open; None when nothing is, or the answer has not come yet."""

    @property
    def halted(self) -> bool:
        return self.view.header.engine_state == "HALTED"

    @property
    def detached(self) -> bool:
        return self.view.header.link in (LinkState.RECONNECTING, LinkState.LOST)

    @property
    def stale(self) -> bool:
        """Whether shown values are old; they are marked `~` and muted."""
        return self.detached or bool(self.view.header.market.stale)

    @property
    def held(self) -> str:
        """Why no ticket can be approved now: halted, stale, detached or ""."""
        if self.halted:
            return "halted"
        if self.detached:
            return "detached"
        return "stale" if self.view.header.market.stale else ""
