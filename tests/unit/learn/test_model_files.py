from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.learn.fitting import FitSettings, Fitted, fit_gaps
from engine.learn.manifest import decode, encode, sha256, version_of
from engine.learn.modelfiles import Packed, Provenance, pack, unpack


def test_the_worked_example_of_a_hash(oracle: Callable[[str, str], Any]) -> None:
    found = oracle("8", "sha256")
    assert sha256(found["input"]["bytes"].encode()) == found["expected"]


@pytest.mark.parametrize("kind", ["fitted", "small"])
def test_what_is_packed_is_the_same_model_again(
    request: pytest.FixtureRequest, kind: str, provenance: Provenance
) -> None:
    found: Fitted = request.getfixturevalue(kind)
    packed = pack(found, provenance)
    again = unpack(decode(encode(packed.manifest)), packed.files)
    rows = np.random.default_rng(1).normal(size=(30, 7))
    for row in rows:
        values = dict(zip(again.inputs, row.tolist(), strict=True))
        assert again.forecast(values) == replace(
            found.model.forecast(values), model_id=packed.manifest.version
        )


def test_the_same_events_give_the_same_bytes_and_id(
    make_events: Callable[..., Any], settings: FitSettings, provenance: Provenance, packed: Packed
) -> None:
    fitted = fit_gaps(make_events(1800), settings, "another name")
    assert fitted is not None
    again = pack(fitted, provenance)
    assert again.files == packed.files
    assert encode(again.manifest) == encode(packed.manifest)


def test_the_time_of_making_is_no_part_of_the_id(packed: Packed) -> None:
    later = replace(packed.manifest, created="2030-01-01T00:00:00+00:00")
    assert version_of(later) == packed.manifest.version


def test_a_manifest_tells_what_the_registry_must_hold(packed: Packed) -> None:
    found = packed.manifest
    assert (found.data.first, found.data.last, found.data.rows) == ("2011-01-20", "2016-12-30", 1800)
    assert found.inputs == tuple("abcdefg")
    assert {note.transform for note in found.features} == {"none"}
    assert found.params["touch"]["deterministic"] is True
    assert found.params["touch"]["num_threads"] == 1
    assert found.params["touch"]["rounds"] > 0
    assert found.seed == 7
    assert found.metrics["cross_validation"]["touch"]["auc"] > 0.6
    assert set(found.files) == {"touch.txt", "bounce.txt", "calibration.json"}


def test_a_few_events_are_kept_as_json(small: Fitted, provenance: Provenance) -> None:
    found = pack(small, provenance)
    assert set(found.files) == {"touch.json", "bounce.json", "calibration.json"}
    assert {note.transform for note in found.manifest.features} == {"standardized"}


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, format=2),
        lambda m: replace(m, seed=m.seed + 1),
        lambda m: replace(m, features=()),
        lambda m: replace(m, name="\x1b[2Jgaps"),
        lambda m: replace(m, features=(replace(m.features[0], id="a\nb"), *m.features[1:])),
        lambda m: replace(m, data=replace(m.data, last="x")),
        lambda m: replace(m, data=replace(m.data, last="2010-01-01")),
        lambda m: replace(m, returns={"target": 0.06}),
        lambda m: replace(m, selftest=replace(m.selftest, touch=m.selftest.touch[:-1])),
        lambda m: replace(m, selftest=replace(m.selftest, rows=((1.0,),) * 16)),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(packed: Packed, change: Callable[[Any], Any]) -> None:
    changed = change(packed.manifest)
    fitting = replace(changed, version=version_of(changed))
    with pytest.raises(DataError):
        decode(encode(changed))
    if changed.seed == packed.manifest.seed:
        with pytest.raises(DataError):
            decode(encode(fitting))
    else:
        assert decode(encode(fitting)) == fitting


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 5000, b"\xff", b'{"format":"1"}', b" " * 1_000_001])
def test_bytes_that_are_no_manifest_are_refused(content: bytes) -> None:
    with pytest.raises(DataError):
        decode(content)


def test_scores_that_differ_by_one_bit_are_refused(packed: Packed) -> None:
    test = packed.manifest.selftest
    other = (np.nextafter(test.touch[0], 9.0), *test.touch[1:])
    changed = replace(packed.manifest, selftest=replace(test, touch=tuple(map(float, other))))
    with pytest.raises(DataError, match="other scores"):
        unpack(changed, packed.files)


@pytest.mark.parametrize("name", ["touch.txt", "bounce.txt", "calibration.json"])
def test_a_missing_file_is_refused(packed: Packed, name: str) -> None:
    files = {key: content for key, content in packed.files.items() if key != name}
    with pytest.raises(DataError):
        unpack(packed.manifest, files)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000])
def test_a_calibration_that_is_none_is_refused(packed: Packed, content: bytes) -> None:
    with pytest.raises(DataError):
        unpack(packed.manifest, {**packed.files, "calibration.json": content})
