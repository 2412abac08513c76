"""The Auditor looks at each trade once, freezes what risked more than it should, and reports each week."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from engine.agents.auditor import AuditDesk, Auditor, week_of
from engine.agents.compliance import Facts
from engine.agents.freezing import Freezes
from engine.agents.policybook import PolicyBook, PolicyDesk
from engine.agents.policyrows import Rules
from engine.clock import TestClock
from engine.errors import StorageError
from engine.execution.records import round_trip_row
from engine.execution.ticketbook import Entry, ticket_row
from engine.model.candidates import Vote
from engine.model.commands import Actor, Answer, RejectTicket, ReleaseStrategy
from engine.model.events import Alarm, MarketMoved, RoundTripClosed, ShadowEnded
from engine.model.ids import StrategyName, TicketId, UlidFactory
from engine.model.market import MarketBatch, SessionPhase
from engine.model.policy import ClosedTrade
from engine.model.tickets import ProposalState
from engine.ports import JournalRow
from storage.journal import SqliteJournal

GAPS, NINA = StrategyName("gaps"), Actor("nina", "pts/7")
DAY_US = 86_400_000_000


class Office:
    """An Auditor on a journal."""

    def __init__(
        self, journal: SqliteJournal, clock: TestClock, calendar: Any, ids: UlidFactory, rules: Rules
    ) -> None:
        self.journal, self.clock, self.calendar, self.ids, self.rules = journal, clock, calendar, ids, rules
        self.told: list[Any] = []
        self.rejected: list[RejectTicket] = []
        self.written: dict[str, str] = {}
        self.past: list[tuple[date, float]] = []
        self.boot()

    def boot(self, *, writes: bool = True) -> None:
        desk = PolicyDesk(self.journal, self.clock, self.calendar, self.ids.new, self.told.append)
        self.freezes = Freezes(self.journal, self.clock, self.told.append)
        self.auditor = Auditor(
            AuditDesk(
                self.journal,
                self.clock,
                self.calendar,
                self.told.append,
                lambda strategy: [TicketId("W1")],
                self._reject,
                lambda: self.past,
                self._write if writes else None,
            ),
            PolicyBook(desk, GAPS, self.rules),
            self.freezes,
        )
        self.auditor.restore()

    def _reject(self, command: RejectTicket) -> Answer:
        self.rejected.append(command)
        return Answer(True, "ok", "")

    def _write(self, name: str, text: str) -> str:
        self.written[name] = text
        return f"reports/{name}"

    def keep(self, facts: Facts) -> None:
        """The rows that a closed trade leaves in the journal."""
        ticket, trip = facts.ticket, facts.trip
        entry = Entry(
            ticket, ProposalState.CLOSED, facts.stored_sha256, "", facts.approved_by, facts.approved_us
        )
        bracket = JournalRow(
            "bracket",
            {
                "id": ticket.id,
                "number": ticket.number,
                "strategy": GAPS,
                "instrument": ticket.instrument,
                "session": ticket.session.isoformat(),
                "qty": facts.bracket["qty"],
                "t_open_us": facts.approved_us,
                "closed_us": trip.exit_us,
            },
        )
        orders = [
            JournalRow("ord", {"cid": f"{ticket.id}{row['role']}", "bracket": ticket.id, **row})
            for row in facts.orders
        ]
        nonce = JournalRow("nonce", {"nonce": f"n{ticket.id}", "ticket": ticket.id})
        rows = [ticket_row(entry, "paper"), bracket, *orders, nonce, round_trip_row(trip)]
        self.journal.commit(rows, ())

    def close(self, day: date) -> None:
        batch = MarketBatch(self.clock.now_us(), session=day, phase=SessionPhase.CLOSE)
        self.auditor.hear(MarketMoved(batch))

    @property
    def alarms(self) -> list[str]:
        return [event.kind for event in self.told if isinstance(event, Alarm)]


@pytest.fixture
def office(journal: SqliteJournal, clock: TestClock, calendar: Any, ids: UlidFactory, rules: Rules) -> Office:
    clock_start = 1_451_606_400_000_000  # before the ticket of `facts` was made
    early = TestClock(clock_start)
    made = Office(journal, early, calendar, UlidFactory(early.now_us, lambda bits: 1), rules)
    early.advance_to(clock.now_us())
    return made


def test_closed_trade_is_looked_at_once(office: Office, facts: Facts) -> None:
    office.keep(facts)
    office.auditor.hear(RoundTripClosed(facts.trip))
    (row,) = office.journal.rows("compliance")
    assert (row["ok"], row["ticket"]) == (1, facts.ticket.id)
    assert office.alarms == []
    assert office.auditor.policy(GAPS).closed_trades == 1  # type: ignore[union-attr]
    office.boot()
    assert len(office.journal.rows("compliance")) == 1
    assert office.auditor.policy(GAPS).closed_trades == 1  # type: ignore[union-attr]
    kinds = [line["kind"] for line in office.journal.audit(facts.ticket.correlation)]
    assert kinds == ["compliance_passed"]


def test_trade_that_closed_while_nobody_looked_is_looked_at_at_the_start(
    office: Office, facts: Facts
) -> None:
    office.keep(facts)
    office.boot()
    assert len(office.journal.rows("compliance")) == 1


def test_trade_from_before_rules_were_kept_is_held_against_nothing(office: Office, facts: Facts) -> None:
    early = replace(facts.ticket, created_us=1, expires_us=2)
    office.keep(replace(facts, ticket=early, stored_sha256=early.sha256))
    office.auditor.hear(RoundTripClosed(facts.trip))
    (row,) = office.journal.rows("compliance")
    assert (row["ok"], row["checks"]) == (1, "[]")


def test_deviation_that_concerned_risk_freezes_and_rejects_what_waits(office: Office, facts: Facts) -> None:
    office.keep(replace(facts, bracket={**facts.bracket, "qty": "40"}))
    office.auditor.hear(RoundTripClosed(facts.trip))
    assert office.alarms == ["compliance", "freeze"]
    assert [command.ticket for command in office.rejected] == ["W1"]
    assert "size 4000.00, demanded <= 1200.00" in office.auditor.frozen()[GAPS]
    office.boot()
    assert GAPS in office.auditor.frozen()
    assert office.auditor.give(ReleaseStrategy(GAPS, NINA)).text == "gaps may propose again."
    assert office.auditor.frozen() == {}
    office.boot()
    assert office.auditor.frozen() == {}


def test_deviation_without_risk_is_told_and_freezes_nothing(office: Office, facts: Facts) -> None:
    orders = tuple({**row, "px": "107"} if row["role"] == "T" else row for row in facts.orders)
    office.keep(replace(facts, orders=orders))
    office.auditor.hear(RoundTripClosed(facts.trip))
    assert office.alarms == ["compliance"]
    assert office.auditor.frozen() == {}
    assert office.journal.rows("compliance")[0]["ok"] == 0


def test_freeze_that_cannot_be_written_holds_and_is_written_later(
    office: Office, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(office.journal, "commit", full)
        with pytest.raises(StorageError):
            office.freezes.freeze(GAPS, "size", facts.ticket.correlation)
        assert office.auditor.frozen() == {GAPS: "size"}
        refused = office.auditor.give(ReleaseStrategy(GAPS, NINA))
        assert (refused.ok, refused.code) == (False, "not_journalled")
    assert office.journal.rows("freeze") == ()
    office.close(date(2016, 1, 4))
    assert office.journal.rows("freeze")[0]["why"] == "size"
    office.freezes.freeze(GAPS, "stop", facts.ticket.correlation)
    assert office.auditor.frozen() == {GAPS: "size; stop"}


def test_trade_that_could_not_be_written_down_is_looked_at_at_the_close(
    office: Office, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.keep(facts)

    def full(*arguments: Any) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(office.journal, "commit", full)
        with pytest.raises(StorageError):
            office.auditor.hear(RoundTripClosed(facts.trip))
    office.close(date(2016, 1, 4))
    assert len(office.journal.rows("compliance")) == 1


def test_trade_without_its_ticket_is_a_damaged_journal(office: Office, facts: Facts) -> None:
    with pytest.raises(StorageError, match="no ticket or bracket"):
        office.auditor.hear(RoundTripClosed(facts.trip))


def test_other_strategies_are_not_its_business(office: Office, facts: Facts) -> None:
    gems = StrategyName("gems")
    office.auditor.hear(RoundTripClosed(replace(facts.trip, strategy=gems)))
    assert office.journal.rows("compliance") == ()
    assert office.auditor.policy(gems) is None
    assert office.auditor.evidence(gems) is None


def test_week_is_looked_back_on_once(office: Office) -> None:
    office.close(date(2016, 1, 4))
    assert office.written == {}, "Tuesday follows"
    office.clock.advance_to(office.clock.now_us() + 4 * DAY_US)
    office.close(date(2016, 1, 8))
    assert sorted(office.written) == ["weekly-2016-W01.json", "weekly-2016-W01.txt"]
    document = json.loads(office.written["weekly-2016-W01.json"])
    assert (document["first"], document["last"]) == ("2016-01-04", "2016-01-08")
    assert document["evidence"]["n"] == 0
    office.written.clear()
    assert office.auditor.look_back() == "2016-W01 was looked back on before"
    office.boot()
    office.close(date(2016, 1, 8))
    assert office.written == {}
    text = [line["kind"] for line in office.journal.audit("")]
    assert text.count("weekly_review") == 1


def test_look_back_that_nobody_reads_is_still_in_the_audit_log(office: Office) -> None:
    office.boot(writes=False)
    assert office.auditor.look_back() == "2016-W01 looked back on"


def test_report_says_what_there_is(office: Office, facts: Facts, trade: Callable[..., ClosedTrade]) -> None:
    office.keep(replace(facts, bracket={**facts.bracket, "qty": "40"}))
    office.auditor.hear(RoundTripClosed(facts.trip))
    now = office.clock.now_us()
    shadow = trade(9, shadow=True, exit_us=now, votes={"trader": Vote.APPROVE})
    office.auditor.hear(ShadowEnded(shadow, True))
    for n in range(7):
        office.auditor.book.learn(trade(n, instrument="BAD.US"))
    place = office.auditor.look_back()
    text = office.written["weekly-2016-W01.txt"]
    assert place == "reports/weekly-2016-W01.txt"
    assert "Followed    1, 0 won, mean net -8.00%: 1 stop" in text
    assert "Vetoed      none" in text
    assert "Ticker      BAD ejected: 0 of 7 won, rate 0.33" in text
    assert "Votes       trader: 0.00 right of 1, weight 1" in text
    assert "Compliance  1 trades checked, 1 deviate" in text
    assert "FROZEN      B-1: size 4000.00" in text
    assert "Evidence    shows no edge: 1 proposals on 1 sessions, mean net -8.00%, 95% bound unknown" in text


def test_evidence_is_of_what_was_before_the_shadow_book_and_of_it(
    office: Office, trade: Callable[..., ClosedTrade]
) -> None:
    office.past = [(date(2015, 11, 2), 0.02), (date(2015, 12, 2), 0.5)]
    followed = trade(1, shadow=True, session=date(2015, 12, 1))
    office.auditor.hear(ShadowEnded(followed, True))
    found = office.auditor.evidence(GAPS)
    assert found is not None
    assert (found.n, found.sessions) == (2, 2), "what a model said of days that were followed is not counted"
    assert found.mean == pytest.approx((0.02 - 0.08) / 2)
    assert office.auditor.evidence(GAPS) is found
    office.auditor.hear(ShadowEnded(trade(2, shadow=True), False))
    assert office.auditor.evidence(GAPS) is found


def test_weeks_by_their_number() -> None:
    assert (week_of(date(2016, 1, 3)), week_of(date(2016, 1, 4))) == ("2015-W53", "2016-W01")


def test_market_data_between_closes_is_passed_over(office: Office) -> None:
    office.auditor.hear(MarketMoved(MarketBatch(1)))
    assert office.told == []
