"""What a feature of a token is, and one look at a token: every value with its age, or why there is none.

A look is made once a market minute for each token, so values stay plain numbers here; `TokenReading.features`
makes the records that are stored and shown.
"""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from engine.errors import InvariantBroken
from engine.features.registry import AssetClass, Category, Dtype, FeatureRecord, transform_of
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.market import Provenance
from engine.model.tokens import ContractFacts, Holder, TokenSnapshot
from engine.money import EPSILON

SOLANA = "solana"
US_PER_HOUR = 3_600_000_000
US_PER_DAY = 24 * US_PER_HOUR
FUTURE_US = 2_000_000
"""A datum may be this far ahead of our clock (SPEC 5.7)."""


class Clock(StrEnum):
    """Which of a look's times a feature's age is measured from."""

    MARKET = "market"
    CONTRACT = "contract"
    SIMULATION = "simulation"
    SOCIAL = "social"


@dataclass(frozen=True, slots=True)
class PostsSeen:
    """Posts about one token in the 24 hours before a look.

    `sentiment`: mean score weighted by ln(1 + likes + reposts), -1..1; None when no post has any weight.
    `ts_event`: when the feed last spoke of any token, since a window is as fresh as its feed.
    """

    count: int
    sentiment: float | None
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(slots=True)
class Look:
    """One token as its features see it: what the sources told, and the values found so far."""

    snapshot: TokenSnapshot
    posts: PostsSeen | None
    now_us: int
    contract: ContractFacts | None = None
    """None also when it is too old."""
    values: dict[str, float] = field(default_factory=dict)
    missing: dict[str, MissingReason] = field(default_factory=dict)

    @property
    def is_solana(self) -> bool:
        """Whether the token lives on Solana, whose tokens have no code of their own."""
        return self.snapshot.chain == SOLANA

    def lived(self, age_us: int) -> bool:
        """Whether the token is at least that old."""
        return self.now_us - self.snapshot.created_us >= age_us

    def since(self, age_us: int) -> MissingReason:
        """Why a value that needs so much history is not there."""
        return MissingReason.MISSING if self.lived(age_us) else MissingReason.INSUFFICIENT_HISTORY

    def why(self, *ids: str) -> MissingReason:
        """The reason of the first of `ids` that is missing."""
        return next((self.missing[name] for name in ids if name in self.missing), MissingReason.MISSING)


def are_shares(holders: Iterable[Holder]) -> bool:
    """Whether each share is one of 0 to 100 percent: a negative one would hide another."""
    return all(-EPSILON <= holder.share_pct <= 100 + EPSILON for holder in holders)


Compute = Callable[[Look], float | MissingReason]


@dataclass(frozen=True, slots=True)
class TokenFeature(FeatureRecord):
    """The registry record of a feature of tokens; `compute` gives the number or why there is none."""

    clock: Clock
    compute: Compute
    is_standing: bool = False
    """Whether nothing but STANDING_FIELDS and the contract, its times apart, go in."""


_RECORDS: dict[str, TokenFeature] = {}


def token_feature(
    category: Category,
    unit: str,
    max_age_s: int,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    minimum_excluded: bool = False,
    nullable: bool = False,
    clock: Clock = Clock.MARKET,
    asset_class: AssetClass = AssetClass.CRYPTO,
    depends_on: tuple[str, ...] = (),
    version: str = "1.0.0",
    standing: bool = False,
) -> Callable[[Compute], Compute]:
    """Register the decorated function under its own name. `nullable` False: safety cannot pass without it.

    What it depends on is declared before it. `standing`: it reads nothing but what stays for hours.
    """
    dtype = {"count": Dtype.INT, "bool": Dtype.BOOL}.get(unit, Dtype.FLOAT)

    def register(compute: Compute) -> Compute:
        name = getattr(compute, "__name__", "")
        unknown = [needed for needed in depends_on if needed not in _RECORDS]
        if name in _RECORDS or unknown:
            why = f"depends on {unknown[0]}, not declared before it" if unknown else "is declared twice"
            raise InvariantBroken(f"token feature {name} {why}", "declare each once, in order")
        _RECORDS[name] = TokenFeature(
            id=name,
            category=category,
            dtype=dtype,
            unit=unit,
            minimum=minimum,
            maximum=maximum,
            minimum_excluded=minimum_excluded,
            nullable=nullable,
            max_age_s=max_age_s,
            asset_class=asset_class,
            sources=(clock.value,),
            depends_on=depends_on,
            version=version,
            transform=transform_of(dtype, unit, minimum, maximum),
            clock=clock,
            compute=compute,
            is_standing=standing,
        )
        return compute

    return register


def registered_for_tokens() -> Mapping[str, TokenFeature]:
    """All features of the modules imported so far; `token_catalogue.TOKEN_CATALOGUE` has them all."""
    return MappingProxyType(_RECORDS)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What was found of all that stands for hours, while nothing of it is too old."""

    facts: tuple[object, ...]
    contract: ContractFacts | None
    told: tuple[object, ...]
    """The contract without its times."""
    values: Mapping[str, float]
    missing: Mapping[str, MissingReason]


@dataclass(frozen=True, slots=True, eq=False)
class TokenReading:
    """Features of a token at one instant. Each id that was looked for is in `values` or in `missing`."""

    now_us: int
    values: Mapping[str, float]
    missing: Mapping[str, MissingReason]
    stamps: Mapping[Clock, tuple[int, int] | None]
    """Clock -> (ts_event, ts_known); None: that source told nothing."""
    contract: ContractFacts | None
    """None when it was never told or is too old."""
    provenance: Provenance
    """The least trusted of all that went in."""
    standing: Standing | None = None
    """What of it the next look need not find again."""

    def age_us(self, clock: Clock) -> int | None:
        """How old what is measured by a clock was; None: it was never told."""
        stamp = self.stamps[clock]
        return None if stamp is None else self.now_us - stamp[0]

    def features(self) -> tuple[FeatureValue, ...]:
        """The records of all values, in the order of the catalogue."""
        found = []
        for name, record in _RECORDS.items():
            event_us, known_us = self.stamps[record.clock] or (self.now_us, self.now_us)
            source = record.clock.value
            if self.contract is not None and record.clock in (Clock.CONTRACT, Clock.SIMULATION):
                source = self.contract.source
            value = self.values.get(name)
            missing = None if value is not None else self.missing[name]
            found.append(FeatureValue(name, value, missing, event_us, known_us, source, record.version))
        return tuple(found)


_MOST = sys.float_info.max
"""An infinite value lies in no range."""


class Step(NamedTuple):
    """A record in the form that a look goes through."""

    id: str
    compute: Compute
    clock: Clock
    low: float
    high: float
    max_age_us: int


def step_of(record: TokenFeature) -> Step:
    """The range with its tolerance, and the age in microseconds."""
    low = -_MOST if record.minimum is None else record.minimum - EPSILON
    if record.minimum is not None and record.minimum_excluded:
        low = math.nextafter(record.minimum, math.inf)
    high = _MOST if record.maximum is None else record.maximum + EPSILON
    return Step(record.id, record.compute, record.clock, low, high, (record.max_age_s or 0) * 1_000_000)
