"""All features of tokens, by id, and the look that reads them. Importing the modules declares them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from operator import attrgetter

from engine.features import token_chain, token_flow, token_market, token_social
from engine.features.token_look import (
    FUTURE_US,
    Clock,
    Look,
    PostsSeen,
    Standing,
    Step,
    TokenFeature,
    TokenReading,
    registered_for_tokens,
    step_of,
)
from engine.model.candidates import MissingReason
from engine.model.market import least_trusted
from engine.model.tokens import ContractFacts, TokenSnapshot

MODULES = (token_market, token_flow, token_chain, token_social)
TOKEN_CATALOGUE: Mapping[str, TokenFeature] = registered_for_tokens()
CONTRACT_MAX_AGE_US = 3_600_000_000
"""Older contract facts are evidence of nothing (SPEC 2.4)."""
STANDING_FIELDS = (
    "chain",
    "top_holders",
    "lp_holders",
    "total_supply",
    "circulating_supply",
    "unlock_30d_pct",
    "community_members",
    "dev_commits_30d",
)
"""Of a snapshot, beside its contract."""
CONTRACT_TIMES = ("ts_event", "ts_known", "ts_simulated")
_MARKET, _CONTRACT, _SIMULATION, _SOCIAL = Clock.MARKET, Clock.CONTRACT, Clock.SIMULATION, Clock.SOCIAL
_NEVER = 1 << 62

Stamps = dict[Clock, tuple[int, int] | None]
Ages = dict[Clock, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """Some features and what they depend on: those of what stands for hours, and those of what moves."""

    standing: tuple[Step, ...]
    moving: tuple[Step, ...]
    good_us: tuple[tuple[Clock, int], ...]
    """No feature of what stands is too old while none of these ages is above its limit."""


_steps = {name: step_of(record) for name, record in TOKEN_CATALOGUE.items()}
_PLAN = tuple(_steps.values())
_standing_facts = attrgetter(*STANDING_FIELDS)
_contract_facts = attrgetter(
    *(field.name for field in fields(ContractFacts) if field.name not in CONTRACT_TIMES)
)


def plan_of(names: Iterable[str]) -> Plan:
    """A plan of these features. Raises KeyError for one that is not in the catalogue."""
    wanted: set[str] = set()
    found = list(names)
    while found:
        name = found.pop()
        wanted.add(name)
        found += TOKEN_CATALOGUE[name].depends_on
    steps = [_steps[name] for name in TOKEN_CATALOGUE if name in wanted]
    standing = tuple(step for step in steps if TOKEN_CATALOGUE[step.id].is_standing)
    good = {
        clock: min(step.max_age_us for step in standing if step.clock is clock)
        for clock in dict.fromkeys(step.clock for step in standing)
    }
    return Plan(standing, tuple(step for step in steps if step not in standing), tuple(good.items()))


def read_token(snapshot: TokenSnapshot, posts: PostsSeen | None, now_us: int) -> TokenReading:
    """Every feature of the catalogue at `now_us`: a value in its range and not too old, or the reason."""
    stamps, ages, facts = _times(snapshot, posts, now_us)
    look = Look(snapshot, posts, now_us, facts)
    _go_through(_PLAN, look, ages)
    return _reading(look, stamps)


def read_again(
    snapshot: TokenSnapshot, posts: PostsSeen | None, now_us: int, plan: Plan, before: Standing | None
) -> TokenReading:
    """The features of a plan, each as `read_token` reads it.

    `before`: what stood at the look before, of the same token and plan; it is not found again.
    """
    stamps, ages, facts = _times(snapshot, posts, now_us)
    look = Look(snapshot, posts, now_us, facts)
    standing = None
    if all(-FUTURE_US <= ages[clock] <= most or ages[clock] == _NEVER for clock, most in plan.good_us):
        standing = _still(before, snapshot, facts) or _stand(plan, look, ages)
        look.values.update(standing.values)
        look.missing.update(standing.missing)
    else:
        _go_through(plan.standing, look, ages)
    _go_through(plan.moving, look, ages)
    return _reading(look, stamps, standing)


def _still(before: Standing | None, snapshot: TokenSnapshot, facts: ContractFacts | None) -> Standing | None:
    """What stood before, if it still does."""
    if before is None or before.facts != _standing_facts(snapshot):
        return None
    if facts is before.contract:
        return before
    if facts is None or before.contract is None or before.told != _contract_facts(facts):
        return None
    return before


def _stand(plan: Plan, look: Look, ages: Ages) -> Standing:
    apart = Look(look.snapshot, look.posts, look.now_us, look.contract)
    _go_through(plan.standing, apart, ages)
    told = () if look.contract is None else _contract_facts(look.contract)
    return Standing(_standing_facts(look.snapshot), look.contract, told, apart.values, apart.missing)


def _go_through(steps: Iterable[Step], look: Look, ages: Ages) -> None:
    values, missing = look.values, look.missing
    for name, compute, clock, low, high, max_age_us in steps:
        value = compute(look)
        age_us = ages[clock]
        if isinstance(value, MissingReason):
            is_old = value is MissingReason.MISSING and max_age_us < age_us < _NEVER
            missing[name] = MissingReason.STALE if is_old else value
        elif age_us > max_age_us:
            missing[name] = MissingReason.STALE
        elif not low <= value <= high or age_us < -FUTURE_US:
            missing[name] = MissingReason.OUT_OF_RANGE
        else:
            values[name] = value


def _times(
    snapshot: TokenSnapshot, posts: PostsSeen | None, now_us: int
) -> tuple[Stamps, Ages, ContractFacts | None]:
    """When each clock was read, how long ago, and the contract unless that was too long ago."""
    facts = snapshot.contract
    contract = None if facts is None else (facts.ts_event, facts.ts_known)
    simulated = contract
    if facts is not None and facts.ts_simulated is not None:
        simulated = (facts.ts_simulated, facts.ts_known)
    stamps: Stamps = {
        _MARKET: (snapshot.ts_event, snapshot.ts_known),
        _CONTRACT: contract,
        _SIMULATION: simulated,
        _SOCIAL: None if posts is None else (posts.ts_event, posts.ts_known),
    }
    ages = {clock: _NEVER if stamp is None else now_us - stamp[0] for clock, stamp in stamps.items()}
    if facts is not None and not -FUTURE_US <= ages[_CONTRACT] <= CONTRACT_MAX_AGE_US:
        facts = None
    return stamps, ages, facts


def _reading(look: Look, stamps: Stamps, standing: Standing | None = None) -> TokenReading:
    told, posts = look.snapshot.provenance, look.posts
    if posts is not None:
        told = least_trusted(told, posts.provenance)
    return TokenReading(look.now_us, look.values, look.missing, stamps, look.contract, told, standing)
