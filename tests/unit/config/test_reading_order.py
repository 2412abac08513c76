"""Command line > environment > ./config.toml > the user's config.toml > defaults, and who set what."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import ConfigError
from tui.settings import Settings, load_settings

Read = Callable[..., Settings]


def test_nothing_set_gives_the_defaults(read: Read) -> None:
    settings = read()
    assert settings.config.gaps.size_pct == 0.012
    assert settings.origin("gaps.size_pct") == "default"


def test_each_place_beats_the_one_below(read: Read) -> None:
    user = "[gaps]\nsize_pct = 0.01\nmax_concurrent = 2\ncash_cover = 4.0\nmax_sessions = 9"
    working = "[gaps]\nsize_pct = 0.02\nmax_concurrent = 3\ncash_cover = 5.0"
    environment = {"TRADEDECK_GAPS__SIZE_PCT": "0.03", "TRADEDECK_GAPS__MAX_CONCURRENT": "4"}
    settings = read(working, environment, {"gaps.size_pct": 0.04}, user)
    gaps = settings.config.gaps
    assert (gaps.size_pct, gaps.max_concurrent, gaps.cash_cover, gaps.max_sessions) == (0.04, 4, 5.0, 9)
    assert settings.origin("gaps.size_pct") == "command line"
    assert settings.origin("gaps.max_concurrent") == "environment TRADEDECK_GAPS__MAX_CONCURRENT"
    assert settings.origin("gaps.cash_cover").endswith("working/config.toml")
    assert settings.origin("gaps.max_sessions").endswith("user/config.toml")


def test_tables_of_two_files_are_joined_key_by_key(read: Read) -> None:
    settings = read("[reliability]\ndex = { failures = 4 }", user="[reliability]\ndex = { open_s = 9 }")
    dex = settings.config.reliability.dex
    assert (dex.failures, dex.open_s, dex.successes) == (4, 9, 3)


def test_a_second_account_keeps_the_paper_account(read: Read) -> None:
    accounts = read('[accounts.crypto]\nday_roll = "UTC"').config.accounts
    assert accounts["paper"].initial_cash == 10_000
    assert accounts["crypto"].day_roll == "UTC"


def test_a_named_file_stands_for_both(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[gaps]\nsize_pct = 0.02")
    named = tmp_path / "named.toml"
    named.write_text("[gaps]\nmax_concurrent = 3")
    settings = load_settings(named, tmp_path, tmp_path, {}, {})
    assert (settings.config.gaps.size_pct, settings.config.gaps.max_concurrent) == (0.012, 3)
    assert settings.files == (named,)


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("TRADEDECK_ENGINE__LOG_DIR", "/var/log/deck", "log_dir", "/var/log/deck"),
        ("TRADEDECK_ENGINE__LOG_DIR", "7", "log_dir", "7"),
        ("TRADEDECK_ENGINE__HEADLESS_POLICY", "paper-auto", "headless_policy", "paper-auto"),
        ("TRADEDECK_ENGINE__CLOCK_SKEW_MAX_S", "2", "clock_skew_max_s", 2.0),
    ],
)
def test_a_variable_means_what_its_key_holds(
    read: Read, variable: str, text: str, key: str, value: object
) -> None:
    assert getattr(read(environment={variable: text}).config.engine, key) == value


def test_a_variable_may_hold_a_list_and_reach_an_account(read: Read) -> None:
    environment = {
        "TRADEDECK_GEMS__WATCHLIST": '["WIF", "BONK"]',
        "TRADEDECK_ACCOUNTS__PAPER__INITIAL_CASH": "5000",
    }
    config = read(environment=environment).config
    assert config.gems.watchlist == ("WIF", "BONK")
    assert config.accounts["paper"].initial_cash == 5000


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("TRADEDECK_GAPS_SIZE_PCT", "The nearest is TRADEDECK_GAPS__SIZE_PCT"),
        ("TRADEDECK_GAPS__SIZE_PTC", "unknown key gaps.size_ptc. The nearest is gaps.size_pct"),
        ("TRADEDECK_GAPZ__SIZE_PCT", "unknown key gapz. The nearest is gaps"),
    ],
)
def test_a_variable_that_sets_nothing_is_refused(read: Read, variable: str, line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        read(environment={variable: "0.01"})


def test_a_wrong_variable_is_named(read: Read) -> None:
    with pytest.raises(
        ConfigError, match=r"environment TRADEDECK_GAPS__MAX_SESSIONS: .*\"soon\" is not a whole"
    ):
        read(environment={"TRADEDECK_GAPS__MAX_SESSIONS": "soon"})


def test_variables_of_other_uses_are_left_alone(read: Read) -> None:
    others = {"TRADEDECK_HOME": "/x", "TRADEDECK_TEST_DATA": "/y", "GAPS__SIZE_PCT": "9"}
    assert read(environment=others).sha256 == read().sha256


def test_the_hash_is_of_the_values_and_not_of_who_set_them(read: Read) -> None:
    plain = read()
    same = read("[gaps]\nsize_pct = 0.012\n[accounts.paper]\ninitial_cash = 10000")
    other = read("[gaps]\nsize_pct = 0.013")
    assert plain.sha256 == same.sha256
    assert plain.sha256 != other.sha256
    assert len(plain.sha256) == 64
