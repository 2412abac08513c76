"""Answers to what a person opens, made from the engine's live state. Pure: reads, never writes."""

from collections.abc import Callable, Mapping

from engine.core import Engine
from tui.showing.bracket import bracket_detail
from tui.showing.equity import equity
from tui.showing.gap import gap_detail
from tui.showing.gems import gem_detail
from tui.showing.log import log_page
from tui.shown.details import Detail, Topic

_MAKERS: Mapping[Topic, Callable[[Engine, str], Detail | None]] = {
    Topic.GAP: gap_detail,
    Topic.GEM: gem_detail,
    Topic.BRACKET: bracket_detail,
    Topic.EQUITY: equity,
    Topic.LOG: log_page,
}


def detail(engine: Engine, topic: Topic, id: str) -> Detail | None:
    """What is known of one thing; None for a topic or an id that nothing is known of."""
    maker = _MAKERS.get(topic)
    return None if maker is None else maker(engine, id)
