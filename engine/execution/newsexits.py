"""Bad news about what is held ends it: a severe headline or filing, or results (SPEC 3.9).

An entry that still works is cancelled. How it is sold is the exit's business: at 0.995 of the bid, after a
minute at market.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.evidence import EntryUnwanted, ExitWanted, Fact
from engine.execution.orders import Brackets
from engine.features.severe import SEVERE_ITEMS, severe_term
from engine.model.company import CompanyFacts
from engine.model.events import Alarm, Event
from engine.model.ids import InstrumentId, StrategyName, TicketId, symbol_of
from engine.model.market import Headline, MarketBatch, Provenance
from engine.model.positions import AccountKind, ExitReason
from engine.money import ZERO
from engine.strategies.earnings import RESULTS_ITEM, is_earnings_headline

PERIOD_US = 60 * US_PER_S
"""Filings, and news of before a fill, are looked at so often."""
_OVER = (BracketPhase.EXITING, BracketPhase.DRAINING, BracketPhase.CLOSED)


@dataclass(frozen=True, slots=True)
class NewsDesk:
    """What the look at the news works with."""

    brackets: Brackets
    now_us: Callable[[], int]
    headlines: Callable[[InstrumentId], Sequence[Headline]]
    company: Callable[[InstrumentId], CompanyFacts | None] | None
    kind: AccountKind
    heeds: Callable[[StrategyName], bool]
    """Whether a strategy leaves on news."""
    publish: Callable[[Event], None]


class NewsExits:
    """Looks at the news of what is held with every batch that tells some, and else once a minute."""

    def __init__(self, desk: NewsDesk) -> None:
        self._desk = desk
        self._looked_us: int | None = None
        self._told: set[tuple[TicketId, str]] = set()
        """What a person was told of each bracket: once."""

    def look(self, batch: MarketBatch) -> None:
        """End what the news speak against."""
        now, last = self._desk.now_us(), self._looked_us
        if not batch.headlines and last is not None and now - last < PERIOD_US:
            return
        self._looked_us = now
        for bracket in self._desk.brackets.open():
            if self._desk.heeds(bracket.strategy) and bracket.phase not in _OVER:
                why = next(self._reasons(bracket, now), "")
                if why:
                    self._leave(bracket, why)

    def _reasons(self, bracket: Bracket, now: int) -> Iterator[str]:
        """What was told since the entry was approved."""
        since = bracket.opened_us
        for item in self._desk.headlines(bracket.instrument):
            if since < item.ts_known <= now:
                term = severe_term(item.title)
                if term is not None:
                    yield f'{term}: "{item.title}"'
                elif is_earnings_headline(item.title):
                    yield f'results: "{item.title}"'
        facts = None if self._desk.company is None else self._desk.company(bracket.instrument)
        for filing in () if facts is None else facts.filings:
            is_fit = self._desk.kind is AccountKind.SIMULATION or filing.provenance is Provenance.LIVE
            bad = [item for item in filing.items if item in SEVERE_ITEMS or item == RESULTS_ITEM]
            if bad and is_fit and since < filing.ts_known <= now:
                yield f"8-K item {', '.join(bad)}"

    def _leave(self, bracket: Bracket, why: str) -> None:
        facts: list[Fact] = []
        if bracket.entry.is_live and not bracket.entry_unwanted:
            facts.append(EntryUnwanted())
        if bracket.held > ZERO and bracket.exit_wanted in (None, ExitReason.TIME):
            facts.append(ExitWanted(ExitReason.NEWS))
        if not facts:
            return
        try:
            self._desk.brackets.tell_all(bracket.ticket, facts)
        except StorageError:
            # The account is halted and a person was told; the next look tries again.
            return
        if (bracket.ticket, why) not in self._told:
            self._told.add((bracket.ticket, why))
            text = f"B-{bracket.number} {symbol_of(bracket.instrument)}: left on news, {why}"
            self._desk.publish(Alarm(text, True, bracket.correlation, self._desk.now_us(), "news_exit"))
