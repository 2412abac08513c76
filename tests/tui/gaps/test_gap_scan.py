"""Gaps when nothing qualifies, and what a model says of a candidate: goldens, keys, hostile text."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.model.assessment import Assessment, BcsParts
from engine.model.checks import Check, GateStatus, Step
from engine.model.evidence import EdgeEvidence
from engine.model.forecasts import Contribution, Forecast
from tui.actions import Place
from tui.app import ConsoleApp
from tui.picture import draw, screen_strips
from tui.screens.approve import ApproveDialog
from tui.screens.sheet import Sheet
from tui.shown.deck import DeckView, RowState
from tui.shown.details import Detail, GapDetail, Topic
from tui.shown.gaps import (
    EdgeView,
    FollowView,
    FunnelStep,
    GapScanView,
    LimitRow,
    NearMiss,
    RateView,
)
from tui.widgets.ink import drawable

Dump = Callable[[ConsoleApp], str]
Build = Callable[..., tuple[ConsoleApp, Any]]
Settled = Callable[[ConsoleApp, Any], Awaitable[None]]
Golden = Callable[..., None]
SIZES = {"80x24": (80, 24), "120x40": (120, 40), "160x50": (160, 50)}
PASS, FAIL, OUT = GateStatus.PASS, GateStatus.FAIL, GateStatus.NOT_APPLICABLE
EVIDENCE = EdgeEvidence(34, 12, -0.0021, -0.0113, -0.0142, 0.0093)
EDGE = EdgeView(34, 12, RateView(34, 18, 0.39, 0.66), -0.0021, -0.0142, 0.0093, -0.0113, 100, 60, False)
FUNNEL = (
    FunnelStep("quoted", 3918, 0, ""),
    FunnelStep("opened lower", 12, 3906, ""),
    FunnelStep("universe", 9, 3, "ADV"),
    FunnelStep("gap", 8, 1, "gap"),
    FunnelStep("trigger", 5, 3, "rsi2"),
    FunnelStep("earnings", 4, 1, "earnings"),
    FunnelStep("halts", 4, 0, ""),
    FunnelStep("filters", 3, 1, "slip"),
    FunnelStep("scores", 1, 2, "EV"),
    FunnelStep("Forecaster", 0, 1, "q"),
    FunnelStep("gates", 0, 0, ""),
    FunnelStep("tickets", 0, 0, ""),
)
FORECAST = Forecast(
    "gaps-2026-11-01-3f9a",
    0.72,
    0.613,
    0.54,
    0.68,
    0.066,
    -0.084,
    -0.003,
    (
        Contribution("rsi2", 4.1, 0.31),
        Contribution("gap_dn", -0.072, -0.12),
        Contribution("vix_regime", 0.0, 0.0),
    ),
    (),
    False,
)
CHECKS = (
    Check("ADV", Step.UNIVERSE, PASS, "ADV 11,800,000 USD", ">= 5,000,000 USD", "enough is traded", ""),
    Check("market cap", Step.UNIVERSE, OUT, "unknown", ">= 50M", "market cap: not applicable (dataset)", ""),
    Check("rsi2", Step.TRIGGER, PASS, "rsi2 4.10", "<= 10", "rsi2 4.10, limit 10", ""),
    Check("slippage", Step.FILTERS, PASS, "0.21 %", "< 0.50 %", "slippage 0.21 %, limit 0.50 %", ""),
    Check("volume fade", Step.FILTERS, FAIL, "p 0.01", ">= 0.05", "volume fades", "fade p .01"),
    Check("EV", Step.SCORES, FAIL, "EV -0.40 %", "> 0 %", "EV -0.40 %, limit above 0", "EV -0.40%<=0"),
)
ASSESSMENT = Assessment(
    forecast=FORECAST,
    no_forecast="",
    cost=0.0042,
    ev=-0.004,
    bcs=BcsParts(1.13, 1.5, 1.25, 0.5, 0.5, 1.0, 0.75),
    q_min=0.62,
    bcs_min=5.5,
    slippage_pct=0.21,
    evidence=EVIDENCE,
    checks=CHECKS,
)
LIMITS = (
    LimitRow("ADV", PASS, "ADV 11,800,000 USD", ">= 5,000,000 USD", ""),
    LimitRow("market cap", OUT, "unknown", ">= 50M", ""),
    LimitRow("slippage", PASS, "0.21 %", "< 0.50 %", ""),
    LimitRow("volume fade", FAIL, "p 0.01", ">= 0.05", "needs 0.04 more"),
    LimitRow("Forecaster", FAIL, "q 0.613", ">= 0.62", "needs 0.007 more"),
    LimitRow("G8 positions", FAIL, "3 this session", "< 3 this session", "needs 1 less this session"),
    LimitRow("G9 size", PASS, "39", "> 0", ""),
)


def scan_of(view: DeckView) -> GapScanView:
    near = view.gaps[0]
    return GapScanView(
        view.header.now_us - 300_000_000,
        "full",
        12,
        0,
        "3 of 12 fell at universe (ADV)",
        FUNNEL,
        NearMiss(near.correlation, near.symbol, LIMITS[4], 1),
        RateView(180, 76, 0.36, 0.48),
        EDGE,
        FollowView(14, 9, "SPLQ stop -8.4%"),
    )


@pytest.fixture
def quiet_view(gap_view: DeckView) -> DeckView:
    """Twelve candidates, and none of them came to a ticket."""
    rows = tuple(
        replace(
            row,
            state=RowState.BLOCKED,
            ticket=None,
            number=None,
            expires_us=None,
            reason=row.reason or "q .61 < .62",
            details=("forecaster: q 0.613 is below the limit 0.62",),
            q_low=None if row.q_bounce is None else row.q_bounce - 0.07,
            q_high=None if row.q_bounce is None else row.q_bounce + 0.06,
            unproved=True,
            blocked_by=LIMITS[4] if at % 2 else LIMITS[3],
        )
        for at, row in enumerate(gap_view.gaps)
    )
    found = replace(gap_view, gaps=rows, tickets=(), brackets=())
    return replace(found, scan=scan_of(found))


def known(view: DeckView, details: dict[tuple[Topic, str], Detail]) -> dict[tuple[Topic, str], Detail]:
    """With what the full rule found out."""
    return {
        key: replace(found, assessment=ASSESSMENT, limits=LIMITS) if isinstance(found, GapDetail) else found
        for key, found in details.items()
    }


@pytest.fixture
def open_quiet(open_gaps: Build) -> Build:
    def build(view: DeckView, **options: object) -> tuple[ConsoleApp, Any]:
        app, link = open_gaps(view, **options)
        link.details = known(view, link.details)
        return app, link

    return build


async def shown(app: ConsoleApp, pilot: Any, settled: Settled, *keys: str) -> None:
    await pilot.pause()
    for key in ("3", *keys):
        await pilot.press(key)
        await settled(app, pilot)


STATES = {"list": (), "opened": ("enter",), "scan": ("tab", "tab", "z"), "why": ("w",)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_nothing_qualifies(
    state: str,
    size: str,
    quiet_view: DeckView,
    open_quiet: Build,
    settled: Settled,
    dump: Dump,
    golden: Golden,
) -> None:
    app, _ = open_quiet(quiet_view)
    app.theme = "dusk"
    async with app.run_test(size=SIZES[size]) as pilot:
        await shown(app, pilot, settled, *STATES[state])
        text, drawing = dump(app), draw(screen_strips(app))
    assert all(line == drawable(line) for line in text.split("\n"))
    golden(f"gaps-quiet-{state}-{size}", text)
    if size != "160x50":
        golden(f"svg/gaps-quiet-{state}-{size}", drawing, "svg")


@pytest.mark.parametrize("size", ["80x24", "120x40"])
async def test_a_scan_that_found_nothing_at_all(
    size: str, empty_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump, golden: Golden
) -> None:
    steps = (FunnelStep("quoted", 80, 0, ""), FunnelStep("opened lower", 0, 80, ""))
    reason = "none of 80 that were quoted opened low enough"
    scan = replace(
        empty_view.scan, judged_us=None, reason=reason, funnel=steps, edge=EDGE, follow=FollowView(0, 0, "")
    )
    app, _ = open_quiet(replace(empty_view, scan=scan))
    async with app.run_test(size=SIZES[size]) as pilot:
        await shown(app, pilot, settled)
        text = dump(app)
    assert "0 proposals: none of 80" in text
    golden(f"gaps-quiet-none-{size}", text)


async def test_the_scan_says_what_spec_asks_for(
    quiet_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_quiet(quiet_view)
    async with app.run_test(size=(120, 60)) as pilot:
        await shown(app, pilot, settled, "tab", "tab", "z")
        text = " ".join(dump(app).split())
    for words in (
        "0 proposals: 3 of 12 fell at universe (ADV).",
        "quoted 3,918",
        "trigger 5 -3 rsi2",
        "Nearest miss ORVX",
        "Forecaster: q 0.613, limit >= 0.62 and 1 more",
        "needs 0.007 more",
        "no evidence of an edge: n 34 of 100 on 12 of 60 sessions, mean -0.2%, -1.4% to +0.9%, bound -1.1%,",
        "won 52.9% 18 of 34 39–66%",
        "target first 42.2% 76 of 180 36–48%",
        "14 proposed and 9 vetoed are followed on paper now. Last ended: SPLQ stop -8.4%.",
    ):
        assert words in text


async def test_an_opened_candidate_shows_chances_limits_and_score(
    quiet_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_quiet(quiet_view)
    async with app.run_test(size=(120, 90)) as pilot:
        await shown(app, pilot, settled, "enter", "z")
        text = " ".join(dump(app).split())
    for words in (
        "target .44 stop .28 time .28 q .61 .54–.68 needs .62",
        "base rate 42.2% 76 of 180 36–48%",
        "EV -0.4% cost 0.4%",
        "rsi2 4.1 +0.31",
        "BCS 6.6 of 10, needs above 5.5",
        "1.13 /3.0",
        "volume fade p 0.01 >= 0.05 needs 0.04 more",
        "G8 positions 3 this session < 3 this session",
        "unproved",
    ):
        assert words in text
    assert "G9 size" not in text


async def test_every_key_of_the_scan_acts_or_says_why_not(
    quiet_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_quiet(quiet_view)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(app, pilot, settled, "tab")
        screen: Any = app.screen
        assert screen.current is Place.GAP_SCAN
        await shown(app, pilot, settled, "tab", "j", "G", "g", "k")
        assert "0 proposals" in dump(app)
        for key, words in (
            ("slash", "no rows to find"),
            ("escape", "nothing to go back"),
        ):
            await pilot.press(key)
            await settled(app, pilot)
            assert words in dump(app).splitlines()[-1]
        await pilot.press("w")
        await settled(app, pilot)
        assert isinstance(app.screen, Sheet)
        assert "ORVX" in dump(app)
        await pilot.press("escape")
        await pilot.press("enter")
        await settled(app, pilot)
        assert screen.opened == quiet_view.gaps[0].correlation


async def test_without_a_near_miss_its_keys_say_so(
    quiet_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_quiet(replace(quiet_view, scan=replace(quiet_view.scan, nearest=None)))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(app, pilot, settled, "tab")
        for key in ("enter", "w"):
            await pilot.press(key)
            await settled(app, pilot)
            assert f"{key} refused: no candidate missed" in dump(app).splitlines()[-1]


async def test_with_a_ticket_the_scan_covers_the_rest_when_it_is_asked_for(
    gap_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump
) -> None:
    app, _ = open_quiet(replace(gap_view, scan=scan_of(gap_view)))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(app, pilot, settled)
        assert "Funnel" not in dump(app)
        await pilot.press("tab")
        await settled(app, pilot)
        assert "Funnel" in dump(app)
        assert "ORVX   -7.2" not in dump(app)
        await pilot.press("escape")
        await settled(app, pilot)
        assert "ORVX" in dump(app)


def with_assessment(view: DeckView) -> DeckView:
    first = view.tickets[0]
    ticket = replace(first.ticket, assessment=ASSESSMENT)
    made = replace(first, ticket=ticket, sha256=ticket.sha256)
    return replace(view, tickets=(made, *view.tickets[1:]), scan=scan_of(view))


@pytest.mark.parametrize("size", ["80x24", "120x40"])
@pytest.mark.parametrize("keys", ["a", "enter enter"])
async def test_a_ticket_carries_its_evidence(
    keys: str,
    size: str,
    gap_view: DeckView,
    open_quiet: Build,
    settled: Settled,
    dump: Dump,
    golden: Golden,
    now: Any,
) -> None:
    app, _ = open_quiet(with_assessment(gap_view))
    async with app.run_test(size=SIZES[size]) as pilot:
        await shown(app, pilot, settled)
        now.s += 5
        for key in keys.split():
            await pilot.press(key)
            await settled(app, pilot)
        text = dump(app)
        assert isinstance(app.screen, ApproveDialog if keys == "a" else Sheet)
    flat = " ".join(text.replace("▏", " ").replace("▕", " ").replace("▎", " ").split())
    assert "unproved" in flat
    for words in ("n 34", "-0.2%", "-1.4%", "+0.9%", "-1.1%", "need"):
        assert words in flat
    golden(f"gaps-evidence-{'dialog' if keys == 'a' else 'sheet'}-{size}", text)


async def test_a_naive_ticket_carries_the_line_too(
    gap_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump, now: Any
) -> None:
    app, _ = open_quiet(replace(gap_view, scan=scan_of(gap_view)))
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(app, pilot, settled)
        now.s += 5
        await pilot.press("a")
        await settled(app, pilot)
        assert "no evidence of an edge: n 34 of 100 on 12 of 60 sessions" in dump(app)
        assert "unproved" not in dump(app)


NASTY = (
    "PEPE[/]",
    "[@click=app.halt()]x",
    "a\x1b[31mb",
    "\x1b]52;c;aGk=\x07",
    "ab\u202ecd",
    "z" * 10_000,
    "",
)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: repr(text[:12]))
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_hostile_text_stays_text(
    nasty: str, size: tuple[int, int], quiet_view: DeckView, open_quiet: Build, settled: Settled, dump: Dump
) -> None:
    row = LimitRow(nasty, FAIL, nasty, nasty, nasty)
    scan = replace(
        quiet_view.scan,
        rule=nasty,
        reason=nasty,
        funnel=tuple(replace(step, name=nasty, words=nasty) for step in FUNNEL),
        nearest=NearMiss(quiet_view.gaps[0].correlation, nasty, row, 2),  # type: ignore[arg-type]
        follow=FollowView(1, 1, nasty),
    )
    gaps = tuple(replace(gap, blocked_by=row) for gap in quiet_view.gaps)
    app, link = open_quiet(replace(quiet_view, scan=scan, gaps=gaps))
    forecast = replace(
        FORECAST, model_id=nasty, outside=(nasty,), contributions=(Contribution(nasty, 1.0, 0.1),)
    )
    bad = replace(ASSESSMENT, forecast=forecast, no_forecast=nasty)
    for key, found in link.details.items():
        link.details[key] = replace(found, assessment=bad, limits=(row, row))
    async with app.run_test(size=size) as pilot:
        for keys in (
            (),
            ("tab", "tab"),
            ("z",),
            ("escape", "3", "enter"),
            ("G",),
            ("escape", "w"),
            ("escape",),
        ):
            await shown(app, pilot, settled, *keys)
            text = dump(app)
            assert all(line == drawable(line) for line in text.split("\n"))
            assert all(len(line) == size[0] for line in text.splitlines())
        assert not link.given
