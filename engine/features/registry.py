"""What a feature is: one frozen record with the one function that computes it (SPEC 1.2)."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.errors import InvariantBroken
from engine.features.kernels import State
from engine.jit import kernel
from engine.money import EPSILON

Array = npt.NDArray[np.float64]


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
    """How a model scales a feature before training (SPEC 1.3); `transforms` says what each does."""

    LOG1P = "log1p"
    MINMAX = "minmax"
    ZSCORE = "zscore"
    RANK = "rank"
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
    """The registry record of a feature of columns, and its one definition.

    `lookback`: rows needed for the first value, so lookback - 1 rows are NaN. `window`: newest rows that one
    value can depend on; None when it remembers all rows since the first. `inputs` names the columns that it
    takes, each (T,), oldest first; row t sees rows 0..t only. `is_extra`: outside the 127 of SPEC 1.1.

    `kernel(*inputs, memory, scratch, out)` goes through rows, on lists or compiled on arrays, and goes on
    where it stopped: `states` are the starts of its memories, `scratch` counts the columns that it works in,
    each as long as the rows, and `out` takes the values of the last rows, as many as it has places for.
    """

    lookback: int
    window: int | None
    inputs: tuple[str, ...]
    kernel: Callable[..., None]
    states: tuple[State, ...]
    scratch: int
    is_extra: bool

    def compute(self, *columns: Array) -> Array:
        """All rows of columns (T,) each, in the order of `inputs` -> (T,)."""
        out = [0.0] * len(columns[0])
        self._run(columns, out)
        return np.array(out, dtype=np.float64)

    __call__ = compute

    def last(self, *columns: Array) -> float:
        """The value of the last row alone; NaN without rows."""
        if not len(columns[0]):
            return float("nan")
        out = [0.0]
        self._run(columns, out)
        return out[0]

    def start(self) -> "Following":
        """The feature before its first row, to be told one row after the other."""
        return Following(self)

    def _run(self, columns: tuple[Array, ...], out: list[float]) -> None:
        rows = [np.asarray(column, dtype=np.float64).tolist() for column in columns]
        memory = tuple(list(state) for state in self.states)
        self.kernel(*rows, memory, tuple([0.0] * len(rows[0]) for _ in range(self.scratch)), out)


class Following:
    """One feature of one instrument as its rows come; it gives what `compute` gives of all of them."""

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._memory = tuple(list(state) for state in spec.states)
        self._scratch = tuple([0.0] for _ in range(spec.scratch))

    def update(self, *row: float) -> float:
        """Take one row, its values in the order of `inputs`; NaN where there is no number yet."""
        out = [0.0]
        self.spec.kernel(*([value] for value in row), self._memory, self._scratch, out)
        return out[0]


_RECORDS: dict[str, FeatureSpec] = {}
_NO_INPUTS = ("memory", "scratch", "out")


def feature(
    *,
    version: str,
    category: Category,
    unit: str,
    lookback: int,
    states: tuple[State, ...] = (),
    scratch: int = 0,
    window: int | None = None,
    is_recursive: bool = False,
    is_extra: bool = False,
    dtype: Dtype = Dtype.FLOAT,
    minimum: float | None = None,
    maximum: float | None = None,
    minimum_excluded: bool = False,
    nullable: bool = False,
    max_age_s: int | None = None,
    asset_class: AssetClass = AssetClass.BOTH,
    sources: tuple[str, ...] = (),
    depends_on: tuple[str, ...] = (),
    transform: Transform | None = None,
) -> Callable[[Callable[..., None]], FeatureSpec]:
    """Register the decorated kernel under its own name; its first parameters name its columns.

    `window` None: as many rows as `lookback`. `is_recursive`: every row since the first counts (Wilder).
    `nullable` False: a strategy that requires the feature cannot decide without it. `transform` None: what
    its type and range ask for.
    """

    def register(function: Callable[..., None]) -> FeatureSpec:
        name = getattr(function, "__name__", "")
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
            transform=transform or transform_of(dtype, unit, minimum, maximum),
            lookback=lookback,
            window=None if is_recursive else window or lookback,
            inputs=tuple(key for key in inspect.signature(function).parameters if key not in _NO_INPUTS),
            kernel=kernel(function),
            states=states,
            scratch=scratch,
            is_extra=is_extra,
        )
        return _RECORDS[name]

    return register


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
