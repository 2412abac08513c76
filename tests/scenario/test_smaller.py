"""Fewer shares, or later, in the whole engine: crashes, two consoles, policies, and a market that waits."""

import asyncio
import getpass
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.core import Engine
from engine.execution.policies import Hold, PaperAuto, PolicyName
from engine.model.commands import Actor, Answer, ApproveTicket, ShrinkTicket, SnoozeTicket
from engine.model.events import Alarm
from engine.model.tickets import ProposalState
from engine.risk.limits import DATASET
from storage.journal import read_journal, verify_audit
from storage.keyfile import read_key
from storage.signatures import verify_signatures
from storage.whynot import read_whynot
from tui.link import Question
from tui.server.attach import AttachServer
from tui.server.client import RemoteLink, attach
from tui.wiring.runtime import Runtime

NINA, BEN = Actor("nina", "pts/7"), Actor("ben", "pts/8")
FEW = Decimal(4)
MINUTE_US = 60_000_000


def shrink(engine: Engine, entry: Any, quantity: Decimal = FEW, actor: Actor = NINA) -> Answer:
    return engine.give(ShrinkTicket(entry.ticket.id, entry.sha256, quantity, actor))


def approve(engine: Engine, entry: Any, nonce: str = "key", actor: Actor = NINA) -> Answer:
    return engine.give(ApproveTicket(entry.ticket.id, entry.sha256, nonce, None, actor))


def snooze(engine: Engine, entry: Any) -> Answer:
    return engine.give(SnoozeTicket(entry.ticket.id, NINA))


# A process that dies.


def test_a_crash_at_any_write_leaves_one_ticket_waiting_and_at_most_one_entry(
    sim: Callable[[str], ModuleType],
) -> None:
    lives, crashes = sim("lives"), sim("crashes")
    begun = lives.OPEN_US

    def smaller(engine: Engine) -> None:
        """The first ticket, whatever became of it: the same key press again after a crash."""
        first = min(engine.tickets, key=lambda entry: entry.ticket.number)
        assert shrink(engine, first).code in ("ok", "not_journalled"), shrink(engine, first)

    def approve_all(engine: Engine) -> None:
        states = [entry.state for entry in sorted(engine.tickets, key=lambda entry: entry.ticket.number)]
        assert states.count(ProposalState.PENDING) <= 1
        for number, entry in enumerate(engine.tickets):
            # Also the first one: it is refused.
            approve(engine, entry, f"key {number}")
        for bracket in engine.brackets:
            assert bracket.quantity == FEW, "never the first size"

    def second(n: int) -> Any:
        return replace(lives.minute(1, 100.0), ts=begun + n * 1_000_000, bars=(), quotes=(quote(n),))

    def quote(n: int) -> Any:
        at = begun + n * 1_000_000
        return replace(lives.minute(1, 100.0).quotes[0], ts_event=at, ts_known=at)

    life = lives.Life(
        "made smaller",
        (
            lives.opening(100.0),
            second(1),
            second(2),
            lives.minute(1, 101.0),
            lives.minute(2, 106.5, high=107.0),
        ),
        {1: smaller, 2: approve_all},
        policy=Hold(),
    )
    report = crashes.run_life(life)
    assert report.violations == ()
    assert report.crashes == report.runs - 1
    assert {"candidate", "superseded", "approved", "Fill"} <= set(report.kinds)


# Two consoles, and what is written.


async def test_of_one_who_shrinks_and_one_who_approves_one_wins_and_the_other_is_told(
    waiting: Runtime, sockets: tuple[Path, Path]
) -> None:
    server = AttachServer(waiting.link, *sockets)
    await server.start()
    one, two = await attach(sockets[0]), await attach(sockets[0])
    assert isinstance(one, RemoteLink)
    assert isinstance(two, RemoteLink)
    (first, *_) = waiting.engine.tickets.waiting()
    before = [item.ticket.correlation for item in (await one.deck()).tickets]
    price = first.ticket.decision_price
    made = await one.give(ShrinkTicket(first.ticket.id, first.sha256, Decimal(1), Actor("", "pts/1")))
    late = await two.give(ApproveTicket(first.ticket.id, first.sha256, "n", price, Actor("", "pts/2"), None))
    assert made.ok
    who, size = f"{getpass.getuser()} on pts/1", first.ticket.order.stop.quantity
    assert (late.ok, late.code) == (False, "not_pending")
    assert late.text.startswith(f"T-1 is superseded: 1 of {size} shares by {who} at ")
    view = await two.deck()
    assert [item.ticket.correlation for item in view.tickets] == before
    assert first.ticket.id not in {item.ticket.id for item in view.tickets}
    small = next(item for item in view.tickets if item.ticket.correlation == first.ticket.correlation)
    assert small.order_words[0].startswith("BUY 1 ")
    done = await two.give(ApproveTicket(small.ticket.id, small.sha256, "n", price, Actor("", "pts/2"), None))
    assert done.ok, done.text
    (bracket,) = waiting.engine.brackets
    assert (bracket.ticket, bracket.quantity) == (small.ticket.id, 1)
    for link in (one, two):
        await link.close()
    await server.stop()


