"""A past decision told from a state folder alone: nothing differs, and every tampering is found."""

import asyncio
import html.parser
import json
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from engine.execution.matching import GapFill
from engine.execution.policies import PolicyName
from engine.model.commands import Actor, NoteReport
from engine.model.ids import CorrelationId
from engine.report.page import POLICY
from engine.risk.limits import DATASET
from engine.sources.sessions import ExchangeSessions
from storage.journal import read_journal
from storage.paths import Home, StatePaths, find_home, folder_state
from storage.signing import make_or_read_signing_key
from tui import cli, logs
from tui.settings import load_settings
from tui.wiring.market import BarInputs, MarketData
from tui.wiring.replay import ReplayOptions, join
from tui.wiring.runtime import RunOptions, Runtime

SESSIONS = 12


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, sessions: ExchangeSessions, generated_market: Any
) -> Path:
    """A home whose engine traded for some sessions: journal, memory and key."""
    root = tmp_path_factory.mktemp("reports")
    home = find_home({"TRADEDECK_HOME": str(root)})
    home.make()
    first = generated_market.days[30]
    replay = ReplayOptions(first, generated_market.days[30 + SESSIONS], BarInputs(), None, GapFill.GAP, False)
    settings = load_settings(None, root, root, {}, {})
    options = RunOptions(
        settings, home, folder_state(home, root / "run"), PolicyName.PAPER_AUTO, DATASET, remember=True
    )
    market = MarketData(generated_market.bars, generated_market.vix, generated_market.spy, ())

    async def trade() -> None:
        runtime = join(options, replay, market, sessions)
        await runtime.start()
        try:
            await runtime.run_until_done()
        finally:
            await runtime.stop()

    asyncio.run(trade())
    return root


@pytest.fixture
def home(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of that home, to be spoiled."""
    shutil.copytree(template, tmp_path / "deck")
    monkeypatch.setenv("TRADEDECK_HOME", str(tmp_path / "deck"))
    return find_home({"TRADEDECK_HOME": str(tmp_path / "deck")})


@pytest.fixture
def state(home: Home) -> StatePaths:
    return folder_state(home, home.state.parent / "run")


@pytest.fixture
def report(
    state: StatePaths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Ended]:
    """Run `tradedeck report ARGUMENTS` on the copy."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tradedeck", "report", *arguments, "--state", str(state.folder)])
        capsys.readouterr()
        try:
            cli.main()
        except SystemExit as done:
            found = capsys.readouterr()
            return Ended(int(done.code or 0), found.out, found.err)
        finally:
            logs.stop()
        raise AssertionError("main always exits")

    return run


def rows(state: StatePaths, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(state.journals()[0].path)) as connection:
        return connection.execute(sql, values).fetchall()


def change(state: StatePaths, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(state.journals()[0].path, isolation_level=None)) as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
        assert connection.execute(sql, values).rowcount


def closed_ticket(state: StatePaths) -> tuple[str, int, str]:
    """Id, number and correlation of the first trade that is over."""
    return rows(state, "SELECT ticket, number, correlation FROM round_trip ORDER BY exit_us, number")[0]


def document(ended: Ended) -> dict[str, Any]:
    return json.loads(ended.out)["report"]


def outcomes(ended: Ended) -> dict[str, str]:
    return {one["name"]: one["outcome"] for one in document(ended)["checks"]}


