import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError, StorageError, UsageError
from engine.learn import worker
from engine.learn.fitting import Fitted
from engine.learn.manifest import note, version_of
from engine.learn.modelfiles import Packed, Provenance, pack
from storage.model_registry import Stage, open_registry
from storage.model_trial import Trial, try_models
from storage.models import MANIFEST, SIGNATURE, ModelStore
from storage.signing import Purpose, SigningKey

NOW = 1_600_000_000_000_000
VERSIONS = dict.fromkeys("abcdefg", "1.0.0")
MUTATIONS = 64


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", VERSIONS)


def test_a_stored_model_is_the_trained_one(store: ModelStore, packed: Packed, fitted: Fitted) -> None:
    manifest = store.put(packed, NOW)
    model = store.load(manifest.version)
    rows = np.random.default_rng(2).normal(size=(20, 7))
    assert np.array_equal(model.chances(rows)[0], fitted.model.chances(rows)[0])
    assert np.array_equal(model.chances(rows)[1], fitted.model.chances(rows)[1])
    assert model.model_id == manifest.version
    assert manifest.created == "2020-09-13T12:26:40+00:00"


def test_a_logistic_model_needs_no_other_process(
    store: ModelStore, small: Fitted, provenance: Provenance
) -> None:
    manifest = store.put(pack(small, provenance), NOW)
    assert store.load(manifest.version).inputs == tuple("abcdefg")


def test_putting_a_model_twice_changes_nothing(store: ModelStore, packed: Packed) -> None:
    first = store.put(packed, NOW)
    assert store.put(packed, NOW + 10**9) == first
    assert store.folders() == (first.version,)


def test_nothing_but_the_folders_of_models_is_listed(store: ModelStore, packed: Packed) -> None:
    assert store.folders() == ()
    manifest = store.put(packed, NOW)
    (store.folder / "gaps" / ".draft").mkdir()
    (store.folder / "notes.txt").write_text("mine")
    assert store.folders() == (manifest.version,)


def test_others_can_read_nothing(store: ModelStore, packed: Packed) -> None:
    folder = store.folder / "gaps" / store.put(packed, NOW).version
    assert folder.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


@pytest.mark.parametrize("file", ["touch.txt", "bounce.txt", "calibration.json"])
def test_one_changed_byte_is_refused(store: ModelStore, packed: Packed, file: str) -> None:
    version = store.put(packed, NOW).version
    path = store.folder / "gaps" / version / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="SHA-256"):
        store.load(version)


def test_one_changed_byte_of_the_manifest_is_refused(store: ModelStore, packed: Packed) -> None:
    version = store.put(packed, NOW).version
    path = store.folder / "gaps" / version / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"seed":7', b'"seed":8'))
    with pytest.raises(DataError, match="not the one"):
        store.load(version)


@pytest.mark.parametrize("file", ["touch.txt", MANIFEST])
def test_a_missing_file_is_named(store: ModelStore, packed: Packed, file: str) -> None:
    version = store.put(packed, NOW).version
    (store.folder / "gaps" / version / file).unlink()
    with pytest.raises(DataError, match=file):
        store.load(version)


def test_a_link_in_the_place_of_a_file_is_not_followed(
    store: ModelStore, packed: Packed, tmp_path: Path
) -> None:
    version = store.put(packed, NOW).version
    path = store.folder / "gaps" / version / "touch.txt"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="cannot be read"):
        store.read(version)


@pytest.mark.parametrize("versions", [{}, VERSIONS | {"c": "1.1.0"}])
def test_another_version_of_a_feature_is_refused(
    store: ModelStore, packed: Packed, versions: dict[str, str]
) -> None:
    version = store.put(packed, NOW).version
    with pytest.raises(DataError, match="was trained on"):
        ModelStore(store.folder, versions).load(version)


@pytest.mark.parametrize("name", ["..", "gaps/../../etc", "", "A", "x" * 65, "\x1b[31m"])
def test_a_name_that_leads_elsewhere_is_refused(store: ModelStore, name: str) -> None:
    with pytest.raises(DataError, match="no name"):
        store.read(name)


def test_a_model_that_is_not_there_is_said(store: ModelStore) -> None:
    with pytest.raises(DataError, match="there is no model"):
        store.load("gaps-000000000000")


def signing(store: ModelStore, key: SigningKey) -> ModelStore:
    def fits(content: bytes, signature: str) -> bool:
        return key.public.fits(signature, Purpose.MODEL, content)

    return ModelStore(store.folder, VERSIONS, lambda content: key.sign(Purpose.MODEL, content), fits)


