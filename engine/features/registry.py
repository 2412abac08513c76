"""What a feature is: one frozen record beside the pure array function that computes it (SPEC 1.2)."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.money import EPSILON

Array = npt.NDArray[np.float64]
Compute = TypeVar("Compute", bound=Callable[..., Array])


class Category(StrEnum):
    """The nine categories of SPEC 1.1."""

    MARKET = "market"
    LIQUIDITY = "liquidity"
    ORDER_FLOW = "order_flow"
    DERIVATIVES = "derivatives"
    SENTIMENT = "sentiment"
    ON_CHAIN = "on_chain"
    TECHNICAL = "technical"
    QUALITY = "quality"
    SCORING = "scoring"


class Dtype(StrEnum):
    """What the float64 of a feature stands for."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    CATEGORY = "category"


class AssetClass(StrEnum):
    """What a feature exists for: equities, crypto, or both."""

    EQUITY = "E"
    CRYPTO = "C"
    BOTH = "B"


class Transform(StrEnum):
    """How a model scales a feature before training (SPEC 1.3)."""

    LOG1P = "log1p"
    MINMAX = "minmax"
    ZSCORE = "zscore"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class FeatureRecord:
    """What the catalogue says of a feature.

    `max_age_s` None: the value must come from the last completed bar of its series.
    """

    id: str
    category: Category
    dtype: Dtype
    unit: str
    minimum: float | None
    maximum: float | None
    minimum_excluded: bool
    nullable: bool
    max_age_s: int | None
    asset_class: AssetClass
    sources: tuple[str, ...]
    depends_on: tuple[str, ...]
    version: str
    transform: Transform

    def holds(self, value: float) -> bool:
        """Whether a value lies in the declared range, with the tolerance of SPEC 0.5; False for NaN."""
        low, high = self.minimum, self.maximum
        if low is not None and (value <= low if self.minimum_excluded else value < low - EPSILON):
            return False
        return not (high is not None and value > high + EPSILON) and value == value


@dataclass(frozen=True, slots=True)
class FeatureSpec(FeatureRecord):
    """The registry record of a feature of bars.

    `lookback`: rows needed for the first value, so lookback - 1 rows are NaN. `window`: newest rows that one
    value can depend on; None when it remembers all rows since the first. `inputs` names the columns that
    `compute` takes, each (T,), oldest first; it returns (T,), and row t sees rows 0..t only.
    """

    lookback: int
    window: int | None
    inputs: tuple[str, ...]
    compute: Callable[..., Array]


_RECORDS: dict[str, FeatureSpec] = {}


def feature(
    *,
    version: str,
    category: Category,
    unit: str,
    lookback: int,
    window: int | None = None,
    is_recursive: bool = False,
    dtype: Dtype = Dtype.FLOAT,
    minimum: float | None = None,
    maximum: float | None = None,
    minimum_excluded: bool = False,
    nullable: bool = False,
    max_age_s: int | None = None,
    asset_class: AssetClass = AssetClass.BOTH,
    sources: tuple[str, ...] = (),
    depends_on: tuple[str, ...] = (),
) -> Callable[[Compute], Compute]:
    """Register the decorated function under its own name; its positional parameters name its columns.

    `window` None: as many rows as `lookback`. `is_recursive`: every row since the first counts (Wilder).
    `nullable` False: a strategy that requires the feature cannot decide without it.
    """

    def register(compute: Compute) -> Compute:
        name = getattr(compute, "__name__", "")
        if name in _RECORDS:
            raise InvariantBroken(f"feature {name} is declared twice", "give one of them another name")
        _RECORDS[name] = FeatureSpec(
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
            sources=sources,
            depends_on=depends_on,
            version=version,
            transform=transform_of(dtype, unit, minimum, maximum),
            lookback=lookback,
            window=None if is_recursive else window or lookback,
            inputs=_columns(compute),
            compute=compute,
        )
        return compute

    return register


def _columns(compute: Callable[..., Array]) -> tuple[str, ...]:
    parameters = inspect.signature(compute).parameters.values()
    return tuple(p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY)


def transform_of(dtype: Dtype, unit: str, minimum: float | None, maximum: float | None) -> Transform:
    """How models scale such a feature (SPEC 1.3)."""
    if dtype in (Dtype.BOOL, Dtype.CATEGORY):
        return Transform.NONE
    if dtype is Dtype.INT or unit == "USD":
        return Transform.LOG1P
    return Transform.ZSCORE if minimum is None or maximum is None else Transform.MINMAX


def registered() -> Mapping[str, FeatureSpec]:
    """All features of the modules imported so far; `catalogue.CATALOGUE` has them all."""
    return MappingProxyType(_RECORDS)
