"""The demo market through the real engine, SQLite journal and paper venue, on virtual time."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.config import AccountConfig, EngineConfig, Mode
from engine.errors import ConfigError
from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.model.candidates import GateStatus
from engine.model.commands import Actor, ApproveTicket, RejectTicket, SnoozeTicket
from engine.model.events import MarketMoved
from engine.model.market import Provenance
from engine.model.positions import AccountKind
from engine.risk.limits import FULL
from engine.sources.sessions import ExchangeSessions
from storage.journal import read_journal, verify_audit
from storage.paths import Home, folder_state
from tui.settings import Settings
from tui.wiring.demo import DEFAULT_SEED, FIRST, DemoOptions, demo_market
from tui.wiring.runtime import RunOptions, Runtime

NINA = Actor("nina", "pts/7", uid=1000)
SEEDS = (DEFAULT_SEED, 7, 9)
MINUTE_US = 60_000_000
LOOK_S = 0.05
NUMBERS = {
    "fill": ("ts_us", "cid", "exec_id", "qty", "px", "fee"),
    "ord": ("first_send_us", "cid", "role", "side", "qty", "px", "stop_px"),
    "equity": ("ts_us", "tier", "slot", "equity"),
    "round_trip": ("exit_us", "number", "entry_price", "exit_price", "pnl"),
}
"""What a run is compared by: of each table the time of a row, then its decimals as they are stored."""


@dataclass(frozen=True)
class Stage:
    """A person's folders, on which demos are started."""

    home: Home
    settings: Settings
    sessions: ExchangeSessions
    folder: Path

    def runtime(
        self,
        seed: int | None = None,
        speed: float | None = None,
        policy: PolicyName = PolicyName.PAPER_AUTO,
        state: str = "state",
    ) -> Runtime:
        paths = folder_state(self.home, self.folder / state)
        options = RunOptions(self.settings, self.home, paths, policy, FULL, remember=False)
        demo = DemoOptions(seed, speed, policy is PolicyName.HOLD)
        return Runtime(options, demo_market(self.settings, paths, demo, self.sessions), self.sessions)


@pytest.fixture
def stage(home: Home, settings: Settings, sessions: ExchangeSessions, tmp_path: Path) -> Stage:
    return Stage(home, settings, sessions, tmp_path)


def run(runtime: Runtime, play: Callable[[Runtime], Awaitable[None]]) -> None:
    async def go() -> None:
        await runtime.start()
        try:
            await play(runtime)
        finally:
            await runtime.stop()

    run_virtual(go())


async def until(runtime: Runtime, is_so: Callable[[], object]) -> None:
    """Let the market go on until something is so; a run that fails says why."""
    while not is_so():
        if not runtime.is_healthy() or runtime.drive.ended:
            await runtime.run_until_done()
            raise AssertionError("the market ended first")
        # Virtual time moves only while nobody is ready; a market at full speed always is.
        await asyncio.sleep(0 if runtime.market.pace.speed is None else LOOK_S)


async def until_market(runtime: Runtime, ts: int) -> None:
    await until(runtime, lambda: runtime.engine.picture.ts >= ts)


def approve_all(runtime: Runtime) -> None:
    """What a person does who reads each ticket and finds it good."""
    for entry in runtime.engine.tickets.waiting():
        ticket = entry.ticket
        quote = runtime.engine.picture.quote(ticket.instrument)
        assert quote is not None
        command = ApproveTicket(ticket.id, entry.sha256, f"key {ticket.number}", quote.ask, NINA)
        answer = runtime.engine.give(command)
        assert answer.ok, answer.text


def digest(runtime: Runtime, until_us: int) -> str:
    """Of the fills and round trips up to an instant: decimals as they are stored, times in microseconds."""
    journal = runtime.engine.parts.journal
    rows = {
        table: [
            [row[name] for name in names] for row in journal.rows(table) if int(row[when] or 0) <= until_us
        ]
        for table, (when, *names) in NUMBERS.items()
    }
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def test_a_day_makes_round_trips_and_its_books_close_to_the_cent(stage: Stage) -> None:
    hours = stage.sessions.on(FIRST)
    assert hours is not None

    async def play(runtime: Runtime) -> None:
        engine = runtime.engine
        await until_market(runtime, hours.close_us)
        journal, account = engine.parts.journal, await engine.parts.broker.account()
        trips, fills = journal.rows("round_trip"), journal.rows("fill")
        assert trips, "a day without a round trip shows a newcomer nothing"
        sides = {row["cid"]: 1 if row["side"] == "buy" else -1 for row in journal.rows("ord")}
        spent = sum(
            sides[row["cid"]] * Decimal(str(row["qty"])) * Decimal(str(row["px"])) + Decimal(str(row["fee"]))
            for row in fills
        )
        assert engine.books.cash == account.cash == Decimal(10_000) - spent
        held = {b.instrument: b.position for b in engine.brackets.open() if b.position}
        assert held == {position.instrument: position.quantity for position in account.positions}
        marks = sum(
            (q * Decimal(str(engine.picture.last(name))) for name, q in held.items()), start=Decimal(0)
        )
        assert engine.equity() == account.cash + marks
        assert (engine.state.value, engine.parts.kind) == ("RUNNING", AccountKind.SIMULATION)
        assert engine.parts.gems is not None
        assert engine.parts.gems.ranked(), "nothing was scored"

    runtime = stage.runtime(DEFAULT_SEED)
    run(runtime, play)
    (journal,) = runtime.state.journals()
    assert (journal.kind, journal.account) == (AccountKind.SIMULATION, "demo")
    assert verify_audit(journal.path).ok


