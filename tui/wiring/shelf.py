"""The registry of models as the parts of the program see it: what is listed, checked, and asked."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date

from engine.errors import DataError, StorageError
from engine.features.catalogue import CATALOGUE
from engine.learn.lightgbm_model import GapsModel
from storage.model_registry import FILE, Stage, StageLine, open_registry
from storage.models import Checked, ModelStore
from storage.paths import Home
from storage.signing import PublicKey, Purpose, SigningKey, make_or_read_signing_key, read_signing_key

NAME, CHALLENGER = "gaps", "gaps-extended"
Narrate = Callable[[str], None]


def list_models(home: Home) -> list[dict[str, object]]:
    """Every version as it stands on the disk, unread by LightGBM; damaged ones with their problem."""
    store = reading_store(home)
    stages = _stages(home)
    found = []
    for version in store.folders():
        found.append(describe(_unloaded(store, version), stages.get(version)))
    return sorted(found, key=lambda one: (str(one.get("created", "")), str(one["version"])))


def verify_models(home: Home, versions: tuple[str, ...]) -> list[dict[str, object]]:
    """Check hashes, signatures and features, and let another process read and try each model."""
    store = reading_store(home)
    stages = _stages(home)
    checked = store.check(versions or store.folders())
    return [describe(one, stages.get(one.version)) for one in checked]


@dataclass(frozen=True, slots=True)
class RegistryShelf:
    """`engine.ports.ModelShelf` over what is registered: the models with the last day each was trained on.

    In the order in which they are asked. A model never serves a session that it was trained on: a replay of
    past days is not decided by what came after them.
    """

    models: tuple[tuple[date, GapsModel], ...] = ()

    def as_of(self, session: date) -> GapsModel | None:
        """The first whose training ended before the session."""
        return next((model for last, model in self.models if last < session), None)


def registry_shelf(home: Home, narrate: Narrate, name: str = NAME) -> RegistryShelf:
    """Every registered model that passes all checks, the highest stage first and of equals the newest.

    One that does not pass is told, and the next good one serves (RELIABILITY 9). Takes a process and a second
    or two where there are models: not to be called on the engine's loop.
    """
    if not (home.models / FILE).is_file():
        return RegistryShelf()
    with open_registry(home.models) as registry:
        order = registry.order(name)
    found = []
    for checked in reading_store(home).check(order):
        if checked.model is None or checked.stored is None:
            narrate(f"the model {checked.version} is not used: {checked.problem}")
        else:
            found.append((date.fromisoformat(checked.stored.manifest.data.last), checked.model))
    return RegistryShelf(tuple(found))


def serving_model(home: Home, narrate: Narrate, name: str = NAME) -> GapsModel | None:
    """The model that is asked today; None without one."""
    shelf = registry_shelf(home, narrate, name)
    return shelf.as_of(date.max)


def describe(checked: Checked, stage: StageLine | None) -> dict[str, object]:
    """One version as a document."""
    found: dict[str, object] = {
        "version": checked.version,
        "stage": None if stage is None else stage.stage.value,
        "problem": checked.problem or None,
    }
    if checked.stored is None:
        return found
    told = checked.stored.manifest
    return found | {
        "name": told.name,
        "created": told.created,
        "signed": bool(checked.stored.signature),
        "usable": told.standing.is_usable,
        "failings": list(told.standing.failings),
        "data": asdict(told.data),
        "features": [asdict(note) for note in told.features],
        "params": told.params,
        "seed": told.seed,
        "returns": told.returns,
        "parent": told.parent,
        "metrics": told.metrics,
        "importance": told.importance,
        "files": {name: asdict(note) for name, note in told.files.items()},
    }


def reading_store(home: Home) -> ModelStore:
    """The models of this person; signatures are looked at where the installation has a key."""
    key = read_signing_key(home.signing_key)
    return _store(home, None, None if key is None else key.public)


def writing_store(home: Home) -> ModelStore:
    """The same, signing what is put there."""
    key = make_or_read_signing_key(home.signing_key)
    return _store(home, key, key.public)


def _store(home: Home, key: SigningKey | None, public: PublicKey | None) -> ModelStore:
    versions = {name: spec.version for name, spec in CATALOGUE.items()}

    def sign(content: bytes) -> str:
        assert key is not None  # noqa: S101 - only handed over with one
        return key.sign(Purpose.MODEL, content)

    def fits(content: bytes, signature: str) -> bool:
        return public is not None and public.fits(signature, Purpose.MODEL, content)

    return ModelStore(home.models, versions, None if key is None else sign, None if public is None else fits)


def move_model(home: Home, version: str, stage: Stage, now_us: int, actor: str, reason: str) -> None:
    """Bring a version that is there to its next stage. Raises DataError and UsageError."""
    reading_store(home).read(version)
    with open_registry(home.models) as registry:
        registry.move(version, stage, now_us, actor, reason)


def _stages(home: Home) -> dict[str, StageLine]:
    if not (home.models / FILE).is_file():
        return {}
    with open_registry(home.models) as registry:
        return registry.stages()


def _unloaded(store: ModelStore, version: str) -> Checked:
    try:
        return Checked(version, store.read(version), None, "")
    except (DataError, StorageError) as error:
        return Checked(version, None, None, error.message)
