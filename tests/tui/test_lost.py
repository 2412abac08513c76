"""A link that lost its engine, and another console that was quicker."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.model.positions import AccountKind
from tui.app import ConsoleApp
from tui.shown.deck import DeckView, EventKind, EventLine, LinkState

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]


def replayed(view: DeckView, link: LinkState) -> DeckView:
    market = replace(view.header.market, provenance="replay", paused=True, speed=390.0)
    return replace(view, header=replace(view.header, link=link, market=market))


async def press(pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_a_lost_replay_neither_runs_on_nor_asks_to_go_on(
    view: DeckView, console: Build, now: Any, dump: Dump
) -> None:
    app, link = console(replayed(view, LinkState.ATTACHED))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "◐ waits" in dump(app)
        assert "attached" in dump(app)
        link.push(replayed(view, LinkState.RECONNECTING))
        await pilot.pause()
        now.s += 45
        app.tick()
        await pilot.pause()
        text = dump(app)
        assert "Console lost the engine 0:45 ago" in text
        assert "14:51:38Z" in text
        assert "4:34" in text
        assert "◐ waits" not in text
        assert "○ DETACHED" in text


async def test_a_picture_repeated_while_lost_does_not_restart_the_count(
    view: DeckView, console: Build, now: Any, dump: Dump
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        now.s += 30
        link.push(replace(view, header=replace(view.header, link=LinkState.LOST)))
        await pilot.pause()
        assert "DETACHED 0:30 ago" in dump(app)
        assert "14:52:08Z" in dump(app)


async def test_the_dialog_says_who_was_quicker(view: DeckView, console: Build, dump: Dump) -> None:
    app, link = console(view)
    ticket = view.tickets[0].ticket
    waits = EventLine(ticket.created_us, EventKind.YOURS, "T-18 ORVX waiting for you", ticket.correlation)
    won = EventLine(
        ticket.created_us, EventKind.WORKING, "T-18 ORVX approved by max on pts/3", ticket.correlation
    )
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await press(pilot, "a")
        link.push(replace(view, tickets=view.tickets[1:], events=(won, waits, *view.events)))
        await pilot.pause()
        assert "a is off: T-18 ORVX approved by max on pts/3, 14:46:12Z" in dump(app)


async def test_the_desk_behind_a_dialog_is_never_older_than_a_second(
    view: DeckView, console: Build, dump: Dump
) -> None:
    app, link = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await press(pilot, "question_mark")
        link.push(replace(view, tickets=view.tickets[1:]))
        await pilot.pause()
        app.tick()
        await pilot.pause()
        assert "Tickets 1 waiting" in dump(app)


async def test_halting_twice_over_is_told(view: DeckView, console: Build, dump: Dump) -> None:
    app, link = console(replace(view, header=replace(view.header, engine_state="HALTED")))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "exclamation_mark", "exclamation_mark")
        assert "! refused: halted already, stops stay" in dump(app)
        assert not link.given


async def test_leaving_a_simulation_promises_no_stop_at_a_venue(
    view: DeckView, console: Build, dump: Dump
) -> None:
    simulated = replace(view, header=replace(view.header, kind=AccountKind.SIMULATION))
    app, _ = console(simulated, own_engine=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "q")
        text = dump(app)
        assert "3 positions are open. The simulation ends here, its books are kept." in text
        assert "venue" not in text


async def test_an_event_names_the_state_of_an_engine_of_its_own(
    view: DeckView, console: Build, dump: Dump
) -> None:
    event = EventLine(view.header.now_us, EventKind.INFO, "something", "C1")
    for own, command in (
        (True, "tradedeck --state latest audit trace C1"),
        (False, "tradedeck audit trace C1"),
    ):
        app, _ = console(replace(view, events=(event,)), own_engine=own)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await press(pilot, "shift+tab", "enter")
            assert command in dump(app)


async def test_the_title_counts_tickets_that_only_wait_for_a_quote_as_held(
    view: DeckView, console: Build, dump: Dump
) -> None:
    first, *rest = view.tickets
    aged = replace(first, held_reason="ORVX quote is 42s old, limit 3.0s")
    app, _ = console(replace(view, tickets=(aged, *rest)))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "Tickets 1 waiting, 1 held" in dump(app)


async def test_events_above_the_first_row_shown_are_counted(
    view: DeckView, console: Build, dump: Dump
) -> None:
    events = tuple(EventLine(at, EventKind.INFO, f"event {at}", "") for at in range(60, 0, -1))
    app, _ = console(replace(view, events=events))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        assert "newer" not in dump(app)
        await press(pilot, "shift+tab", "G")
        shown = sum(" event " in row for row in dump(app).splitlines())
        assert f"{60 - shown} newer" in dump(app)
        await press(pilot, "g")
        assert "newer" not in dump(app)


async def test_an_engine_that_began_after_the_scan_does_not_claim_an_empty_day(
    view: DeckView, console: Build, dump: Dump
) -> None:
    opens = view.header.session_open_us
    header = replace(view.header, engine_since_us=opens)
    app, _ = console(replace(view, header=header, gaps=()))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        text = dump(app)
        assert "No gap candidates known" in text
        assert "The engine runs since 14:30:00Z, after the" in text
        assert "No gap candidates today" not in text