async def test_the_audit_signatures_and_counts_hold_for_a_family(waiting: Runtime) -> None:
    engine = waiting.engine
    first, other, *_ = engine.tickets.waiting()
    assert shrink(engine, first, Decimal(2)).ok
    assert shrink(engine, engine.tickets.of_candidate(first.ticket.correlation), Decimal(1)).ok
    assert snooze(engine, other).ok
    assert approve(engine, engine.tickets.of_candidate(first.ticket.correlation)).ok
    await asyncio.sleep(0)
    path = waiting.state.journals()[0].path
    assert verify_audit(path).ok
    with read_journal(path) as journal:
        verdict = verify_signatures(journal, read_key(waiting.state.approval_key))
        assert (verdict.ok, verdict.approvals, verdict.checked) == (True, 1, 1), verdict.forged
        kinds = [line["kind"] for line in journal.audit(first.ticket.correlation)]
        assert kinds[:6] == ["candidate", "pending", "superseded", "pending", "superseded", "pending"]
    with read_whynot(path) as counts:
        assert [tally.residual for tally in counts.tallies()] == [0]
    rows = await waiting.link.ask(Question.PROPOSALS)
    assert isinstance(rows, list)
    states = {row["number"]: row["state"] for row in rows if row["correlation"] == first.ticket.correlation}
    assert list(states.values())[:2] == ["superseded", "superseded"]


# Policies.


async def test_after_a_restart_no_policy_approves_what_a_person_took_in_hand(
    generated_market: Any, options: Callable[..., Any], runtime: Callable[[Any, Any], Runtime]
) -> None:
    market, alarms = generated_market, []
    first = runtime(
        options(market.days[30], market.days[40], DATASET, policy=PolicyName.HOLD, wait=True), market
    )
    await first.start()
    await first.run_until_waiting()
    entries = first.engine.tickets.waiting()
    assert len(entries) == 3
    assert shrink(first.engine, entries[0], Decimal(1)).ok
    assert snooze(first.engine, entries[1]).ok
    await first.stop()
    again = runtime(options(market.days[30], market.days[40], DATASET, wait=True), market)
    again.bus.subscribe_call(Alarm, alarms.append, "alarms")
    await again.start()
    await again.run_until_waiting()
    engine = again.engine
    assert isinstance(engine.parts.policy, PaperAuto)
    assert [(entry.is_in_hand, entry.state) for entry in engine.tickets.waiting()] == [
        (True, ProposalState.PENDING)
    ] * 2
    assert [bracket.ticket for bracket in engine.brackets] == [entries[2].ticket.id]
    assert not [alarm for alarm in alarms if "could not approve" in alarm.text]
    await again.stop()


# A market that waits for a person.


async def test_a_replay_goes_on_while_all_tickets_are_snoozed_and_stands_still_when_one_is_back(
    waiting: Runtime,
) -> None:
    engine, drive = waiting.engine, waiting.drive
    began = engine.parts.clock.now_us()
    one, *others = engine.tickets.waiting()
    for entry in others:
        assert snooze(engine, entry).ok
    await turn()
    assert (drive.paused, engine.parts.clock.now_us()) == (True, began)
    assert snooze(engine, one).ok
    await until(lambda: engine.parts.clock.now_us() > began and drive.paused)
    assert engine.parts.clock.now_us() == began + 5 * MINUTE_US
    assert len(engine.tickets.awake()) == 1 + len(others)
    assert drive.resume()
    await until(lambda: engine.tickets.get(one.ticket.id).state is not ProposalState.PENDING)  # type: ignore[union-attr]
    assert engine.tickets.get(one.ticket.id).state is ProposalState.EXPIRED  # type: ignore[union-attr]


async def turn() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


async def until(wanted: Callable[[], bool]) -> None:
    """Let the loop turn until something is so; bounded, so that a failure ends."""
    for _ in range(2_000):
        if wanted():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


# People who do it at any moment.


def test_people_who_make_tickets_smaller_at_any_moment_break_no_rule(
    sim: Callable[[str], ModuleType],
) -> None:
    draw, run_plan = sim("simulator.swarm").draw, sim("simulator.session").run_plan
    acted: Counter[str] = Counter()
    for seed in range(24):
        plan = draw(seed)
        busy = replace(plan.habits, shrinks=0.8, snoozes=0.3)
        result = run_plan(replace(plan, habits=busy))
        assert result.violations == [], seed
        acted += result.faults
    assert min(acted["shrink"], acted["shrink_refused"]) > 20, acted
