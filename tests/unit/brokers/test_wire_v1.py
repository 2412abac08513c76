"""Wire v1: what is written is read back; what does not fit is refused by its key; other words are kept."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from brokers.wire import v1
from brokers.wire.reading import MAX_FRAME_BYTES
from engine.errors import BadAnswer
from engine.model.ids import AccountId
from engine.model.orders import OrderState


def said(account: str, **body: Any) -> bytes:
    return json.dumps({"v": 1, "account": account, **body}).encode()


class TestThereAndBack:
    def test_orders_and_fills(self, account: Any, order: Any, fill: Any) -> None:
        other = replace(order, limit_price=None, stop_price=Decimal("9.2"), reason="")
        assert v1.read_orders(v1.write_orders(account, [order, other]), account) == (order, other)
        assert v1.read_fills(v1.write_fills(account, [fill]), account) == (fill,)
        assert v1.read_order(v1.write_answer(account, order=v1.write_order(order)), account) == order
        assert v1.read_order(v1.write_answer(account, order=None), account) is None

    def test_account_is_read_whichever_it_is(self, snapshot: Any) -> None:
        assert v1.read_account(v1.write_account(snapshot)) == snapshot
        strange = replace(snapshot, account=AccountId("LIVE-9"))
        assert v1.read_account(v1.write_account(strange)).account == "LIVE-9"

    def test_stream(self, account: Any, order: Any, fill: Any) -> None:
        assert v1.read_message(v1.write_message(account, order), account) == order
        assert v1.read_message(v1.write_message(account, fill), account) == fill

    def test_clock_and_refusal(self, account: Any) -> None:
        assert v1.read_time(v1.write_answer(account, time_us=1_451_917_800_000_000), account) > 0
        error = {"code": "403", "reason": "no \x1b[31mmoney"}
        assert v1.read_refusal(said(account, error=error), account) == v1.Refusal("403", "no money")


class TestOtherWords:
    @pytest.mark.parametrize("state", ["held", "pending_new", "unknown", "sending", "FILLED", "notplaced"])
    def test_unknown_state_is_kept_and_asked_about(self, account: Any, order: Any, state: str) -> None:
        found = v1.order_of(v1.write_order(order) | {"state": state})
        assert found.state is OrderState.UNKNOWN
        assert found.reason == f"the venue says '{state}': partly filled"

    def test_unknown_state_without_a_reason(self, order: Any) -> None:
        found = v1.order_of(v1.write_order(order) | {"state": "held", "reason": None})
        assert found.reason == "the venue says 'held'"

    def test_message_of_an_unknown_type_is_told(self, account: Any) -> None:
        found = v1.read_message(said(account, type="margin_call", data="now\x1b]0;x\x07!"), account)
        assert found == v1.Unread("margin_call", "now!")


class TestRefused:
    @pytest.mark.parametrize(
        "key",
        ["client_order_id", "venue_order_id", "instrument", "side", "state", "quantity", "cum_filled"],
    )
    def test_order_without_a_key(self, order: Any, without: Any, key: str) -> None:
        with pytest.raises(BadAnswer, match=f"at {key}: missing"):
            v1.order_of(without(v1.write_order(order), key))

    @pytest.mark.parametrize(
        "key", ["exec_id", "client_order_id", "instrument", "side", "quantity", "price", "fee", "ts_us"]
    )
    def test_fill_without_a_key(self, fill: Any, without: Any, key: str) -> None:
        with pytest.raises(BadAnswer, match=f"at {key}: missing"):
            v1.fill_of(without(v1.write_fill(fill), key))

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"cum_filled": "101"}, "cum_filled"),
            ({"cum_filled": "-1"}, "cum_filled"),
            ({"quantity": "NaN"}, "quantity"),
            ({"limit_price": "0"}, "limit_price"),
            ({"side": "both"}, "side"),
            ({"reason": 5}, "reason"),
            ({"venue_order_id": "V\x00"}, "venue_order_id"),
        ],
    )
    def test_order_that_cannot_be_meant(self, order: Any, changes: dict[str, Any], key: str) -> None:
        with pytest.raises(BadAnswer, match=f"at {key}: "):
            v1.order_of(v1.write_order(order) | changes)

    @pytest.mark.parametrize(
        ("changes", "key"),
        [
            ({"quantity": "0"}, "quantity"),
            ({"price": "0"}, "price"),
            ({"price": "1e30"}, "price"),
            ({"fee": "-0.01"}, "fee"),
            ({"ts_us": 1_451_917_800}, "ts_us"),
        ],
    )
    def test_fill_that_cannot_be_meant(self, fill: Any, changes: dict[str, Any], key: str) -> None:
        with pytest.raises(BadAnswer, match=f"at {key}: "):
            v1.fill_of(v1.write_fill(fill) | changes)

    def test_one_bad_order_refuses_the_whole_list(self, account: Any, order: Any) -> None:
        bad = v1.write_order(order) | {"side": "both"}
        with pytest.raises(BadAnswer):
            v1.read_orders(v1.write_answer(account, orders=[v1.write_order(order), bad]), account)

    def test_other_account_version_or_answer(self, account: Any, order: Any) -> None:
        message = v1.write_message(AccountId("OTHER"), order)
        with pytest.raises(BadAnswer, match="at account: not SIM-1, got 'OTHER'"):
            v1.read_message(message, account)
        for version in (2, "1", True, None):
            with pytest.raises(BadAnswer, match="at v: "):
                v1.read_order(json.dumps({"v": version, "account": account, "order": None}).encode(), account)
        with pytest.raises(BadAnswer, match="at order: missing"):
            v1.read_order(said(account, orders=[]), account)
        with pytest.raises(BadAnswer, match="at error: not an object"):
            v1.read_refusal(said(account, error="no"), account)

    def test_frame_has_its_own_limit(self, account: Any) -> None:
        with pytest.raises(BadAnswer, match=f"limit {MAX_FRAME_BYTES}"):
            v1.read_message(said(account, type="x", data="x" * MAX_FRAME_BYTES), account)
