"""Everything a person can get wrong: one clear line, the right exit code, no traceback, nothing lost."""

import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Busy, InvariantBroken
from storage.lock import StateLock
from tui.commands import asking

Deck = Callable[..., Any]

CASES = {
    "no terminal for the console": ((), 2, "the console needs a terminal"),
    "no terminal, with a replay": (("--replay", "2016-01-04"), 2, "the console needs a terminal"),
    "live prices without keys": (
        ("--no-ui",),
        78,
        "live prices need the keys alpaca.key_id and alpaca.secret, which no place holds",
    ),
    "a picture of live prices": (("--picture", "x.svg"), 2, "a picture is made of a replay or the demo"),
    "a day that is none": (("--replay", "4 Jan", "--no-ui"), 2, "is not a day like 2016-01-04"),
    "a holiday": (
        ("--no-ui", "--replay", "2016-01-01"),
        2,
        "The nearest sessions are 2015-12-31 and 2016-01-04",
    ),
    "a speed that is none": (("--speed", "0"), 2, "is not a number above 0"),
    "a demo of real days": (
        ("--demo", "--no-ui", "--replay", "2016-01-04"),
        2,
        "cannot be combined with --replay",
    ),
    "a demo with data": (("--demo", "--no-ui", "--data", "bars.csv"), 2, "cannot be combined with --data"),
    "a demo with a VIX": (("--demo", "--no-ui", "--vix", "vix.csv"), 2, "cannot be combined with --vix"),
    "a demo with SPY": (("--demo", "--no-ui", "--spy", "spy.csv"), 2, "cannot be combined with --spy"),
    "a seed of nothing": (("--no-ui", "--seed", "7"), 2, "--seed is the seed of --demo"),
    "a seed that is none": (("--demo", "--seed", "lucky"), 2, "Invalid value for '--seed'"),
    "an unknown command": (("approvee", "T-1"), 2, "No such command"),
    "an unknown option": (("--no-gui",), 2, "No such option"),
    "a policy that is none": (
        ("--no-ui", "--replay", "2016-01-04", "--policy", "yolo"),
        78,
        'engine.headless_policy = "yolo" is not one of "hold", "paper-auto", "list"',
    ),
    "a missing data file": (
        ("--no-ui", "--replay", "2016-01-04", "--data", "absent.csv"),
        65,
        "there is no file absent.csv",
    ),
    "no data at all": (("replay", "--from", "2016-01-04"), 65, "there are no daily bars to replay"),
    "a missing config": (("--config", "absent.toml", "config", "check"), 78, "absent.toml does not exist"),
    "a missing state": (("--state", "absent", "orders"), 2, "there is no such folder"),
    "no simulation yet": (("--state", "latest", "orders"), 2, "there is no simulation"),
    "a state where nothing ran": (("orders",), 2, "no engine ever ran there"),
    "an audit of nothing": (("audit", "verify"), 2, "no engine ever ran there"),
    "an approval without a terminal": (("approve", "T-1"), 2, "needs a terminal to show the order in"),
    "a sale without a terminal": (("close", "B-1"), 2, "close needs a terminal to ask in, or --yes"),
    "a cancel without a terminal": (("cancel", "B-1"), 2, "cancel needs a terminal to ask in, or --yes"),
    "a bracket that is none": (("close", "--yes", "B--1"), 2, "is not the id of a bracket"),
    "a sale with no engine": (("close", "--yes", "B-1"), 75, "no engine runs on"),
    "a hash too short": (("approve", "T-1", "--sha", "abc"), 2, "not 8 or more characters"),
    "a hash that is none": (("approve", "T-1", "--sha", "xyzxyzxyz"), 2, "not 8 or more characters"),
    "an approval with no engine": (("approve", "T-1", "--sha", "abcdef12"), 75, "no engine runs on"),
    "a rejection without a reason": (("reject", "T-1"), 2, "Missing option '--reason'"),
    "a rejection with an empty reason": (("reject", "T-1", "--reason", " \t"), 2, "--reason is empty"),
    "a halt with no engine": (("halt",), 75, "To halt what runs there, now or at its next start: touch "),
    "an accepted difference of no symbol": (("resume", "--accept"), 2, "needs the symbol"),
    "a resume with no engine": (("resume",), 75, "no engine runs on"),
    "a smaller size that is not given": (("smaller", "T-1"), 2, "Missing option '--shares'"),
    "a smaller size of nothing": (("smaller", "T-1", "--shares", "0"), 2, "greater than or equal to 1"),
    "a snooze with no engine": (("snooze", "T-1"), 75, "no engine runs on"),
    "a ticket id that is none": (("reject", "T 1!", "--reason", "x"), 2, "is not the id of a ticket"),
    "a strategy that is none": (
        ("replay", "--from", "2016-01-04", "--strategy", "gems"),
        2,
        "only gaps can be replayed",
    ),
    "an option of the other rule": (
        ("backtest", "gaps", "--rule", "full", "--limits"),
        2,
        "--limits says nothing to the full rule",
    ),
    "a report of the naive rule": (
        ("backtest", "gaps", "--rule", "naive", "--report", "here"),
        2,
        "--report says nothing to the naive rule",
    ),
    "a fill that is none": (("backtest", "gaps", "--fill", "best"), 2, "--fill best: not known"),
    "a hold out of range": (("backtest", "gaps", "--hold", "99"), 2, "Invalid value for '--hold'"),
    "days in the wrong order": (
        ("backtest", "gaps", "--from", "2017-01-04", "--to", "2016-01-04"),
        2,
        "--to 2016-01-04 is before --from 2017-01-04",
    ),
    "an import of nothing": (("import", "bars"), 2, "Missing argument"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), CASES.values(), ids=CASES.keys())
