"""A trained model as the files of a folder, and back (SPEC 8.6): text and JSON only, never a pickle."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from engine.errors import DataError
from engine.learn import manifest as notes
from engine.learn.calibration import read_band, read_calibrator
from engine.learn.crossfit import Scorer
from engine.learn.fitting import FitSettings, Fitted, Half
from engine.learn.importance import Importance
from engine.learn.lightgbm_model import Chance, GapsModel, Returns
from engine.learn.logistic import Logistic, read_logistic
from engine.learn.manifest import DataRange, InputNote, Manifest, SelfTest, Standing
from engine.learn.tree_text import read_trees

TOUCH, BOUNCE = "touch", "bounce"
CALIBRATION = "calibration.json"
TREES, LINEAR = ".txt", ".json"
_TESTS = 16
_AGAIN = "Train the model again, or restore it from a backup"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What the manifest tells beside the model itself. `versions`: of each input."""

    name: str
    first: str
    last: str
    versions: Mapping[str, str]
    settings: FitSettings
    standing: Standing
    walk_forward: Mapping[str, object]
    importance: Mapping[str, tuple[Importance, ...]]
    parent: str | None


@dataclass(frozen=True, slots=True)
class Packed:
    """The files of a model; `manifest` has no time of making yet."""

    manifest: Manifest
    files: Mapping[str, bytes]


def pack(fitted: Fitted, told: Provenance) -> Packed:
    """Everything that a folder holds but the signature."""
    files = {
        _file(TOUCH, fitted.touch): _content(fitted.touch),
        _file(BOUNCE, fitted.bounce): _content(fitted.bounce),
        CALIBRATION: _json(
            {
                TOUCH: fitted.model.touch.calibrator.document(),
                BOUNCE: fitted.model.bounce.calibrator.document(),
                "band": fitted.model.band.document(),
            }
        ),
    }
    model, events = fitted.model, fitted.events
    transforms = "standardized" if fitted.touch.trained.text == "" else "none"
    found = Manifest(
        format=notes.FORMAT,
        name=told.name,
        version="",
        created="",
        data=DataRange(told.first, told.last, len(events), len(fitted.bounce.events)),
        features=tuple(
            InputNote(name, told.versions[name], transforms, float(low), float(high))
            for name, low, high in zip(model.inputs, model.low, model.high, strict=True)
        ),
        params=_params(fitted, told.settings),
        seed=told.settings.seed,
        metrics={
            "cross_validation": {
                TOUCH: asdict(fitted.touch.skill()),
                BOUNCE: asdict(fitted.bounce.skill()),
            },
            "walk_forward": dict(told.walk_forward),
        },
        importance={half: [asdict(one) for one in found] for half, found in told.importance.items()},
        returns=asdict(model.returns),
        standing=told.standing,
        parent=told.parent,
        selftest=_selftest(model, events.x, told.settings.seed),
        files={name: notes.note(content) for name, content in files.items()},
    )
    return Packed(replace(found, version=notes.version_of(found)), files)


def unpack(manifest: Manifest, files: Mapping[str, bytes]) -> GapsModel:
    """The model of files whose bytes were checked against the manifest.

    Raises DataError where they are no model, or give other scores than when it was trained.
    """
    try:
        calibration = json.loads(files[CALIBRATION])
        halves = {half: _scorer(half, manifest, files) for half in (TOUCH, BOUNCE)}
    except KeyError as error:
        raise DataError(f"{manifest.version} has no {error}", _AGAIN) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{manifest.version} cannot be read: {error}", _AGAIN) from error
    if not isinstance(calibration, dict):
        raise DataError(f"{manifest.version} has no calibration", _AGAIN)
    touch, bounce = (Chance(halves[half], read_calibrator(calibration.get(half))) for half in (TOUCH, BOUNCE))
    model = GapsModel(
        model_id=manifest.version,
        inputs=manifest.inputs,
        touch=touch,
        bounce=bounce,
        band=read_band(calibration.get("band")),
        returns=Returns(**manifest.returns),
        low=np.array([note.low for note in manifest.features]),
        high=np.array([note.high for note in manifest.features]),
        is_usable=manifest.standing.is_usable,
    )
    check_scores(manifest, *_scores(model, np.array(manifest.selftest.rows)))
    return model


def check_scores(manifest: Manifest, touch: tuple[float, ...], bounce: tuple[float, ...]) -> None:
    """Raises DataError where the self-test gives other log-odds than in training, by as little as one bit."""
    test = manifest.selftest
    if (touch, bounce) != (test.touch, test.bounce):
        raise DataError(f"{manifest.version} gives other scores than when it was trained", _AGAIN)


def boosted_texts(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The text of each half that LightGBM trained: to be tried in another process first."""
    return {half: files[half + TREES] for half in (TOUCH, BOUNCE) if half + TREES in files}


def _file(half: str, found: Half) -> str:
    return half + (TREES if found.trained.text else LINEAR)


def _content(half: Half) -> bytes:
    scorer = half.trained.scorer
    return _json(scorer.document()) if isinstance(scorer, Logistic) else half.trained.text.encode()


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _params(fitted: Fitted, settings: FitSettings) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for half, fit, params, seed in (
        (TOUCH, fitted.touch, settings.touch, settings.seed),
        (BOUNCE, fitted.bounce, settings.bounce, settings.seed + 1),
    ):
        boosted = params.document(seed) | {"rounds": fit.crossed.rounds}
        found[half] = boosted if fit.trained.text else {"kind": "logistic", "l2": 1.0}
    return found


def _selftest(model: GapsModel, rows: np.ndarray, seed: int) -> SelfTest:
    """Rows of training, drawn by the seed."""
    chosen = np.random.default_rng(seed).choice(len(rows), min(_TESTS, len(rows)), replace=False)
    tested = rows[np.sort(chosen)]
    return SelfTest(tuple(map(tuple, tested.tolist())), *_scores(model, tested))


def _scores(model: GapsModel, rows: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    touch, bounce = (tuple(half.scorer.raw(row) for row in rows) for half in (model.touch, model.bounce))
    return touch, bounce


def _scorer(half: str, manifest: Manifest, files: Mapping[str, bytes]) -> Scorer:
    if half + TREES in files:
        return read_trees(files[half + TREES].decode("ascii"), manifest.inputs)
    return read_logistic(json.loads(files[half + LINEAR]), len(manifest.inputs))
