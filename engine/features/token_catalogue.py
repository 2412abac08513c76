"""All features of tokens, by id, and the look that reads them. Importing the modules declares them."""

from collections.abc import Mapping

from engine.features import token_chain, token_flow, token_market, token_social
from engine.features.token_look import (
    FUTURE_US,
    Clock,
    Look,
    PostsSeen,
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
_PLAN = tuple(step_of(record) for record in TOKEN_CATALOGUE.values())
_NEVER = 1 << 62


def read_token(snapshot: TokenSnapshot, posts: PostsSeen | None, now_us: int) -> TokenReading:
    """Every feature of the catalogue at `now_us`: a value in its range and not too old, or the reason."""
    facts = snapshot.contract
    stamps = _stamps(snapshot, facts, posts)
    ages = {clock: _NEVER if stamp is None else now_us - stamp[0] for clock, stamp in stamps.items()}
    if facts is not None and not -FUTURE_US <= ages[Clock.CONTRACT] <= CONTRACT_MAX_AGE_US:
        facts = None
    look = Look(snapshot, posts, now_us, facts)
    values, missing = look.values, look.missing
    for step in _PLAN:
        value = step.compute(look)
        if isinstance(value, MissingReason):
            is_old = value is MissingReason.MISSING and step.max_age_us < ages[step.clock] < _NEVER
            missing[step.id] = MissingReason.STALE if is_old else value
        elif ages[step.clock] > step.max_age_us:
            missing[step.id] = MissingReason.STALE
        elif not step.low <= value <= step.high or ages[step.clock] < -FUTURE_US:
            missing[step.id] = MissingReason.OUT_OF_RANGE
        else:
            values[step.id] = value
    told = snapshot.provenance if posts is None else least_trusted(snapshot.provenance, posts.provenance)
    return TokenReading(now_us, values, missing, stamps, facts, told)


def _stamps(
    snapshot: TokenSnapshot, facts: ContractFacts | None, posts: PostsSeen | None
) -> dict[Clock, tuple[int, int] | None]:
    contract = None if facts is None else (facts.ts_event, facts.ts_known)
    simulated = contract
    if facts is not None and facts.ts_simulated is not None:
        simulated = (facts.ts_simulated, facts.ts_known)
    return {
        Clock.MARKET: (snapshot.ts_event, snapshot.ts_known),
        Clock.CONTRACT: contract,
        Clock.SIMULATION: simulated,
        Clock.SOCIAL: None if posts is None else (posts.ts_event, posts.ts_known),
    }
