"""One filter before everything that is written, whoever writes it and however it ends."""

import io
import logging
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from engine.model.secrets import Secret
from tui import redaction

CANARY = 'c4nary+/"%\\=0123456789'
ROOT = Path(__file__).parents[3]


@pytest.fixture
def foreign() -> Iterator[io.StringIO]:
    """What a handler writes that some library put there."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def test_what_was_learned_is_taken_out_in_every_writing() -> None:
    redactor = redaction.Redactor()
    redactor.learn(CANARY)
    for written in (
        CANARY,
        quote(CANARY),
        quote(CANARY, safe=""),
        CANARY.replace("\\", "\\\\").replace('"', '\\"'),
    ):
        assert redactor.text(f"GET /v2?x={written}&y=1") == "GET /v2?x=***&y=1"


def test_a_longer_secret_is_taken_out_whole() -> None:
    redactor = redaction.Redactor(["canary-one", "canary-one-and-more"])
    assert redactor.text("a canary-one-and-more b canary-one") == "a *** b ***"


def test_nothing_learned_changes_nothing() -> None:
    redactor = redaction.Redactor()
    redactor.learn("")
    assert redactor.text("bought 14 at 8.37") == "bought 14 at 8.37"


def test_a_handler_of_a_library_is_filtered_with_its_tracebacks(foreign: io.StringIO) -> None:
    redaction.hide(Secret(CANARY))
    log = logging.getLogger("some.library")
    log.error("refused: %s", CANARY)
    try:
        raise ValueError(f"bad key {CANARY}")
    except ValueError:
        log.exception("while asking")
    text = foreign.getvalue()
    assert CANARY not in text
    assert "ERROR some.library: refused: ***" in text
    assert "ValueError: bad key ***" in text


def test_a_handler_is_filtered_once(foreign: io.StringIO) -> None:
    for _ in range(3):
        redaction.hide(Secret(CANARY))
    (formatter,) = {
        handler.formatter
        for handler in logging.getLogger().handlers
        if getattr(handler, "stream", None) is foreign
    }
    assert isinstance(formatter, redaction.HidingFormatter)
    assert not isinstance(formatter._inner, redaction.HidingFormatter)


SCRIPT = """
import gc, logging, sys, threading
from engine.model.secrets import Secret
from tui import redaction
text = sys.stdin.read()
redaction.hide(Secret(text))
redaction.guard_crashes()
logging.getLogger("early").warning("no handler yet: %s", text)
worker = threading.Thread(target=lambda: 1 / 0 if not text else int(text))
worker.start()
worker.join()
class Leaves:
    def __del__(self):
        raise OSError("left " + text)
leaves = Leaves()
del leaves
gc.collect()
raise RuntimeError("end " + text)
"""


def test_an_error_that_nobody_caught_is_written_without_the_secret() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=CANARY,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 1
    assert CANARY not in done.stdout + done.stderr
    for words in ("no handler yet: ***", "ValueError", "OSError: left ***", "RuntimeError: end ***"):
        assert words in done.stderr
    assert "Traceback" in done.stderr


def test_hooks_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = lambda *told: None  # noqa: E731 - compared by identity
    monkeypatch.setattr(sys, "excepthook", mine)
    monkeypatch.setattr(sys, "unraisablehook", mine)
    redaction.guard_crashes()
    assert (sys.excepthook, sys.unraisablehook) == (mine, mine)


DUMPS = """
import os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
sys.argv = ["tradedeck", "--version"]
from tui import cli
child = os.fork()
if child == 0:
    try:
        cli.main()
    except SystemExit:
        pass
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    os.abort()
status = os.waitpid(child, 0)[1]
print(os.WTERMSIG(status), os.WCOREDUMP(status))
"""


def test_a_process_that_crashes_leaves_no_memory_behind(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    done = subprocess.run(
        [sys.executable, "-c", DUMPS],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
    )
    assert done.stdout.splitlines()[-1] == "6 False"
    assert list(tmp_path.glob("core*")) == []
    assert resource.getrlimit(resource.RLIMIT_CORE) == before
