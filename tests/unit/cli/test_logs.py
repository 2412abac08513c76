"""Log lines: JSON, correlated, in private files, without a secret in any of them."""

import io
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tui import logs, redaction

CANARY = "s3cr3t/CANARY+0123456789"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged since, as the reader of stdout gets it."""
    stream = io.StringIO()
    root_level = logging.getLogger().level
    logs.start(None, [CANARY], stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.stop()
    logging.getLogger().setLevel(root_level)


def test_a_line_is_one_json_object_with_time_and_level(lines: Lines) -> None:
    logs.logger("tui.x").info("fill_recorded", price=Decimal("8.37"), quantity=Decimal(39), n=3, none=None)
    (line,) = lines()
    assert line["time"].endswith("Z")
    assert list(line)[:3] == ["time", "level", "event"]
    assert (line["level"], line["event"], line["price"], line["n"], line["none"]) == (
        "info",
        "fill_recorded",
        "8.37",
        3,
        None,
    )


def test_the_correlation_id_is_on_every_line_of_its_block(lines: Lines) -> None:
    with logs.correlated("01JD"):
        logs.logger("a").info("ours")
        logging.getLogger("b").warning("theirs %s", "too")
    logs.logger("a").info("after")
    ours, theirs, after = lines()
    assert (ours["correlation"], theirs["correlation"], theirs["event"]) == ("01JD", "01JD", "theirs too")
    assert "correlation" not in after


def test_a_correlation_id_given_as_extra_is_kept(lines: Lines) -> None:
    logging.getLogger("engine.core").warning("order unknown", extra={"correlation": "01JD"})
    assert lines()[0]["correlation"] == "01JD"


@pytest.mark.parametrize("own", [True, False])
def test_a_traceback_is_a_field_and_shows_no_locals(lines: Lines, own: bool) -> None:
    def fail() -> None:
        balance_of_somebody = "local value"
        raise ValueError(f"bad {len(balance_of_somebody)}")

    try:
        fail()
    except ValueError:
        (logs.logger("x") if own else logging.getLogger("x")).exception("broke")
    (line,) = lines()
    assert "in fail" in line["exception"]
    assert "ValueError: bad 11" in line["exception"]
    assert "local value" not in line["exception"]


@pytest.mark.parametrize("own", [True, False])
def test_a_known_secret_is_hidden_wherever_it_stands(lines: Lines, own: bool) -> None:
    log: Any = logs.logger("x") if own else logging.getLogger("x")
    log.info("key is %s", CANARY)
    if own:
        log.info(CANARY, deep={"list": [f"<{CANARY}>", (CANARY,)], CANARY: 1})
    try:
        raise ValueError(CANARY)
    except ValueError:
        log.exception("broke")
    text = json.dumps(lines())
    assert CANARY not in text
    assert "***" in text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefgh12345678",
        "authorization=Basic dXNlcjpwYXNz",
        "GET /x?api_key=abcdefgh12345678&y=1",
        "url https://me:abcdefgh12345678@host/x",
        '{"secret": "abcdefgh12345678"}',
        "PKABCDEFGH12345678XY",
        "bot 123456789:abcdefgh12345678abcdefgh12345678abc",
        "eyJhbGciOiJIUzI1.abcdefgh12345678.abcdefgh12345678",
        "postgresql+psycopg://me:abcdefgh12345678@db/x",
    ],
)
def test_a_secret_is_known_by_its_shape(text: str) -> None:
    hidden = redaction.Redactor().text(text)
    assert "***" in hidden
    assert "12345678" not in hidden
    assert "dXNlcjpwYXNz" not in hidden


@pytest.mark.parametrize(
    "name", ["api_key", "APCA-API-SECRET-KEY", "token", "password", "Authorization", "cookie"]
)
def test_a_secret_is_known_by_its_name(lines: Lines, name: str) -> None:
    logs.logger("x").info("headers", **{name: "abc"}, nested={name: "abc"})
    (line,) = lines()
    assert line[name] == "***"
    assert line["nested"][name] == "***"


@pytest.mark.parametrize(
    "text",
    [
        "T-18 ORVX waits for you",
        "01JD4Q9M7AZZZZZZZZZZZZZZZZ",
        "ab" * 32,
        "token BONKINU1234 flagged",
        "td01JD4Q9M7AZZZZZZZZZZZZZZZZE01 sent to 127.0.0.1:8080",
    ],
)
def test_plain_words_are_left_alone(text: str) -> None:
    assert redaction.Redactor().text(text) == text


def test_http_libraries_are_heard_from_warnings_on(lines: Lines) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://host/?token=abcdefgh12345678")
    logging.getLogger("httpx").warning("slow")
    assert [line["event"] for line in lines()] == ["slow"]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Log files in a folder of their own, closed at the end."""
    root_level = logging.getLogger().level
    logs.start(tmp_path / "log", [CANARY])
    yield tmp_path / "log"
    logs.stop()
    logging.getLogger().setLevel(root_level)


def test_files_are_private_turn_over_and_are_ten_at_most(folder: Path) -> None:
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, logs.PrivateFiles))
    assert (handler.maxBytes, handler.backupCount) == (10_000_000, 9)
    handler.maxBytes = 2_000
    log = logs.logger("x")
    for count in range(200):
        log.info("line", count=count, filling="." * 100)
    files = sorted(folder.iterdir())
    assert len(files) == 10
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    newest = (folder / logs.FILE).read_text().splitlines()
    assert json.loads(newest[-1])["count"] == 199


def test_a_file_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / logs.FILE).write_text("")
    (tmp_path / logs.FILE).chmod(0o644)
    handler = logs.PrivateFiles(tmp_path)
    handler.close()
    assert stat.S_IMODE((tmp_path / logs.FILE).stat().st_mode) == 0o600


def test_a_reader_that_left_is_told_of_once_and_without_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        logs.start(None, (), stream)
        logs.logger("a").warning("nobody hears this")
        logs.logger("a").warning("nor this")
        logs.stop()
    assert capfd.readouterr().err == "tradedeck: log lines are lost: Broken pipe. The engine runs on\n"


def test_starting_again_replaces_the_first(lines: Lines) -> None:
    second = io.StringIO()
    logs.start(None, [], second)
    logs.logger("x").info("once")
    assert lines() == []
    assert len(second.getvalue().splitlines()) == 1
