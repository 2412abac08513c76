"""Fewer shares, or later: `e` and `s` on a ticket, wherever one is shown."""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.model.commands import Answer, ShrinkTicket, SnoozeTicket
from engine.model.events import TicketChanged, TicketSnoozed
from engine.model.ids import TicketId
from engine.model.tickets import ProposalState
from tui.app import ConsoleApp
from tui.screens.desk import DeskScreen
from tui.screens.sheet import Sheet
from tui.screens.smaller import SmallerDialog, why_no_size
from tui.showing.events import line_of
from tui.shown.deck import DeckView, EventKind, EventLine, LinkState, RowState
from tui.widgets.tickets import TicketsPane

Build = Callable[..., tuple[ConsoleApp, Any]]
S = 1_000_000


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
def opened(console: Build, now: Any) -> Callable[..., Any]:
    """A console with the number of T-18 open and `enter` awake."""

    async def open_dialog(app: ConsoleApp, pilot: Any) -> None:
        await pilot.pause()
        await press(pilot, "e")
        assert isinstance(app.screen, SmallerDialog)
        now.s += 0.3
        app.tick()
        await pilot.pause()

    return open_dialog


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_digits_replace_the_number_and_enter_gives_it(
    size: tuple[int, int], view: DeckView, console: Build, opened: Any
) -> None:
    app, link = console(view)
    link.answers.append(Answer(True, "ok", "T-18 is now T-21: 20 of 39 shares."))
    async with app.run_test(size=size) as pilot:
        await opened(app, pilot)
        for words in ("Make T-18 smaller", "Shares 39, you may only go down.", "▸ 39_", "expires 4:34"):
            assert words in text_of(app), words
        await press(pilot, "2", "0")
        for words in ("▸ 20_", "pays up to 167.40 USD", "▼ -13.40  0.049%", "▲ +10.00", "  Make it 20  "):
            assert words in text_of(app), words
        assert "enter make it smaller" in last_row(app)
        await press(pilot, "enter")
        await pilot.pause()
        ticket = view.tickets[0]
        assert link.given == [ShrinkTicket(ticket.ticket.id, ticket.sha256, Decimal(20), app.actor)]
        assert isinstance(app.screen, DeskScreen)
        assert said(app) == "● T-18 is now T-21: 20 of 39 shares."


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ((), "39 is not fewer than 39"),
        (("0",), "0 shares: use reject"),
        (("5", "0"), "50 is not fewer than 39"),
        (("1", "2", "3"), ""),
        (("backspace", "backspace"), "type how many shares"),
        (("0", "7"), ""),
        (("down",), ""),
        (("j", "k"), "39 is not fewer than 39"),
        (("up",), "39 is not fewer than 39"),
        (("backspace", "backspace", "down"), "0 shares: use reject"),
    ],
)
async def test_only_a_smaller_number_wakes_enter(
    keys: tuple[str, ...], reason: str, view: DeckView, console: Build, opened: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        if keys:
            await press(pilot, *keys)
        if reason:
            assert f"enter is off: {reason}" in last_row(app)
            assert reason in next(row for row in text_of(app).splitlines() if "esc back" in row)
        await press(pilot, "enter")
        await pilot.pause()
        assert len(link.given) == (not reason)
        if reason:
            assert f"enter refused: {reason}" in last_row(app)
        else:
            assert isinstance(link.given[0], ShrinkTicket)


async def test_arrows_go_one_by_one(view: DeckView, console: Build, opened: Any) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await press(pilot, "down", "down", "up", "enter")
        await pilot.pause()
        assert link.given[0].quantity == 38


async def test_enter_sleeps_for_300_ms_and_a_held_key_stays_asleep(
    view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "e", "2")
        for _ in range(3):
            now.s += 0.2
            await press(pilot, "enter")
            assert "enter refused: ready in 0.3 s" in last_row(app)
        now.s += 0.3
        await press(pilot, "enter")
        await pilot.pause()
        assert len(link.given) == 1


async def test_escape_leaves_the_ticket_as_it_is(view: DeckView, console: Build, opened: Any) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await press(pilot, "2", "escape")
        assert isinstance(app.screen, DeskScreen)
        assert link.given == []


@pytest.mark.parametrize("code", ["not_smaller", "gated_out"])
async def test_a_refused_number_can_be_typed_again(
    code: str, view: DeckView, console: Build, opened: Any
) -> None:
    app, link = console(view)
    link.answers += [
        Answer(False, code, "15 shares refused: whole lots of 10 only."),
        Answer(True, "ok", "ok"),
    ]
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await press(pilot, "1", "5", "enter")
        await pilot.pause()
        assert isinstance(app.screen, SmallerDialog)
        assert "enter refused: 15 shares refused: whole lots" in last_row(app)
        await press(pilot, "backspace", "0", "enter")
        await pilot.pause()
        assert [command.quantity for command in link.given] == [15, 10]
        assert isinstance(app.screen, DeskScreen)


async def test_the_loser_of_two_consoles_is_told(view: DeckView, console: Build, opened: Any) -> None:
    app, link = console(view)
    text = (
        "T-18 is superseded: 20 of 39 shares by nina on pts/7 at 14:51:40Z, now T-21. Your key did nothing."
    )
    link.answers.append(Answer(False, "not_pending", text))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await press(pilot, "2", "enter")
        await pilot.pause()
        assert isinstance(app.screen, DeskScreen)
        assert text in said(app)


def gone(view: DeckView) -> DeckView:
    ticket = view.tickets[0].ticket
    line = EventLine(
        view.header.now_us,
        EventKind.INFO,
        "T-18 ORVX smaller: 20 of 39 shares by nina on pts/7 at 14:51:40Z, now T-21",
        ticket.correlation,
    )
    return replace(view, tickets=view.tickets[1:], events=(line, *view.events))


def later(view: DeckView) -> DeckView:
    return replace(view, header=replace(view.header, now_us=view.header.now_us + 3600 * S))


def held(view: DeckView) -> DeckView:
    return replace(
        view, tickets=(replace(view.tickets[0], held_reason="ORVX has no quote"), *view.tickets[1:])
    )


def lost(view: DeckView) -> DeckView:
    return replace(view, header=replace(view.header, link=LinkState.LOST))


CASES = {
    "gone": (gone, "T-18 ORVX smaller: 20 of 39 shares by nina"),
    "later": (later, "T-18 has expired"),
    "held": (held, "ORVX has no quote"),
    "lost": (lost, "the engine does not answer"),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_happens_meanwhile_puts_enter_off(
    case: str, view: DeckView, console: Build, opened: Any
) -> None:
    change, reason = CASES[case]
    app, link = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await opened(app, pilot)
        await press(pilot, "2")
        link.push(change(view))
        await pilot.pause()
        await pilot.pause()
        assert f"enter is off: {reason}" in last_row(app)
        await press(pilot, "enter")
        assert f"enter refused: {reason}" in last_row(app)
        assert link.given == []


async def test_the_dialog_closes_after_a_minute(
    view: DeckView, console: Build, opened: Any, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        now.s += 60
        app.tick()
        await pilot.pause()
        assert isinstance(app.screen, DeskScreen)
        assert "T-18 stays at 39 shares: the dialog closed after 60 s." in said(app)
        assert link.given == []


async def test_a_ticket_of_one_share_cannot_be_smaller(view: DeckView, console: Build) -> None:
    ticket = view.tickets[0]
    order = replace(ticket.ticket.order, stop=replace(ticket.ticket.order.stop, quantity=Decimal(1)))
    one = replace(ticket, ticket=replace(ticket.ticket, order=order))
    app, _ = console(replace(view, tickets=(one, *view.tickets[1:])))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "e")
        assert isinstance(app.screen, DeskScreen)
        assert "e refused: T-18 is one share, r rejects it" in last_row(app)


async def test_a_held_ticket_is_not_made_smaller_and_says_why(view: DeckView, console: Build) -> None:
    app, _ = console(held(view))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "e")
        assert "e refused: ORVX has no quote" in last_row(app)


@pytest.mark.parametrize("key", ["e", "s"])
@pytest.mark.parametrize(
    ("places", "size"), [(("gaps",), (80, 24)), (("tickets",), (80, 24)), (("list",), (120, 40))]
)
async def test_both_keys_work_where_a_ticket_is_selected(
    key: str, places: tuple[str, ...], size: tuple[int, int], view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        keys = {"gaps": (), "tickets": ("tab", "tab"), "list": ("3",)}[places[0]]
        await press(pilot, *keys)
        now.s += 1
        await press(pilot, key)
        if key == "s":
            assert link.given == [SnoozeTicket(view.tickets[0].ticket.id, app.actor)]
        else:
            assert isinstance(app.screen, SmallerDialog)


@pytest.mark.parametrize("key", ["e", "s"])
async def test_both_keys_work_on_the_sheet_of_a_ticket(key: str, view: DeckView, console: Build) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "enter")
        assert isinstance(app.screen, Sheet)
        assert "e smaller  s snooze" in last_row(app)
        await press(pilot, key)
        await pilot.pause()
        if key == "s":
            assert link.given == [SnoozeTicket(view.tickets[0].ticket.id, app.actor)]
            assert isinstance(app.screen, DeskScreen)
        else:
            assert isinstance(app.screen, SmallerDialog)


@pytest.mark.parametrize("key", ["e", "s"])
async def test_without_a_ticket_both_keys_say_so(
    key: str, view: DeckView, empty_view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "G")
        now.s += 1
        await press(pilot, key)
        assert f"{key} refused: " in last_row(app)
        await press(pilot, "w")
        assert isinstance(app.screen, Sheet)
        await press(pilot, key)
        assert f"{key} refused: no ticket here" in last_row(app)
        assert link.given == []
    app, _ = console(empty_view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, key)
        assert f"{key} refused: no row here" in last_row(app)


async def test_a_snooze_answers_in_a_toast(view: DeckView, console: Build) -> None:
    app, link = console(view)
    words = "T-18 back at 14:56:38Z, expires 14:56:12Z before that: not snoozed"
    link.answers.append(Answer(False, "expires_first", words))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "s")
        await pilot.pause()
        assert words in said(app)


