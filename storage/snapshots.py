"""Documents of emergency shutdowns, one file each in the folder `snapshots` of a state."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from engine.errors import StorageError
from storage.paths import make_private

PRIVATE_FILE = 0o600


class SnapshotFolder:
    """`engine.ports.Snapshots`. A file is there whole or not at all, and only its owner can read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, document: Mapping[str, object]) -> str:
        """Write `name`, in the place of an older one of that name; its path. Raises StorageError."""
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        path = self._folder / name
        draft = path.with_name(f".{name}.new")
        try:
            make_private(self._folder)
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError as error:
            raise StorageError(
                f"{path} cannot be written: {error.strerror or error}",
                "Look at the state folder's permissions and the room on its disk",
            ) from error
        return str(path)
