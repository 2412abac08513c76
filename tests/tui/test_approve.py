"""The approve dialog: nothing but a deliberate `a` on exactly what is shown approves."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import Busy
from engine.model.commands import Answer, ApproveTicket
from engine.model.positions import AccountKind
from tui.app import ConsoleApp
from tui.screens.approve import ApproveDialog
from tui.screens.desk import DeskScreen
from tui.screens.reject import RejectDialog
from tui.shown.deck import DeckView, LinkState

Build = Callable[..., tuple[ConsoleApp, Any]]


def text_of(app: ConsoleApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def last_row(app: ConsoleApp) -> str:
    return text_of(app).splitlines()[-1]


def said(app: ConsoleApp) -> str:
    return " ".join(note.message for note in app._notifications)


async def press(pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


@pytest.fixture
def armed(console: Build, now: Any) -> Callable[..., Any]:
    """A console with the dialog of T-18 open and its key awake."""

    async def open_dialog(app: ConsoleApp, pilot: Any) -> None:
        await pilot.pause()
        await press(pilot, "a")
        assert isinstance(app.screen, ApproveDialog)
        now.s += 0.3
        app.tick()
        await pilot.pause()

    return open_dialog


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_then_a_approves_exactly_the_shown_hash(
    size: tuple[int, int], view: DeckView, console: Build, armed: Any
) -> None:
    app, link = console(view)
    link.answers.append(Answer(True, "ok", "T-18 sent, B-18."))
    async with app.run_test(size=size) as pilot:
        await armed(app, pilot)
        ticket = view.tickets[0]
        assert "a approve now" in last_row(app)
        await press(pilot, "a")
        await pilot.pause()
        await pilot.pause()
        command = link.given[0]
        assert isinstance(command, ApproveTicket)
        assert (command.ticket, command.sha256) == (ticket.ticket.id, ticket.sha256)
        assert command.price_shown == ticket.ask
        assert command.actor == app.actor
        assert len(command.nonce) == 32
        assert len(link.given) == 1
        assert isinstance(app.screen, DeskScreen)
        assert said(app) == "● T-18 sent, B-18. Follow it in 4 Orders."


async def test_enter_and_escape_cancel(view: DeckView, console: Build, armed: Any) -> None:
    for key in ("enter", "escape"):
        app, link = console(view)
        async with app.run_test(size=(80, 24)) as pilot:
            await armed(app, pilot)
            await press(pilot, key)
            assert isinstance(app.screen, DeskScreen)
            assert link.given == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_dialog_shows_order_money_hash_and_exact_text(
    size: tuple[int, int], view: DeckView, console: Build, armed: Any
) -> None:
    app, _ = console(view)
    async with app.run_test(size=size) as pilot:
        await armed(app, pilot)
        text = text_of(app)
    ticket = view.tickets[0]
    for words in (
        "PAPER  account paper-1",
        "closes 1:00",
        "Approve T-18   BounceHunter gap, 4 of 4 agents",
        "expires 4:34",
        "BUY 39 ORVX  limit 8.37  day",
        "pays up to 326.43 USD",
        "then  sell 39  stop   7.70  GTC",
        "▼ -26.13   0.095% of equity",
        "or  sell 39  target 8.87  GTC",
        "▲ +19.50   0.071% of equity",
        "bid 8.35  ask 8.37  1.1 s",
        "checks ● 8 of 11, 3 n/a   size bound by strategy 1.2%",
        "  Cancel     a approve   r reject",
    ):
        assert words in text, words
    first, last = ticket.sha256[:4], ticket.sha256[-4:]
    assert f"sha256 {first} " in text
    assert f" {last} " in text
    rows = [row.partition("▏")[2].partition("▕")[0].strip() for row in text.splitlines()]
    start = next(at for at, row in enumerate(rows) if row.startswith("{"))
    shown = ""
    for row in rows[start:]:
        shown += row
        if row.endswith("}") and shown.count("{") == shown.count("}"):
            break
    assert shown == ticket.order_text


async def test_the_key_sleeps_for_300_ms(view: DeckView, console: Build, now: Any) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "a", "a")
        assert "a refused: ready in 0.3 s" in last_row(app)
        for _ in range(5):
            now.s += 0.29
            await press(pilot, "a")
        assert link.given == [], "a key held down repeats itself"
        now.s += 0.3
        await press(pilot, "a")
        await pilot.pause()
        assert len(link.given) == 1


async def test_a_second_press_while_the_answer_is_awaited_does_nothing(
    view: DeckView, console: Build, armed: Any
) -> None:
    import asyncio

    app, link = console(view)
    gate = asyncio.Event()
    given = []

    async def slow(command: Any) -> Answer:
        given.append(command)
        await gate.wait()
        return Answer(True, "ok", "T-18 sent, B-18.")

    link.give = slow
    async with app.run_test(size=(80, 24)) as pilot:
        await armed(app, pilot)
        await press(pilot, "a", "a", "a")
        assert "asked, waiting for the answer" in text_of(app)
        assert len(given) == 1
        gate.set()
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, DeskScreen)


def changed(view: DeckView, **header: Any) -> DeckView:
    return replace(view, header=replace(view.header, **header))


CASES = {
    "halted": (lambda view: changed(view, engine_state="HALTED"), "halted"),
    "detached": (lambda view: changed(view, link=LinkState.RECONNECTING), "the engine does not answer"),
    "stale": (
        lambda view: changed(view, market=replace(view.header.market, stale="Alpaca silent 42 s")),
        "stale",
    ),
    "held": (
        lambda view: replace(
            view,
            tickets=(
                replace(view.tickets[0], held_reason="quote is 42 s old, limit 15 s"),
                *view.tickets[1:],
            ),
        ),
        "quote is 42 s old, limit 15 s",
    ),
    "old quote": (
        lambda view: replace(
            view,
            tickets=(replace(view.tickets[0], quote_us=view.header.now_us - 4_000_000), *view.tickets[1:]),
        ),
        "quote is 4.0 s old, limit 3 s",
    ),
    "changed": (
        lambda view: replace(view, tickets=(replace(view.tickets[0], sha256="f" * 64), *view.tickets[1:])),
        "T-18 has changed, open it again",
    ),
    "live": (lambda view: changed(view, kind=AccountKind.LIVE), "this release approves no live order"),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_key_is_off_with_the_reason_beside_it(
    case: str, view: DeckView, console: Build, armed: Any
) -> None:
    change, reason = CASES[case]
    app, link = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await armed(app, pilot)
        link.push(change(view))
        await pilot.pause()
        await pilot.pause()
        assert f"a is off: {reason}" in last_row(app)
        button = next(row for row in text_of(app).splitlines() if "Cancel" in row)
        assert reason in button
        await press(pilot, "a")
        assert f"a refused: {reason}" in last_row(app)
        assert link.given == []
        link.push(view)
        await pilot.pause()
        await pilot.pause()


async def test_a_ticket_that_is_gone_is_asked_about_so_that_the_loser_hears_who_won(
    view: DeckView, console: Build, armed: Any
) -> None:
    app, link = console(view)
    won = "T-18 was approved by nina on pts/7 at 14:51:40Z. Your key did nothing."
    link.answers.append(Answer(False, "not_pending", won))
    async with app.run_test(size=(120, 40)) as pilot:
        await armed(app, pilot)
        link.push(replace(view, tickets=view.tickets[1:]))
        await pilot.pause()
        await pilot.pause()
        assert "a is off: T-18 is no longer waiting" in last_row(app)
        await press(pilot, "a")
        await pilot.pause()
        assert [type(command) for command in link.given] == [ApproveTicket]
        await pilot.pause()
        assert [note.message for note in app._notifications] == [f"■ {won}"]


async def test_the_dialog_closes_after_a_minute_and_says_so(
    view: DeckView, console: Build, armed: Any, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await armed(app, pilot)
        now.s += 8
        app.tick()
        await pilot.pause()
        assert "closes 0:52" in text_of(app)
        now.s += 51.6
        app.tick()
        await pilot.pause()
        assert isinstance(app.screen, ApproveDialog)
        now.s += 0.2
        app.tick()
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, DeskScreen)
        expected = "T-18 not approved: the dialog closed after 60 s. The ticket is still waiting, 3:34."
        assert expected in said(app)
        assert link.given == []


async def test_a_moved_price_is_shown_and_asked_about_again(
    view: DeckView, console: Build, armed: Any, now: Any
) -> None:
    app, link = console(view)
    link.answers += [
        Answer(False, "price_moved", "price moved 1.2 %, limit 0.5 %: look again"),
        Answer(True, "ok", "T-18 sent, B-18."),
    ]
    async with app.run_test(size=(120, 40)) as pilot:
        await armed(app, pilot)
        await press(pilot, "a")
        await pilot.pause()
        assert isinstance(app.screen, ApproveDialog)
        assert "price moved 1.2 %, limit 0.5 %: look again" in last_row(app)
        moved = replace(view.tickets[0], bid=8.46, ask=8.47, last=8.465)
        link.push(replace(view, tickets=(moved, *view.tickets[1:])))
        await pilot.pause()
        await press(pilot, "a")
        assert len(link.given) == 1
        now.s += 0.3
        app.tick()
        await pilot.pause()
        assert f"price moved {view.tickets[0].ask:.2f} to 8.47: a again" in text_of(app)
        await press(pilot, "a")
        await pilot.pause()
        first, second = link.given
        assert (first.price_shown, second.price_shown) == (view.tickets[0].ask, 8.47)
        assert first.nonce != second.nonce
        assert (first.shown_us, second.shown_us) == (view.header.now_us, view.header.now_us)
        assert first.sha256 == second.sha256


async def test_a_refusal_of_the_engine_closes_and_is_said(view: DeckView, console: Build, armed: Any) -> None:
    app, link = console(view)
    link.answers.append(Answer(False, "gated_out", "T-18: G8 8 positions open, limit 8"))
    async with app.run_test(size=(120, 40)) as pilot:
        await armed(app, pilot)
        await press(pilot, "a")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, DeskScreen)
        assert said(app) == "■ T-18: G8 8 positions open, limit 8"


async def test_a_broken_link_is_an_answer(view: DeckView, console: Build, armed: Any) -> None:
    app, link = console(view)

    async def broken(command: Any) -> Answer:
        raise Busy("the engine did not answer within 5 s", "look at the ticket again")

    link.give = broken
    async with app.run_test(size=(120, 40)) as pilot:
        await armed(app, pilot)
        await press(pilot, "a")
        await pilot.pause()
        await pilot.pause()
        assert "the engine did not answer within 5 s. look at the ticket again" in said(app)


async def test_r_leads_to_the_reasons(view: DeckView, console: Build, armed: Any) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await armed(app, pilot)
        await press(pilot, "r")
        assert isinstance(app.screen, RejectDialog)
        assert link.given == []


async def test_other_keys_do_nothing(view: DeckView, console: Build, armed: Any) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await armed(app, pilot)
        await press(pilot, "space", "q", "1", "tab", "z", "w", "slash", "R", "y", "question_mark")
        assert isinstance(app.screen, ApproveDialog)
        assert link.given == []


async def test_an_order_text_too_long_for_the_terminal_says_how_much_is_shown(
    view: DeckView, console: Build, armed: Any
) -> None:
    ticket = view.tickets[0]
    long = replace(ticket, order_text=",".join(f'"field_{at:02d}":"{"x" * 40}"' for at in range(30)))
    app, _ = console(replace(view, tickets=(long,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await armed(app, pilot)
        assert "lines 1–10 of 30" in text_of(app)
        assert "Cancel" in text_of(app)
        await press(pilot, *["j"] * 40)
        assert "lines 21–30 of 30" in text_of(app)
        assert "field_29" in text_of(app)
        await press(pilot, "k")
        assert "lines 20–29 of 30" in text_of(app)


async def test_a_ticket_that_is_held_opens_no_dialog(view: DeckView, console: Build) -> None:
    held = replace(view.tickets[0], held_reason="quote is 42 s old, limit 15 s")
    app, _ = console(replace(view, tickets=(held, *view.tickets[1:])))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "a")
        assert isinstance(app.screen, DeskScreen)
        assert "a refused: quote is 42 s old, limit 15 s" in last_row(app)


async def test_small_terminals_keep_buttons_and_hash(view: DeckView, console: Build, armed: Any) -> None:
    app, _ = console(view)
    async with app.run_test(size=(60, 15)) as pilot:
        await armed(app, pilot)
        text = text_of(app)
        assert "Cancel" in text
        assert "sha256" in text
        assert "BUY 39 ORVX" in text


async def test_big_money_fits(view: DeckView, console: Build, armed: Any) -> None:
    ticket = view.tickets[0]
    big = replace(
        ticket,
        value=Decimal("1234567.89"),
        loss_at_stop=Decimal("-98765.43"),
        gain_at_target=Decimal("74074.07"),
        loss_ratio=-0.0123,
    )
    app, _ = console(replace(view, tickets=(big,)))
    async with app.run_test(size=(80, 24)) as pilot:
        await armed(app, pilot)
        text = text_of(app)
        assert "pays up to 1,234,567.89 USD" in text
        assert "▼ -98,765.43" in text
