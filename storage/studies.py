"""Where searches of hyper-parameters keep their trials: a SQLite file of ours, or a database by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import StorageError
from storage.database import make_private_file, reason_of
from storage.paths import make_private

FILE = "tuning.db"


@contextmanager
def studies_in(folder: Path, url: str | None) -> Iterator[str]:
    """The URL of the trials: `url`, else that of a file in `folder`, readable by its owner only.

    Raises StorageError for whatever the database does not do inside the block.
    """
    from sqlalchemy.exc import SQLAlchemyError  # 0.3 s, and only a search needs it

    path = make_private(folder) / FILE
    if url is None:
        make_private_file(path, "trials")
        url = f"sqlite:///{path}"
    try:
        yield url
    except SQLAlchemyError as error:
        # Its text may quote the URL, which may hold a password: only the driver's own words are shown.
        cause = getattr(error, "orig", None)
        why = reason_of(cause) if isinstance(cause, Exception) else type(error).__name__
        raise StorageError(
            f"the trials cannot be kept: {why}",
            "Check the database that --storage names, or leave it out",
        ) from error
