"""Every gate passing, blocking and unknown; every deduction; what is not known never passes."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from engine.features.token_catalogue import read_token
from engine.model.tokens import ContractFacts, Holder, HolderLabel, Pool, TokenSnapshot
from engine.scoring.findings import MARKET_GATES, Finding, Gate, GateVerdict, SafetyLimits
from engine.scoring.safety import DEDUCTIONS, Safety, Severity, contract_safety, judge

Make = Callable[..., TokenSnapshot]
PASS, BLOCK, UNKNOWN = GateVerdict.PASS, GateVerdict.BLOCK, GateVerdict.UNKNOWN
LIVE_OWNER = "0x9999000000000000000000000000000000000001"
OLD = 3_601_000_000


@pytest.fixture
def judged(make_token: Make, clean_facts: ContractFacts, now_us: int) -> Callable[..., Safety]:
    """The verdict on a clean token of an EVM chain, with changes of it and of its `facts`."""

    def make(facts: dict[str, Any] | None = None, **changes: Any) -> Safety:
        contract = replace(clean_facts, **facts) if facts else clean_facts
        token = make_token(**{"contract": contract, **changes})
        return judge(token, read_token(token, None, now_us), SafetyLimits())

    return make


@pytest.fixture
def judged_solana(make_token: Make, solana_facts: ContractFacts, now_us: int) -> Callable[..., Safety]:
    """The same of a token of Solana."""

    def make(**facts: Any) -> Safety:
        token = make_token(chain="solana", contract=replace(solana_facts, **facts))
        return judge(token, read_token(token, None, now_us), SafetyLimits())

    return make


def finding(safety: Safety, gate: Gate) -> Finding:
    return next(found for found in safety.findings if found.gate is gate)


def test_a_clean_token_passes_every_gate_and_loses_nothing(judged: Callable[..., Safety]) -> None:
    safety = judged()
    assert (safety.score, safety.deductions, safety.decisive) == (1, (), None)
    assert [found.gate for found in safety.findings] == [gate for gate in Gate if gate is not Gate.FREEZE]
    assert all(found.verdict is PASS and not found.note and not found.reason for found in safety.findings)
    assert not safety.is_blocked
    assert not safety.is_unproved


def test_a_clean_token_of_solana_passes_the_gates_that_apply_there(
    judged_solana: Callable[..., Safety],
) -> None:
    safety = judged_solana()
    assert (safety.score, safety.decisive) == (1, None)
    left_out = {Gate.RUG_CREATOR, Gate.SIPHON}
    assert [found.gate for found in safety.findings] == [gate for gate in Gate if gate not in left_out]


@pytest.mark.parametrize(
    ("gate", "facts", "note"),
    [
        (Gate.HONEYPOT, {"is_honeypot": True}, "honeypot"),
        (Gate.HONEYPOT, {"simulation_succeeded": False}, "honeypot"),
        (Gate.UNTRADABLE, {"cannot_buy": True}, "cannot buy"),
        (Gate.UNTRADABLE, {"cannot_sell_all": True}, "cannot sell"),
        (Gate.TAX, {"buy_tax_pct": 10.1}, "tax 10.1%"),
        (Gate.TAX, {"sell_tax_pct": 18.0}, "tax 18%"),
        (Gate.TAX, {"buy_tax_pct": None, "sell_tax_pct": 18.0}, "tax 18%"),
        (Gate.MINTABLE, {"is_mintable": True, "owner_address": LIVE_OWNER}, "mintable"),
        (Gate.OWNER, {"has_hidden_owner": True}, "hidden owner"),
        (Gate.OWNER, {"can_take_back_ownership": True}, "owner returns"),
        (Gate.OWNER, {"owner_can_change_balance": True}, "balance edit"),
        (Gate.OWNER, {"can_selfdestruct": True, "has_hidden_owner": None}, "self-destruct"),
        (Gate.RUG_CREATOR, {"creator_made_honeypots": True}, "rug creator"),
        (Gate.RUG_CREATOR, {"is_fake": True}, "fake token"),
        (Gate.SIPHON, {"critical_flags": ("noted", "high_siphon_rate")}, "siphon"),
        (Gate.SIPHON, {"critical_flags": ("high_fail_rate",)}, "sales fail"),
        (Gate.SIPHON, {"critical_flags": ("extremely_high_taxes",)}, "huge tax"),
    ],
)
def test_a_bad_fact_blocks_by_its_gate_and_ends_the_safety(
    judged: Callable[..., Safety], gate: Gate, facts: dict[str, Any], note: str
) -> None:
    safety = judged(facts)
    found = finding(safety, gate)
    assert (found.verdict, found.note) == (BLOCK, note)
    assert safety.decisive == found
    assert found.reason
    assert len(note) <= 14
    assert safety.score == 0
    assert found.source == "goplus+honeypot.is"


@pytest.mark.parametrize(
    ("gate", "facts"),
    [
        (Gate.HONEYPOT, {"is_honeypot": None, "simulation_succeeded": None}),
        (Gate.EVIDENCE, {"is_honeypot": None, "simulation_succeeded": None}),
        (Gate.UNTRADABLE, {"cannot_buy": None}),
        (Gate.UNTRADABLE, {"cannot_sell_all": None}),
        (Gate.TAX, {"buy_tax_pct": None}),
        (Gate.TAX, {"sell_tax_pct": None}),
        (Gate.TAX, {"sell_tax_pct": 140.0}),
        (Gate.MINTABLE, {"is_mintable": None}),
        (Gate.MINTABLE, {"is_mintable": True, "owner_address": None}),
        (Gate.OWNER, {"has_hidden_owner": None}),
        (Gate.OWNER, {"can_take_back_ownership": None}),
        (Gate.OWNER, {"owner_can_change_balance": None}),
        (Gate.OWNER, {"can_selfdestruct": None}),
        (Gate.RUG_CREATOR, {"creator_made_honeypots": None}),
        (Gate.RUG_CREATOR, {"is_fake": None}),
    ],
)
def test_an_unknown_fact_blocks_and_says_so(
    judged: Callable[..., Safety], gate: Gate, facts: dict[str, Any]
) -> None:
    safety = judged(facts)
    found = finding(safety, gate)
    assert (found.verdict, found.value, found.note) == (UNKNOWN, "unknown", "unproved")
    assert found.reason.endswith("not known")
    assert safety.is_blocked
    assert safety.is_unproved
    assert safety.score == 0


@pytest.mark.parametrize("gate", [gate for gate in Gate if gate not in (Gate.FREEZE, Gate.LIQUIDITY_FLOOR)])
def test_without_any_contract_facts_no_gate_of_the_contract_passes(
    judged: Callable[..., Safety], gate: Gate
) -> None:
    safety = judged(contract=None, lp_holders=None)
    found = finding(safety, gate)
    assert found.verdict is (PASS if gate is Gate.AGE else UNKNOWN)
    assert safety.is_unproved
    assert safety.score == 0
    if gate not in MARKET_GATES | {Gate.RUG_LP}:
        assert (found.source, found.event_us) == ("", None)


def test_contract_facts_of_over_an_hour_prove_nothing(judged: Callable[..., Safety], now_us: int) -> None:
    for age, is_blocked in ((3_600_000_000, False), (OLD, True)):
        safety = judged({"ts_event": now_us - age, "ts_simulated": now_us - 1_000_000})
        assert safety.is_blocked is is_blocked
        assert finding(safety, Gate.OWNER).verdict is (UNKNOWN if is_blocked else PASS)


def test_a_verdict_on_selling_holds_for_fifteen_minutes(judged: Callable[..., Safety], now_us: int) -> None:
    fresh = judged({"ts_event": now_us - 1_800_000_000, "ts_simulated": now_us - 900_000_000})
    assert not fresh.is_blocked
    assert finding(fresh, Gate.EVIDENCE).event_us == now_us - 900_000_000
    stale = judged({"ts_event": now_us - 901_000_000})
    found = finding(stale, Gate.EVIDENCE)
    assert (found.verdict, found.value, found.threshold) == (UNKNOWN, "901 s old", "<= 900 s")
    assert stale.is_unproved


def test_one_source_is_enough_for_the_verdict_on_selling(judged: Callable[..., Safety]) -> None:
    by_flags = judged({"simulation_succeeded": None})
    assert not by_flags.is_blocked
    assert Gate.SIPHON not in {found.gate for found in by_flags.findings}
    assert not judged({"is_honeypot": None}).is_blocked


def test_a_known_block_is_told_before_an_unknown(judged: Callable[..., Safety]) -> None:
    safety = judged({"is_honeypot": None, "simulation_succeeded": None, "has_hidden_owner": True})
    assert safety.decisive is not None
    assert safety.decisive.gate is Gate.OWNER
    assert not safety.is_unproved


@pytest.mark.parametrize(
    ("locked", "before", "verdict", "note", "reason"),
    [
        (50.0, 2_400_000.0, PASS, "", ""),
        (49.9, 2_400_000.0, BLOCK, "LP 49.9%", "LP 49.9% < 50%"),
        (22.0, 2_400_000.0, BLOCK, "LP 22%", "LP 22% < 50%"),
        (94.0, None, PASS, "", ""),
        (None, 2_400_000.0, UNKNOWN, "unproved", "what is locked of the pool is not known"),
        (94.0, 2_410_000 / 0.7, BLOCK, "liq -30%", "liquidity -30% <= -30% in 24 h"),
        (None, 5e6, BLOCK, "liq -52%", "liquidity -52% <= -30% in 24 h"),
        (94.0, 2_410_000 / 0.71, PASS, "", ""),
    ],
)
def test_locked_liquidity_and_its_fall(
    judged: Callable[..., Safety],
    locked: float | None,
    before: float | None,
    verdict: GateVerdict,
    note: str,
    reason: str,
) -> None:
    holders = None if locked is None else (Holder("0xdead", locked, HolderLabel.BURN),)
    safety = judged(lp_holders=holders, liquidity_24h_ago_usd=before)
    found = finding(safety, Gate.RUG_LP)
    assert (found.verdict, found.note, found.reason) == (verdict, note, reason)
    assert len(note) <= 14


def _pool(usd: float) -> tuple[Pool, ...]:
    return (Pool("uniswap", "WETH", 1.0, 1.0, usd, 1.0),)


@pytest.mark.parametrize(
    ("changes", "verdict", "note"),
    [
        ({"pools": _pool(50_000.0)}, PASS, ""),
        ({"pools": _pool(49_990.0)}, BLOCK, "liq 49,990"),
        ({"pools": _pool(31_400.0)}, BLOCK, "liq 31.4k"),
        ({"pools": _pool(900.0)}, BLOCK, "liq 0"),
        ({"pools": ()}, UNKNOWN, "unproved"),
        ({"ts_event_age": 61_000_000}, UNKNOWN, "unproved"),
    ],
)
def test_the_liquidity_floor(
    judged: Callable[..., Safety],
    now_us: int,
    changes: dict[str, Any],
    verdict: GateVerdict,
    note: str,
) -> None:
    age = changes.pop("ts_event_age", 0) if "ts_event_age" in changes else None
    times = {} if age is None else {"ts_event": now_us - age}
    safety = judged(liquidity_24h_ago_usd=None, **changes, **times)
    found = finding(safety, Gate.LIQUIDITY_FLOOR)
    assert (found.verdict, found.note) == (verdict, note)
    assert safety.score == 1, "the market's gates say nothing of the contract"


@pytest.mark.parametrize(
    ("minutes", "verdict", "note"), [(60, PASS, ""), (42, BLOCK, "age 42m"), (-5, UNKNOWN, "unproved")]
)
def test_the_age_of_a_token(
    judged: Callable[..., Safety], now_us: int, minutes: int, verdict: GateVerdict, note: str
) -> None:
    safety = judged(created_us=now_us - minutes * 60_000_000)
    found = finding(safety, Gate.AGE)
    assert (found.verdict, found.note) == (verdict, note)


@pytest.mark.parametrize(
    ("facts", "gate", "verdict"),
    [
        ({"is_freezable": True}, Gate.FREEZE, BLOCK),
        ({"is_freezable": None}, Gate.FREEZE, UNKNOWN),
        ({"is_non_transferable": True}, Gate.UNTRADABLE, BLOCK),
        ({"is_non_transferable": None}, Gate.UNTRADABLE, UNKNOWN),
        ({"has_transfer_hook": True}, Gate.HONEYPOT, BLOCK),
        ({"has_transfer_hook": None}, Gate.HONEYPOT, UNKNOWN),
        ({"has_sell_route": False}, Gate.HONEYPOT, BLOCK),
        ({"has_sell_route": None}, Gate.EVIDENCE, UNKNOWN),
        ({"is_mintable": True}, Gate.MINTABLE, BLOCK),
        ({"is_mintable": None}, Gate.MINTABLE, UNKNOWN),
        ({"owner_can_change_balance": True}, Gate.OWNER, BLOCK),
        ({"owner_can_change_balance": None}, Gate.OWNER, UNKNOWN),
    ],
)
def test_solana_is_judged_by_its_authorities(
    judged_solana: Callable[..., Safety], facts: dict[str, Any], gate: Gate, verdict: GateVerdict
) -> None:
    safety = judged_solana(**facts)
    assert finding(safety, gate).verdict is verdict
    assert safety.is_blocked


@pytest.mark.parametrize(
    ("facts", "note", "reason"),
    [
        ({"is_freezable": True}, "freezable", "freezable by a live authority"),
        ({"is_non_transferable": True}, "no transfers", "no transfers"),
        ({"has_transfer_hook": True}, "transfer hook", "transfer hook may refuse a sale"),
        ({"has_sell_route": False}, "no sell route", "no sell route at any price"),
        ({"is_honeypot": True}, "honeypot", "honeypot"),
        ({"simulation_succeeded": False}, "honeypot", "honeypot: a trial sale failed"),
    ],
)
def test_what_keeps_a_token_of_solana_from_being_sold_is_named(
    judged_solana: Callable[..., Safety], facts: dict[str, Any], note: str, reason: str
) -> None:
    decisive = judged_solana(**facts).decisive
    assert decisive is not None
    assert (decisive.gate, decisive.note, decisive.reason) == (Gate.HONEYPOT, note, reason)


@pytest.mark.parametrize(
    ("name", "facts", "changes"),
    [
        ("unverified", {"is_verified": False}, {}),
        ("unverified", {"is_verified": None}, {}),
        ("blacklist", {"can_blacklist": True}, {}),
        ("blacklist", {"can_blacklist": None}, {}),
        ("pausable", {"is_pausable": True}, {}),
        ("pausable", {"is_pausable": None}, {}),
        ("proxy", {"is_proxy": True}, {}),
        ("proxy", {"is_proxy": None}, {}),
        ("tax_modifiable", {"is_tax_modifiable": True}, {}),
        ("tax_modifiable", {"is_personal_tax_modifiable": True}, {}),
        ("tax_modifiable", {"is_personal_tax_modifiable": None}, {}),
        ("lp_lock", {}, {"lp_holders": (Holder("0x1", 79.9, is_locked=True),)}),
        ("tax", {"buy_tax_pct": 5.0}, {}),
        ("tax", {"sell_tax_pct": 10.0}, {}),
        ("creator_share", {"creator_pct": 15.1}, {}),
        ("top10_share", {}, {"top_holders": (Holder("0x1", 70.1),)}),
        ("top10_share", {}, {"top_holders": ()}),
        ("mint_renounced", {"is_mintable": True}, {}),
        ("unlock", {}, {"unlock_30d_pct": 10.0}),
        ("large_unlock", {}, {"unlock_30d_pct": 20.0}),
    ],
)
def test_each_deduction_takes_its_share_and_no_other(
    judged: Callable[..., Safety], name: str, facts: dict[str, Any], changes: dict[str, Any]
) -> None:
    safety = judged(facts, **changes)
    assert safety.deductions == (name,)
    assert safety.score == pytest.approx(1 - DEDUCTIONS[name])
    assert not safety.is_blocked


@pytest.mark.parametrize(
    ("facts", "changes"),
    [
        ({}, {"lp_holders": (Holder("0x1", 80.0, is_locked=True),)}),
        ({"sell_tax_pct": 4.9}, {}),
        ({"creator_pct": 15.0}, {}),
        ({"creator_pct": None}, {}),
        ({}, {"top_holders": (Holder("0x1", 70.0),)}),
        ({}, {"unlock_30d_pct": 9.9}),
        ({}, {"unlock_30d_pct": None}),
    ],
)
def test_what_is_within_bounds_or_may_be_unknown_costs_nothing(
    judged: Callable[..., Safety], facts: dict[str, Any], changes: dict[str, Any]
) -> None:
    assert judged(facts, **changes).deductions == ()


def test_deductions_add_up_and_never_pass_zero(judged: Callable[..., Safety]) -> None:
    assert judged({"is_proxy": True, "can_blacklist": True}).score == pytest.approx(0.35)
    assert judged({"is_proxy": True, "can_blacklist": True, "is_verified": False}).score == 0


@pytest.mark.parametrize(
    ("severity", "score"),
    [(Severity.NONE, 0.9), (Severity.LOW, 0.7), (Severity.MEDIUM, 0.4), (Severity.HIGH, 0.0)],
)
def test_the_worst_finding_caps_the_score(severity: Severity, score: float) -> None:
    assert contract_safety(("mint_renounced",), severity) == pytest.approx(score)


def test_limits_come_from_the_config(make_token: Make, now_us: int) -> None:
    token = make_token()
    strict = SafetyLimits(liquidity_floor_usd=3e6, lp_lock_block_pct=95.0)
    safety = judge(token, read_token(token, None, now_us), strict)
    blocked = {found.gate: found.reason for found in safety.findings if found.verdict is BLOCK}
    assert blocked == {
        Gate.RUG_LP: "LP 94% < 95%",
        Gate.LIQUIDITY_FLOOR: "liquidity 2.41M < 3M",
    }


@pytest.mark.parametrize(
    "name",
    [
        field.name
        for field in fields(ContractFacts)
        if field.type in ("bool | None", bool | None) and field.name not in ("has_trading_cooldown",)
    ],
)
def test_forgetting_any_fact_never_helps(
    judged: Callable[..., Safety], clean_facts: ContractFacts, name: str
) -> None:
    whole, without = judged(), judged({name: None})
    assert without.score <= whole.score
    bad = judged({name: not getattr(clean_facts, name)})
    assert without.score <= max(whole.score, bad.score)
