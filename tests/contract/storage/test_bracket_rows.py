"""What the engine writes of brackets, orders, fills and round trips fits the journal and comes back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from engine.execution.bracket import Bracket, BracketPhase, Leg
from engine.execution.exits import ExitState, Progress, begin
from engine.execution.records import changed_rows, restore_brackets, restore_round_trip, round_trip_row
from engine.model.exits import ExitPlan, Tier, single_target
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, TicketId, client_order_id
from engine.model.orders import Fill, OrderRole, OrderSide, OrderSpec, OrderState, OrderType, TimeInForce
from engine.model.positions import AccountKind, ExitReason, RoundTrip
from engine.ports import JournalRow
from storage.database import Synchronous, open_for_writing
from storage.journal import open_journal
from storage.journal_schema import JOURNAL

TICKET = TicketId("01TICKET000000000000000001")
ABC = InstrumentId("ABC.US")


def leg(role: OrderRole, type_: OrderType, state: OrderState, **prices: Decimal) -> Leg:
    side = OrderSide.BUY if role is OrderRole.ENTRY else OrderSide.SELL
    spec = OrderSpec(
        client_order_id(TICKET, role.value, 1), ABC, side, type_, Decimal(14), tif=TimeInForce.GTC, **prices
    )
    return Leg(spec, role, 1, state, attempts=1, first_send_us=5, last_send_us=6, changed_us=7, cancel_us=8)


def test_bracket_comes_back_from_the_journal_as_it_was(tmp_path: Path) -> None:
    entry = leg(OrderRole.ENTRY, OrderType.LIMIT, OrderState.FILLED, limit_price=Decimal("8.3700"))
    fills = tuple(
        Fill(f"x{n}", entry.id, ABC, OrderSide.BUY, Decimal(7), Decimal("8.36"), Decimal("0.01"), 7 + n)
        for n in range(2)
    )
    stop = leg(OrderRole.STOP, OrderType.STOP, OrderState.WORKING, stop_price=Decimal("7.70"))
    target = leg(OrderRole.TARGET, OrderType.LIMIT, OrderState.WORKING, limit_price=Decimal("8.87"))
    tiers = (Tier(Decimal("8.87"), Decimal("0.5")), Tier(Decimal("9.20"), Decimal("0.25")))
    plan = ExitPlan(Decimal("7.70"), tiers, None, 0, Decimal("0.1"))
    bracket = Bracket(
        ticket=TICKET,
        number=18,
        correlation=CorrelationId("X"),
        strategy=StrategyName("gaps"),
        account=AccountId("paper"),
        instrument=ABC,
        session=date(2016, 1, 4),
        phase=BracketPhase.PROTECTED,
        quantity=Decimal(14),
        limit_price=Decimal("8.3700"),
        exit_plan=plan,
        progress=Progress(ExitState.TRAILING, Decimal("8.01"), Decimal("8.90"), 1),
        opened_us=4,
        deadline_us=600,
        legs=(
            replace(entry, cum=Decimal(14), fills=fills, venue_order_id="V1"),
            replace(stop, parent=entry.id, replaces=target.id),
            replace(target, parent=entry.id, reason="asked"),
        ),
        ratio=Decimal("0.5"),
        last_session=date(2016, 1, 5),
        first_fill_us=7,
        exit_wanted=ExitReason.TIME,
        entry_unwanted=True,
        missing=Decimal(2),
        missing_us=9,
        missing_told=False,
        naked_us=11,
        naked_told=1,
    )
    path = tmp_path / "journal.db"
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        journal.commit([JournalRow("ticket", {"id": TICKET}), *changed_rows(None, bracket)], [])
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        found = restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
    assert found == (bracket,)


def test_round_trip_comes_back_from_the_journal_as_it_was(
    tmp_path: Path, new_round_trip: Callable[..., RoundTrip]
) -> None:
    trip = new_round_trip()
    with open_journal(tmp_path / "journal.db", "paper", AccountKind.PAPER) as journal:
        journal.commit([round_trip_row(trip)], [])
        assert [restore_round_trip(row) for row in journal.rows("round_trip")] == [trip]


def test_a_bracket_of_the_first_version_has_one_target_for_everything(tmp_path: Path) -> None:
    path, first = tmp_path / "journal.db", replace(JOURNAL, steps=JOURNAL.steps[:1])
    entry = leg(OrderRole.ENTRY, OrderType.LIMIT, OrderState.WORKING, limit_price=Decimal("8.37"))
    plan = single_target(Decimal("7.70"), Decimal("8.87"), 5)
    bracket = Bracket(
        ticket=TICKET,
        number=18,
        correlation=CorrelationId("X"),
        strategy=StrategyName("gaps"),
        account=AccountId("paper"),
        instrument=ABC,
        session=date(2016, 1, 4),
        phase=BracketPhase.ENTERING,
        quantity=Decimal(14),
        limit_price=Decimal("8.37"),
        exit_plan=plan,
        progress=begin(plan, Decimal("8.37")),
        opened_us=4,
        deadline_us=600,
        legs=(entry,),
    )
    connection = open_for_writing(path, first, Synchronous.FULL)
    known = {
        table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        for table in ("bracket", "ord")
    }
    connection.execute("INSERT INTO ticket(id) VALUES (?)", (TICKET,))
    for row in changed_rows(None, bracket):
        old = {name: value for name, value in row.values.items() if name in known[row.table]}
        marks = ", ".join("?" for _ in old)
        connection.execute(
            f"INSERT INTO {row.table}({', '.join(old)}) VALUES ({marks})",  # noqa: S608 - our own names
            tuple(old.values()),
        )
    connection.close()
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        found = restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
    assert found == (bracket,)
