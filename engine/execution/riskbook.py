"""The account's own limits over time: high-water mark, drawdown level, the day's start and its loss.

Equity is marked at each opening and close, and at most once a minute in between. What is measured is kept in
`meta` rows that start with `risk_`, in the commit that says the instant was handled.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from decimal import Decimal, InvalidOperation

import msgspec
import numpy as np

from engine.clock import US_PER_S, Clock
from engine.errors import StorageError
from engine.execution.books import Books
from engine.execution.equity import EquityRecord, Point
from engine.execution.orders import Brackets
from engine.execution.pace import Pace
from engine.execution.portfolio import Daily, Portfolio, Values, values_of
from engine.model.commands import Answer, ReleaseBreaker
from engine.model.events import Alarm, BreakerMoved, Event
from engine.model.ids import AccountId, CorrelationId, InstrumentId
from engine.model.market import MarketBatch, SessionPhase
from engine.model.tickets import canonical_json
from engine.money import ZERO, to_decimal
from engine.ports import AuditEntry, Journal, JournalRow
from engine.risk import daily, drawdown, vartest
from engine.risk.anomalies import Anomaly, equity_jump
from engine.risk.daily import Day, day_of, start_us
from engine.risk.drawdown import Drawdown, Level
from engine.risk.exposure import Exposure
from engine.risk.limits import LimitSwitches, RiskConfig
from engine.risk.rates import MINUTE_US
from engine.risk.var import ValueAtRisk
from engine.risk.vartest import Holding, VarTest, Verdict
from engine.risk.view import UNLIMITED, RiskView, SizeLimits
from engine.risk.words import money, percent
from engine.state import LivePicture

MARK_US = 60 * US_PER_S
"""How often equity is marked while time runs (SPEC 4.8.4)."""
CHANGES = 60
"""One-minute changes of equity that a jump is told from."""
_HOLDINGS = msgspec.json.Decoder(dict[InstrumentId, Holding])
_NO_CORRELATION = CorrelationId("")


@dataclass(frozen=True, slots=True)
class RiskDesk:
    """What the risk book works with."""

    account: AccountId
    journal: Journal
    clock: Clock
    brackets: Brackets
    books: Books
    picture: LivePicture
    history: Callable[[date], Daily]
    """Daily bars before a session."""
    config: RiskConfig
    switches: LimitSwitches
    day_roll: tzinfo
    """At whose midnight the account's day begins."""
    publish: Callable[[Event], None]
    stop: Callable[[str, bool], None]
    """The third level of drawdown was reached, in words: no new orders; True: sell every position too."""
    see: Callable[[Anomaly], None] = lambda anomaly: None