def test_every_decision_of_a_run_is_worked_out_again(report: Any, state: StatePaths) -> None:
    found = rows(state, "SELECT correlation FROM whynot ORDER BY judged_us")
    trips = rows(state, "SELECT number FROM round_trip")
    assert trips
    for (correlation,) in found[:: max(len(found) // 12, 1)]:
        ended = report(correlation, "--json")
        assert ended.code == 0, ended.err
        assert document(ended)["verdict"]["differs"] == 0
    for (number,) in trips[:4]:
        checks = document(report(f"B-{number}", "--json"))["checks"]
        left = {one["words"] for one in checks if one["outcome"] != "same"}
        assert left <= {"a corporate action restated the orders afterwards"}


def test_a_decision_is_found_by_each_of_its_names(report: Any, state: StatePaths) -> None:
    ticket, number, correlation = closed_ticket(state)
    order = rows(state, "SELECT cid FROM ord WHERE role = 'E' AND bracket = ?", ticket)[0][0]
    first = report(f"T-{number}", "--json")
    assert document(first)["correlation"] == correlation
    for name in (str(number), f"B-{number}", ticket, f"td-{ticket}", order, correlation):
        found = report(name, "--json")
        assert found.out == first.out, found.err
    ended = report(f"td-{ticket[:6]}")
    assert ended.code == 2
    assert "Name one: T-" in ended.err
    ended = report("T-999999")
    assert ended.code == 2
    assert "carries the name T-999999" in ended.err


def test_a_report_tells_the_whole_story(report: Any, state: StatePaths) -> None:
    _, number, _ = closed_ticket(state)
    found = document(report(f"T-{number}", "--json"))
    assert found["decision"]["outcome"] == "approved"
    assert found["decision"]["policy"].startswith("gaps-naive-1-")
    assert {"z5", "rsi2", "gap_dn"} <= {feature["id"] for feature in found["features"]}
    for feature in found["features"]:
        assert feature["version"]
        assert feature["source"]
        assert feature["ts_event"]
        assert feature["ts_known"] <= found["decision"]["decided"]
    assert [vote["agent"] for vote in found["votes"]][:2] == ["sentinel", "screener"]
    assert len(found["gates"]) == 11
    assert found["tickets"][0]["approval"]["by"].startswith("policy")
    assert found["exit"]["reason"] in ("target", "stop", "time")
    assert float(found["costs"]["fees"]) >= 0
    assert found["audit"][0]["kind"] == "candidate"
    for part in ("daily_bars", "rsi2", "screener", "G11", "ticket", "entry", "fill"):
        assert part in found["lineage"]


def test_a_vetoed_candidate_has_a_report_too(report: Any, state: StatePaths) -> None:
    (correlation,) = rows(state, "SELECT correlation FROM whynot WHERE outcome = 'vetoed'")[0]
    found = document(report(correlation, "--json"))
    assert found["decision"]["outcome"] == "vetoed"
    assert found["decision"]["reason"]
    assert (found["orders"], found["exit"], found["gates"]) == ([], None, [])


def test_the_same_decision_gives_the_same_report_and_one_line_of_the_log(
    report: Any, state: StatePaths
) -> None:
    _, number, correlation = closed_ticket(state)
    first, second = report(f"T-{number}"), report(f"T-{number}")
    assert (first.code, first.err) == (0, "")
    assert first.out == second.out
    noted = rows(state, "SELECT ts_us, correlation, body FROM audit WHERE kind = 'report'")
    assert [row[1] for row in noted] == [correlation]
    assert noted[0][0] == max(row[0] for row in rows(state, "SELECT ts_us FROM audit"))
    with read_journal(state.journals()[0].path) as journal:
        assert journal.verify().ok


def test_a_report_of_a_simulation_does_not_move_its_clock(report: Any, state: StatePaths) -> None:
    before = rows(state, "SELECT max(ts_us) FROM audit")
    assert report("T-1").code == 0
    assert rows(state, "SELECT max(ts_us) FROM audit") == before


@pytest.mark.parametrize("form", ["json", "md", "html"])
def test_a_signed_report_is_verified_and_every_change_of_it_is_found(
    form: str, report: Any, state: StatePaths, tmp_path: Path
) -> None:
    file = tmp_path / f"report.{form}"
    if form == "html":
        assert report("T-1", "--html", str(file)).code == 0
    else:
        file.write_bytes(report("T-1", f"--{form}").out.encode())
    ended = report("verify", str(file))
    assert (ended.code, ended.err) == (0, "")
    assert "unchanged" in ended.out
    assert "audit log: row" in ended.out
    content = file.read_bytes()
    for at in range(0, len(content), len(content) // 37):
        file.write_bytes(content[:at] + bytes([content[at] ^ 2]) + content[at + 1 :])
        ended = report("verify", str(file), "--json")
        assert ended.code == 65
        assert not json.loads(ended.out)["ok"]


def test_a_report_of_another_installation_needs_its_public_key(
    report: Any, home: Home, tmp_path: Path
) -> None:
    file, public = tmp_path / "report.md", tmp_path / "other.pub"
    file.write_bytes(report("T-1").out.encode())
    public.write_text(report("key").out)
    home.signing_key.rename(tmp_path / "old")
    ended = report("verify", str(file))
    assert ended.code == 65
    assert "there is no key to check with" in ended.err
    make_or_read_signing_key(home.signing_key)
    ended = report("verify", str(file))
    assert ended.code == 65
    assert "which is not at hand" in ended.err
    assert report("verify", str(file), "--key", str(public)).code == 0


TAMPERED = {
    "ticket text": (
        "UPDATE ticket SET body = replace(body, '\"max_sessions\":5', '\"max_sessions\":6') WHERE number = 1",
        "T-1 sha256",
    ),
    "ticket hash": ("UPDATE ticket SET sha256 = replace(sha256, 'a', 'b') WHERE number = 1", "T-1 sha256"),
    "approval": ("UPDATE ticket SET approved_by = 'ann on pts/1' WHERE number = 1", "approval signature"),
    "order": ("UPDATE ord SET px = '999' WHERE role = 'E'", "order sent"),
    "fill": ("UPDATE fill SET px = '1.23' WHERE side = 'sell'", "round trip"),
    "profit": ("UPDATE round_trip SET pnl = '1000'", "round trip"),
    "audit row": ("UPDATE audit SET actor = 'bob' WHERE seq = 2", "audit log"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_changed_afterwards_is_named(what: str, report: Any, state: StatePaths) -> None:
    sql, name = TAMPERED[what]
    _, number, _ = closed_ticket(state)
    change(state, sql.replace("number = 1", f"number = {number}"))
    ended = report(f"T-{number}", "--json")
    assert ended.code == 65
    assert outcomes(ended)[name.replace("T-1", f"T-{number}")] == "differs"
    assert "differ" in ended.err


JUDGED = {
    "gap": ("$.candidate.gap", -0.5, "gap"),
    "feature": ("$.candidate.features[1].value", 7.25, "T-1 and candidate"),
    "future": ("$.candidate.features[0].ts_known", 4_000_000_000_000_000, "no look-ahead"),
}


@pytest.mark.parametrize("what", JUDGED)
def test_a_judgment_that_was_changed_afterwards_is_named(what: str, report: Any, state: StatePaths) -> None:
    place, value, name = JUDGED[what]
    _, number, correlation = closed_ticket(state)
    change(
        state,
        "UPDATE audit SET body = json_set(body, ?, ?) WHERE kind = 'candidate' AND correlation = ?",
        place,
        value,
        correlation,
    )
    found = outcomes(report(f"T-{number}", "--json"))
    assert found["audit log"] == "differs"
    assert found[name.replace("T-1", f"T-{number}")] == "differs"


def test_a_memory_that_tells_another_story_is_named(report: Any, state: StatePaths) -> None:
    _, number, correlation = closed_ticket(state)
    with closing(sqlite3.connect(state.memory, isolation_level=None)) as connection:
        sql = "UPDATE signals SET features = json_set(features, '$[0].value', 7.5) WHERE signal_id = ?"
        assert connection.execute(sql, (correlation,)).rowcount
    assert outcomes(report(f"T-{number}", "--json"))["memory"] == "differs"


def test_without_its_inputs_a_number_is_not_checked_and_says_why(report: Any, state: StatePaths) -> None:
    _, number, _ = closed_ticket(state)
    state.memory.unlink()
    state.approval_key.unlink()
    change(state, "DELETE FROM audit WHERE kind = 'rules'")
    ended = report(f"T-{number}", "--json")
    found = {one["name"]: one for one in document(ended)["checks"]}
    for name in ("memory", "approval signature", "policy", "stop, limit, target", "size"):
        assert found[name]["outcome"] == "not_checked"
        assert found[name]["words"]


class Tags(html.parser.HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)


ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p"),
    *("table", "tr", "th", "td", "pre"),
}
ATTRIBUTES = {"charset", "http-equiv", "content", "name", "lang", "class"}
NASTY = (
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "</pre><iframe src=//evil>",
    '" onmouseover="alert(1)',
    "PEPE[/]",
    "[@click=app.halt()]x",
    "[x](javascript:alert(1))",
    "![x](http://evil/x.png)",
    "http://evil/x www.evil.com a@evil.com",
    "a | b | c",
    "`code` **bold** _em_ ~~s~~ # h",
    "--> fence\n```\n# head",
    'x"]-->y["z',
    "end\nflowchart LR\nclick a href",
    "\x1b]52;c;aGk=\x07",
    "ab\u202ecd",
    "=SUM(A1)",
    "z" * 10_000,
)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda text: repr(text[:14]))
def test_hostile_text_stays_text_in_every_form(
    nasty: str, report: Any, state: StatePaths, tmp_path: Path
) -> None:
    _, number, correlation = closed_ticket(state)
    for place in (
        "$.candidate.features[0].source",
        "$.reports[0].reasons[0]",
        "$.reports[1].agent",
        "$.reports[1].value",
    ):
        sql = "UPDATE audit SET body = json_set(body, ?, ?) WHERE kind = 'candidate' AND correlation = ?"
        change(state, sql, place, nasty, correlation)
    change(state, "UPDATE ticket SET approved_by = ?, reason = ? WHERE number = ?", nasty, nasty, number)
    change(state, "UPDATE ord SET reason = ?, venue_id = ? WHERE role = 'E'", nasty, nasty)
    change(state, "UPDATE whynot SET who = ?, reason = ?, value = ?", nasty, nasty, nasty)
    page = tmp_path / "page.html"
    both = report(f"T-{number}", "--html", str(page), "--md")
    page_text, markdown = page.read_text(), both.out
    tags = Tags()
    tags.feed(page_text)
    assert tags.tags == ALLOWED
    assert {name for name, _ in tags.attributes} <= ATTRIBUTES
    assert POLICY in page_text.replace("&#x27;", "'")
    links = [
        token.type
        for block in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown)
        for token in (block, *(block.children or ()))
        if token.type in ("link_open", "image", "html_inline", "html_block", "em_open", "code_inline")
    ]
    assert links == ["html_block"]  # the signature alone
    assert not {char for char in page_text + markdown if ord(char) < 32 and char != "\n"}
    assert "\u202e" not in page_text + markdown
    graph = document(report(f"T-{number}", "--json"))["lineage"]
    for line in graph.split("\n")[1:]:
        assert line.count('"') in (0, 2, 4), line
        assert line.startswith("  ")


def test_a_page_goes_to_the_file_or_the_folder_that_was_named(
    report: Any, state: StatePaths, tmp_path: Path
) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    ended = report("T-1", "--html", str(folder))
    assert ended.out == ""
    (file,) = folder.iterdir()
    assert f"written to {file}" in ended.err
    assert file.name.startswith("decision-t-1-")
    link = tmp_path / "link.html"
    link.symlink_to(tmp_path / "elsewhere")
    ended = report("T-1", "--html", str(link))
    assert ended.code == 2
    assert "is a link" in ended.err
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("T-1", "extra"), "takes one ID"),
        (("T-1", "--md", "--json"), "two documents"),
        (("verify",), "needs a FILE"),
        (("verify", "missing.md"), "there is no file"),
    ],
)
def test_a_wrong_command_line_is_refused(arguments: tuple[str, ...], words: str, report: Any) -> None:
    report("key")
    ended = report(*arguments)
    assert ended.code == 2
    assert words in ended.err