def snoozed(view: DeckView, number: int) -> DeckView:
    """T-`number` back in 4:12, behind the others."""
    until = view.header.now_us + 252 * S
    asleep = [
        replace(item, snoozed_us=until) if item.ticket.number == number else item for item in view.tickets
    ]
    gaps = tuple(
        replace(row, state=RowState.SNOOZED, reason="snoozed") if row.number == number else row
        for row in view.gaps
    )
    tickets = tuple(sorted(asleep, key=lambda item: item.snoozed_us is not None))
    return replace(view, tickets=tickets, gaps=gaps)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_snoozed_ticket_stands_muted_at_the_end(
    size: tuple[int, int], view: DeckView, console: Build, dump: Any
) -> None:
    app, _ = console(snoozed(view, 18))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        text = dump(app)
        assert "1 waiting, 1 snoozed" in text
        rows = text.splitlines()
        at = {n: next(i for i, row in enumerate(rows) if f"◆ T-{n}  BUY" in row) for n in (18, 20)}
        assert at[18] > at[20]
        assert "back 4:12" in rows[at[18]]
        assert any("ORVX" in row and "T-18 snoozed" in row for row in rows)


async def test_a_snoozed_ticket_can_be_approved(view: DeckView, console: Build, now: Any) -> None:
    app, _ = console(snoozed(view, 18))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await press(pilot, "tab", "tab", "G")
        now.s += 1
        await press(pilot, "a")
        assert "Approve T-18" in text_of(app)


