"""A past decision told from a state folder alone, signed, and its hash written down."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine.errors import DataError, StorageError, UsageError
from engine.model.commands import Actor, Answer, NoteReport
from engine.model.forecasts import Forecast
from engine.model.ids import CorrelationId
from engine.model.tickets import to_plain
from engine.ports import Journal
from engine.report.digests import Proof, digests
from engine.report.document import document
from engine.report.facts import Facts, find_correlation, read_facts
from engine.report.markdown import markdown
from engine.report.note import note
from engine.report.page import page
from engine.report.pure import recalculated
from storage.journal import JournalReader, open_journal, read_journal
from storage.keyfile import ApprovalKey, read_key
from storage.lock import StateLock
from storage.paths import Home, JournalFile, StatePaths
from storage.sealed import Form, body_of, seal
from storage.signatures import approval_of
from storage.signing import SigningKey

if TYPE_CHECKING:
    from storage.memory import SqlMemory


@dataclass(frozen=True, slots=True)
class Written:
    """A report in one form. `sha256`: of the bytes that its signature covers."""

    correlation: CorrelationId
    title: str
    form: str
    content: bytes
    sha256: str
    differs: int
    """How many comparisons did not hold."""


@dataclass(frozen=True, slots=True)
class Told:
    """A decision as a document, and the journal that it comes from."""

    file: JournalFile
    correlation: CorrelationId
    document: dict[str, Any]


def tell(state: StatePaths, name: str, memory: "SqlMemory | None") -> Told:
    """Everything that is stored of a decision. Raises UsageError where nothing carries the name."""
    key = read_key(state.approval_key)
    for file in state.require_journals():
        with read_journal(file.path) as journal:
            # The report asks for a whole journal and only reads it.
            tables = cast(Journal, journal)
            correlation = find_correlation(tables, name)
            if correlation is None:
                continue
            facts = read_facts(tables, correlation)
            problem, forecast = _forecast(state.home, facts)
            signature, remembered = _signature(journal, facts, key), _memory(memory, facts)
            proof = Proof(_chain(journal), signature, remembered, problem, forecast)
            return Told(file, correlation, document(facts, (*digests(facts, proof), *recalculated(facts))))
    raise UsageError(
        f"nothing in {state.folder} carries the name {name}",
        "Give a ticket (T-18), its bracket or round trip (B-18), an order id, or a correlation id",
    )


def write(told: Told, form: str, key: SigningKey) -> Written:
    """The report as `json`, `md` or `html`, signed."""
    if form == "json":
        text = f"{json.dumps({'report': told.document}, indent=1, ensure_ascii=True, allow_nan=False)}\n"
    else:
        text = (markdown if form == "md" else page)(told.document)
    layout = Form.JSON if form == "json" else Form.COMMENT
    return Written(
        correlation=told.correlation,
        title=told.document["title"],
        form=form,
        content=seal(text, layout, key),
        sha256=hashlib.sha256(body_of(text, layout)).hexdigest(),
        differs=told.document["verdict"]["differs"],
    )


def note_directly(
    state: StatePaths, file: JournalFile, written: Written, actor: Actor, now_us: int
) -> Answer:
    """Write the hash into the journal that no engine holds. Raises Busy when one does, StorageError.

    The clock of a simulation goes on where its journal ends, so its lines never lie after that.
    """
    command = NoteReport(written.correlation, written.sha256, written.form, actor)
    with StateLock.acquire(state.lock), open_journal(file.path, file.account, file.kind) as journal:
        latest = journal.latest_us() or 0
        at = latest if file.kind.value == "simulation" else max(latest, now_us)
        return note(journal, command, at)


def noted(state: StatePaths, sha256: str) -> str:
    """Where the audit log keeps the hash of a report, in words; "" where it does not."""
    for file in state.journals():
        with read_journal(file.path) as journal:
            for line in journal.audit():
                if line["kind"] == "report" and json.loads(str(line["body"])).get("sha256") == sha256:
                    return f"row {line['seq']} of {file.path.name}, by {line['actor']}"
    return ""


def _chain(journal: JournalReader) -> str:
    verdict = journal.verify()
    if verdict.ok:
        return ""
    return f"row {verdict.first_broken_seq} does not fit, {verdict.rows:,} before it are whole"


def _signature(journal: JournalReader, facts: Facts, key: ApprovalKey | None) -> str | None:
    fact = facts.ticket
    if fact is None or fact.approved_us is None:
        return None
    row = journal.rows("ticket", id=fact.ticket.id)[0]
    signature = str(row["approval_sig"] or "")
    if not signature:
        return "it was not signed"
    if key is None or not key.made(signature):
        return None
    fits = key.fits(signature, approval_of(row, fact.nonce).canonical())
    return "" if fits else "the approval was changed: its signature does not fit"


def _memory(memory: "SqlMemory | None", facts: Facts) -> str | None:
    if memory is None or facts.candidate is None:
        return None
    try:
        signals = memory.signals(facts.correlation)
    except StorageError as error:
        return f"it cannot be read: {error.message}"
    if not signals:
        return None
    stored, different = signals[0], []
    if to_plain(stored.features) != to_plain(facts.candidate.features):
        different.append("features")
    votes = [(vote.agent, vote.vote, vote.hard, vote.reasons) for vote in stored.votes]
    if votes != [(vote.agent, vote.vote, vote.hard, vote.reasons) for vote in facts.reports]:
        different.append("votes")
    return f"other {' and '.join(different)}" if different else ""


def _forecast(home: Home, facts: Facts) -> tuple[str | None, Forecast | None]:
    """What is wrong with the registered model, and what it says now; None: it is not here any more."""
    found = None if facts.candidate is None else facts.candidate.assessment
    if facts.candidate is None or found is None or found.forecast is None:
        return None, None
    from tui.wiring.shelf import reading_store  # models and what reads them: 1 s

    store, version = reading_store(home), found.forecast.model_id
    if version not in store.folders():
        return None, None
    try:
        model = store.load(version)
    except DataError as error:
        return error.message, None
    values = {feature.id: feature.value for feature in facts.candidate.features}
    asked = {name: value for name in model.inputs if (value := values.get(name)) is not None}
    return "", model.forecast(asked) if len(asked) == len(model.inputs) else None


def read_file(path: Path, most: int) -> bytes:
    """A file that a person named. Raises UsageError and StorageError."""
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {path}", "Comparison the path") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}", "Comparison the path") from error
    if len(content) > most:
        raise UsageError(f"{path} is larger than {most:,} bytes", "A report is smaller")
    return content
