"""Brokers by name, loaded one at a time."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from brokers import registry
from brokers.paper.broker import PaperBroker
from engine.errors import ConfigError


def offer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    entry = EntryPoint(name, value, registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (entry,) if group == registry.GROUP else ())


def test_paper_is_built_in() -> None:
    assert "paper" in registry.broker_names()
    assert registry.broker_class("paper") is PaperBroker


def test_registry_imports_no_broker_until_one_is_asked_for() -> None:
    code = (
        "import sys, brokers.registry as r;"
        "assert not [m for m in sys.modules if m.startswith('brokers.paper')];"
        "r.broker_class('paper'); assert 'brokers.paper.broker' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_unknown_name_says_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="no broker is called 'papper'") as caught:
        registry.broker_class("papper")
    assert caught.value.hint == "did you mean paper?"


def test_name_near_nothing_lists_what_is_known() -> None:
    with pytest.raises(ConfigError) as caught:
        registry.broker_class("zzz")
    assert caught.value.hint.startswith("known: ")


def test_third_party_broker_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "theirs", "brokers.paper.broker:PaperBroker")
    assert "theirs" in registry.broker_names()
    assert registry.broker_class("theirs") is PaperBroker


def test_third_party_cannot_take_over_a_built_in_name(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "paper", "decimal:Decimal")
    assert registry.broker_class("paper") is PaperBroker


@pytest.mark.parametrize("value", ["no_such_module:X", "decimal:NoSuchClass", "decimal:getcontext"])
def test_third_party_that_cannot_be_loaded_is_a_config_error(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    offer(monkeypatch, "broken", value)
    with pytest.raises(ConfigError, match="broken"):
        registry.broker_class("broken")
