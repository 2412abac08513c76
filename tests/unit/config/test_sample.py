"""config.toml at the root is the annotated sample: equal to the defaults, and complete."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from engine.config import leaves, numbers
from engine.execution.policies import ListRule
from tui.settings import DECK_RANGES, DeckConfig, Settings, load_settings

SAMPLE = Path(__file__).parents[3] / "config.toml"


def test_the_sample_equals_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(SAMPLE, tmp_path, tmp_path, {}, {})
    assert settings.config == DeckConfig()


def test_every_key_of_every_section_stands_in_the_sample() -> None:
    text = SAMPLE.read_text()
    document = tomllib.loads(text)
    for key, value in leaves(DeckConfig()):
        if value is None:
            assert re.search(rf"^# {key.rpartition('.')[2]} = ", text, re.MULTILINE), key
            continue
        found: object = document
        for name in key.split("."):
            assert isinstance(found, dict), key
            assert name in found, key
            found = found[name]


def test_every_section_has_its_table_in_the_sample() -> None:
    document = tomllib.loads(SAMPLE.read_text())
    assert set(document) == {section.name for section in fields(DeckConfig)}


def test_every_number_has_a_range(read: Callable[..., Settings]) -> None:
    for key, value in leaves(DeckConfig()):
        if any(True for _ in numbers(value if not isinstance(value, list) else tuple(value))):
            section, _, rest = key.partition(".")
            lines = {key, f"{section}.*.{rest.partition('.')[2]}", key.rpartition(".")[0]}
            assert section == "gaps" or lines & set(DECK_RANGES), key


def test_every_range_holds_its_default_and_names_a_key() -> None:
    # Of a table that is empty by default one line stands for all.
    known = dict(leaves(DeckConfig(approvals={"gaps": ListRule(3, 500.0)})))
    for line, bounds in DECK_RANGES.items():
        matching = {
            key: value
            for key, value in known.items()
            if key == line
            or key.startswith(f"{line}.")
            or re.fullmatch(re.escape(line).replace(r"\*", r"[^.]+"), key)
        }
        assert matching, line
        for key, value in matching.items():
            for number in numbers(value):
                assert bounds.holds(number), key
