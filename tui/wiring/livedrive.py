"""Drives the engine by the wall's time over a live market: it looks at prices and hands them on.

A session is opened and closed by the exchange's calendar, not by what is told: where nothing is told, what is
held still has its day. Every second of a session the prices of what matters are asked for; whoever cannot be
asked is told of by its silence. The scans are jobs.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from engine.clock import US_PER_S, Clock
from engine.core import Engine
from engine.errors import SourceError, SourceRefused
from engine.execution.bracket import BracketPhase
from engine.model.commands import ENGINE
from engine.model.events import Alarm
from engine.model.ids import CorrelationId, InstrumentId, symbol_of
from engine.model.jobs import Due
from engine.model.market import Bar, FeedState, Headline, MarketBatch, Quote, Session, SessionPhase, Trade
from engine.model.positions import ExitReason
from engine.model.snapshots import Snapshot
from engine.money import ZERO
from engine.ports import Sessions
from tui.wiring.livebars import SPY, LiveBars

LOOK_US = US_PER_S
"""Between two looks at the quotes of what matters: an entry is sent on one that is 3 s old at most."""
PRINTS_US = 10 * US_PER_S
NEWS_US = 60 * US_PER_S
NEWS_BACK_US = 72 * 3600 * US_PER_S
IDLE_US = 30 * US_PER_S
"""No sleep is longer: a clock that jumped is seen that late at most."""
CATCH_UP_US = 120 * US_PER_S
CLOSE_LAG_US = 60 * US_PER_S
"""The closing print is told a little after the close."""
LAST_TRY_US = 20 * 60 * US_PER_S
"""After the close: without a closing print until then the session ends without one."""
WATCHED = 200
"""Instruments in one look: one call."""
QUOTES_MUTE_US, NEWS_MUTE_US = 5 * US_PER_S, 300 * US_PER_S
QUOTES, NEWS = "quotes", "news"
GAP = -0.03
"""Who opens lower is looked at, so its news is read too."""
MISSES_TOLD = 3
REFUSED = "Look at the keys: tradedeck keys list, and set them anew"
SPLIT_LOW, SPLIT_HIGH = 0.6, 1.6
"""A price beyond these shares of the last close is a split more likely than a gap."""


class LivePrices(Protocol):
    """Who tells prices and news now."""

    async def snapshots(self, instruments: Sequence[InstrumentId]) -> Mapping[InstrumentId, Snapshot]: ...
    async def quotes(self, instruments: Sequence[InstrumentId]) -> Mapping[InstrumentId, Quote]: ...
    async def news(
        self, instruments: Sequence[InstrumentId], start_us: int, end_us: int
    ) -> tuple[Headline, ...]: ...


class Lookups(Protocol):
    """Who knows more than prices. Both say what could not be read, "" when all could."""

    async def look_up(self, instruments: Sequence[InstrumentId]) -> str: ...
    async def headlines(self, instruments: Sequence[InstrumentId]) -> tuple[tuple[Headline, ...], str]: ...


class Feed:
    """How one stream of data does."""

    def __init__(self, name: str, max_age_us: int) -> None:
        self.name = name
        self.max_age_us = max_age_us
        self.last_us: int | None = None
        self.messages = 0
        self.note = ""

    def spoke(self, now_us: int, count: int) -> None:
        """It answered."""
        self.last_us, self.note = now_us, ""
        self.messages += count

    def state(self) -> FeedState:
        """As the engine is told."""
        return FeedState(self.name, self.last_us, self.max_age_us, self.messages, self.note)


class LiveDrive:
    """`run` until `stop`; the jobs call `pre_open_scan` and its like between its looks."""

    paused = False
    why_slow = ""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        prices: LivePrices,
        bars: LiveBars,
        venue_sees: Callable[[MarketBatch], None],
        sessions: Sessions,
        lookups: Lookups | None = None,
        followed: Callable[[], Sequence[InstrumentId]] = tuple,
    ) -> None:
        """`followed`: whose prices are needed beside what is held, for signals that are followed on paper."""
        self._engine = engine
        self._clock = clock
        self._prices = prices
        self._bars = bars
        self._venue_sees = venue_sees
        self._sessions = sessions
        self._lookups = lookups
        self._followed = followed
        self._quotes = Feed(QUOTES, QUOTES_MUTE_US)
        self._news = Feed(NEWS, NEWS_MUTE_US)
        self._candidates: tuple[InstrumentId, ...] = ()
        """Of this session: who gapped when the scan looked."""
        self._split: set[InstrumentId] = set()
        """Whose prices may be in other dollars than the books; they are not handed on."""
        self._told_news: dict[Headline, None] = {}
        self._misses = 0
        """Looks in a row that got no answer."""
        self._is_told = False
        self._prints_due_us = 0
        self._news_due_us = 0
        self._stopping = asyncio.Event()

    def feeds(self) -> tuple[FeedState, ...]:
        """How the streams do."""
        return (self._quotes.state(), self._news.state())

    def stop(self) -> None:
        """End before the next look."""
        self._stopping.set()

    async def run(self, until_flat_after_us: int | None = None) -> None:
        """Look for ever. Raises what is not the provider's fault."""
        while not self._stopping.is_set():
            began_us = self._clock.now_us()
            wake_us = began_us + IDLE_US
            try:
                wake_us = await self._look(began_us)
            except SourceError as error:
                self._missed(error)
                wake_us = self._clock.now_us() + LOOK_US
            await self._sleep(wake_us)

    def _missed(self, error: SourceError) -> None:
        """Told at the third look in a row, once until prices come again; refused keys at once."""
        self._quotes.note = error.message
        self._misses += 1
        is_refused = isinstance(error, SourceRefused)
        if not self._is_told and (is_refused or self._misses >= MISSES_TOLD):
            self._is_told = True
            what_to_do = f" {REFUSED}" if is_refused else ""
            self._tell(f"no live prices: {error.message}.{what_to_do}", page=True)

    def _answered(self, count: int) -> None:
        self._quotes.spoke(self._clock.now_us(), count)
        self._misses, self._is_told = 0, False

    async def catch_up(self) -> None:
        """Daily bars that a start finds missing, tried until they are there or the jobs have read them."""
        while (session := self._sessions.next_after(self._clock.now_us())) is not None:
            if self._bars.is_current(session.day):
                return
            try:
                await self._bars.catch_up(session.day)
            except SourceError as error:
                self._quotes.note = error.message
                await self._clock.sleep_until(self._clock.now_us() + CATCH_UP_US)

    async def pre_open_scan(self, due: Due) -> str:
        """Daily bars through the session before, and what is news about what is held."""
        assert due.session is not None  # noqa: S101 - the job is one of sessions
        before = self._sessions.between(due.session - timedelta(days=14), due.session - timedelta(days=1))
        # Always anew: what is split today is told in new dollars this morning.
        words = (await self._bars.update(before[-1].day)).words if before else "no session before"
        await self._tell_news(self._held())
        return f"{len(self._bars.universe(due.session)):,} instruments to look at; {words}"

    async def opening_scan(self, due: Due) -> str:
        """Every instrument's price, the news of those that gapped, then the strategies decide."""
        assert due.session is not None  # noqa: S101 - the job is one of sessions
        engine = self._engine
        await engine.watch.ready()  # no entry before the venue was compared with the books
        universe = self._bars.universe(due.session)
        if not universe:
            return "no instrument has daily bars through the session before: the pre-open scan says why"
        found = await self._prices.snapshots([SPY, *universe])
        self._answered(len(found))
        quotes = {name: one.quote for name, one in found.items() if one.quote is not None}
        self._candidates = tuple(name for name in universe if self._has_gapped(quotes.get(name), due))
        await self._tell_news(self._candidates)
        unread = await self._read_companies(self._candidates)
        # The news took a while: what is decided on is asked for again.
        again = await self._prices.snapshots(self._watched())
        quotes |= {name: one.quote for name, one in again.items() if one.quote is not None}
        now = self._clock.now_us()
        trades = self._of_today(again, self._sessions.on(due.session))
        sound = self._sound(quotes.values())
        self._hand_on(MarketBatch(now, trades=trades, quotes=sound, session=due.session))
        engine.decide(MarketBatch(now, session=due.session, phase=SessionPhase.OPEN))
        verdicts = [verdict for each in engine.verdicts.values() for verdict in each]
        proposed = sum(verdict.proposal is not None for verdict in verdicts)
        priced = len(quotes.keys() & set(universe))
        told = f"{priced:,} of {len(universe):,} priced, {len(verdicts)} candidates, {proposed} proposed"
        return f"{told}; {unread}" if unread else told

    async def time_exit(self, due: Due) -> str:
        """The brackets leave by themselves; who should have and did not is told."""
        engine = self._engine
        engine.brackets.review_all()
        last_day = [
            bracket
            for bracket in engine.brackets.open()
            if bracket.held > ZERO
            and bracket.max_sessions is not None
            and bracket.sessions_held + 1 >= bracket.max_sessions
        ]
        late = [b for b in last_day if b.exit_wanted is None and b.phase is not BracketPhase.EXITING]
        if late:
            names = ", ".join(symbol_of(bracket.instrument) for bracket in late)
            self._tell(f"the time exit of {names} has not begun 15 minutes before the close", page=True)
        leaving = sum(bracket.exit_wanted is ExitReason.TIME for bracket in last_day)
        return f"{len(last_day)} positions in their last session, {leaving} leave by time"

    async def index_update(self, due: Due) -> str:
        """VIX, SPY and everybody else's bars of the session that is over. Raises SourceError."""
        assert due.session is not None  # noqa: S101 - the job is one of sessions
        return (await self._bars.update(due.session)).words

    async def _look(self, now: int) -> int:
        """What this instant asks for; when to look again."""
        picture = self._engine.picture
        hours = self._sessions.on(picture.session) if picture.session is not None else None
        if picture.is_session_open and hours is not None and now >= hours.close_us:
            return await self._close(hours, now)
        session = self._sessions.next_after(now)
        if session is None or now < session.open_us:
            return min(now + IDLE_US, now + IDLE_US if session is None else session.open_us)
        if not picture.is_session_open or picture.session != session.day:
            await self._open(session)
        watched = self._watched()
        quotes = await self._prices.quotes(watched) if watched else {}
        self._answered(len(quotes))
        batch = MarketBatch(self._clock.now_us(), quotes=self._sound(quotes.values()), session=session.day)
        self._hand_on(batch)
        await self._look_less_often(now, watched)
        return now + LOOK_US

    async def _look_less_often(self, now: int, watched: Sequence[InstrumentId]) -> None:
        if now >= self._prints_due_us and watched:
            self._prints_due_us = now + PRINTS_US
            found = await self._prices.snapshots(watched)
            day = self._engine.picture.session
            trades = self._of_today(found, None if day is None else self._sessions.on(day))
            self._hand_on(MarketBatch(self._clock.now_us(), trades=trades, session=day))
        if now >= self._news_due_us:
            self._news_due_us = now + NEWS_US
            await self._tell_news(watched)

    async def _open(self, session: Session) -> None:
        """A new session: the prices of what is held, and whoever may have been split is halted."""
        self._candidates, self._split = (), set()
        watched = self._watched()
        found: Mapping[InstrumentId, Snapshot] = {}
        try:
            found = await self._prices.snapshots([SPY, *watched])
        except SourceError as error:
            self._quotes.note = error.message  # the day begins all the same
        self._look_for_splits(found, session)
        quotes = self._sound(one.quote for one in found.values() if one.quote is not None)
        self._hand_on(
            MarketBatch(
                self._clock.now_us(),
                trades=self._of_today(found, session),
                quotes=quotes,
                session=session.day,
                phase=SessionPhase.OPEN,
            )
        )

    async def _close(self, hours: Session, now: int) -> int:
        """The session is over: its bars for what is held, as soon as they are told."""
        if now < hours.close_us + CLOSE_LAG_US:
            return hours.close_us + CLOSE_LAG_US
        held = tuple(dict.fromkeys((*self._held(), *self._followed())))[:WATCHED]
        bars: tuple[Bar, ...] = ()
        try:
            found = await self._prices.snapshots(held) if held else {}
            bars = tuple(bar for one in found.values() if (bar := _day_bar(one, hours)) is not None)
        except SourceError as error:
            self._quotes.note = error.message
        if len(bars) < len(held) and now < hours.close_us + LAST_TRY_US:
            return now + CLOSE_LAG_US
        known = tuple(bar for bar in bars if bar.instrument not in self._split)
        batch = MarketBatch(self._clock.now_us(), bars=known, session=hours.day, phase=SessionPhase.CLOSE)
        self._hand_on(batch)
        return self._clock.now_us()

    def _hand_on(self, batch: MarketBatch) -> None:
        engine = self._engine
        engine.restate(batch)
        self._venue_sees(batch)
        engine.take(batch)
        engine.finish(batch)

    async def _tell_news(self, instruments: Sequence[InstrumentId]) -> None:
        """Headlines of three days that were not told yet. What cannot be read leaves the feed mute."""
        now = self._clock.now_us()
        if not instruments:
            self._news.spoke(now, 0)
            return
        try:
            found = await self._prices.news(instruments, now - NEWS_BACK_US, now)
        except SourceError as error:
            self._news.note = error.message
            return
        more, unread = ((), "") if self._lookups is None else await self._lookups.headlines(instruments)
        found = (*found, *more)
        fresh = tuple(headline for headline in found if _same(headline) not in self._told_news)
        old_us = now - NEWS_BACK_US
        self._told_news = {told: None for told in self._told_news if told.ts_event > old_us}
        self._told_news |= {_same(headline): None for headline in fresh}
        self._news.spoke(self._clock.now_us(), len(fresh))
        self._news.note = unread
        if fresh:
            session = self._engine.picture.session
            self._hand_on(MarketBatch(self._clock.now_us(), headlines=fresh, session=session))

    async def _read_companies(self, instruments: Sequence[InstrumentId]) -> str:
        """Filings, cash and halts of those that gapped; what could not be read, in words."""
        if self._lookups is None or not instruments:
            return ""
        return await self._lookups.look_up(instruments)

    def _held(self) -> tuple[InstrumentId, ...]:
        return tuple(dict.fromkeys(bracket.instrument for bracket in self._engine.brackets.open()))

    def _watched(self) -> tuple[InstrumentId, ...]:
        """What is held first, then what waits for a person, then who gapped; as many as one call takes."""
        waiting = (entry.ticket.instrument for entry in self._engine.tickets.waiting())
        followed = self._followed()
        return tuple(dict.fromkeys((*self._held(), *waiting, *self._candidates, *followed)))[:WATCHED]

    def _sound(self, quotes: Iterable[Quote]) -> tuple[Quote, ...]:
        return tuple(quote for quote in quotes if quote.instrument not in self._split)

    def _of_today(self, found: Mapping[InstrumentId, Snapshot], hours: Session | None) -> tuple[Trade, ...]:
        """The last prints, of this session alone: what traded yesterday is no price of today."""
        prints = (one.trade for one in found.values() if one.trade is not None)
        return tuple(
            trade
            for trade in prints
            if hours is not None and trade.ts_event >= hours.open_us and trade.instrument not in self._split
        )

    def _has_gapped(self, quote: Quote | None, due: Due) -> bool:
        assert due.session is not None  # noqa: S101 - checked by the caller
        before = None if quote is None else self._bars.last_close(quote.instrument, due.session)
        price = None if quote is None else quote.mid
        return price is not None and before is not None and price / before - 1 <= GAP

    def _look_for_splits(self, found: Mapping[InstrumentId, Snapshot], session: Session) -> None:
        """SPEC 3.9b: what is held and may be in other dollars stands still until a person looked."""
        for name in self._held():
            one, before = found.get(name), self._bars.last_close(name, session.day)
            price = None if one is None or one.trade is None else one.trade.price
            if price is None or before is None or SPLIT_LOW <= price / before <= SPLIT_HIGH:
                continue
            self._split.add(name)
            why = f"{price:g} after a close of {before:g} looks like a split: compare it with the venue"
            self._engine.halt(ENGINE, why, name)

    def _tell(self, text: str, page: bool) -> None:
        self._engine.parts.publish(Alarm(text, page, CorrelationId(""), self._clock.now_us(), "market"))

    async def _sleep(self, wake_us: int) -> None:
        """Until then, or until `stop`."""
        sleeper = asyncio.ensure_future(self._clock.sleep_until(wake_us))
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({sleeper, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeper.cancel()
            stopping.cancel()


def _same(headline: Headline) -> Headline:
    """The same headline told again is known at another time; nothing else differs."""
    return replace(headline, ts_known=0)


def _day_bar(one: Snapshot, hours: Session) -> Bar | None:
    """The whole session; None where what is told is of another day."""
    day = one.day
    if day is None or day.day != hours.day:
        return None
    return Bar(
        one.instrument,
        day.open,
        day.high,
        day.low,
        day.close,
        day.volume,
        hours.open_us,
        hours.close_us,
        day.provenance,
    )