def test_a_signed_model_is_used_and_one_of_another_key_is_not(store: ModelStore, packed: Packed) -> None:
    ours, theirs = SigningKey(bytes(32)), SigningKey(bytes([1] * 32))
    version = signing(store, ours).put(packed, NOW).version
    assert signing(store, ours).read(version).signature.startswith("ed25519:")
    with pytest.raises(DataError, match="signature is not one"):
        signing(store, theirs).read(version)
    (store.folder / "gaps" / version / SIGNATURE).unlink()
    with pytest.raises(DataError, match="not signed"):
        signing(store, ours).read(version)


def mutated(text: bytes, seed: int) -> bytes:
    """One of many ways to damage a text: bits, cut ends, moved and doubled pieces, wild numbers."""
    random = np.random.default_rng(seed)
    content = bytearray(text)
    at = int(random.integers(0, len(content)))
    match seed % 8:
        case 0:
            content[at] ^= 1 << int(random.integers(0, 8))
        case 1:
            del content[at:]
        case 2:
            del content[at : at + int(random.integers(1, 200))]
        case 3:
            content[at:at] = content[: int(random.integers(1, 500))]
        case 4:
            content[at : at + 4] = b"9999"
        case 5:
            number = [b"-7", b"999999999", b"nan", b"1e400"][int(random.integers(0, 4))]
            lines = bytes(content).split(b"\n")
            keys = [b"left_child=", b"right_child=", b"split_feature=", b"num_leaves=", b"decision_type="]
            wanted = keys[int(random.integers(0, len(keys)))]
            found = [k for k, line in enumerate(lines) if line.startswith(wanted)]
            chosen = found[int(random.integers(0, len(found)))]
            words = lines[chosen].split(b"=")[1].split()
            words[int(random.integers(0, len(words)))] = number
            lines[chosen] = wanted + b" ".join(words)
            content = bytearray(b"\n".join(lines))
        case 6:
            for place in random.integers(0, len(content), 20):
                content[place] = int(random.integers(0, 256))
        case _:
            content = content.replace(b"num_leaves=", b"num_leaves=1", 1)
    return bytes(content)


def test_damaged_texts_end_only_the_process_that_reads_them(
    packed: Packed, store: ModelStore, fitted: Fitted
) -> None:
    sound = packed.files["bounce.txt"]
    rows = packed.manifest.selftest.rows
    texts = [mutated(sound, seed) for seed in range(MUTATIONS)]
    verdicts = try_models(
        [*(Trial({"bounce": text}, rows) for text in texts), Trial({"bounce": sound}, rows)]
    )
    assert verdicts[-1].scores == {"bounce": packed.manifest.selftest.bounce}
    problems = [verdict.problem for verdict in verdicts[:-1]]
    assert sum("ended by SIG" in problem for problem in problems) >= 5
    # What was read without harm scores as before or is refused: a self-test tells.
    assert all(problem or verdict.scores for problem, verdict in zip(problems, verdicts, strict=False))


def test_a_model_whose_reader_is_killed_stops_no_other(
    store: ModelStore, packed: Packed, small: Fitted, provenance: Provenance
) -> None:
    whole = store.put(packed, NOW).version
    deadly = next(
        text
        for seed in range(MUTATIONS)
        if "SIG" in try_one(text := mutated(packed.files["bounce.txt"], seed), packed)
    )
    forged = forge(packed, deadly)
    bad = store.put(forged, NOW).version
    good, dead = store.check([whole, bad])
    assert good.model is not None
    assert dead.model is None
    assert "was ended by SIG" in dead.problem
    with pytest.raises(DataError, match="is not used"):
        store.load(bad)


def try_one(text: bytes, packed: Packed) -> str:
    (verdict,) = try_models([Trial({"bounce": text}, packed.manifest.selftest.rows)])
    return verdict.problem


def forge(packed: Packed, text: bytes) -> Packed:
    """A model whose hashes fit, as whoever can write the folder could make it."""
    files = {**packed.files, "bounce.txt": text}
    manifest = replace(packed.manifest, files={name: note(content) for name, content in files.items()})
    return Packed(replace(manifest, version=version_of(manifest)), files)


def test_a_forged_model_that_scores_otherwise_is_refused(store: ModelStore, packed: Packed) -> None:
    lines = packed.files["bounce.txt"].split(b"\n")
    at = next(k for k, line in enumerate(lines) if line.startswith(b"leaf_value="))
    # One digit of every leaf of the first tree: LightGBM reads it, and the lengths it notes still fit.
    lines[at] = re.sub(rb"\.(\d)", lambda found: b".%d" % (9 - int(found[1])), lines[at])
    version = store.put(forge(packed, b"\n".join(lines)), NOW).version
    with pytest.raises(DataError, match="other scores"):
        store.load(version)


