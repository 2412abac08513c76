"""The full rule: every number is found out once, and what is wrong keeps a candidate out by name."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.agents.roster import Roster
from engine.features.panel import BASE, EXTENDED
from engine.model.candidates import Regime, Verdict, Vote
from engine.model.checks import GateStatus, Step
from engine.model.company import CompanyFacts, Filing, Fundamentals, Halt, Listing, ListingKind, Reported
from engine.model.forecasts import Forecast
from engine.model.ids import InstrumentId, instrument_id, symbol_of
from engine.model.market import Headline, Provenance
from engine.model.policy import GapsPolicy, TickerStanding, TickerState
from engine.model.positions import AccountKind
from engine.risk.limits import DATASET, NONE, RiskConfig
from engine.strategies.base import StrategyContext
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_choice import choose_rule
from engine.strategies.gaps_config import GapsConfig, GapsRule, UnknownEarnings

SESSION = date(2016, 1, 4)
MINUTE_US = 60_000_000
LIVE = Provenance.LIVE
GOOD = Forecast("m-1", 0.72, 0.70, 0.62, 0.76, 0.066, -0.084, -0.003, (), (), is_usable=True)


class Model:
    """Says what it is told to; remembers what it was asked."""

    model_id = "m-1"

    def __init__(self, answer: Any = GOOD, inputs: tuple[str, ...] = BASE) -> None:
        self.answer = answer
        self.inputs = inputs
        self.asked: list[Mapping[str, float]] = []

    def forecast(self, values: Mapping[str, float]) -> Forecast:
        self.asked.append(dict(values))
        answer = self.answer(values) if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Forecast)
        return answer


def facts(name: InstrumentId, now_us: int, **changes: Any) -> CompanyFacts:
    """A stock in good order whose last results were two months ago."""
    day = date(2015, 11, 5)
    listing = Listing(name, "NASDAQ", "ABC Inc", ListingKind.STOCK, True, True, 0, 0, LIVE)
    told = Filing(name, "a-1", "8-K", ("2.02",), day, 0, 0, LIVE)
    shares = Reported(3e7, day, day, "10-Q", 0, 0, LIVE)
    funds = Fundamentals(replace(shares, value=4.2e7), (replace(shares, value=-1.5e7),))
    values: dict[str, Any] = {
        "listing": listing,
        "shares_outstanding": shares,
        "sic": "3711",
        "filings": (told,),
        "fundamentals": funds,
        "halts": (),
        "known_us": now_us,
    }
    return CompanyFacts(instrument=name, **(values | changes))


@pytest.fixture
def market(scene: Any) -> Any:
    """A stock that gapped 6 % lower out of an uptrend, oversold, with a steady volume."""

    def add(symbol: str = "ABC", price: float = 9.40, bars: int = 263, volume: float = 2e6) -> InstrumentId:
        name: InstrumentId = scene.stock(symbol, price, bars=bars, volume=volume, bid=price - 0.01)
        if bars:
            closes = (
                10.0
                * np.exp(0.0002 * (np.arange(bars) - bars + 1))
                * (1 + 0.01 * np.sin(1.3 * np.arange(bars)))
            )
            closes[-1] = 10.0
            rng = np.random.default_rng(1)
            found = scene.make_bars(symbol, closes, volume)
            scene.bars[name] = replace(found, volume=volume * (1 + 0.01 * rng.standard_normal(bars)))
        return name

    add()
    scene.add = add
    return scene


@pytest.fixture
def context(market: Any) -> Callable[..., StrategyContext]:
    """A quiet morning: a model, companies, news and a calendar are at hand."""

    def make(**changes: Any) -> StrategyContext:
        base = market.context()
        values: dict[str, Any] = {
            "model": Model(),
            "company": lambda name: facts(name, base.now_us),
            "headlines": lambda name: (),
            "sessions_between": lambda first, last: int(np.busday_count(first, last)) + 1,
            "sector_of": lambda name: "Industrials",
        }
        return market.context(**{**values, **changes})

    return make


@pytest.fixture
def judge(context: Callable[..., StrategyContext]) -> Callable[..., Verdict]:
    """The one verdict of that morning."""

    def run(settings: dict[str, Any] | None = None, gaps: Gaps | None = None, **changes: Any) -> Verdict:
        strategy = gaps or Gaps(GapsConfig(rule=GapsRule.FULL, **(settings or {})), RiskConfig(), lambda: 0)
        (verdict,) = strategy.propose(context(**changes))
        return verdict

    return run


def vetoes(verdict: Verdict) -> dict[str, tuple[bool, str]]:
    """Agent -> (hard, first reason)."""
    return {
        report.agent: (report.hard, report.reasons[0])
        for report in verdict.reports
        if report.vote is Vote.VETO
    }


def test_a_good_candidate_becomes_a_proposal_with_everything_beside_it(judge: Any) -> None:
    verdict = judge()
    assert vetoes(verdict) == {}
    found, proposal = verdict.candidate.assessment, verdict.proposal
    assert found is not None
    assert proposal is not None
    assert [report.vote for report in verdict.reports] == [Vote.APPROVE] * 6
    assert (proposal.model_id, proposal.quantity) == ("m-1", Decimal(12))
    assert proposal.policy_id.startswith("gaps-full-1-")
    assert found.forecast == GOOD
    assert found.vote == "all 6 voters approve"
    assert found.slippage_pct == pytest.approx(
        100 * (0.01 / 9.395) / 2
        + 70
        * verdict.candidate.feature("realized_vol_20")
        / 252**0.5
        * (120 / verdict.candidate.adv_usd_20) ** 0.5
    )
    assert found.cost == pytest.approx(0.02 * found.slippage_pct)
    gross = 0.72 * 0.70 * 0.066 - 0.72 * 0.30 * 0.084 - 0.28 * 0.003
    assert found.ev == pytest.approx(gross - found.cost)
    assert proposal.priority == -found.ev
    assert found.bcs is not None
    assert found.bcs.probability == pytest.approx(2.0)
    assert {check.status for check in found.checks} == {GateStatus.PASS}
    assert {check.step for check in found.checks} == set(Step)


def test_every_check_carries_value_limit_and_reason(judge: Any) -> None:
    for check in judge().candidate.assessment.checks:
        assert all((check.name, check.value, check.limit, check.reason)), check
        assert len(check.note) <= 16


def test_the_model_is_given_its_inputs_and_nothing_else(judge: Any) -> None:
    model = Model()
    verdict = judge(model=model)
    (asked,) = model.asked
    assert set(asked) == set(BASE)
    assert asked["rsi2"] == verdict.candidate.feature("rsi2")


@pytest.mark.parametrize(
    ("changes", "agent", "words"),
    [
        ({"vix": None}, "sentinel", "regime unknown: vix close is missing, vix pct 252 is missing"),
        ({"spy": None}, "sentinel", "regime unknown: spy dist 200 is missing"),
        ({"previous_session": date(2016, 1, 2)}, "sentinel", "regime unknown: vix_close is stale"),
        ({"model": None}, "forecaster", "no_model: no model is registered"),
        ({"company": None}, "screener", "its listing is not known"),
        ({"company": lambda name: None}, "screener", "its listing is not known"),
        ({"sessions_between": None}, "screener", "earnings_unknown: no calendar is at hand"),
        ({"news_mute": "headlines silent 90 s, limit 60 s"}, "newssentry", "the news are not known"),
        ({"cash": Decimal(300)}, "riskofficer", "free cash 300.00, limit more than 3 times the order"),
    ],
)
def test_what_is_missing_keeps_it_out(judge: Any, changes: Any, agent: str, words: str) -> None:
    verdict = judge(**changes)
    found = vetoes(verdict)
    assert verdict.proposal is None
    assert found[agent][0]
    assert found[agent][1].replace("_", " ").startswith(words.replace("_", " "))


def test_a_history_of_100_bars_is_too_short(market: Any, judge: Any) -> None:
    market.add("ABC", bars=100)
    hard, reason = vetoes(judge())["screener"]
    assert (hard, reason) == (True, "100 daily bars before the session, 263 are needed")


def test_bars_that_stand_twice_keep_it_out(market: Any, judge: Any) -> None:
    bars = market.bars[instrument_id("ABC")]
    days = bars.day.copy()
    days[-2] = days[-3]
    market.bars[instrument_id("ABC")] = replace(bars, day=days)
    assert vetoes(judge())["screener"][1].startswith("the daily bars are not in order:")


def test_bars_that_end_before_the_last_session_are_stale(market: Any, judge: Any) -> None:
    name = instrument_id("ABC")
    bars = market.bars[name]
    market.bars[name] = replace(bars, day=bars.day - np.timedelta64(1, "D"))
    assert "the session before is 2016-01-01" in vetoes(judge())["screener"][1]
    assert "screener" not in vetoes(judge(dataset=True))


@pytest.mark.parametrize(
    ("ratio", "words"), [(0.94, "corporate action of today by 0.94"), (1.5, "corporate action")]
)
def test_a_split_of_the_day_keeps_it_out(market: Any, judge: Any, ratio: float, words: str) -> None:
    name = market.add("ABC", price=9.40 * ratio)
    assert vetoes(judge(ratios={name: ratio}))["screener"][1].startswith(words)


def test_a_reverse_split_of_the_last_weeks_keeps_it_out(market: Any, judge: Any) -> None:
    name = instrument_id("ABC")
    ratio = np.ones(263)
    ratio[-20] = 10.0
    bars = market.bars[name]
    closes = bars.close.copy()
    closes[:-20] /= 10
    market.bars[name] = replace(bars, close=closes, event_ratio=ratio)
    assert "a reverse split in 30 sessions, limit none" in str(vetoes(judge()))


@pytest.mark.parametrize(
    ("price", "settings", "words"),
    [
        (9.40, {"price_max": 9.0}, "prior close 10, limits 0.5 to 9"),
        (9.40, {"adv_min_usd": 1e9}, "mean traded value"),
        (9.40, {"mcap_min_usd": 1e9}, "market value 282,000,000 USD, limit 1,000,000,000"),
        (7.40, {}, "gap -26.00 %, limits -25 to -5 %"),
        (9.40, {"rsi2_max": 0.5}, "rsi2"),
        (9.40, {"dist_200_min": 0.5}, "-4.11 % from its 200-session mean"),
        (9.40, {"z5_max": -9.0}, "z5"),
    ],
)
def test_each_rule_of_the_screen(market: Any, judge: Any, price: float, settings: Any, words: str) -> None:
    market.add("ABC", price=price)
    hard, reason = vetoes(judge(settings))["screener"]
    assert hard
    assert reason.startswith(words)


def test_a_falling_knife_is_left_alone(market: Any, judge: Any) -> None:
    name = instrument_id("ABC")
    bars = market.bars[name]
    closes = np.where(np.arange(263) < 200, 20.0, 10.0) * (1 + 0.01 * np.sin(1.3 * np.arange(263)))
    closes[-1] = 10.0
    market.bars[name] = replace(bars, close=closes)
    assert (
        "% of 63 sessions were 20 % under its 200-session mean, limit 30 %" in vetoes(judge())["screener"][1]
    )


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        ({"exchange": "OTC"}, "listed on OTC, limit stock on NASDAQ, NYSE, AMEX"),
        ({"kind": ListingKind.FUND}, "a fund, not a stock"),
        ({"is_tradable": False}, "not tradable"),
        ({"is_active": False}, "not listed any more"),
        ({"provenance": Provenance.REPLAY}, "its listing is not known"),
    ],
)
def test_only_a_listed_stock_is_bought(judge: Any, listing: Any, words: str) -> None:
    def known(name: InstrumentId) -> CompanyFacts:
        found = facts(name, 0)
        assert found.listing is not None
        return replace(found, listing=replace(found.listing, **listing))

    assert vetoes(judge(company=known))["screener"][1].startswith(words)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ((date(2015, 12, 29),), "results of 2015-12-29: 4 sessions ago"),
        ((date(2015, 10, 5),), "results expected 2016-01-04 +-7 d: now"),
        ((date(2015, 10, 20),), "results expected 2016-01-19 +-7 d: 6 sessions ahead"),
        ((), "earnings_unknown: no filing of results is known"),
        (
            (date(2015, 6, 1),),
            "earnings_unknown: the last results are of 2015-06-01, the next were due by 2015-09-07",
        ),
    ],
)
def test_near_its_results_nothing_is_entered(judge: Any, told: tuple[date, ...], words: str) -> None:
    def known(name: InstrumentId) -> CompanyFacts:
        found = facts(name, 0)
        return replace(found, filings=tuple(replace(found.filings[0], filed=day) for day in told))

    verdict = judge({"earnings_window_sessions": 5 if "6 sessions" not in words else 6}, company=known)
    assert vetoes(verdict)["screener"][1].startswith(words)


def test_results_that_a_person_wrote_down_take_the_place_of_the_guess(judge: Any) -> None:
    near = judge(earnings_dates=lambda name: (date(2016, 1, 6),))
    assert vetoes(near)["screener"][1].startswith("results on 2016-01-06, as written down: 2 sessions ahead")
    far = judge(earnings_dates=lambda name: (date(2016, 3, 1),))
    assert far.proposal is not None


def test_unknown_results_may_be_noted_only(judge: Any) -> None:
    def known(name: InstrumentId) -> CompanyFacts:
        return facts(name, 0, filings=())

    verdict = judge({"earnings_unknown": UnknownEarnings.NOTE}, company=known)
    assert verdict.proposal is not None
    check = verdict.candidate.assessment.check("earnings")
    assert check.reason.endswith("(noted only)")


@pytest.mark.parametrize(
    ("halts", "words"),
    [
        (((-5, None),), "trading is halted since 5 min"),
        (((-30, -10),), "trading resumed 10 min ago, limit 15 min"),
        (((-90, -80), (-60, -50)), "2 halts today, limit 1"),
        (((-90, -80), (-9_000, -8_990)), ""),
    ],
)
def test_halts_of_the_day(judge: Any, context: Any, halts: Any, words: str) -> None:
    now = context().now_us

    def known(name: InstrumentId) -> CompanyFacts:
        found = tuple(
            Halt(
                name,
                "LUDP",
                None if end is None else now + end * MINUTE_US,
                now + begin * MINUTE_US,
                now,
                LIVE,
            )
            for begin, end in halts
        )
        return facts(name, now, halts=found)

    assert vetoes(judge(company=known)).get("screener", (True, ""))[1] == words


def test_a_halt_that_is_not_known_yet_stops_nothing(judge: Any, context: Any) -> None:
    now = context().now_us

    def known(name: InstrumentId) -> CompanyFacts:
        return facts(name, now, halts=(Halt(name, "T1", None, now - 1, now + 1, LIVE),))

    assert judge(company=known).proposal is not None


@pytest.mark.parametrize(
    ("changes", "hard", "words"),
    [
        ({"q_bounce": 0.61}, False, "q_bounce 0.610 is below the limit 0.620"),
        (
            {"outside": ("z5", "rsi2")},
            True,
            "extrapolating: 2 inputs beyond 1 %..99 % of training (z5, rsi2), limit 1",
        ),
        ({"q_bounce": 1.2}, True, "model m-1 gave no forecast: q_bounce 1.2 is no chance between 0 and 1"),
        ({"r_stop": float("nan")}, True, "model m-1 gave no forecast: its mean returns are not numbers"),
    ],
)
def test_the_forecaster_says_why(judge: Any, changes: Any, hard: bool, words: str) -> None:
    verdict = judge(model=Model(replace(GOOD, **changes)))
    assert vetoes(verdict)["forecaster"] == (hard, words)
    assert verdict.proposal is None


def test_a_model_that_fails_is_a_veto_and_no_crash(judge: Any) -> None:
    roster = Roster(lambda: 0)
    roster.start()
    gaps = Gaps(GapsConfig(rule=GapsRule.FULL), RiskConfig(), lambda: 0, roster)
    verdict = judge(gaps=gaps, model=Model(ValueError("shape (3,)")))
    hard, words = vetoes(verdict)["forecaster"]
    assert hard
    assert (
        words == "forecaster does not run: failed 1 of 3 times, asked again in 60 s: ValueError: shape (3,)"
    )
    plain = judge(model=Model(ValueError("shape (3,)")))
    assert vetoes(plain)["forecaster"][1] == "model m-1 gave no forecast: ValueError: shape (3,)"


def test_a_model_that_takes_too_long_gave_no_forecast(judge: Any) -> None:
    times = iter([0, 5_000_001, *([6_000_000] * 50)])
    gaps = Gaps(GapsConfig(rule=GapsRule.FULL), RiskConfig(), lambda: next(times))
    assert (
        vetoes(judge(gaps=gaps))["forecaster"][1] == "model m-1 gave no forecast: timeout: 5.0 s, limit 5 s"
    )


def test_a_missing_input_asks_for_no_forecast(judge: Any, market: Any) -> None:
    extended = Model(inputs=EXTENDED)
    verdict = judge(model=extended)
    assert extended.asked == []
    assert vetoes(verdict)["forecaster"][1] == "model m-1 needs spy_gap, which is missing"
    whole = judge(model=extended, spy_price=199.0)
    assert whole.proposal is not None
    (asked,) = extended.asked
    assert asked["gap_breadth"] == 1.0
    odd = judge(model=Model(inputs=("rsi2", "moon")))
    assert vetoes(odd)["forecaster"][1] == "model m-1 needs moon, which is not among the features"


def test_an_unproved_model_serves_paper_and_never_real_money(judge: Any) -> None:
    model = Model(replace(GOOD, is_usable=False))
    paper = judge(model=model)
    assert paper.proposal is not None
    forecaster = next(report for report in paper.reports if report.agent == "forecaster")
    assert forecaster.note == "unproved"
    assert paper.candidate.assessment.is_unproved
    live = judge(model=model, account_kind=AccountKind.LIVE)
    hard, words = vetoes(live)["forecaster"]
    assert hard
    assert words.startswith("model m-1 is unproved")


def test_scores_that_are_too_low_leave_a_proposal_for_the_gates_to_refuse(judge: Any) -> None:
    verdict = judge({"bcs_min": 9.9})
    assert verdict.proposal is not None
    failed = verdict.candidate.assessment.failed(Step.SCORES)
    assert [check.name for check in failed] == ["BCS"]
    assert failed[0].limit == "> 9.90"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"slippage_max_pct": 0.01}, "slippage"),
        ({"issuer_runway_min_months": 9.0}, "the issuer's cash lasts 8.4 months, limit 9"),
        ({"liquidity_delta_min_pct": -0.0001, "liquidity_delta_mode": "both"}, "volume of 5 sessions"),
    ],
)
def test_a_filter_is_a_hard_veto_of_the_risk_officer(judge: Any, settings: Any, words: str) -> None:
    hard, reason = vetoes(judge(settings))["riskofficer"]
    assert hard
    assert reason.startswith(words)


def test_volume_that_fades_keeps_it_out(market: Any, judge: Any) -> None:
    name = instrument_id("ABC")
    bars = market.bars[name]
    volume = bars.volume.copy()
    volume[-1] *= 0.4
    market.bars[name] = replace(bars, volume=volume)
    assert vetoes(judge())["riskofficer"][1].startswith("the volume of the last 10 sessions falls")


def test_an_issuer_whose_cash_is_not_known_passes_with_a_note(judge: Any) -> None:
    verdict = judge(company=lambda name: facts(name, 0, fundamentals=None))
    assert verdict.proposal is not None
    assert "which passes" in verdict.candidate.assessment.check("runway").reason


POLICY = GapsPolicy("P-7", 5.5, 6.0, 0.62, 0.68)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (
            {
                "standings": {
                    instrument_id("ABC"): TickerStanding(TickerState.EJECTED, 0.33, 1, 6, date(2016, 3, 1))
                }
            },
            "ABC is ejected until 2016-03-01: 1 of 6 trades won, rate 0.33",
        ),
        (
            {"cooldown_until": {instrument_id("ABC"): date(2016, 1, 6)}},
            "ABC cools down after its last exit, next entry on 2016-01-06",
        ),
    ],
)
def test_its_own_past_may_keep_it_out(judge: Any, policy: Any, words: str) -> None:
    assert vetoes(judge(policy=replace(POLICY, **policy)))["riskofficer"] == (True, words)


def test_a_monitored_ticker_is_bought_at_half_the_size(judge: Any) -> None:
    standing = TickerStanding(TickerState.MONITORED, 0.44, 1, 3)
    proposal = judge(policy=replace(POLICY, standings={instrument_id("ABC"): standing})).proposal
    assert proposal is not None
    assert (proposal.quantity, proposal.size_binding) == (Decimal(6), "strategy x 0.5 for its past")
    assert "-P-7-" in proposal.policy_id


def test_thresholds_are_those_of_the_adapted_policy(judge: Any) -> None:
    verdict = judge(policy=replace(POLICY, q_min=0.71))
    assert vetoes(verdict)["forecaster"][1] == "q_bounce 0.700 is below the limit 0.710"


def test_from_twenty_trades_on_a_soft_veto_may_be_outvoted(judge: Any) -> None:
    accuracy = {"forecaster": (0.4, 30)}
    policy = replace(POLICY, q_min=0.71, closed_trades=20, accuracy=accuracy)
    verdict = judge(policy=policy)
    assert verdict.proposal is not None
    assert verdict.candidate.assessment.vote == "weighted approval 0.909, limit 0.70"


def test_a_severe_filing_is_a_hard_veto_and_an_old_one_is_not(judge: Any, context: Any) -> None:
    now = context().now_us

    def filed(hours: int, item: str) -> Callable[[InstrumentId], CompanyFacts]:
        def known(name: InstrumentId) -> CompanyFacts:
            found = facts(name, now)
            ts = now - hours * 60 * MINUTE_US
            bad = Filing(name, "a-2", "8-K", (item,), SESSION, ts, ts, LIVE)
            return replace(found, filings=(bad, *found.filings))

        return known

    hard, words = vetoes(judge(company=filed(5, "4.02")))["newssentry"]
    assert hard
    assert words == "severe filing, 8-K item 4.02, 5h ago, limit none in 3d"
    assert judge(company=filed(73, "4.02")).proposal is not None
    assert judge(company=filed(5, "7.01")).proposal is not None
    silent = judge(company=filed(5, "3.02"), headlines=None)
    assert vetoes(silent)["newssentry"][0]


def test_the_best_expected_values_take_the_entries_of_the_session(market: Any, context: Any) -> None:
    chances = {"AAA": 0.66, "BBB": 0.74, "CCC": 0.70, "DDD": 0.72}
    by_gap = {}
    for number, symbol in enumerate(chances):
        market.add(symbol, price=9.40 - 0.01 * number)
        by_gap[round((9.40 - 0.01 * number) / 10 - 1, 4)] = chances[symbol]
    del market.quotes[instrument_id("ABC")]
    model = Model(lambda values: replace(GOOD, q_bounce=by_gap[round(values["gap_dn"], 4)]))
    gaps = Gaps(GapsConfig(rule=GapsRule.FULL), RiskConfig(), lambda: 0)
    verdicts = gaps.propose(context(model=model))
    assert [symbol_of(verdict.candidate.instrument) for verdict in verdicts] == ["BBB", "DDD", "CCC", "AAA"]
    assert [verdict.proposal is not None for verdict in verdicts] == [True, True, True, False]
    assert vetoes(verdicts[3])["riskofficer"][1] == "3 entries this session, limit 3"


def test_entries_of_a_session_and_the_regime_are_rules_of_a_dataset_too(market: Any, context: Any) -> None:
    for number, symbol in enumerate(("AAA", "BBB")):
        market.add(symbol, price=9.40 - 0.01 * number)
    gaps = Gaps(GapsConfig(rule=GapsRule.FULL, entries_per_session=1), RiskConfig(), lambda: 0)
    stored = {"dataset": True, "switches": DATASET, "company": None, "headlines": None}
    verdicts = gaps.propose(context(**stored))
    assert [verdict.proposal is not None for verdict in verdicts] == [True, False, False]
    assert all(vetoes(verdict)["sentinel"][0] for verdict in gaps.propose(context(**stored, vix=None)))
    free = gaps.propose(context(**{**stored, "switches": NONE}))
    assert all(verdict.proposal is not None for verdict in free)


def test_what_its_scores_keep_out_takes_no_place(market: Any, context: Any) -> None:
    for number, symbol in enumerate(("AAA", "BBB")):
        market.add(symbol, price=9.40 - 0.01 * number)
    del market.quotes[instrument_id("ABC")]
    settings = GapsConfig(rule=GapsRule.FULL, entries_per_session=1, bcs_min=9.9)
    verdicts = Gaps(settings, RiskConfig(), lambda: 0).propose(context())
    assert [verdict.proposal is not None for verdict in verdicts] == [True, True]


def test_a_dataset_is_excused_from_what_it_cannot_hold(judge: Any) -> None:
    verdict = judge(dataset=True, company=None, headlines=None, sessions_between=None, sector_of=None)
    found = verdict.candidate.assessment
    excused = {check.name for check in found.checks if check.status is GateStatus.NOT_APPLICABLE}
    assert excused == {"listing", "market cap", "earnings", "halts", "runway"}
    assert verdict.proposal is not None
    assert "at an assumed spread of 10 bps" in found.check("slippage").reason
    assert found.bcs.volume == 0


def test_a_live_account_takes_no_excuse(judge: Any) -> None:
    verdict = judge(dataset=True, company=None, account_kind=AccountKind.LIVE)
    assert verdict.proposal is None
    assert vetoes(verdict)["screener"][1] == "its listing is not known"


def test_the_volume_of_the_morning_scores_where_it_is_known(judge: Any) -> None:
    verdict = judge(volume_ratio=lambda name: 4.2)
    assert verdict.candidate.feature("volume_ratio_20") == 4.2
    assert verdict.candidate.assessment.bcs.volume == 1.0
    assert judge(volume_ratio=lambda name: -1.0).candidate.feature("volume_ratio_20") is None


def test_a_high_vix_asks_for_more_and_gives_less(judge: Any, market: Any) -> None:
    verdict = judge(vix=market.index("VIX", 30.0))
    assert verdict.candidate.regime is Regime.HIGH_VIX
    found = verdict.candidate.assessment
    assert (found.q_min, found.bcs_min) == (0.68, 6.0)
    assert verdict.proposal is not None
    assert verdict.proposal.quantity == Decimal(6)


def test_old_quotes_and_wide_ones_are_soft_vetoes_of_the_trader(judge: Any, market: Any) -> None:
    market.quote("ABC", 9.39, 9.40, age_us=16_000_000)
    assert vetoes(judge())["trader"] == (False, "the quote is 16s old, limit 15s")
    market.quote("ABC", 9.20, 9.40)
    assert vetoes(judge())["trader"][0] is False


@pytest.mark.parametrize(
    ("configured", "model", "rule", "why"),
    [
        (GapsRule.AUTO, None, GapsRule.NAIVE, 'gaps.rule = "auto": no model is registered'),
        (GapsRule.AUTO, "m-1", GapsRule.FULL, 'gaps.rule = "auto": model m-1 is registered'),
        (GapsRule.NAIVE, "m-1", GapsRule.NAIVE, 'gaps.rule = "naive"'),
        (GapsRule.FULL, "m-1", GapsRule.FULL, 'gaps.rule = "full"; model m-1'),
        (
            GapsRule.FULL,
            None,
            GapsRule.FULL,
            'gaps.rule = "full"; no model is registered, so nothing is proposed',
        ),
    ],
)
def test_which_rule_is_in_force_and_why(
    configured: GapsRule, model: str | None, rule: GapsRule, why: str
) -> None:
    choice = choose_rule(configured, model)
    assert (choice.rule, choice.why) == (rule, why)


def test_auto_takes_the_full_rule_once_there_is_a_model(context: Any) -> None:
    gaps = Gaps(GapsConfig(rule=GapsRule.AUTO), RiskConfig(), lambda: 0)
    (full,) = gaps.propose(context())
    assert full.candidate.assessment is not None
    (naive,) = gaps.propose(context(model=None))
    assert naive.candidate.assessment is None


def test_headlines_are_features_of_the_full_rule_too(judge: Any, context: Any) -> None:
    now = context().now_us
    told = Headline((instrument_id("ABC"),), "ABC opens a plant", "wire", now - 5, now - 5, LIVE)
    assert judge(headlines=lambda name: (told,)).candidate.feature("news_volume_24h") == 1.0
