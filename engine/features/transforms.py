"""How models scale a feature (SPEC 1.3): named in its record, fitted on training rows, then frozen.

log1p: ln(1 + value), then as zscore; for money and counts. minmax: the declared range to 0..1, nothing is
fitted. zscore: winsorised at the 1st and 99th percentile of training, then minus its mean over its deviation.
rank: place among the values of one session, 0..1, ties in their middle; nothing is fitted. none: as it is.
A missing value stays missing.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

import numpy as np

from engine.errors import DataError
from engine.features.registry import Array, FeatureRecord, Transform

LOWEST, HIGHEST = 0.01, 0.99
"""Percentiles of the training rows that a value is brought back to."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One feature's transform with what training found. `low`, `high`: its bounds before scaling."""

    feature: str
    version: str
    transform: Transform
    low: float
    high: float
    mean: float
    deviation: float

    def apply(self, values: Array, groups: np.ndarray | None = None) -> Array:
        """Scale values (N,) -> (N,). `groups` (N,): the session of each, for a rank."""
        values = np.asarray(values, dtype=np.float64)
        match self.transform:
            case Transform.NONE:
                return values.copy()
            case Transform.MINMAX:
                return (np.clip(values, self.low, self.high) - self.low) / (self.high - self.low)
            case Transform.RANK:
                if groups is None:
                    raise ValueError(f"the rank of {self.feature} needs the session of each value")
                return ranks(values, groups)
            case Transform.LOG1P:
                values = np.log1p(np.maximum(values, 0.0))
        return (np.clip(values, self.low, self.high) - self.mean) / self.deviation

    def to_plain(self) -> dict[str, str | float]:
        """As it stands in a model's manifest."""
        return asdict(self) | {"transform": self.transform.value}


def fit(record: FeatureRecord, training: Array) -> Fitted:
    """What the rows of training (N,) say of a feature. Raises DataError without any value to fit."""
    transform = record.transform
    if transform in (Transform.NONE, Transform.RANK):
        return Fitted(record.id, record.version, transform, 0.0, 0.0, 0.0, 1.0)
    if transform is Transform.MINMAX:
        if record.minimum is None or record.maximum is None:
            raise DataError(f"{record.id} has no fixed range for minmax", "declare its minimum and maximum")
        return Fitted(record.id, record.version, transform, record.minimum, record.maximum, 0.0, 1.0)
    known = np.asarray(training, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        raise DataError(
            f"no training row has a value of {record.id}", "leave the feature out, or train on more"
        )
    if transform is Transform.LOG1P:
        known = np.log1p(np.maximum(known, 0.0))
    low, high = (float(bound) for bound in np.quantile(known, (LOWEST, HIGHEST)))
    kept = np.clip(known, low, high)
    deviation = float(kept.std(ddof=1)) if len(kept) > 1 else 0.0
    # One that never moved in training says nothing: it scales to 0, not to a division by 0.
    return Fitted(record.id, record.version, transform, low, high, float(kept.mean()), deviation or 1.0)


def fit_all(records: Mapping[str, FeatureRecord], training: Mapping[str, Array]) -> tuple[Fitted, ...]:
    """One for each column of training, in their order. Raises DataError for an undeclared feature."""
    unknown = [name for name in training if name not in records]
    if unknown:
        raise DataError(f"no feature {unknown[0]} is declared", "tradedeck features lists all")
    return tuple(fit(records[name], column) for name, column in training.items())


def from_plain(plain: Mapping[str, object]) -> Fitted:
    """Read what `to_plain` wrote. Raises DataError for anything else."""
    names = [field.name for field in fields(Fitted)]
    if sorted(plain) != sorted(names):
        raise DataError("a transform in a manifest has other fields than this program knows", "train it anew")
    try:
        numbers = [float(str(plain[name])) for name in names[3:]]
        return Fitted(
            str(plain["feature"]), str(plain["version"]), Transform(str(plain["transform"])), *numbers
        )
    except ValueError as error:
        raise DataError(f"a transform in a manifest cannot be read: {error}", "train it anew") from error


def ranks(values: Array, groups: np.ndarray) -> Array:
    """Place of each value (N,) among its group's, 0..1; ties share their middle, one alone has 0.5."""
    out = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.lexsort((values[known], groups[known]))]
    if not len(order):
        return out
    group, value = groups[order], values[order]
    starts = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    sizes = np.diff(np.append(starts, len(order)))
    begin, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    place = np.arange(len(order)) - begin
    ties = np.flatnonzero(np.append(True, (value[1:] != value[:-1]) | (group[1:] != group[:-1])))
    lengths = np.diff(np.append(ties, len(order)))
    middle = np.repeat(place[ties] + 0.5 * (lengths - 1), lengths)
    out[order] = np.where(size > 1, middle / np.maximum(size - 1, 1), 0.5)
    return out
