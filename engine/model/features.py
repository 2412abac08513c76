"""Vectors of features as they are stored: what was known of one entity at one instant (SPEC 1.2, 1.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from engine.model.candidates import MissingReason


class Refusal(StrEnum):
    """Why a written value, or a whole vector, was not taken."""

    TYPE = "type"
    """A fraction where the feature is a count, a flag or a category."""
    NOT_FINITE = "not_finite"
    RANGE = "range"
    UNKNOWN = "unknown"
    """No feature of that name is declared."""
    CLOCK = "clock"
    """A vector known before it was true, or before what is already stored of the entity."""
    DUPLICATE = "duplicate"
    """A vector of an instant that is stored already."""


@dataclass(frozen=True, slots=True)
class FeatureLayout:
    """Which features a vector holds, in order, and the version of each. `name` is for people."""

    name: str
    ids: tuple[str, ...]
    versions: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.versions) or len(set(self.ids)) != len(self.ids):
            raise ValueError(f"layout {self.name}: needs one version for each of its ids, and each id once")


@dataclass(frozen=True, slots=True)
class FeatureVector:
    """The features of one entity at one instant; times are int microseconds UTC.

    `values`: (K,) float64 in the order of the layout, NaN missing; `missing`: why, where that is known.
    """

    entity: str
    layout: FeatureLayout
    values: np.ndarray
    ts_event: int
    ts_known: int
    source: str
    missing: Mapping[str, MissingReason] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of some vectors: how many are stored, and how many of their values are not served."""

    vectors: int
    suspects: int
    refused: Mapping[tuple[str, Refusal], int]
    """(feature, or the layout's name for a whole vector; reason) -> how many."""
