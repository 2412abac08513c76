"""A state folder as a command reads it while no engine holds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from engine.errors import DataError, StorageError, UsageError
from engine.jobs import stored_status
from engine.model.ids import AccountId
from engine.model.tickets import to_plain
from engine.ports import Journal
from storage.jobs import read_jobs
from storage.journal import JournalReader, TraceLine, read_journal
from storage.lock import lock_holder
from storage.paths import JournalFile, StatePaths
from tui import books
from tui.link import Question


def read_books(state: StatePaths, question: Question) -> books.Document:
    """The books of the folder's account. Raises UsageError where no engine ever ran."""
    with _reader(_one_journal(state)) as journal:
        # The books ask for a whole journal and only read it.
        document = books.read(cast(Journal, journal), question)
    if question is Question.STATUS and isinstance(document, dict):
        document |= _jobs(state, str(document["account"]))
    holder = lock_holder(state.lock)
    if question is Question.STATUS and holder is not None and isinstance(document, dict):
        why = f"process {holder} runs on this state and cannot be asked now: this is what it wrote down"
        halted = [document["reason"]] if document["state"] == "HALTED" else []
        state_word = "HALTED" if halted else "UNREACHED"
        document |= {"running": True, "state": state_word, "reason": "; ".join((*map(str, halted), why))}
    return document


def _jobs(state: StatePaths, account: str) -> dict[str, object]:
    """What was written down of them; the state of the books must be readable without that."""
    try:
        return {"jobs": to_plain(stored_status(read_jobs(state.memory, AccountId(account))))}
    except StorageError as error:
        return {"jobs": [], "jobs_error": str(error)}


@contextmanager
def one_journal(state: StatePaths) -> Iterator[Journal]:
    """The journal of the folder's account, for reading only. Raises UsageError where no engine ever ran."""
    with opened_journal(_one_journal(state)) as journal:
        yield journal


@contextmanager
def opened_journal(file: JournalFile) -> Iterator[Journal]:
    """A journal for reading only: what reads it asks for a whole one and writes nothing."""
    with _reader(file) as journal:
        yield cast(Journal, journal)


def trace(state: StatePaths, identifier: str) -> tuple[TraceLine, ...]:
    """Every row that follows from one candidate. Raises UsageError where nothing carries the id."""
    for file in state.require_journals():
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


def _one_journal(state: StatePaths) -> JournalFile:
    found = state.require_journals()
    if len(found) > 1:
        names = ", ".join(file.path.name for file in found)
        raise DataError(f"{state.folder} holds more than one account: {names}", "Name another state folder")
    return found[0]
