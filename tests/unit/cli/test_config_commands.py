"""`tradedeck config`: what is in force, whether it is right, where it comes from."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Deck = Callable[..., Any]


def test_show_names_who_set_each_key(deck: Deck, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.toml").write_text("[gaps]\nsize_pct = 0.01\n")
    monkeypatch.setenv("TRADEDECK_GAPS__MAX_SESSIONS", "4")
    ended = deck("config", "show", "--json")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    keys = document["keys"]
    assert keys["gaps.size_pct"] == {"value": 0.01, "from": str(tmp_path / "config.toml")}
    assert keys["gaps.max_sessions"] == {"value": 4, "from": "environment TRADEDECK_GAPS__MAX_SESSIONS"}
    assert keys["gaps.stop_pct"] == {"value": 0.08, "from": "default"}
    assert len(document["sha256"]) == 64


def test_show_as_text_is_toml_by_key(deck: Deck) -> None:
    lines = deck("config", "show").out.splitlines()
    assert 'engine.mode = "paper"' in lines
    assert "gaps.z5_max = unset" in lines
    assert lines[-1].startswith("# sha256 ")


def test_check_says_which_files_were_read(deck: Deck, tmp_path: Path) -> None:
    assert "no file, only defaults" in deck("config", "check").out
    named = tmp_path / "mine.toml"
    named.write_text("[risk]\ndaily_loss_max = 0.02\n")
    document = json.loads(deck("config", "check", "--json", "--config", str(named)).out)
    assert document["files"] == [str(named)]
    assert document["changed"] == ["risk.daily_loss_max"]


def test_an_option_behind_the_command_wins(deck: Deck, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[risk]\ndaily_loss_max = 0.01\n")
    (tmp_path / "b.toml").write_text("[risk]\ndaily_loss_max = 0.02\n")
    shown = deck("--config", "a.toml", "config", "show", "--config", "b.toml", "--json")
    assert json.loads(shown.out)["keys"]["risk.daily_loss_max"] == {"value": 0.02, "from": "b.toml"}


def test_path_lists_the_places_in_order(deck: Deck, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    first, second = json.loads(deck("config", "path", "--json").out)
    assert first == {"path": str(tmp_path / "config.toml"), "exists": True}
    assert second["exists"] is False


def test_version_is_one_line(deck: Deck) -> None:
    ended = deck("--version")
    assert (ended.code, ended.out.split()[0]) == (0, "tradedeck")
