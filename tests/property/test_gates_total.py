"""Whatever the gates are given: eleven answers, never an error, and no excuse on a live account."""

import dataclasses
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.model.candidates import AgentReport, GateStatus, Regime, Vote
from engine.model.ids import instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.risk.gates import GateInput, GateStage, evaluate, first_failure
from engine.risk.limits import DATASET, FULL, NONE, LimitSwitches

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
switches = st.sampled_from([FULL, DATASET, NONE]) | st.builds(LimitSwitches, words, *(st.booleans(),) * 5)
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