async def test_a_running_engine_keeps_the_hash_itself(waiting: Runtime) -> None:
    engine = waiting.engine
    ticket = engine.tickets.waiting()[0].ticket
    command = NoteReport(ticket.correlation, "ab" * 32, "md", Actor("ann", "pts/1"))
    assert engine.give(command).ok
    assert engine.give(command).text == "This report is in the audit log already."
    lines = [line for line in engine.parts.journal.audit(ticket.correlation) if line["kind"] == "report"]
    assert [line["actor"] for line in lines] == ["ann on pts/1"]
    for wrong in (
        NoteReport(CorrelationId("nothing"), "ab" * 32, "md", Actor("ann", "")),
        NoteReport(CorrelationId(""), "ab" * 32, "md", Actor("ann", "")),
        NoteReport(ticket.correlation, "short", "md", Actor("ann", "")),
        NoteReport(ticket.correlation, "ab" * 32, "exe", Actor("ann", "")),
    ):
        assert not engine.give(wrong).ok


def test_a_state_that_another_process_holds_gets_its_report_and_is_told(
    report: Any, state: StatePaths, holder: Any
) -> None:
    holder(state.lock)
    ended = report("T-1")
    assert ended.code == 75
    assert ended.out.startswith("# Decision T-1 ")
    assert "not in the audit log" in ended.err


@pytest.fixture
def holder() -> Iterator[Callable[[Path], None]]:
    """Holds a lock file as another process would."""
    from storage.lock import StateLock

    held: list[StateLock] = []
    yield lambda path: held.append(StateLock.acquire(path))
    for lock in held:
        lock.release()
