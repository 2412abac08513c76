"""Every implementation of the feature store, and builders of what is stored in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE
from engine.features.token_catalogue import TOKEN_CATALOGUE
from engine.features.validation import SUSPECT, TRAIL, Guard, Trail, reason_of
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.features import FeatureLayout, FeatureVector, Refusal, Written
from engine.ports import FeatureStore
from storage.features import open_features

RECORDS = {**TOKEN_CATALOGUE, **CATALOGUE}
DAY = 86_400_000_000
LAYOUT = FeatureLayout("stocks", ("rsi2", "z5", "bid_ask_spread_bps", "volume_fade"), ("1.0.0",) * 4)
MakeVector = Callable[..., FeatureVector]
Row = tuple[FeatureVector, list[float], list[int]]


class MemoryFeatureStore:
    """A store in memory: it keeps a list and looks through all of it."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._refused: dict[tuple[str, Refusal], int] = {}
        self._guard = Guard(RECORDS, self._recall)

    def put(self, vectors: Sequence[FeatureVector]) -> Written:
        stored, suspects = 0, 0
        refused: dict[tuple[str, Refusal], int] = {}
        for vector in vectors:
            checked = self._guard.check(vector)
            told = dict(checked.refused)
            is_there = any(self._key(row[0]) == self._key(vector) for row in self._rows)
            if checked.is_taken and is_there:
                told[vector.layout.name, Refusal.DUPLICATE] = 1
            elif checked.is_taken:
                self._rows.append((vector, checked.values.tolist(), checked.marks.tolist()))
                stored += 1
                suspects += checked.marks.tolist().count(SUSPECT)
            for key, count in told.items():
                refused[key] = refused.get(key, 0) + count
        for key, count in refused.items():
            self._refused[key] = self._refused.get(key, 0) + count
        return Written(stored, suspects, refused)

    def get(
        self, entity: str, ids: Sequence[str], as_of_us: int, bar_us: int | None = None
    ) -> Mapping[str, FeatureValue]:
        return {name: self._newest(entity, name, as_of_us, bar_us) for name in ids}

    def vector(
        self, entity: str, layout: FeatureLayout, as_of_us: int, bar_us: int | None = None
    ) -> FeatureVector | None:
        known = [row[0] for row in self._rows if (row[0].entity, row[0].layout) == (entity, layout)]
        known = [vector for vector in known if vector.ts_known <= as_of_us]
        if not known:
            return None
        newest = max(known, key=lambda vector: (vector.ts_event, vector.ts_known))
        alone = MemoryFeatureStore()
        alone._rows = [row for row in self._rows if row[0] is newest]
        values = alone.panel((entity,), layout.ids, as_of_us, bar_us)[0]
        return FeatureVector(entity, layout, values, newest.ts_event, newest.ts_known, newest.source)

    def panel(
        self, entities: Sequence[str], ids: Sequence[str], as_of_us: int, bar_us: int | None = None
    ) -> np.ndarray:
        rows = [
            [np.nan if value.value is None else value.value for value in found.values()]
            for found in (self.get(entity, ids, as_of_us, bar_us) for entity in entities)
        ]
        return np.array(rows, dtype=np.float64).reshape(len(entities), len(ids))

    def refused(self) -> Mapping[tuple[str, Refusal], int]:
        return dict(self._refused)

    def forget(self, now_us: int) -> int:
        before = (now_us // DAY - 30) * DAY
        last: dict[object, tuple[int, int]] = {}
        for vector, _, _ in self._rows:
            if vector.ts_known < before:
                day = (vector.entity, vector.layout, vector.ts_event // DAY)
                last[day] = max(last.get(day, (-1, -1)), (vector.ts_event, vector.ts_known))
        kept = [
            row
            for row in self._rows
            if row[0].ts_known >= before
            or last[row[0].entity, row[0].layout, row[0].ts_event // DAY]
            == (row[0].ts_event, row[0].ts_known)
        ]
        gone = len(self._rows) - len(kept)
        self._rows = kept
        return gone

    def _newest(self, entity: str, name: str, as_of_us: int, bar_us: int | None) -> FeatureValue:
        known = [
            row
            for row in self._rows
            if row[0].entity == entity and name in row[0].layout.ids and row[0].ts_known <= as_of_us
        ]
        if not known:
            return FeatureValue(name, None, MissingReason.MISSING, 0, 0, "", "")
        vector, values, marks = max(known, key=lambda row: (row[0].ts_event, row[0].ts_known))
        place = vector.layout.ids.index(name)
        record, oldest = RECORDS.get(name), -1 if bar_us is None else bar_us
        if record is not None and record.max_age_s is not None:
            oldest = as_of_us - record.max_age_s * 1_000_000
        missing = reason_of(marks[place], values[place])
        if missing is None and vector.ts_event < oldest:
            missing = MissingReason.STALE
        value = None if missing else values[place]
        stamp = (vector.ts_event, vector.ts_known, vector.source, vector.layout.versions[place])
        return FeatureValue(name, value, missing, *stamp)

    def _recall(self, entity: str, layout: FeatureLayout) -> Trail:
        found = [row for row in self._rows if row[0].entity == entity and row[0].layout == layout]
        newest = max((row[0].ts_known for row in found), default=-1)
        last = sorted(found, key=lambda row: (row[0].ts_event, row[0].ts_known))[-TRAIL:]
        shape = (len(last), len(layout.ids))
        return Trail(
            np.array([row[1] for row in last], dtype=np.float64).reshape(shape),
            np.array([row[2] for row in last], dtype=np.uint8).reshape(shape),
            np.array([row[0].ts_event for row in last], dtype=np.int64),
            newest,
        )

    @staticmethod
    def _key(vector: FeatureVector) -> tuple[object, ...]:
        return (vector.entity, vector.layout, vector.ts_event, vector.ts_known)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FeatureStore]:
    if request.param == "memory":
        yield MemoryFeatureStore()
    else:
        with open_features(tmp_path / "features.db", RECORDS) as opened:
            yield opened


@pytest.fixture(scope="session")
def make_vector() -> MakeVector:
    """A vector of LAYOUT with good values; any of them can be given."""

    def make(
        ts_event: int,
        ts_known: int | None = None,
        entity: str = "ORVX.US",
        source: str = "bars",
        missing: Mapping[str, MissingReason] | None = None,
        layout: FeatureLayout = LAYOUT,
        **values: float,
    ) -> FeatureVector:
        usual = {"rsi2": 12.5, "z5": -1.5, "bid_ask_spread_bps": 8.0, "volume_fade": 0.0} | values
        row = np.array([usual[name] for name in layout.ids])
        known = ts_event if ts_known is None else ts_known
        return FeatureVector(entity, layout, row, ts_event, known, source, missing or {})

    return make
