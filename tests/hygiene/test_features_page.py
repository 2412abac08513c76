"""docs/features.md is what its program makes of the declared features, and names all of them."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from engine.features.declared import DECLARED

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_features", ROOT / "docs" / "generate_features.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    found = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert found == generator.page(), "write it anew: .venv/bin/python docs/generate_features.py"


def test_every_feature_is_in_it_with_its_definition(generator: ModuleType) -> None:
    page = generator.page()
    for name in DECLARED:
        line = next(line for line in page.splitlines() if line.startswith(f"| `{name}`"))
        assert len(line.split(" | ")[1]) > 10, name


def test_a_page_that_is_out_of_date_is_told_and_then_mended(
    generator: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "PAGE", tmp_path / "features.md")
    assert generator.main(["--check"]) == 1
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0
