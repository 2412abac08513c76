"""How a console behaves and how it ends; made by the command line, read by every screen."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tui.widgets.charts.graph import Graph


@dataclass(frozen=True, slots=True)
class Opening:
    """What a console says and knows while its link still opens."""

    what: Callable[[], str]
    """`Starting the demo market`; asked again each second."""
    why: str
    """What that means for the person."""
    kind: str = ""
    """Of the account, `simulation`; "" while only the engine knows it."""
    account: str = ""


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """`now` is a monotonic clock in seconds for dialogs, refusals and flashes; never the engine's time."""

    plain: bool = False
    """ASCII only."""
    no_mouse: bool = False
    low_bandwidth: bool = False
    """No flashes, and one picture every two seconds."""
    reduce_motion: bool = False
    bell: bool = False
    """Ring once when a ticket arrives."""
    view_only: bool = False
    own_engine: bool = False
    """The engine lives in this process (`--demo`, `--replay`): leaving ends it, so leaving asks."""
    opening: Opening | None = None
    """The link opens while the console is shown already; None: it is there."""
    theme: str = "dusk"
    graph: Graph = Graph.BRAILLE
    keys: Mapping[str, str] = field(default_factory=dict)
    """Action id -> the person's own key, in Textual's names."""
    now: Callable[[], float] = time.monotonic

    @property
    def drawn_with(self) -> Graph:
        """What charts are made of; nothing but ASCII where nothing else may be written."""
        return Graph.ASCII if self.plain else self.graph

    @property
    def flashes(self) -> bool:
        """Whether a changed cell lights up for a moment."""
        return not (self.low_bandwidth or self.reduce_motion)


@dataclass(frozen=True, slots=True)
class ConsoleExit:
    """What the person wants when the console closes."""

    stop_engine: bool
