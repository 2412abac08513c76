"""Which class draws which screen; loaded when it is first shown, so that the first frame is quick."""

import sys
from collections.abc import Iterator
from importlib import import_module

from tui.screens.chrome import DeckScreen

OPENING = "opening"
"""The name of the screen that is shown until the engine answers."""
_CLASSES = {
    OPENING: ("tui.screens.opening", "OpeningScreen"),
    "desk": ("tui.screens.desk", "DeskScreen"),
    "gems": ("tui.screens.gems", "GemsScreen"),
    "gaps": ("tui.screens.gaps", "GapsScreen"),
    "orders": ("tui.screens.orders", "OrdersScreen"),
    "portfolio": ("tui.screens.portfolio", "PortfolioScreen"),
    "risk": ("tui.screens.risk", "RiskScreen"),
    "agents": ("tui.screens.later", "AgentsScreen"),
    "research": ("tui.screens.later", "ResearchScreen"),
    "health": ("tui.screens.health", "HealthScreen"),
    "log": ("tui.screens.log", "LogScreen"),
}
"""Of each name in `tui.actions.SCREENS`, and the one before them."""

_DIALOGS = "approve bracketsheet details handling help leave palette reject resume sheet smaller"


def load_later() -> Iterator[None]:
    """Load what keys open, a module a step: the first press is then as quick as the second."""
    screens = [module for module, _ in _CLASSES.values()]
    for module in (*screens, *(f"tui.screens.{name}" for name in _DIALOGS.split())):
        if module not in sys.modules:
            import_module(module)
            yield


def make_screen(name: str) -> DeckScreen[None]:
    """A new screen. Raises KeyError for a name that is none."""
    module, kind = _CLASSES[name]
    made: DeckScreen[None] = getattr(import_module(module), kind)()
    return made