def test_one_line_says_what_and_why(deck: Deck, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended = deck(*arguments)
    assert words in ended.err.replace("\n", " ")
    assert (ended.code, ended.out) == (code, "")
    assert "Traceback" not in ended.err
    usage_lines = ended.err.startswith("Usage:")
    assert usage_lines or len(ended.err.splitlines()) == 1


def test_the_daemon_says_it_to_the_person_and_the_whole_story_to_its_log(deck: Deck) -> None:
    ended = deck("--no-ui", "--replay", "2016-01-04")
    assert ended.code == 65
    assert ended.err.startswith("tradedeck: there are no daily bars to replay.")
    (line,) = (json.loads(line) for line in ended.out.splitlines())
    assert (line["level"], line["event"]) == ("error", "a command failed")
    assert "DataError" in line["exception"]


def test_a_wrong_config_file_is_named(deck: Deck, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[gaps]\nsize_ptc = 0.01\n")
    ended = deck("config", "check")
    assert ended.code == 78
    assert ended.err == (
        f"tradedeck: {tmp_path}/config.toml: unknown key gaps.size_ptc. The nearest is gaps.size_pct\n"
    )


def test_a_log_folder_that_cannot_be_written_is_named(deck: Deck, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    (tmp_path / "config.toml").write_text(f'[engine]\nlog_dir = "{taken}"\n')
    ended = deck("--no-ui", "--replay", "2016-01-04")
    assert (ended.code, ended.out) == (78, "")
    assert ended.err.startswith(f"tradedeck: the log cannot be written in {taken}: ")


def test_an_engine_that_cannot_be_asked_is_not_called_absent(deck: Deck, tmp_path: Path) -> None:
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    with StateLock.acquire(state / "lock"):
        ended = deck("--state", str(state), "resume")
        halted = deck("--state", str(state), "halt")
    assert (ended.code, halted.code) == (75, 75)
    assert f"process {os.getpid()} runs on {state} and cannot be asked now. Try again" in ended.err
    assert f"touch {state / 'HALT'}" in halted.err


def test_a_key_of_an_unknown_action_is_named(deck: Deck, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[keys]\n"ticket.aprove" = "y"\n')
    ended = deck("config", "check")
    assert ended.code == 78
    assert "The nearest is keys.ticket.approve" in ended.err


def test_a_file_that_is_no_bars_keeps_the_others(deck: Deck, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("this,is\nno,bars\n")
    (tmp_path / "good.csv").write_text(
        "symbol,date,open,high,low,close,volume\nABC,2016-01-04,10,11,9,10.5,1000\n"
    )
    ended = deck("import", "bars", "bad.csv", "good.csv", "--json")
    assert ended.code in (2, 65)
    bad, good = json.loads(ended.out)
    assert bad["problem"]
    assert (good["problem"], good["taken"], good["rows_kept"]) == (None, 1, 1)
    again = deck("import", "bars", "good.csv")
    assert again.code == 0
    assert "1 unchanged" in again.err


def test_ctrl_c_during_an_import_says_what_was_kept(
    deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "symbol,date,open,high,low,close,volume\n"
    text += "".join(f"{name},2016-01-04,10,11,9,10.5,1000\n" for name in ("AAA", "BBB", "CCC"))
    (tmp_path / "three.csv").write_text(text)

    def press(self: object, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tui.commands.output.Progress.show", press)
        ended = deck("import", "bars", "three.csv")
    assert ended.code == 130
    assert ended.err == (
        "stopped. Every symbol that was done is kept, and the same command goes on from there\n"
    )
    again = deck("import", "bars", "three.csv", "--json")
    (report,) = json.loads(again.out)
    assert (report["taken"], report["unchanged"], report["refused"]) == (1, 2, 0)


def test_ctrl_c_elsewhere_says_that_nothing_changed(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "read_books", press)
    ended = deck("orders")
    assert (ended.code, ended.err) == (130, "stopped. Nothing was changed\n")


def test_ctrl_c_in_the_middle_of_an_order_does_not_say_that_nothing_changed(
    deck: Deck, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(asking, "with_engine", press)
    ended = deck("halt")
    assert (ended.code, ended.err.startswith("stopped. The engine may have carried it out")) == (130, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [(Busy("the folder is in use", "Wait"), 75), (InvariantBroken("two entries for T-18"), 70)],
)
def test_the_traceback_goes_to_the_log_and_not_to_the_person(
    deck: Deck, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, code: int
) -> None:
    def fail(*_: object) -> object:
        raise error

    monkeypatch.setenv("TRADEDECK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(asking, "read_books", fail)
    ended = deck("orders")
    assert (ended.code, ended.err) == (code, f"tradedeck: {error}\n")
    (line,) = (tmp_path / "home/state/log/tradedeck.log").read_text().splitlines()
    assert "in fail" in json.loads(line)["exception"]


def test_a_bug_is_one_line_that_names_the_log(
    deck: Deck, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: object) -> object:
        raise KeyError("x")

    monkeypatch.setenv("TRADEDECK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(asking, "read_books", fail)
    ended = deck("orders")
    log = tmp_path / "home/state/log/tradedeck.log"
    assert ended.code == 70
    assert ended.err == f"tradedeck: internal error: KeyError: 'x'. Its traceback is in {log}\n"
    assert "KeyError" in json.loads(log.read_text())["exception"]


@pytest.fixture(autouse=True)
def _root_logger_is_put_back() -> Any:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("halted", 75), ("price_moved", 75), ("detached", 75), ("expired", 65), ("view_only", 78)],
)
def test_a_refusal_has_the_exit_code_of_its_kind(code: str, expected: int) -> None:
    from engine.model.commands import Answer

    assert asking.exit_code(Answer(False, code, "")) == expected
    assert asking.exit_code(Answer(True, "ok", "")) == 0


def test_a_reader_that_left_ends_the_command_quietly(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("typer.echo", gone)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    assert deck("config", "show").code == 0


def test_a_full_disk_under_stdout_is_one_line(deck: Deck, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    def full(text: str, err: bool = False) -> None:
        if not err:
            raise OSError(28, "No space left on device")
        told.append(text)

    monkeypatch.setattr("typer.echo", full)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    assert deck("config", "show").code == 65
    assert told == [
        "tradedeck: standard output cannot be written: No space left on device."
        " Make room there, or write elsewhere"
    ]
