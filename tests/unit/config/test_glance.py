"""What the first frame reads of the config says the same as the whole config that is checked after it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from engine.errors import ConfigError
from tui.console_config import ConsoleConfig, Glance, ThemeName, glance
from tui.settings import Settings
from tui.widgets.charts.graph import Graph

Read = Callable[..., Settings]


@pytest.mark.parametrize(
    ("text", "user", "environment"),
    [
        ("", "", {}),
        ('[console]\ntheme = "paper"\nbell = true\n', '[console]\ntheme = "dusk"\ngraph = "block"\n', {}),
        ('[keys]\n"ticket.approve" = "y"\n', '[keys]\n"ticket.reject" = "n"\n', {}),
        ('[console]\ntheme = "paper"\n', "", {"TRADEDECK_CONSOLE__THEME": "contrast"}),
        ("", "", {"TRADEDECK_CONSOLE__REDUCE_MOTION": "true", "TRADEDECK_CONSOLE__BELL": "false"}),
        ("[gaps]\nsize_pct = 0.01\n", "", {"PATH": "/bin", "TRADEDECK_HOME": "/h"}),
    ],
)
def test_a_glance_is_what_the_whole_config_says(
    read: Read, tmp_path: Path, text: str, user: str, environment: Mapping[str, str]
) -> None:
    config = read(text, environment, user=user).config
    seen = glance(None, tmp_path / "working", tmp_path / "user", environment)
    assert seen == Glance(config.console, config.keys)


@pytest.mark.parametrize(
    "text",
    [
        "console = 3\nkeys = 4\n",
        '[console]\ntheme = "neon"\ngraph = 7\nbell = "loud"\nreduce_motion = 1\nnonsense = 2\n',
        '[keys]\n"ticket.approve" = 5\n',
    ],
)
def test_what_the_check_will_refuse_is_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    assert glance(None, tmp_path, tmp_path, {}) == Glance()


def test_a_file_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        glance(tmp_path / "none.toml", tmp_path, tmp_path, {})
    (tmp_path / "config.toml").write_text("[console\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        glance(None, tmp_path, tmp_path, {})


def test_defaults_are_those_of_the_design() -> None:
    assert ConsoleConfig().theme is ThemeName.DUSK
    assert ConsoleConfig().graph is Graph.BRAILLE
