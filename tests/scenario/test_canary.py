"""Keys with a canary in them are set, everything is run, also into a crash, and no file or line holds it."""

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest

KEY_ID = "PKCANARY9876543210AB"
HIDDEN = 'c4nary+/"%\\=abcDEF0123456789'
CONTACT = "canary-contact@example.com"
WORDS = "canary words of a passphrase"
VALUES = {"alpaca.key_id": KEY_ID, "alpaca.secret": HIDDEN, "edgar.contact": CONTACT}
RUN = "import sys\nfrom tui.cli import main\nmain()\n"


def writings() -> list[bytes]:
    """Every way in which a value could stand somewhere."""
    texts = (KEY_ID, HIDDEN, CONTACT, WORDS)
    each = [(text, quote(text), quote(text, safe=""), json.dumps(text)[1:-1]) for text in texts]
    return sorted({way.encode() for ways in each for way in ways})


class Deck:
    """A person's folders, the commands on them, and everything that was ever written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.said: list[bytes] = []
        self.environment = {**os.environ, "TRADEDECK_HOME": str(self.home)}

    def run(self, *arguments: str, code: str = RUN, text: str = "") -> "subprocess.CompletedProcess[bytes]":
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=text.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        self.said += [done.stdout, done.stderr]
        return done

    def leaks(self) -> list[str]:
        """Where a canary stands that is not a file of keys."""
        kept = {self.home / "config" / "keys.json"}
        files = [path for path in self.folder.rglob("*") if path.is_file() and path not in kept]
        found = [str(path) for path in files if any(way in path.read_bytes() for way in writings())]
        return found + [f"said: {said!r}" for said in self.said if any(way in said for way in writings())]


@pytest.fixture
def deck(tmp_path: Path) -> Deck:
    made = Deck(tmp_path)
    for name, value in VALUES.items():
        assert made.run("keys", "set", name, text=f"{value}\n").returncode == 0
    made.environment["TRADEDECK_KEY_EDGAR_CONTACT"] = CONTACT
    return made


def test_the_search_finds_what_is_there(deck: Deck) -> None:
    (deck.folder / "note.txt").write_text(f"my key is {HIDDEN}")
    deck.said.append(quote(HIDDEN, safe="").encode())
    assert len(deck.leaks()) == 2


def test_no_command_leaves_a_key_anywhere(deck: Deck) -> None:
    for arguments in (
        ("keys", "list"),
        ("keys", "list", "--json"),
        ("keys", "set", "alpaca.secret", HIDDEN),
        ("keys", "set", HIDDEN),
        ("keys", "rm", KEY_ID),
        ("config", "show"),
        ("config", "show", "--json"),
        ("status",),
        ("health",),
        ("--version",),
    ):
        deck.run(*arguments)
    assert deck.leaks() == []


def test_a_key_under_a_passphrase_leaves_nothing_of_either(deck: Deck) -> None:
    credentials = deck.folder.parent / f"{deck.folder.name}-credentials"
    credentials.mkdir(mode=0o700)
    file = credentials / "keys_passphrase"
    file.touch(0o600)
    file.write_text(WORDS)
    deck.environment["CREDENTIALS_DIRECTORY"] = str(credentials)
    for name, value in VALUES.items():
        assert deck.run("keys", "set", name, "--encrypted", text=value).returncode == 0
    deck.run("keys", "list")
    file.write_text("another passphrase")
    assert deck.run("keys", "set", "alpaca.secret", "--encrypted", text=HIDDEN).returncode == 78
    assert deck.leaks() == []


def test_a_daemon_that_trades_and_is_killed_leaves_no_key(deck: Deck) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "--demo", "--no-ui", "--policy", "paper-auto", "--speed", "5000"],
        cwd=deck.folder,
        env=deck.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    for line in process.stdout:
        deck.said.append(line)
        if b"ticket_changed" in line or b"candidates_judged" in line:
            break
    deck.run("status", "--state", "latest", "--json")
    process.send_signal(signal.SIGABRT)
    out, err = process.communicate(timeout=30)
    deck.said += [out, err]
    assert process.returncode == -signal.SIGABRT
    assert list(deck.folder.rglob("core*")) == []
    assert deck.leaks() == []


CRASH = """
import asyncio, logging, os, sys, threading, warnings
from pathlib import Path
from engine.model.secrets import KEYS
from storage.paths import find_home
from tui import logs
from tui.redaction import guard_crashes, hide
from tui.wiring.keys import open_keys

guard_crashes()
home = find_home(os.environ)
book = open_keys(home, os.environ, warn=lambda text: print(text, file=sys.stderr), learned=hide)
secrets = [book.require(name) for name in KEYS]
print(secrets, {"k": secrets[0]}, f"{secrets[1]:>20}")
texts = [secret.reveal() for secret in secrets]
leak = " ".join(texts)
logging.getLogger("early").warning("before the log is open: %s", leak)
logs.start(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
log = logs.logger("canary")
for text in texts:
    logging.getLogger("library").error("GET https://host/?key=%s", text)
    log.error(text, **{"api_key": text, "where": text, "nested": {"list": [text, (text,)]}})
    log.info("by position %s", text)
    warnings.warn(text)
try:
    raise ValueError(leak)
except ValueError:
    log.exception("structured")
    logging.getLogger("library").exception("plain")

async def nobody_waits():
    async def fails():
        raise OSError(leak)
    task = asyncio.ensure_future(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    import gc
    gc.collect()

asyncio.run(nobody_waits())
worker = threading.Thread(target=lambda: int(leak))
worker.start()
worker.join()
raise RuntimeError(leak)
"""


@pytest.mark.parametrize("to_files", [True, False])
def test_a_crash_with_the_key_in_its_hands_leaves_stars(deck: Deck, to_files: bool) -> None:
    folder = deck.folder / "log"
    done = deck.run(*([str(folder)] if to_files else []), code=CRASH)
    assert done.returncode == 1
    assert b"RuntimeError: *** *** ***" in done.stderr
    written = (folder / "tradedeck.log").read_bytes() if to_files else done.stdout
    for words in (b"GET https://host/?key=***", b"ValueError: *** *** ***", b"OSError: *** *** ***"):
        assert words in written
    assert deck.leaks() == []


def test_a_value_that_is_typed_is_not_shown(deck: Deck) -> None:
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "keys", "set", "alpaca.secret"],
        cwd=deck.folder,
        env=deck.environment,
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
    )
    os.close(other)
    shown = _read_until(main, b"not shown: ")
    os.write(main, f"{HIDDEN}\n".encode())
    shown += _read_until(main, b"next start")
    assert process.wait(20) == 0
    os.close(main)
    assert HIDDEN.encode() not in shown
    document = json.loads((deck.home / "config" / "keys.json").read_text())
    assert document["keys"]["alpaca.secret"]["value"] == HIDDEN


def _read_until(descriptor: int, words: bytes) -> bytes:
    found, end = b"", time.monotonic() + 20
    while words not in found and time.monotonic() < end:
        try:
            found += os.read(descriptor, 4096)
        except OSError:
            break
    assert words in found, found
    return found