async def test_only_tickets_in_sight_have_a_badge(view: DeckView, console: Build, dump: Any) -> None:
    asleep = view
    for number in (18, 20):
        asleep = snoozed(asleep, number)
    for shown, badge in ((view, "◆"), (asleep, "")):
        app, _ = console(shown)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await press(pilot, "5")
            assert dump(app).splitlines()[1][2:].startswith(f"1{badge} ")


async def test_one_that_comes_back_lights_the_title_and_one_made_smaller_does_not(
    view: DeckView, console: Build, monkeypatch: pytest.MonkeyPatch, now: Any
) -> None:
    lit: list[bool] = []
    monkeypatch.setattr(TicketsPane, "flash_title", lambda pane: lit.append(True))
    app, link = console(snoozed(view, 18))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        link.push(view)
        await pilot.pause()
        await pilot.pause()
        assert lit == [True]
        now.s += 10  # rows that joined at the end take their own place again
        app.tick()
        await press(pilot, "tab", "tab", "g")
        first = view.tickets[0]
        made = replace(first.ticket, id=TicketId("01JD4Q7XK999BCDEFGHJKMNPQR"), number=21)
        link.push(replace(view, tickets=(replace(first, ticket=made), *view.tickets[1:])))
        await pilot.pause()
        await pilot.pause()
        assert lit == [True]
        pane = app.screen.pane(app.screen.order[2])  # type: ignore[attr-defined]
        assert pane.selected_row.ticket.number == 21


