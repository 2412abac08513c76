"""Whatever the gates are given: eleven answers, never an error, and no excuse on a live account."""

import dataclasses
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.candidates import AgentReport, GateStatus, Regime, Vote
from engine.model.ids import instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.risk.collar import PriceReferences
from engine.risk.drawdown import Level
from engine.risk.exposure import Exposure
from engine.risk.gates import GateInput, GateStage, evaluate, first_failure
from engine.risk.limits import DATASET, FULL, NONE, LimitSwitches, RiskConfig
from engine.risk.var import ValueAtRisk
from engine.risk.view import RiskView

BIG = 2**63
times = st.integers(-BIG, BIG)
counts = st.integers(-BIG, BIG)
decimals = st.decimals(allow_nan=True, allow_infinity=True)
words = st.text(max_size=20)
quotes = st.builds(
    Quote,
    st.just(instrument_id("ABC")),
    st.none() | st.floats(),
    st.none() | st.floats(),
    times,
    times,
    st.sampled_from(Provenance),
)
reports = st.builds(
    AgentReport,
    words,
    st.sampled_from(Vote),
    st.booleans(),
    st.lists(words, max_size=2).map(tuple),
)
switches = st.sampled_from([FULL, DATASET, NONE]) | st.builds(LimitSwitches, words, *(st.booleans(),) * 6)
decimals_or_none = st.none() | decimals
views = st.builds(
    RiskView,
    equity=decimals_or_none,
    high_water=decimals,
    level=st.sampled_from(Level),
    drawdown=decimals_or_none,
    day_start=decimals,
    day_loss=decimals_or_none,
    is_day_over=st.booleans(),
    entries_minute=counts,
    entries_today=counts,
    orders_minute=counts,
    rejects_in_a_row=counts,
)
exposures = st.builds(Exposure, decimals, st.just(()), st.just(()))
risks = st.builds(ValueAtRisk, st.floats(), st.floats(), counts)
references = st.builds(
    PriceReferences, *(st.none() | st.floats(),) * 4, is_gap=st.booleans(), is_crypto=st.booleans()
)
inputs = st.builds(
    GateInput,
    stage=st.sampled_from(GateStage),
    now_us=times,
    engine_state=st.sampled_from(["STARTING", "RUNNING", "DEGRADED", "HALTED", "STOPPED"]) | words,
    halt_reason=words,
    account_kind=st.sampled_from(AccountKind),
    strategy_stage=st.sampled_from(["shadow", "paper", "canary", "live"]) | words,
    quote=st.none() | quotes,
    quote_max_age_us=times,
    reports=st.lists(reports, max_size=6).map(tuple),
    regime=st.sampled_from(Regime),
    dataset=st.booleans(),
    rule=st.sampled_from(["naive", "full"]) | words,
    open_in_strategy=counts,
    max_in_strategy=counts,
    open_total=counts,
    max_total=counts,
    open_in_instrument=counts,
    entries_this_session=counts,
    max_entries_per_session=counts,
    quantity=decimals,
    lot_size=decimals,
    limit_price=decimals,
    tick_size=st.none() | decimals,
    buying_power=decimals,
    market_open=st.booleans(),
    switches=switches,
    config=st.just(RiskConfig()),
    symbol_halt=st.just("") | words,
    reconciled_age_us=st.none() | times,
    clock_skew_us=st.none() | times,
    risk=views,
    exposure=st.none() | exposures,
    value_at_risk=st.none() | risks,
    sector_open=st.none() | counts,
    max_per_sector=counts,
    duplicates=counts,
    references=references,
    adv_usd=st.none() | st.floats(),
    live_missing=st.lists(words, max_size=3).map(tuple),
)


@given(inputs)
def test_eleven_answers_each_with_value_limit_and_reason(given_inputs: GateInput) -> None:
    results = evaluate(given_inputs)
    assert [result.gate for result in results] == [f"G{n}" for n in range(1, 12)]
    assert all(result.limit and result.reason for result in results)


