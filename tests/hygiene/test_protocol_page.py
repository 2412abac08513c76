"""docs/protocol.md is what its program makes of the message types, and names all of them."""

import importlib.util
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

from tui.link import Question
from tui.server.protocol import CommandKind, ReplyKind, RequestKind
from tui.shown.details import Topic

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_protocol", ROOT / "docs" / "generate_protocol.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    found = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert found == generator.page(), "write it anew: .venv/bin/python docs/generate_protocol.py"


@pytest.mark.parametrize("kinds", [RequestKind, CommandKind, ReplyKind, Question, Topic])
def test_every_kind_of_message_is_in_it(generator: ModuleType, kinds: type) -> None:
    page = generator.page()
    assert all(f"| `{kind}` |" in page for kind in kinds)  # type: ignore[attr-defined]


def test_a_page_that_is_out_of_date_is_told_and_then_mended(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "PAGE", tmp_path / "protocol.md")
    assert generator.main(["--check"]) == 1
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0


@pytest.mark.parametrize("kinds", [RequestKind, ReplyKind, Question, Topic])
def test_every_request_reply_question_and_topic_says_what_it_is(
    generator: ModuleType, kinds: type[Enum]
) -> None:
    assert set(generator._notes(kinds)) == {kind.name for kind in kinds}