@pytest.mark.parametrize(
    ("wanted", "now", "why"),
    [
        (None, 39, "type how many shares"),
        (0, 39, "0 shares: use reject"),
        (39, 39, "39 is not fewer than 39"),
        (1200, 1100, "1,200 is not fewer than 1,100"),
        (38, 39, ""),
        (1, 39, ""),
    ],
)
def test_why_a_number_is_no_smaller_size(wanted: int | None, now: int, why: str) -> None:
    assert why_no_size(None if wanted is None else Decimal(wanted), Decimal(now)) == why


def test_what_became_of_a_ticket_is_told_once_with_who_did_it(view: DeckView) -> None:
    ticket, us = view.tickets[0].ticket, view.header.now_us
    by = "20 of 39 shares by nina on pts/7 at 14:51:38Z, now T-21"
    told = {
        TicketChanged(ticket, ProposalState.SUPERSEDED, "nina on pts/7", by, us): (
            EventKind.INFO,
            f"T-18 ORVX smaller: {by}",
        ),
        TicketSnoozed(ticket, us + 300 * S, "nina on pts/7", us): (
            EventKind.YOURS,
            "T-18 ORVX snoozed until 14:56:38Z by nina on pts/7",
        ),
        TicketSnoozed(ticket, None, "engine", us): (
            EventKind.YOURS,
            "T-18 ORVX back, waiting for you, 4 min",
        ),
    }
    for event, (kind, words) in told.items():
        line = line_of(event)
        assert line is not None
        assert (line.kind, line.text, line.correlation) == (kind, words, ticket.correlation)


@pytest.mark.parametrize("size", ["80x24", "120x40"])
@pytest.mark.parametrize("plain", [False, True])
async def test_the_dialog_as_it_is_drawn(
    size: str, plain: bool, view: DeckView, console: Build, opened: Any, dump: Any, golden: Any
) -> None:
    width, height = map(int, size.split("x"))
    app, _ = console(snoozed(view, 20), plain=plain)
    async with app.run_test(size=(width, height)) as pilot:
        await opened(app, pilot)
        await press(pilot, "2", "0")
        golden(f"smaller-{size}{'-plain' if plain else ''}", dump(app))


@pytest.mark.parametrize(
    "payload", ["PEPE[/]", "[@click=app.halt()]x", "\x1b]52;c;AA\x07", "\u202eevil", "W" * 10_000]
)
async def test_what_a_ticket_is_called_is_drawn_and_never_obeyed(
    payload: str, view: DeckView, console: Build, opened: Any, dump: Any
) -> None:
    ticket = view.tickets[0]
    odd = replace(ticket, order_words=(f"BUY 39 {payload}  limit 8.37  day", *ticket.order_words[1:]))
    app, link = console(replace(view, tickets=(odd, *view.tickets[1:])))
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(app, pilot)
        await press(pilot, "2", "0")
        text = dump(app)
        assert all(len(row) <= 80 for row in text.splitlines())
        assert not {unicodedata.category(char) for char in text.replace("\n", "")} & {"Cc", "Cf"}
        for words in ("Make T-18 smaller", "Shares 39, you may only go down.", "Make it 20"):
            assert words in text, words
        await press(pilot, "enter")
        await pilot.pause()
        assert [type(command) for command in link.given] == [ShrinkTicket]
