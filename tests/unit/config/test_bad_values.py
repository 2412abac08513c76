"""What a wrong config file is answered with: file, key, value and what is allowed, in one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import ConfigError
from tui.actions import clash
from tui.settings import Settings, check_keys, load_settings

Read = Callable[..., Settings]

CASES = {
    "misspelled key": ("[gaps]\nsize_ptc = 0.01", "unknown key gaps.size_ptc", "gaps.size_pct"),
    "misspelled section": ("[gapz]\nsize_pct = 0.01", "unknown key gapz", "gaps"),
    "key outside its section": ("max_concurrent = 3", "unknown key max_concurrent", "gaps.max_concurrent"),
    "key of an account": ("[accounts.paper]\ncash = 1", "unknown key accounts.paper.cash", "initial_cash"),
    "key like nothing else": ("[engine]\nqqqq = 1", "unknown key engine.qqqq", "Keys here: mode"),
    "text for a number": (
        '[gaps]\nmax_concurrent = "8"',
        'gaps.max_concurrent = "8" is not a whole number',
        "The default of gaps.max_concurrent is 8",
    ),
    "true for a number": ("[gaps]\nmax_sessions = true", "= true is not a whole number", "is 5"),
    "true for a ratio": ("[risk]\nvar_conf = true", "risk.var_conf = true is not a number", "0.95"),
    "one for a switch": ("[console]\nbell = 1", "console.bell = 1 is not true or false", "false"),
    "fraction for a count": ("[risk]\nmax_positions_total = 2.5", "= 2.5 is not a whole number", "is 20"),
    "number for a text": ("[engine]\nlog_dir = 3", "engine.log_dir = 3 is not a text in quotes", '""'),
    "unknown word": (
        '[gaps]\nrule = "best"',
        'gaps.rule = "best" is not one of "auto", "naive", "full"',
        "naive",
    ),
    "value for a section": ("gaps = 3", "gaps = 3 is not a table", "gaps"),
    "table for a value": ("[gaps.size_pct]\na = 1", "gaps.size_pct = { a = 1 } is not a number", "0.012"),
    "short list": ("[risk]\ndd_levels = [0.1]", "risk.dd_levels = [0.1] is not a list of 3 values", "0.05"),
    "date for a text": ("[rl]\nbar = 2024-01-01", 'rl.bar = "2024-01-01" is not one of 1m', "1h"),
    "too large": ("[risk]\nmax_position_pct = 0.2", "= 0.2 is outside 0 < value <= 0.1", "is 0.1"),
    "at an open end": ("[risk]\ndaily_loss_max = 0.0", "= 0.0 is outside 0 < value <= 1", "0.03"),
    "not a number": ("[risk]\nvar_conf = nan", "risk.var_conf = NaN is outside", "0.95"),
    "infinite": ("[demo]\nstart = inf", "demo.start = Infinity is outside", "0.01"),
    "one of a list": ("[risk]\ndd_release = [0.03, 7]", "risk.dd_release = [0.03, 7.0] is outside", "[0.03"),
    "approval of no strategy": (
        "[approvals]\ngap = { per_day = 1, notional_usd = 5.0 }",
        "approvals.gap names no strategy",
        "gaps",
    ),
    "approval without a cap": (
        "[approvals]\ngaps = { per_day = 1 }",
        "config.toml: approvals.gaps.notional_usd is missing",
        "Add it to [approvals.gaps]",
    ),
    "component's own check": ("[gaps]\nsize_pct = 5.0", "gaps.size_pct = 5.0: allowed is 0.0001 to 0.1", ""),
    "breaker without failures": (
        "[reliability]\ndex = { failures = 0 }",
        "dex.failures = 0 is outside",
        "10",
    ),
    "steps that fall": ("[risk]\ndd_levels = [0.1, 0.05, 0.2]", "risk.dd_levels must rise", "Change"),
    "release above its step": ("[risk]\ndd_release = [0.06, 0.07]", "must lie below its level", ""),
    "weights off one": ("[gems]\nweights = { s_narrative = 0.5 }", "must sum to 1, they sum to 1.42", ""),
    "no such zone": ('[accounts.paper]\nday_roll = "Mars/X"', '"Mars/X" is no time zone', "America/New_York"),
    "other database": ('[engine]\ndb = "mysql://x"', "is not empty or a postgresql+psycopg:// URL", '""'),
    "live mode": ('[engine]\nmode = "live"', "this release has no live broker", 'Set "paper"'),
    "live account": ('[accounts.ib]\nkind = "live"', "this release has no live broker", 'Set "paper"'),
    "not TOML": ("[gaps\nrule = 1", "is not valid TOML", "line 1"),
}


@pytest.mark.parametrize(("text", "what", "hint"), CASES.values(), ids=CASES.keys())
def test_refused_with_file_key_and_what_is_allowed(read: Read, text: str, what: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    line = str(caught.value)
    assert what in line
    assert hint in line
    assert "working/config.toml" in line
    assert "\n" not in line
    assert caught.value.exit_code == 78


def test_a_password_in_a_url_is_not_repeated(read: Read) -> None:
    with pytest.raises(ConfigError) as caught:
        read('[engine]\ndb = "mysql://me:hunter2@host/x"')
    assert "hunter2" not in str(caught.value)
    assert "mysql://me:***@host/x" in str(caught.value)


def test_a_missing_named_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.toml does not exist"):
        load_settings(tmp_path / "absent.toml", tmp_path, tmp_path, {}, {})


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match=r"cannot read .*config\.toml: Is a directory"):
        load_settings(None, tmp_path, tmp_path / "user", {}, {})


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"[gaps]\n# \xff\xfe\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_settings(None, tmp_path, tmp_path / "user", {}, {})


def test_a_key_for_an_unknown_action_is_refused_with_the_nearest(read: Read) -> None:
    settings = read('[keys]\n"desk.aprove" = "ctrl+a"')
    with pytest.raises(
        ConfigError, match=r"unknown action keys.desk.aprove. The nearest is keys.desk.approve"
    ):
        check_keys(settings, {"desk.approve", "desk.reject"})


def test_keys_of_known_actions_are_let_through(read: Read) -> None:
    check_keys(read('[keys]\n"desk.approve" = "ctrl+a"'), {"desk.approve"})


def test_keys_that_clash_are_refused(read: Callable[[str], Settings]) -> None:
    settings = read('[keys]\n"ticket.approve" = "r"')
    with pytest.raises(ConfigError, match=r"key r would mean ticket\.approve and ticket\.reject"):
        check_keys(settings, {"ticket.approve"}, clash(settings.config.keys))
