"""What every store of the paper venue promises (engine.ports.VenueStore)."""

from pathlib import Path

from engine.ports import VenueStore
from storage.paper_book import open_paper_book


def test_values_are_read_back_and_replaced_by_key(venue_store: VenueStore) -> None:
    assert dict(venue_store.load()) == {}
    venue_store.put({"order:2": '{"qty":"5"}', "cash": '"100.00"'})
    venue_store.put({"cash": '"58.15"'})
    assert dict(venue_store.load()) == {"order:2": '{"qty":"5"}', "cash": '"58.15"'}


def test_one_value_is_read_by_its_key(venue_store: VenueStore) -> None:
    venue_store.put({"order/2": "new"})
    assert venue_store.get("order/2") == "new"
    assert venue_store.get("order/%") is None


def test_nothing_changed_is_fine(venue_store: VenueStore) -> None:
    venue_store.put({})
    assert dict(venue_store.load()) == {}


def test_book_survives_its_process(tmp_path: Path) -> None:
    with open_paper_book(tmp_path / "paper.db") as book:
        book.put({"a": "1"})
    with open_paper_book(tmp_path / "paper.db") as book:
        assert dict(book.load()) == {"a": "1"}
