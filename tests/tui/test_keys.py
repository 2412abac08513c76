"""Every key at both sizes: it acts, or it says why not."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

import tui.app
from engine.errors import InvariantBroken
from engine.model.commands import Actor, Answer, Halt, RejectTicket, Resume
from engine.model.positions import AccountKind
from tui.actions import ACTIONS, SCREENS, Place, actions_in, clash
from tui.app import ConsoleApp
from tui.options import ConsoleExit, ConsoleOptions
from tui.screens.approve import ApproveDialog
from tui.screens.desk import DeskScreen
from tui.screens.help import HelpSheet
from tui.screens.leave import LeaveDialog
from tui.screens.palette import PaletteDialog
from tui.screens.paned import PanedScreen
from tui.screens.registry import make_screen
from tui.screens.reject import RejectDialog
from tui.screens.resume import ResumeDialog
from tui.screens.sheet import Sheet
from tui.shown.deck import DeckView, Restriction

Build = Callable[..., tuple[ConsoleApp, Any]]
SIZES = [(80, 24), (120, 40)]
DIALOGS = {
    Place.APPROVE: ApproveDialog,
    Place.REJECT: RejectDialog,
    Place.RESUME: ResumeDialog,
    Place.LEAVE: LeaveDialog,
    Place.SHEET: Sheet,
    Place.HELP: HelpSheet,
    Place.PALETTE: PaletteDialog,
}


def last_row(app: ConsoleApp) -> str:
    return str(app.screen._compositor.render_strips()[-1].text)


def all_text(app: ConsoleApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def halted(view: DeckView) -> DeckView:
    header = replace(view.header, engine_state="HALTED", engine_reason="by you (! !)", unknown_orders=0)
    return replace(view, header=header)


def paused(view: DeckView) -> DeckView:
    market = replace(view.header.market, provenance="replay", paused=True, speed=390.0)
    return replace(view, header=replace(view.header, kind=AccountKind.SIMULATION, market=market))


async def press(pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


def owners() -> dict[Place, list[type]]:
    """Which classes take the keys of each place."""
    found: dict[Place, list[type]] = {place: [kind] for place, kind in DIALOGS.items()}
    for _, name, _ in SCREENS:
        screen = make_screen(name)
        assert isinstance(screen, PanedScreen)
        for place in screen.order:
            found.setdefault(place, []).append(type(screen))
    return found


def test_every_action_has_a_key_and_a_method() -> None:
    takers = owners()
    for action in ACTIONS:
        assert action.keys, action.id
        name = f"action_{action.target.partition('(')[0]}"
        for place in action.places & takers.keys():
            kinds = [ConsoleApp] if action.id == "engine.halt" else takers[place]
            for kind in kinds:
                assert callable(getattr(kind, name, None)), (action.id, place, kind)


def test_ids_are_unique_and_no_key_means_two_things_in_one_place() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    for place in Place:
        keys = [key for action in actions_in(place) for key in action.keys]
        assert len(keys) == len(set(keys)), place


@pytest.mark.parametrize("size", SIZES)
async def test_rows_move_and_panes_change(size: tuple[int, int], view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        desk = app.screen
        assert isinstance(desk, DeskScreen)
        assert desk.active.selected_row.symbol == "ORVX"
        await press(pilot, "j", "down", "k")
        assert desk.active.selected_row.symbol == "MRDN"
        await press(pilot, "G")
        assert desk.active.selected_row.symbol == "WXEL"
        await press(pilot, "j", "g", "up")
        assert desk.active.selected_row.symbol == "ORVX"
        seen = []
        for _ in range(5):
            await press(pilot, "tab")
            seen.append(desk.current)
        assert seen == [Place.GEMS, Place.TICKETS, Place.BRACKETS, Place.EVENTS, Place.GAPS]
        await press(pilot, "shift+tab")
        assert desk.current is Place.EVENTS
        await press(pilot, "z")
        assert [pane.id for pane in desk.query("Pane") if pane.display] == ["events"]
        await press(pilot, "escape")
        # At 80x24 the events have no place of their own: they had the whole screen without a zoom.
        shown = [pane for pane in desk.query("Pane") if pane.display]
        assert len(shown) == (4 if size == (80, 24) else 5)
        await press(pilot, "escape")
        assert "esc refused" in last_row(app)
        await press(pilot, "1")
        assert desk.current is Place.GAPS


async def test_a_selected_row_below_the_window_is_scrolled_into_sight(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "WXEL" not in all_text(app)
        await press(pilot, "G")
        assert "▸ WXEL" in all_text(app)
        await press(pilot, "g")
        assert "▸ ORVX" in all_text(app)


async def test_filter_takes_letters_shows_matches_and_clears(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "slash", "q", "u", "o")
        assert "/quo_" in last_row(app)
        assert "QUOR" in all_text(app)
        assert "SPLQ   -5.4" not in all_text(app)
        await press(pilot, "x")
        assert "No row matches /quox" in all_text(app)
        await press(pilot, "backspace", "enter")
        assert isinstance(app.screen, DeskScreen)
        assert app.screen.active.selected_row.symbol == "QUOR"
        await press(pilot, "escape")
        assert "MRDN   -6.4" in all_text(app)


async def test_selection_follows_identity_when_rows_are_sorted_anew(
    view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "j")
        desk = app.screen
        assert isinstance(desk, DeskScreen)
        first = replace(view.gaps[0], ev_ratio=-0.5)
        link.push(replace(view, gaps=(first, *view.gaps[1:])))
        await pilot.pause()
        assert "▸ MRDN" in all_text(app).splitlines()[5]
        now.s += 3
        link.push(replace(view, gaps=(first, *view.gaps[1:])))
        await pilot.pause()
        assert "▸ MRDN" in all_text(app).splitlines()[4]
        await press(pilot, "a")
        assert "a refused: the row moved 0.0 s ago, press again" in last_row(app)
        now.s += 0.31
        await press(pilot, "a")
        assert isinstance(app.screen, ApproveDialog)


async def test_a_new_ticket_moves_neither_cursor_nor_scroll_and_rings_once(
    view: DeckView, console: Build, monkeypatch: Any
) -> None:
    rings = []
    monkeypatch.setattr(ConsoleApp, "bell", lambda self: rings.append(1))
    app, link = console(replace(view, tickets=view.tickets[1:]), bell=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "tab", "tab")
        desk = app.screen
        assert isinstance(desk, DeskScreen)
        link.push(view)
        await pilot.pause()
        assert desk.current is Place.TICKETS
        assert desk.active.selected_row.ticket.number == 20
        assert rings == [1]
        link.push(view)
        await pilot.pause()
        assert rings == [1]


async def test_refusals_leave_the_footer_after_four_seconds(view: DeckView, console: Build, now: Any) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "j", "j", "j", "j", "a")
        assert "a refused: LUMZ has no ticket: 8-K 4.02" in last_row(app)
        now.s += 3.9
        app.tick()
        await pilot.pause()
        assert "refused" in last_row(app)
        now.s += 0.2
        app.tick()
        await pilot.pause()
        assert last_row(app).startswith("│ a approve  r reject")


@pytest.mark.parametrize("size", SIZES)
async def test_two_exclamation_marks_halt_everywhere(
    size: tuple[int, int], view: DeckView, console: Build, now: Any
) -> None:
    for opening in ([], ["a"], ["r"], ["r", "5"], ["enter"], ["question_mark"], ["q"], ["slash", "x"]):
        app, link = console(view, own_engine=True)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await press(pilot, *opening)
            front = app.screen
            await press(pilot, "exclamation_mark")
            assert "! again within 2 s: HALT (no new orders, stops stay)" in last_row(app)
            assert link.given == []
            now.s += 2.1
            app.tick()
            await pilot.pause()
            assert "HALT (" not in last_row(app)
            await press(pilot, "exclamation_mark")
            now.s += 1.9
            await press(pilot, "exclamation_mark")
            await pilot.pause()
            assert [type(command) for command in link.given] == [Halt], opening
            assert link.given[0].actor.name == "nina"
            assert app.screen is front


async def test_a_viewing_console_cannot_halt_approve_reject_or_resume(view: DeckView, console: Build) -> None:
    app, link = console(paused(view), view_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        for key in ("a", "r", "space", "exclamation_mark"):
            await press(pilot, key)
            assert "refused: this console may look, not act" in last_row(app)
        await press(pilot, "exclamation_mark")
        assert link.given == []
        assert link.went_on == 0
        await press(pilot, "enter", "a")
        assert "refused: this console may look, not act" in last_row(app)


async def test_space_lets_a_waiting_replay_go_on(view: DeckView, console: Build) -> None:
    app, link = console(paused(view))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "◐ waits" in all_text(app)
        assert "space go on" in last_row(app)
        assert "space go on" in last_row(app)
        await press(pilot, "space")
        assert link.went_on == 1
        link.push(view)
        await pilot.pause()
        await press(pilot, "space")
        assert link.went_on == 1
        assert "space refused: the market waits for nobody" in last_row(app)


async def test_reject_gives_the_chosen_reason(view: DeckView, console: Build) -> None:
    cases = [(["enter"], "news I know"), (["j", "j", "enter"], "too much risk"), (["2"], "price moved")]
    cases.append((["5", "a", "space", "1", "x", "backspace", "enter"], "a 1"))
    for keys, reason in cases:
        app, link = console(view)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await press(pilot, "r", *keys)
            await pilot.pause()
            assert link.given == [RejectTicket(view.tickets[0].ticket.id, reason, app.actor)]


async def test_reject_can_be_left_and_other_needs_words(view: DeckView, console: Build) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "r", "5", "enter")
        assert "enter refused: type the reason first" in last_row(app)
        await press(pilot, "escape")
        assert isinstance(app.screen, DeskScreen)
        assert link.given == []


async def test_resume_starts_on_cancel_and_needs_a_clean_book(
    view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(halted(view))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "R", "enter")
        assert isinstance(app.screen, DeskScreen)
        assert link.given == []
        dirty = halted(view)
        link.push(replace(dirty, header=replace(dirty.header, unknown_orders=2)))
        await pilot.pause()
        await press(pilot, "R", "R")
        assert "■ reconciliation is clean, now: 2 orders UNKNOWN" in all_text(app)
        assert "R refused" in last_row(app)
        link.push(dirty)
        await pilot.pause()
        for _ in range(5):
            now.s += 0.29
            await press(pilot, "R")
        assert link.given == [], "a key held down repeats itself"
        now.s += 0.3
        await press(pilot, "R")
        await pilot.pause()
        assert link.given == [Resume(app.actor)]


@pytest.mark.parametrize("size", SIZES)
async def test_resume_says_what_stays_on_after_it(
    size: tuple[int, int], view: DeckView, console: Build
) -> None:
    breaker = Restriction(
        "Drawdown 15.1%: stopped, no new orders.", "tradedeck accounts release paper-1", True
    )
    reason = f"by engine (drawdown breaker L3: {'equity fell ' * 6}to 23,000.00)"
    stopped = halted(view)
    stopped = replace(stopped, header=replace(stopped.header, engine_reason=reason, restrictions=(breaker,)))
    app, _ = console(stopped)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await press(pilot, "R")
        shown = all_text(app)
    assert "23,000.00)" in shown
    assert "stays on: Drawdown 15.1%: stopped, no new orders." in shown
    assert "to end it: tradedeck accounts release paper-1" in shown


async def test_resume_of_a_live_account_wants_its_name(view: DeckView, console: Build, now: Any) -> None:
    shown = halted(view)
    shown = replace(shown, header=replace(shown.header, kind=AccountKind.LIVE, account="UR1"))
    app, link = console(shown)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "R", "U", "R")
        assert link.given == []
        now.s += 0.3
        await press(pilot, "1", "R")
        await pilot.pause()
        assert link.given == [Resume(app.actor)]


async def test_resume_is_refused_while_running(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "R")
        assert "R refused: the engine is not halted" in last_row(app)


async def test_leaving_an_attached_console_leaves_at_once(view: DeckView, console: Build) -> None:
    for key in ("q", "ctrl+q", "ctrl+c"):
        app, _ = console(view)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            await pilot.press(key)
        assert app.return_value == ConsoleExit(stop_engine=False)


async def test_leaving_an_own_engine_asks_and_stays_by_default(view: DeckView, console: Build) -> None:
    app, _ = console(view, own_engine=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "q")
        assert "Stop the engine too? 3 positions keep venue stops." in all_text(app)
        await press(pilot, "enter")
        assert isinstance(app.screen, DeskScreen)
        await press(pilot, "q", "escape")
        assert isinstance(app.screen, DeskScreen)
        await press(pilot, "q")
        await pilot.press("q")
    assert app.return_value == ConsoleExit(stop_engine=True)


async def test_open_shows_the_row_of_each_pane(view: DeckView, console: Build) -> None:
    expected = ["G11 broker checks", "S sell 154  stp", "B-31 TLMN: no answer, asked 4 times; entries off"]
    app, _ = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "tab")
        for words in expected:
            await press(pilot, "tab", "enter")
            assert isinstance(app.screen, Sheet)
            assert words in all_text(app)
            await press(pilot, "escape")


async def test_a_sheet_scrolls_to_its_end_and_leads_to_the_dialogs(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "enter", "G")
        text = all_text(app).replace(" ", "")
        assert view.tickets[0].sha256[32:] in text
        await press(pilot, "g", "j", "k", "a")
        assert isinstance(app.screen, ApproveDialog)
        await press(pilot, "escape", "enter", "r")
        assert isinstance(app.screen, RejectDialog)


async def test_why_speaks_of_the_candidate_behind_any_row(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "j", "j", "j", "j", "w")
        assert "8-K 4.02: measured and limit in one sentence" in all_text(app)
        await press(pilot, "escape", "tab", "tab", "w")
        assert "ORVX why" in all_text(app)
        await press(pilot, "escape", "tab", "tab", "w")
        assert "w refused: its candidate is not of this session" in last_row(app)


async def test_help_lists_exactly_the_keys_that_work_here(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await press(pilot, "question_mark")
        text = all_text(app)
        for action in actions_in(Place.GAPS):
            if action.help:
                assert action.help in text
                assert action.shown in text
        await press(pilot, "question_mark")
        assert "Glossary" in all_text(app)
        await press(pilot, "question_mark", "escape")
        assert isinstance(app.screen, DeskScreen)


async def test_an_answer_is_shown_as_a_toast_and_never_as_markup(
    view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(halted(view))
    link.answers.append(Answer(False, "not_reconciled", "no [b]PEPE[/] [@click=app.bell()]x"))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        await press(pilot, "R")
        now.s += 0.3
        await press(pilot, "R")
        await pilot.pause()
        await pilot.pause()
        for _ in range(10):
            await pilot.pause()
            if "PEPE" in all_text(app):
                break
        assert "no [b]PEPE[/] [@click=app.bell()]x" in all_text(app)


async def test_a_click_selects_pane_and_row(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.pause()
        await pilot.click("#tickets", offset=(5, 4))
        await pilot.pause()
        desk = app.screen
        assert isinstance(desk, DeskScreen)
        assert desk.current is Place.TICKETS
        assert desk.active.selected_row.ticket.number == 20


async def test_a_slow_line_gets_one_picture_every_two_seconds(
    view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(view, low_bandwidth=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        now.s += 2
        app.tick()
        await pilot.pause()
        assert "27,512.40" in all_text(app)
        link.push(replace(view, header=replace(view.header, equity=Decimal("30000"))))
        await pilot.pause()
        assert "27,512.40" in all_text(app)
        now.s += 2
        app.tick()
        await pilot.pause()
        assert "30,000.00" in all_text(app)


async def test_a_link_that_ends_marks_every_value_as_old(view: DeckView, console: Build, now: Any) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        now.s += 7
        link.end()
        await pilot.pause()
        await pilot.pause()
        text = all_text(app)
        assert "○ DETACHED 0:07 ago, trying again." in text
        assert "~27,512.40" in text
        await press(pilot, "a")
        assert "a refused: the engine does not answer" in last_row(app)


async def test_an_engine_that_stopped_by_itself_is_not_called_lost(view: DeckView, console: Build) -> None:
    header = replace(view.header, engine_state="STOPPED", engine_reason="the replay has ended")
    app, link = console(replace(view, header=header))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        link.end()
        await pilot.pause()
        await pilot.pause()
        assert "■ STOPPED  the replay has ended" in all_text(app)
        assert "DETACHED" not in all_text(app)


async def test_a_changed_price_lights_up_for_400_ms(view: DeckView, console: Build, now: Any) -> None:
    app, link = console(view)
    app.theme = "dusk"
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        await pilot.pause()
        dearer = replace(view.gaps[1], price=3.95)
        link.push(replace(view, gaps=(view.gaps[0], dearer, *view.gaps[2:])))
        await pilot.pause()
        desk = app.screen
        assert isinstance(desk, DeskScreen)
        row = next(line for line in desk.active.lines if any("MRDN" in span.text for span in line))
        assert [span.text for span in row if "-flash-up" in span.ink] == ["3.95"]
        now.s += 0.41
        app.tick()
        await pilot.pause()
        row = next(line for line in desk.active.lines if any("MRDN" in span.text for span in line))
        assert not [span for span in row if "flash" in span.ink]


@pytest.mark.parametrize(
    ("own_engine", "hint"),
    [
        (False, "the engine runs on, start the console again"),
        (True, "its engine ran in this process and ends with it, start it again"),
    ],
)
async def test_a_failing_console_ends_with_one_line_and_its_cause(
    own_engine: bool, hint: str, view: DeckView, monkeypatch: Any
) -> None:
    class Broken:
        failure = RuntimeError("secret \x1b[31m")

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            pass

        async def run_async(self, *, mouse: bool) -> None:
            return None

    monkeypatch.setattr(tui.app, "ConsoleApp", Broken)
    options = ConsoleOptions(own_engine=own_engine)
    with pytest.raises(InvariantBroken, match="the console failed: RuntimeError: secret ") as caught:
        await tui.app.run_console(object(), actor=Actor("nina", ""), options=options)  # type: ignore[arg-type]
    assert caught.value.hint == hint
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert "\x1b" not in str(caught.value)


async def test_a_key_of_ones_own_replaces_the_default_and_stands_in_the_footer(
    console: Build, view: DeckView
) -> None:
    app, _ = console(view, keys={"ticket.approve": "y"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "y approve" in last_row(app)
        await press(pilot, "a")
        assert not isinstance(app.screen, ApproveDialog)
        await press(pilot, "y")
        assert isinstance(app.screen, ApproveDialog)


def test_keys_that_would_mean_two_things_are_told() -> None:
    assert clash({}) is None
    assert clash({"ticket.approve": "y"}) is None
    assert clash({"ticket.approve": "r"}) == "key r would mean ticket.approve and ticket.reject in gaps"
