"""A state folder as a command reads it while no engine holds it."""

from collections.abc import Mapping
from typing import cast

from engine.errors import DataError, UsageError
from engine.ports import Journal
from storage.audit import AuditVerdict
from storage.journal import JournalReader, TraceLine, read_journal
from storage.paths import JournalFile, StatePaths
from tui import books
from tui.link import Question


def read_books(state: StatePaths, question: Question) -> books.Document:
    """The books of the folder's account. Raises UsageError where no engine ever ran."""
    with _reader(_one_journal(state)) as journal:
        # The books ask for a whole journal and only read it.
        return books.read(cast(Journal, journal), question)


def verify_audit(state: StatePaths) -> Mapping[str, AuditVerdict]:
    """The verdict on every journal of the folder, by file name."""
    verdicts = {}
    for file in _journals(state):
        with _reader(file) as journal:
            verdicts[file.path.name] = journal.verify()
    return verdicts


def trace(state: StatePaths, identifier: str) -> tuple[TraceLine, ...]:
    """Every row that follows from one candidate. Raises UsageError where nothing carries the id."""
    for file in _journals(state):
        with _reader(file) as journal:
            lines = journal.trace(_full_id(journal, identifier))
        if lines:
            return lines
    raise UsageError(
        f"nothing in {state.folder} carries the id {identifier}",
        "Give a ticket (T-18), an order id, or a correlation id from proposals --json",
    )


def _full_id(journal: JournalReader, identifier: str) -> str:
    """The whole id of a ticket named by its number or by the start of its ULID; else what was given."""
    name = identifier.strip()
    number = name.removeprefix("T-").removeprefix("B-")
    start = name.removeprefix("td-").upper() if name.startswith("td-") else None
    for row in journal.rows("ticket"):
        ticket = str(row["id"])
        if (number.isdigit() and str(row["number"]) == number) or (start and ticket.startswith(start)):
            return ticket
    return name


def _reader(file: JournalFile) -> JournalReader:
    return read_journal(file.path)


def _journals(state: StatePaths) -> tuple[JournalFile, ...]:
    found = state.journals()
    if not found:
        raise UsageError(
            f"there is no journal in {state.folder}: no engine ever ran there",
            "Name a state with --state DIR, or --state latest for the newest replay",
        )
    return found


def _one_journal(state: StatePaths) -> JournalFile:
    found = _journals(state)
    if len(found) > 1:
        names = ", ".join(file.path.name for file in found)
        raise DataError(f"{state.folder} holds more than one account: {names}", "Name another state folder")
    return found[0]