@given(inputs)
def test_nothing_is_excused_and_nothing_goes_through_on_a_live_account(given_inputs: GateInput) -> None:
    results = evaluate(dataclasses.replace(given_inputs, account_kind=AccountKind.LIVE))
    assert GateStatus.NOT_APPLICABLE not in {result.status for result in results}
    assert first_failure(results) is not None


@given(inputs)
def test_what_passes_g11_can_be_paid_and_sent(given_inputs: GateInput) -> None:
    order = evaluate(given_inputs)[-1]
    if order.status is GateStatus.PASS:
        assert given_inputs.market_open
        assert given_inputs.limit_price > 0
        assert given_inputs.lot_size > 0
        if given_inputs.switches.buying_power:
            assert given_inputs.quantity * given_inputs.limit_price <= given_inputs.buying_power


@given(inputs, st.decimals(min_value="0.01", max_value="1e9", places=2))
def test_more_buying_power_never_turns_a_pass_into_a_fail(given_inputs: GateInput, more: Decimal) -> None:
    if evaluate(given_inputs)[-1].status is GateStatus.PASS and given_inputs.buying_power.is_finite():
        richer = dataclasses.replace(given_inputs, buying_power=given_inputs.buying_power + more)
        assert evaluate(richer)[-1].status is GateStatus.PASS


NAN = Decimal("NaN")


def in_order() -> GateInput:
    """A paper account on live quotes where all gates that can pass do."""
    quote = Quote(instrument_id("ABC"), 8.36, 8.37, 0, 0, Provenance.LIVE)
    known, small = Decimal(10_000), Decimal("0.01")
    view = RiskView(known, known, Level.NONE, small, known, small, False, 0, 0, 0, 0)
    reports = (AgentReport("sentinel", Vote.APPROVE, False, ()),)
    price = Decimal("8.37")
    return GateInput(
        GateStage.SEND, 0, "RUNNING", "", AccountKind.PAPER, "paper", quote, 3_000_000, reports,
        Regime.NORMAL, True, "naive", 0, 8, 0, 20, 0, 0, 3, Decimal(14), Decimal(1), price, Decimal("0.01"),
        known, True, FULL, RiskConfig(), "", 0, 0, view, Exposure(small, (), ()), ValueAtRisk(1.0, 1.0, 250),
        0, 3, 0, PriceReferences(8.37, 8.37, 9.0, is_gap=True), 2e7, (),
    )  # fmt: skip


def with_nan(name: str) -> GateInput:
    made = in_order()
    if name in ("equity", "drawdown", "day_loss"):
        return dataclasses.replace(made, risk=dataclasses.replace(made.risk, **{name: NAN}))
    if name in ("last_trade", "decision", "prior_close"):
        return dataclasses.replace(
            made, references=dataclasses.replace(made.references, **{name: float("nan")})
        )
    changes: dict[str, object] = {
        "quote": dataclasses.replace(made.quote, bid=float("nan")) if made.quote else None,
        "exposure": Exposure(NAN, (), ()),
        "value_at_risk": ValueAtRisk(float("nan"), float("nan"), 250),
        "adv_usd": float("nan"),
    }
    return dataclasses.replace(made, **{name: changes.get(name, NAN)})  # type: ignore[arg-type]  # by name


def test_in_order_everything_passes_or_has_its_excuse() -> None:
    assert first_failure(evaluate(in_order())) is None


@pytest.mark.parametrize(
    "name",
    [
        "equity",
        "drawdown",
        "day_loss",
        "last_trade",
        "decision",
        "prior_close",
        "quote",
        "exposure",
        "value_at_risk",
        "adv_usd",
        "quantity",
        "limit_price",
        "buying_power",
    ],
)
def test_nothing_goes_through_with_a_number_that_is_none(name: str) -> None:
    assert first_failure(evaluate(with_nan(name))) is not None