class RiskBook:
    """Written by `finish` and `release`; everything else reads `view`. `pace` is told of brackets."""

    def __init__(self, desk: RiskDesk) -> None:
        self._desk = desk
        self.config = desk.config
        self._portfolio = Portfolio(desk.history, desk.config)
        initial = desk.books.initial_cash
        self._fall = Drawdown(initial)
        self._day = Day(day_of(desk.clock.now_us(), desk.day_roll), initial)
        self._equity = initial
        """Of the last mark."""
        self._deposits = desk.books.deposits
        """How much of `books.deposits` the high and the day's start know of."""
        self._marked_us = 0
        self._raised_us = 0
        self._test = VarTest()
        self._written_us: int | None = None
        self._changes: deque[float] = deque(maxlen=CHANGES)
        self.pace = Pace(desk.clock, desk.brackets, self._see)
        self.record = EquityRecord(desk.journal, desk.day_roll)

    @property
    def high_water(self) -> Decimal:
        """The highest equity that was marked, or the equity at the last release."""
        return self._fall.high_water

    @property
    def day_start(self) -> Decimal:
        """Equity that the account's day began with."""
        return self._day.start

    @property
    def outgrown_us(self) -> int:
        """What was sized before that was sized for an account that had fallen less; 0: nothing was."""
        return self._raised_us if self._desk.switches.portfolio else 0

    @property
    def is_day_over(self) -> bool:
        """The daily loss limit was reached today, where it limits this run: nothing new begins."""
        desk = self._desk
        return (
            desk.switches.portfolio
            and self._day.is_over
            and self._day.day == day_of(desk.clock.now_us(), desk.day_roll)
        )

    def restore(self) -> None:
        """Take over what the journal holds; called when the brackets are restored.

        Raises StorageError for a row that is not what was written.
        """
        desk, initial = self._desk, self._desk.books.initial_cash
        try:
            high = self._stored("risk_high_water", initial)
            level = Level(int(self._desk.journal.meta("risk_level") or 0))
            self._fall = Drawdown(high, level, self._stored("risk_drawdown", ZERO))
            self._equity = self._stored("risk_equity", initial)
            self._deposits = self._stored("risk_deposits", self._deposits)
            self._marked_us = int(desk.journal.meta("risk_marked_us") or 0)
            self._raised_us = int(desk.journal.meta("risk_raised_us") or 0)
            day = desk.journal.meta("risk_day")
            if day is not None:
                start, is_over = self._stored("risk_day_start", initial), desk.journal.meta("risk_day_over")
                self._day = Day(date.fromisoformat(day), start, ZERO, is_over == "1")
            self._test = VarTest(
                desk.journal.meta("risk_var_outcomes") or "",
                self._stored("risk_var_forecast", ZERO) if desk.journal.meta("risk_var_forecast") else None,
                _HOLDINGS.decode(desk.journal.meta("risk_var_held") or "{}"),
                desk.journal.meta("risk_var_month") or "",
            )
        except (ValueError, InvalidOperation, msgspec.MsgspecError) as error:
            raise StorageError(
                f"the stored limits of account {desk.account} make no sense: {error}",
                "restore the journal from a backup",
            ) from error
        paid_in = self._paid_in(self._deposits)
        worth = self._equity if self._marked_us else paid_in
        marked_us = self._marked_us or desk.clock.now_us()
        self.record.restore(Point(marked_us, worth, paid_in), self._fall.high_water)
        self.pace.restore()

    def _paid_in(self, deposits: Decimal) -> Decimal:
        return self._desk.books.initial_cash + deposits

    def _stored(self, key: str, default: Decimal) -> Decimal:
        stored = self._desk.journal.meta(key)
        value = default if stored is None else Decimal(stored)
        if not value.is_finite():
            raise ValueError(f"{key} is {value}")
        return value

    def equity(self) -> Decimal | None:
        """Cash plus positions at their last prices; None when a held position has no price."""
        return self._desk.books.equity(self._desk.brackets.open(), self._desk.picture)

    def view(self) -> RiskView:
        """The limits at this instant, with the equity of this instant, not that of the last mark."""
        now, equity = self._desk.clock.now_us(), self.equity()
        fall, day = self._fall, self._day
        if equity is not None:
            fall, day = self._stepped(now, equity)
        today = day_of(now, self._desk.day_roll)
        return RiskView(
            equity=equity,
            high_water=fall.high_water,
            level=fall.level,
            drawdown=None if equity is None else fall.ratio,
            day_start=day.start,
            day_loss=None if equity is None else day.loss,
            is_day_over=day.is_over and day.day == today,
            entries_minute=self.pace.entries(now - MINUTE_US + 1),
            entries_today=self.pace.entries(start_us(today, self._desk.day_roll)),
            orders_minute=self.pace.orders(),
            rejects_in_a_row=self.pace.rejects_in_a_row,
        )

    def why_no_entries(self) -> str:
        """Which limit of the account keeps every new entry out now, in words; "" when none does."""
        view = self.view()
        if not self._desk.switches.portfolio:
            return ""
        if view.level is Level.STOPPED:
            return (
                f"the drawdown breaker is at L3, to end it: tradedeck accounts release {self._desk.account}"
            )
        return "the day's loss reached its limit" if view.is_day_over else ""

    def size_limits(self, session: date) -> SizeLimits:
        """What the account lets strategies size at this instant; nothing is limited where limits are off."""
        if not self._desk.switches.portfolio:
            return UNLIMITED
        view, values = self.view(), self.values()

        def room(instrument: InstrumentId, proposed: Mapping[InstrumentId, Decimal]) -> Decimal:
            if values is None or view.equity is None:
                return ZERO
            taken = dict(values)
            for name, value in proposed.items():
                taken[name] = taken.get(name, ZERO) + value
            return self._portfolio.room(session, instrument, taken, view.equity)

        return SizeLimits(view.level.multiplier, view.level >= Level.CONSERVATIVE, room, True)

    def values(self) -> Values | None:
        """What is held or being entered, by instrument; None when a price is not known."""
        return values_of(self._desk.brackets.open(), self._desk.picture)

    def exposure(self, session: date, instrument: InstrumentId) -> Exposure | None:
        """What moves together with an instrument; None when it is not known."""
        values = self.values()
        return None if values is None else self._portfolio.exposure(session, instrument, values)

    def value_at_risk(self, session: date) -> ValueAtRisk | None:
        """Of one day and all that is held or being entered; None when it is not known."""
        values = self.values()
        return None if values is None else self._portfolio.value_at_risk(session, values)

    def daily_results(self, session: date) -> np.ndarray | None:
        """What is held or being entered would have made on each day (T,) so much; None: it is not known."""
        values = self.values()
        return None if values is None else self._portfolio.daily_results(session, values)

    def correlation(self, session: date, one: InstrumentId, other: InstrumentId) -> float | None:
        """Of two instruments' daily returns before a session; None: too few common days."""
        return self._portfolio.correlation(session, one, other)

    def finish(self, batch: MarketBatch) -> None:
        """The instant is handled: a restart begins after it.

        Written at each opening and close, else once a minute: what lies between is told by the venue again.
        """
        now = self._desk.clock.now_us()
        last_us = self._written_us
        if batch.phase is None and last_us is not None and now - last_us < MARK_US:
            return
        values = {"market_us": str(batch.ts)}
        if batch.session is not None and batch.phase is not None:
            values |= {"market_session": batch.session.isoformat(), "market_phase": batch.phase.value}
        closed = batch.session if batch.phase is SessionPhase.CLOSE else None
        self._mark(values, closed)

    def _mark(self, values: Mapping[str, str], closed: date | None) -> None:
        """Measure the account now and write it down, in one commit with other `meta` values.

        `closed`: the session that ends now. Raises StorageError. An equity that is not known moves nothing.
        """
        now, equity = self._desk.clock.now_us(), self.equity()
        before, was_over, verdict = self._fall, self._day.is_over, None
        curve: list[JournalRow] = []
        if equity is not None:
            self._fall, self._day = self._stepped(now, equity)
            self._follow(now, equity)
            self._equity, self._marked_us = equity, now
            if self._fall.level > before.level:
                self._raised_us = now
            verdict = self._test_forecast(closed)
            values = {**values, **self._rows()}
            curve = self.record.note(Point(now, equity, self._paid_in(self._deposits)), self._fall)
        moved = before.level is not self._fall.level and self._desk.switches.portfolio
        if moved and self._fall.level is Level.STOPPED:
            # Halted first: a level that was written down alone would never be reached again.
            self._stop()
        if self._day.is_over and not was_over and self._desk.switches.portfolio:
            self._tell_day_over(now)
            self._end_entries()
        audit = [self._moved_line(before)] if moved else []
        if verdict is not None:
            audit.append(self._verdict_line(verdict))
        self._desk.journal.commit((*_meta(values), *curve), audit, True)
        self._written_us = now
        self.pace.forget()
        if moved:
            self._publish_moved(before)
        if verdict is not None and not verdict.fits:
            self._tell_verdict(verdict)

    def release(self, command: ReleaseBreaker) -> Answer:
        """Lift the third level; the fall is counted anew from the equity of now."""
        desk, equity = self._desk, self.equity()
        # As of now, like everything that is shown, not as of the last mark.
        fall = self._fall if equity is None else self._stepped(desk.clock.now_us(), equity)[0]
        if fall.level is not Level.STOPPED:
            return Answer(False, "not_stopped", f"The drawdown breaker is at L{fall.level}, not at L3.")
        if command.typed != desk.account:
            return Answer(False, "wrong_name", "That is not the account's name. Nothing was released.")
        if equity is None:
            text = "The equity is not known: a position has no price. Nothing was released."
            return Answer(False, "no_equity", text)
        before, self._fall = self._fall, drawdown.release(fall, equity)
        body = {"equity": format(equity, "f"), "high_water_before": format(before.high_water, "f")}
        line = AuditEntry(desk.clock.now_us(), str(command.actor), "breaker_released", "", body)
        try:
            desk.journal.commit(_meta(self._rows()), (line,))
        except StorageError as error:
            self._fall = before
            return Answer(False, "not_journalled", f"Still stopped: {error}")
        self._publish_moved(before)
        text = f"Released: the drawdown is counted from {money(equity)}."
        return Answer(True, "ok", f"{text} A halt stays until it is resumed.")

    def _stepped(self, now: int, equity: Decimal) -> tuple[Drawdown, Day]:
        """What was put in or taken out since is neither won nor lost."""
        added = self._desk.books.deposits - self._deposits
        fall = replace(self._fall, high_water=self._fall.high_water + added)
        day, today = replace(self._day, start=self._day.start + added), day_of(now, self._desk.day_roll)
        stepped = daily.step(day, today, self._equity + added, equity, self.config.daily_loss_max)
        return drawdown.step(fall, equity, self.config), stepped

    def _test_forecast(self, closed: date | None) -> Verdict | None:
        """The value at risk of this close is held against the next one."""
        if closed is None or not self._desk.switches.portfolio:
            return None
        risk, held = self.value_at_risk(closed), self._held()
        forecast = None if risk is None or held is None else risk.larger
        lost = self._test.loss(self._price_before_actions)
        confidence = self.config.var_conf
        self._test, verdict = vartest.close(self._test, closed, lost, forecast, held or {}, confidence)
        return verdict

    def _held(self) -> Mapping[InstrumentId, Holding] | None:
        held, picture = {}, self._desk.picture
        for name, value in (self.values() or {}).items():
            price = picture.last_decimal(name)
            if price is None:
                return None
            held[name] = Holding(value, price)
        return held

    def _price_before_actions(self, instrument: InstrumentId) -> Decimal | None:
        """The last price in the dollars of the session before."""
        picture = self._desk.picture
        price = picture.last_decimal(instrument)
        return None if price is None else price / to_decimal(picture.ratios.get(instrument, 1.0))

    def _follow(self, now: int, equity: Decimal) -> None:
        """A change since the last minute; one over an hour or a night is another thing."""
        before = self._equity + self._desk.books.deposits - self._deposits
        self._deposits = self._desk.books.deposits
        if before > ZERO and 0 < now - self._marked_us <= 2 * MARK_US:
            change = float(equity / before) - 1
            self._see(equity_jump(self._changes, change))
            self._changes.append(change)

    def _see(self, anomaly: Anomaly | None) -> None:
        if anomaly is not None and self._desk.switches.portfolio:
            self._desk.see(anomaly)

    def _rows(self) -> Mapping[str, str]:
        return {
            "risk_high_water": format(self._fall.high_water, "f"),
            "risk_level": str(int(self._fall.level)),
            "risk_drawdown": format(self._fall.ratio, "f"),
            "risk_equity": format(self._equity, "f"),
            "risk_deposits": format(self._deposits, "f"),
            "risk_marked_us": str(self._marked_us),
            "risk_raised_us": str(self._raised_us),
            "risk_day": self._day.day.isoformat(),
            "risk_day_start": format(self._day.start, "f"),
            "risk_day_over": str(int(self._day.is_over)),
            "risk_var_outcomes": self._test.outcomes,
            "risk_var_forecast": "" if self._test.forecast is None else format(self._test.forecast, "f"),
            "risk_var_held": canonical_json(dict(self._test.held)).decode(),
            "risk_var_month": self._test.month,
        }

    def _moved_line(self, before: Drawdown) -> AuditEntry:
        body = {
            "level": int(self._fall.level),
            "was": int(before.level),
            "drawdown": format(self._fall.ratio, "f"),
            "high_water": format(self._fall.high_water, "f"),
            "equity": format(self._equity, "f"),
        }
        return AuditEntry(self._desk.clock.now_us(), "engine", "breaker_moved", "", body)

    def _stop(self) -> None:
        fall = f"{percent(self._fall.ratio)} under the high of {money(self._fall.high_water)}"
        why = f"drawdown breaker L3: equity {money(self._equity)} is {fall}"
        self._desk.stop(why, self.config.dd_flatten_at_l3)

    def _end_entries(self) -> None:
        """What works and is not filled would be a new position."""
        for bracket in self._desk.brackets.open():
            if bracket.entry.is_live:
                self._desk.brackets.review(bracket.ticket)

    def _publish_moved(self, before: Drawdown) -> None:
        fall = self._fall
        self._desk.publish(
            BreakerMoved(
                int(fall.level),
                int(before.level),
                float(fall.ratio),
                fall.high_water,
                fall.level.effect,
                self._desk.clock.now_us(),
            )
        )

    def _verdict_line(self, verdict: Verdict) -> AuditEntry:
        body = {
            "days": verdict.days,
            "exceptions": verdict.exceptions,
            "expected": verdict.expected,
            "ratio": verdict.test.ratio,
            "p_value": verdict.test.p_value,
        }
        return AuditEntry(self._desk.clock.now_us(), "engine", "var_tested", "", body)

    def _tell_verdict(self, verdict: Verdict) -> None:
        text = (
            f"{verdict.exceptions} of {verdict.days} sessions lost more than the value at risk,"
            f" {verdict.expected:.1f} were to be expected (p {verdict.test.p_value:.3f})"
        )
        self._desk.publish(Alarm(text, False, _NO_CORRELATION, self._desk.clock.now_us(), "var_test"))

    def _tell_day_over(self, now: int) -> None:
        loss, limit = percent(self._day.loss), percent(self.config.daily_loss_max)
        text = f"{loss} of the day's start {money(self._day.start)} is lost, limit {limit}: no entries today"
        self._desk.publish(Alarm(text, True, _NO_CORRELATION, now, "daily_loss"))


def _meta(values: Mapping[str, str]) -> list[JournalRow]:
    return [JournalRow("meta", {"k": key, "v": value}) for key, value in values.items()]
