"""The file HALT and the signal: each halts once, with its reason, whatever the file is."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from engine.loop import run_virtual
from engine.model.commands import Actor
from tui.wiring.killswitch import BY_FILE, BY_SIGNAL, NO_TEXT, PERIOD_S, HaltFile, on_signal


class Pressed:
    """What was pressed, by whom and why."""

    def __init__(self) -> None:
        self.calls: list[tuple[Actor, str]] = []

    def __call__(self, actor: Actor, reason: str) -> None:
        self.calls.append((actor, reason))


@pytest.fixture
def pressed() -> Pressed:
    return Pressed()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "HALT"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"exchange is down\n", "exchange is down"),
        (b"", NO_TEXT),
        (b" \n", NO_TEXT),
        (b"two\nlines", "two lines"),
        (b"\x1b]52;c;aGk=\x07look\xff", "look\N{REPLACEMENT CHARACTER}"),
        (b"x" * 5000, "x" * 200),
    ],
)
def test_its_text_is_the_reason(path: Path, pressed: Pressed, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    HaltFile(path, pressed).look()
    assert pressed.calls == [(BY_FILE, reason)]


def test_it_halts_each_time_that_it_appears_and_resumes_nothing(path: Path, pressed: Pressed) -> None:
    file = HaltFile(path, pressed)
    file.look()
    assert (pressed.calls, file.blocks_resume()) == ([], "")
    for count in (1, 2):
        path.write_text("lunch")
        file.look()
        file.look()
        assert file.blocks_resume() == f"remove the file {path} first."
        path.unlink()
        file.look()
        assert file.blocks_resume() == ""
        assert len(pressed.calls) == count


def test_what_is_no_plain_file_halts_and_is_not_waited_for(path: Path, pressed: Pressed) -> None:
    os.mkfifo(path)
    HaltFile(path, pressed).look()
    path.unlink()
    path.mkdir()
    HaltFile(path, pressed).look()
    path.rmdir()
    path.symlink_to("/nowhere")
    HaltFile(path, pressed).look()
    reasons = [reason for _, reason in pressed.calls]
    assert reasons[:2] == ["not a plain file", "not a plain file"]
    assert reasons[2].startswith("the file cannot be read: ")


def test_a_folder_that_cannot_be_looked_into_halts_once(tmp_path: Path, pressed: Pressed) -> None:
    (tmp_path / "state").write_text("no folder")
    file = HaltFile(tmp_path / "state" / "HALT", pressed)
    file.look()
    file.look()
    assert pressed.calls == [(BY_FILE, f"{tmp_path}/state/HALT cannot be looked for: Not a directory")]


def test_the_watch_feels_it_within_a_tenth_of_a_second(path: Path, pressed: Pressed) -> None:
    async def main() -> None:
        task = asyncio.create_task(HaltFile(path, pressed).watch())
        await asyncio.sleep(1.01)
        asyncio.get_running_loop().call_soon(path.write_text, "lunch")
        await asyncio.sleep(PERIOD_S)
        assert pressed.calls == [(BY_FILE, "lunch")]
        task.cancel()

    run_virtual(main())


async def test_the_signal_halts_while_someone_listens(pressed: Pressed) -> None:
    with on_signal(pressed):
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.01)
    assert pressed.calls == [(BY_SIGNAL, "kill switch")]
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL
