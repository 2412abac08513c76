"""What every feature store promises (SPEC 1.7, 1.8, 11.11)."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from engine.model.candidates import MissingReason
from engine.model.features import FeatureLayout, FeatureVector, Refusal
from engine.ports import FeatureStore

MakeVector = Callable[..., FeatureVector]
DAY = 86_400_000_000
HOUR = 3_600_000_000
NOW = 20_000 * DAY + 15 * HOUR
IDS = ("rsi2", "z5", "bid_ask_spread_bps", "volume_fade")
PRICE = FeatureLayout("price", ("price_usd",), ("1.0.0",))


def _value(store: FeatureStore, name: str, as_of_us: int, entity: str = "ORVX.US") -> float | None:
    return store.get(entity, (name,), as_of_us)[name].value


def _why(store: FeatureStore, name: str, as_of_us: int) -> MissingReason | None:
    return store.get("ORVX.US", (name,), as_of_us)[name].missing


def test_a_value_known_one_microsecond_later_is_invisible(
    store: FeatureStore, make_vector: MakeVector
) -> None:
    store.put([make_vector(NOW, rsi2=10.0), make_vector(NOW, NOW + 5, rsi2=20.0)])
    assert _value(store, "rsi2", NOW - 1) is None
    assert _value(store, "rsi2", NOW) == 10.0
    assert _value(store, "rsi2", NOW + 4) == 10.0
    assert _value(store, "rsi2", NOW + 5) == 20.0


def test_a_read_says_where_a_value_comes_from(store: FeatureStore, make_vector: MakeVector) -> None:
    store.put([make_vector(NOW, NOW + 3, source="bars+quote", z5=-2.25)])
    value = store.get("ORVX.US", ("z5",), NOW + 10)["z5"]
    assert (value.value, value.ts_event, value.ts_known) == (-2.25, NOW, NOW + 3)
    assert (value.source, value.version, value.missing) == ("bars+quote", "1.0.0", None)


def test_what_was_true_before_is_history_and_replaces_nothing(
    store: FeatureStore, make_vector: MakeVector
) -> None:
    store.put([make_vector(NOW, rsi2=10.0), make_vector(NOW - DAY, NOW + 5, rsi2=99.0)])
    assert _value(store, "rsi2", NOW + 10) == 10.0
    assert store.put([]).vectors == 0
    # Of the day before it is all that is known now, and was not known then.
    assert _value(store, "rsi2", NOW - 1) is None


def test_what_would_change_the_past_is_refused(store: FeatureStore, make_vector: MakeVector) -> None:
    store.put([make_vector(NOW)])
    told = store.put([make_vector(NOW - HOUR, NOW - 1), make_vector(NOW + 2, NOW + 1)])
    assert (told.vectors, told.refused) == (0, {("stocks", Refusal.CLOCK): 2})
    # Another entity has a clock of its own.
    assert store.put([make_vector(NOW - HOUR, entity="BRVO.US")]).vectors == 1


def test_the_same_instant_is_stored_once(store: FeatureStore, make_vector: MakeVector) -> None:
    assert store.put([make_vector(NOW, rsi2=10.0)]).vectors == 1
    told = store.put([make_vector(NOW, rsi2=11.0)])
    assert (told.vectors, told.refused) == (0, {("stocks", Refusal.DUPLICATE): 1})
    assert _value(store, "rsi2", NOW) == 10.0


def test_a_value_past_its_age_is_stale_and_not_the_last_known(
    store: FeatureStore, make_vector: MakeVector
) -> None:
    store.put([make_vector(NOW)])
    assert _value(store, "bid_ask_spread_bps", NOW + 15_000_000) == 8.0
    assert _why(store, "bid_ask_spread_bps", NOW + 15_000_001) is MissingReason.STALE
    assert _value(store, "rsi2", NOW + 15_000_001) == 12.5


def test_a_feature_of_bars_must_come_from_the_last_one(store: FeatureStore, make_vector: MakeVector) -> None:
    store.put([make_vector(NOW)])
    assert store.get("ORVX.US", ("rsi2",), NOW + DAY, NOW)["rsi2"].value == 12.5
    assert store.get("ORVX.US", ("rsi2",), NOW + DAY, NOW + 1)["rsi2"].missing is MissingReason.STALE


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rsi2", 100.5, Refusal.RANGE),
        ("rsi2", -1.0, Refusal.RANGE),
        ("z5", math.inf, Refusal.NOT_FINITE),
        ("bid_ask_spread_bps", -1e-3, Refusal.RANGE),
        ("volume_fade", 0.5, Refusal.TYPE),
        ("volume_fade", 2.0, Refusal.RANGE),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_refused_and_counted(
    store: FeatureStore, make_vector: MakeVector, name: str, value: float, reason: Refusal
) -> None:
    told = store.put([make_vector(NOW, **{name: value})])
    assert (told.vectors, told.refused) == (1, {(name, reason): 1})
    assert _why(store, name, NOW) is MissingReason.OUT_OF_RANGE
    assert all(_value(store, other, NOW) is not None for other in IDS if other != name)
    store.put([make_vector(NOW + 1, **{name: value})])
    assert store.refused() == {(name, reason): 2}


def test_an_undeclared_feature_is_refused(store: FeatureStore) -> None:
    layout = FeatureLayout("odd", ("rsi2", "rsi3"), ("1.0.0", "1.0.0"))
    told = store.put([FeatureVector("ORVX.US", layout, np.array([1.0, 2.0]), NOW, NOW, "bars")])
    assert told.refused == {("rsi3", Refusal.UNKNOWN): 1}
    assert (_value(store, "rsi2", NOW), _value(store, "rsi3", NOW)) == (1.0, None)


def test_a_missing_value_keeps_its_reason_and_hides_the_one_before(
    store: FeatureStore, make_vector: MakeVector
) -> None:
    why = {"z5": MissingReason.SOURCE_DOWN}
    store.put([make_vector(NOW), make_vector(NOW + 1, z5=math.nan, rsi2=math.nan, missing=why)])
    assert _why(store, "z5", NOW + 1) is MissingReason.SOURCE_DOWN
    assert _why(store, "rsi2", NOW + 1) is MissingReason.MISSING
    assert _value(store, "z5", NOW) == -1.5


def test_nothing_known_is_missing(store: FeatureStore, make_vector: MakeVector) -> None:
    assert _why(store, "z5", NOW) is MissingReason.MISSING
    store.put([make_vector(NOW)])
    assert store.get("NONE.US", ("z5",), NOW)["z5"].missing is MissingReason.MISSING
    assert _why(store, "prev_close", NOW) is MissingReason.MISSING


def test_an_outlier_is_stored_as_suspect_and_not_served(store: FeatureStore, make_vector: MakeVector) -> None:
    _fill(store, make_vector, 100)
    # z5 lies within -1..1: 5 % to 95 % widened four times reaches to about 3.6.
    assert store.put([make_vector(NOW, z5=3.4)]).suspects == 0
    told = store.put([make_vector(NOW + 1, z5=9.0), make_vector(NOW + 2, z5=-9.0)])
    assert (told.vectors, told.suspects, told.refused) == (2, 2, {})
    assert _why(store, "z5", NOW + 2) is MissingReason.OUT_OF_RANGE
    assert _value(store, "rsi2", NOW + 2) == 12.5
    assert _value(store, "z5", NOW) == 3.4


def test_a_hundred_values_are_needed_to_suspect_one(store: FeatureStore, make_vector: MakeVector) -> None:
    _fill(store, make_vector, 98)
    assert store.put([make_vector(NOW, z5=50.0)]).suspects == 0
    store.put([make_vector(NOW + 1, z5=0.5)])
    assert store.put([make_vector(NOW + 2, z5=500.0)]).suspects == 1


def test_a_lasting_change_is_served_after_a_while(store: FeatureStore, make_vector: MakeVector) -> None:
    _fill(store, make_vector, 120)
    told = [store.put([make_vector(NOW + n, z5=30.0 + n % 3)]).suspects for n in range(60)]
    assert told[0] == 1
    assert told[-1] == 0


def test_a_flag_is_never_suspect(store: FeatureStore, make_vector: MakeVector) -> None:
    _fill(store, make_vector, 150)
    assert store.put([make_vector(NOW, volume_fade=1.0)]).suspects == 0
    assert _value(store, "volume_fade", NOW) == 1.0


def test_a_price_that_jumps_waits_for_a_second_source(store: FeatureStore) -> None:
    _prices(store, 120)

    def put(after: int, price: float, source: str) -> int:
        vector = FeatureVector("ORVX.US", PRICE, np.array([price]), NOW + after, NOW + after, source)
        return store.put([vector]).suspects

    assert put(1, 10.2, "dex") == 0
    assert put(2, 16.0, "dex") == 1
    assert put(3, 16.1, "dex") == 1  # the same source says nothing new
    assert put(4, 19.0, "chart") == 1  # another one, and another price
    assert put(5, 18.7, "dex") == 0  # within 2 % of what the other said
    assert _value(store, "price_usd", NOW + 5) == 18.7
    assert put(6, 18.8, "dex") == 0


def _prices(store: FeatureStore, count: int) -> None:
    for number in range(count):
        price = np.array([10.0 + 0.3 * math.sin(number)])
        at = NOW - (count - number) * HOUR
        store.put([FeatureVector("ORVX.US", PRICE, price, at, at, "dex")])


def _fill(store: FeatureStore, make_vector: MakeVector, count: int) -> None:
    vectors = [make_vector(NOW - count + n, z5=math.sin(n * 1.7)) for n in range(count)]
    assert store.put(vectors).suspects == 0


def test_a_panel_holds_what_single_reads_say(store: FeatureStore, make_vector: MakeVector) -> None:
    other = FeatureLayout("quotes", ("bid_ask_spread_bps", "vwap_dev_pct"), ("1.0.0", "1.1.0"))
    names = [f"S{n}.US" for n in range(7)]
    for n, name in enumerate(names[:-1]):
        store.put([make_vector(NOW - n * 5_000_000, NOW, entity=name, rsi2=float(n))])
        values = np.array([1.0 + n, math.nan if n == 2 else 0.5])
        store.put([FeatureVector(name, other, values, NOW - 1 - n, NOW, "quotes")])
    ids = ("vwap_dev_pct", "rsi2", "bid_ask_spread_bps", "prev_close")
    panel = store.panel(names, ids, NOW + 1, NOW - 12_000_000)
    assert panel.shape == (7, 4)
    for row, name in enumerate(names):
        single = store.get(name, ids, NOW + 1, NOW - 12_000_000)
        expected = [math.nan if single[one].value is None else single[one].value for one in ids]
        np.testing.assert_array_equal(panel[row], np.array(expected, dtype=np.float64))


def test_a_whole_vector_holds_what_single_reads_say(store: FeatureStore, make_vector: MakeVector) -> None:
    _fill(store, make_vector, 100)
    layout = make_vector(NOW).layout
    assert store.vector("ORVX.US", layout, NOW - 101) is None
    assert store.vector("NONE.US", layout, NOW) is None
    store.put([make_vector(NOW, z5=50.0, rsi2=7.0)])
    for as_of, bar in ((NOW - 1, None), (NOW, None), (NOW + 20_000_000, None), (NOW, NOW + 1)):
        found = store.vector("ORVX.US", layout, as_of, bar)
        assert found is not None
        single = store.get("ORVX.US", layout.ids, as_of, bar)
        expected = [math.nan if value.value is None else value.value for value in single.values()]
        np.testing.assert_array_equal(found.values, np.array(expected, dtype=np.float64))
        assert (found.ts_event, found.source) == (single["rsi2"].ts_event, single["rsi2"].source)


def test_two_years_leave_thirty_days_whole_and_one_vector_a_day(
    store: FeatureStore, make_vector: MakeVector
) -> None:
    first, a_day, days = NOW // DAY * DAY - 730 * DAY, 6, 731
    for day in range(days):
        at = [first + day * DAY + hour * HOUR for hour in range(9, 9 + a_day)]
        store.put([make_vector(one, rsi2=float(day % 90)) for one in at])
    # Today and the 30 days before it are whole; each of the 700 days before those keeps its last.
    assert store.forget(NOW) == 700 * (a_day - 1)
    assert store.forget(NOW) == 0
    assert _value(store, "rsi2", first + 14 * HOUR) == 0.0
    assert _value(store, "rsi2", first + 13 * HOUR) is None
    assert _value(store, "rsi2", first + DAY + 13 * HOUR) == 0.0
    assert _value(store, "rsi2", NOW - 30 * DAY - 4 * HOUR) == float(700 % 90)
    assert store.forget(NOW + DAY) == a_day - 1


def test_what_was_forgotten_does_not_change_other_entities(
    store: FeatureStore, make_vector: MakeVector
) -> None:
    store.put([make_vector(NOW - 99 * DAY, entity=name) for name in ("A.US", "B.US")])
    store.put([make_vector(NOW - 99 * DAY + HOUR, entity="A.US", rsi2=1.0)])
    assert store.forget(NOW) == 1
    assert _value(store, "rsi2", NOW, "A.US") == 1.0
    assert _value(store, "rsi2", NOW, "B.US") == 12.5