def test_the_same_seed_makes_the_same_trades_at_every_speed(stage: Stage) -> None:
    found = []

    async def play(runtime: Runtime) -> None:
        await until_market(runtime, runtime.market.start_us + 31 * MINUTE_US)
        found.append(digest(runtime, runtime.market.start_us + 29 * MINUTE_US))

    for number, speed in enumerate((None, 120.0, 1000.0)):
        run(stage.runtime(DEFAULT_SEED, speed, state=f"state {number}"), play)
    assert len(set(found)) == 1
    run(stage.runtime(DEFAULT_SEED + 1, state="another"), play)
    assert found[-1] != found[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_newcomer_sees_a_ticket_a_fill_and_an_exit_in_time(stage: Stage, seed: int) -> None:
    async def play(runtime: Runtime) -> None:
        engine, loop = runtime.engine, asyncio.get_running_loop()
        begun = loop.time()
        await until(runtime, engine.tickets.waiting)
        assert loop.time() - begun <= 20.0
        assert engine.verdicts, "no candidates"
        assert engine.parts.gems is not None
        assert any(gem.is_flagged for gem in engine.parts.gems.ranked())
        await asyncio.sleep(5.0)  # reading
        view = (await runtime.link.deck()).header.market
        assert (view.provenance, view.speed, bool(view.slow)) == ("synthetic", 4.0, True)
        approve_all(runtime)
        approved = loop.time()
        await until(runtime, lambda: any(bracket.position for bracket in engine.brackets))
        assert loop.time() - approved <= 5.0
        await until(runtime, lambda: engine.parts.journal.rows("round_trip"))
        assert loop.time() - approved <= 300.0

    run(stage.runtime(seed, 120.0, PolicyName.HOLD), play)


def test_the_market_is_slow_for_a_ticket_until_it_is_decided_expires_or_is_let_wait(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        engine, loop, drive = runtime.engine, asyncio.get_running_loop(), runtime.drive
        await until(runtime, engine.tickets.waiting)
        begun, count = loop.time(), len(engine.tickets.waiting())
        assert (drive.speed, drive.why_slow) == (4.0, f"{count} tickets")
        await asyncio.sleep(10.0)
        assert drive.speed == 4.0
        assert await runtime.link.resume_market()
        assert (drive.speed, drive.why_slow) == (120.0, "")
        assert not await runtime.link.resume_market()
        await until(runtime, lambda: not engine.tickets.waiting())
        # 600 s: forty at four a second, the rest at 120.
        assert loop.time() - begun == pytest.approx(10 + 560 / 120, abs=0.5)

    run(stage.runtime(DEFAULT_SEED, 120.0, PolicyName.HOLD), play)


def test_the_market_is_slow_for_no_ticket_out_of_sight_until_it_is_back(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        engine, loop, drive = runtime.engine, asyncio.get_running_loop(), runtime.drive
        await until(runtime, engine.tickets.waiting)
        one, *others = engine.tickets.waiting()
        for entry in others:
            assert engine.give(RejectTicket(entry.ticket.id, "not this one", NINA)).ok
        assert (drive.speed, drive.why_slow) == (4.0, f"T-{one.ticket.number}")
        assert engine.give(SnoozeTicket(one.ticket.id, NINA)).ok
        assert (drive.speed, drive.why_slow) == (120.0, "")
        assert not await runtime.link.resume_market()
        begun = loop.time()
        await until(runtime, engine.tickets.awake)
        assert loop.time() - begun == pytest.approx(300 / 120, abs=0.2)
        assert (drive.speed, drive.why_slow) == (4.0, f"T-{one.ticket.number}")

    run(stage.runtime(DEFAULT_SEED, 120.0, PolicyName.HOLD), play)


def test_a_ticket_that_nobody_looks_at_lives_150_seconds(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        engine, loop = runtime.engine, asyncio.get_running_loop()
        await until(runtime, engine.tickets.waiting)
        begun = loop.time()
        await until(runtime, lambda: not engine.tickets.waiting())
        assert loop.time() - begun == pytest.approx(150, abs=1)
        assert runtime.drive.speed == 120.0

    run(stage.runtime(DEFAULT_SEED, 120.0, PolicyName.HOLD), play)


def test_the_clock_waits_for_an_order_that_a_person_approved_between_two_instants(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        engine, loop = runtime.engine, asyncio.get_running_loop()

        def between(event: MarketMoved) -> None:
            if engine.tickets.waiting() and not list(engine.brackets):
                loop.call_soon(approve_all, runtime)

        runtime.bus.subscribe_call((MarketMoved,), between, "a quick person")
        await until_market(runtime, runtime.market.start_us + 5 * MINUTE_US)
        refused = [row for row in engine.parts.journal.audit() if row["kind"] == "Refused"]
        assert refused == []
        assert list(engine.brackets)

    run(stage.runtime(DEFAULT_SEED, None, PolicyName.HOLD), play)


def test_a_dialog_may_be_read_for_a_minute_of_the_persons_time(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        engine = runtime.engine
        await until(runtime, engine.tickets.waiting)
        entry = engine.tickets.waiting()[0]
        shown = engine.parts.clock.now_us()
        await asyncio.sleep(59.0)
        assert engine.parts.clock.now_us() - shown > 200_000_000, "four seconds a second"
        command = ApproveTicket(entry.ticket.id, entry.sha256, "read slowly", None, NINA, shown_us=shown)
        assert engine.give(command).code != "dialog_expired"
        await asyncio.sleep(3.0)
        late = ApproveTicket(entry.ticket.id, entry.sha256, "too slowly", None, NINA, shown_us=shown)
        answer = engine.give(late)
        assert answer.code in ("dialog_expired", "not_pending")

    run(stage.runtime(DEFAULT_SEED, 120.0, PolicyName.HOLD), play)


def test_everything_that_is_told_is_synthetic_and_a_simulation_may_trade_on_it(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        engine = runtime.engine
        await until(runtime, engine.tickets.waiting)
        assert {quote.provenance for quote in engine.picture.quotes.values()} == {Provenance.SYNTHETIC}
        for entry in engine.tickets.waiting():
            gates = {gate.gate: gate for gate in entry.ticket.gates}
            assert gates["G2"].status is GateStatus.PASS
            assert gates["G6"].status is GateStatus.PASS, "the demo has headlines"
            assert {gate.status for gate in gates.values()} <= {GateStatus.PASS, GateStatus.NOT_APPLICABLE}
            assert "sector counted" in gates["G8"].reason

    run(stage.runtime(DEFAULT_SEED, policy=PolicyName.HOLD), play)


def test_a_state_goes_on_with_its_own_seed_and_refuses_another(stage: Stage) -> None:
    async def play(runtime: Runtime) -> None:
        await until_market(runtime, runtime.market.start_us + 2 * MINUTE_US)

    run(stage.runtime(7), play)
    with pytest.raises(ConfigError, match="holds a demo of seed 7, not seed 8"):
        run(stage.runtime(8), play)

    async def goes_on(runtime: Runtime) -> None:
        before = runtime.engine.market_us()
        assert before is not None
        assert before > runtime.market.start_us
        await until_market(runtime, before + 2 * MINUTE_US)

    again = stage.runtime(None)
    run(again, goes_on)
    with read_journal(again.state.journals()[0].path) as journal:
        assert journal.meta("demo_seed") == "7"


def test_started_again_inside_a_session_it_shows_what_the_morning_decided(stage: Stage) -> None:
    shown: list[list[tuple[str, str]]] = []

    def rows(runtime: Runtime) -> list[tuple[str, str]]:
        (verdicts,) = runtime.engine.verdicts.values()
        return [(v.candidate.correlation, v.reason) for v in verdicts if v.proposal is None]

    async def first(runtime: Runtime) -> None:
        await until_market(runtime, runtime.market.start_us + 31 * MINUTE_US)
        shown.append(rows(runtime))

    async def second(runtime: Runtime) -> None:
        before = len(runtime.engine.parts.journal.rows("ticket"))
        await until(runtime, lambda: runtime.engine.verdicts)
        handled = runtime.engine.market_us()
        assert handled is not None
        await until_market(runtime, handled + MINUTE_US)
        shown.append(rows(runtime))
        assert len(runtime.engine.parts.journal.rows("ticket")) == before

    run(stage.runtime(DEFAULT_SEED), first)
    run(stage.runtime(), second)
    assert shown[0]
    assert shown[1] == shown[0]


def test_a_replay_and_a_demo_never_share_a_state(
    stage: Stage, options: Callable[..., Any], runtime: Callable[[Any, Any], Runtime], generated_market: Any
) -> None:
    market = generated_market
    replay = runtime(options(market.days[30], market.days[31], FULL), market)

    async def nothing(runtime: Runtime) -> None:
        await asyncio.sleep(0)

    run(replay, nothing)
    with pytest.raises(ConfigError, match="holds account replay of kind simulation, not demo"):
        run(stage.runtime(1), nothing)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"engine": EngineConfig(mode=Mode.LIVE)}, "engine.mode"),
        ({"accounts": {"real": AccountConfig(AccountKind.LIVE)}}, "accounts.real.kind"),
    ],
)
def test_a_demo_beside_real_money_is_refused(
    stage: Stage, settings: Settings, change: dict[str, Any], key: str
) -> None:
    real = replace(settings, config=replace(settings.config, **change), origins={key: "config.toml"})
    words = f'--demo cannot be combined with real money: config.toml sets {key} = "live"'
    with pytest.raises(ConfigError, match=words):
        replace(stage, settings=real).runtime(1)