def test_a_reader_that_takes_too_long_is_ended(packed: Packed) -> None:
    (verdict,) = try_models([Trial({"bounce": packed.files["bounce.txt"]}, ((0.0,) * 7,))], timeout_s=0.01)
    assert "not read within" in verdict.problem


def test_the_reader_has_little_memory_and_time_and_writes_no_file(tmp_path: Path) -> None:
    script = """
import resource
from engine.learn import worker
worker._limit()
kinds = (resource.RLIMIT_CPU, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE)
print([resource.getrlimit(kind)[0] for kind in kinds])
try:
    bytearray(2 * worker.MEMORY_BYTES)
except MemoryError:
    print("no memory")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[10, 0, 0]", "no memory"]
    source = Path(worker.__file__).read_text()
    assert source.index("    _limit()") < source.index("lightgbm.Booster(")


def test_no_secret_reaches_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    from storage.model_trial import _environment

    monkeypatch.setenv("ALPACA_SECRET", "x")
    assert "ALPACA_SECRET" not in _environment()
    assert _environment()["OMP_NUM_THREADS"] == "1"


def test_what_lightgbm_quotes_of_a_file_moves_no_cursor(packed: Packed) -> None:
    text = packed.files["bounce.txt"].replace(b"objective=binary", b"objective=\x1b[2J\x1b]52;c;AA", 1)
    (verdict,) = try_models([Trial({"bounce": text}, packed.manifest.selftest.rows)])
    assert "52;c;AA" in verdict.problem
    assert verdict.problem.isprintable()


def test_stages_follow_the_table(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        registry.move("gaps-1", Stage.VALIDATE, NOW, "train", "trained")
        registry.move("gaps-1", Stage.SHADOW, NOW + 1, "me", "looks well")
        with pytest.raises(UsageError, match="does not follow"):
            registry.move("gaps-1", Stage.LIVE, NOW + 2, "me", "in a hurry")
        with pytest.raises(UsageError, match="not registered"):
            registry.move("gaps-9", Stage.LIVE, NOW + 2, "me", "in a hurry")
        assert registry.stages()["gaps-1"].stage is Stage.SHADOW
    with open_registry(tmp_path) as again:
        assert again.stages()["gaps-1"].reason == "looks well"


def test_the_highest_stage_is_asked_first_and_of_equals_the_newest(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        assert registry.order("gaps") == ()
        for version in ("gaps-1", "gaps-2", "gaps-extended-3"):
            registry.move(version, Stage.VALIDATE, NOW, "train", "")
        assert registry.order("gaps") == ("gaps-2", "gaps-1")
        registry.move("gaps-1", Stage.SHADOW, NOW, "me", "")
        assert registry.order("gaps") == ("gaps-1", "gaps-2")
        registry.move("gaps-1", Stage.RETIRED, NOW, "me", "")
        assert registry.order("gaps") == ("gaps-2",)
        assert registry.order("gaps-extended") == ("gaps-extended-3",)


def test_the_best_trial_is_that_of_the_least_loss(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        assert registry.best_trial("gaps/touch") is None
        for leaves, loss in ((15, 0.61), (31, 0.60), (63, 0.62)):
            registry.record_trial("gaps/touch", {"num_leaves": leaves}, loss, NOW)
        registry.record_trial("gaps/touch", {"num_leaves": 7}, None, NOW)
        registry.record_trial("gaps/bounce", {"num_leaves": 8}, 0.1, NOW)
        assert registry.best_trial("gaps/touch") == {"num_leaves": 31}


def test_a_configuration_is_one_trial_however_often_it_runs(tmp_path: Path) -> None:
    with open_registry(tmp_path) as registry:
        for value in (0.6, 0.7):
            registry.record_trial("gaps/touch", {"num_leaves": 15, "seed": 1}, value, NOW)
            registry.record_trial("gaps/touch", {"seed": 1, "num_leaves": 15}, value, NOW)
        registry.record_trial("gaps/bounce", {"seed": 1, "num_leaves": 15}, None, NOW)
        assert (registry.trials("gaps/"), registry.trials("gaps/touch"), registry.trials("x")) == (2, 1, 0)


def test_a_disk_without_room_leaves_no_half_of_a_model(
    store: ModelStore, packed: Packed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        store.put(packed, NOW)
    assert store.folders() == ()
    assert list((store.folder / "gaps").iterdir()) == []


def test_a_manifest_is_canonical_json(store: ModelStore, packed: Packed) -> None:
    version = store.put(packed, NOW).version
    content = (store.folder / "gaps" / version / MANIFEST).read_text()
    assert json.loads(content)["version"] == version
    assert list(json.loads(content)) == sorted(json.loads(content))
