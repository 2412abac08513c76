"""What every source promises: values for a good answer, and one typed error for each bad one."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from engine.errors import BadPayload, RateLimited, SourceRefused, SourceUnavailable

Ask = Callable[..., Any]
T = TypeVar("T")


@pytest.fixture
def good(case: Any, recorded: Callable[[str], bytes], answer: Any) -> Any:
    return answer(recorded(case.body), kind=case.kind)


def test_good_answer_gives_values(ask: Ask, good: Any) -> None:
    assert ask(good)


def test_same_answer_gives_the_same_values(ask: Ask, good: Any) -> None:
    assert repr(ask(good)) == repr(ask(good))


def test_each_request_and_its_reading_go_through_the_caller(ask: Ask, good: Any) -> None:
    calls: list[float] = []

    async def through(work: Callable[[], Awaitable[T]], weight: float = 1.0) -> T:
        calls.append(weight)
        return await work()

    def see(server: Any) -> None:
        assert len(server.requests) == len(calls) == 1

    ask(good, call=through, see=see)


def test_bad_reading_is_seen_by_the_caller(ask: Ask, answer: Any, case: Any) -> None:
    seen: list[type[BaseException]] = []

    async def through(work: Callable[[], Awaitable[T]], weight: float = 1.0) -> T:
        try:
            return await work()
        except BadPayload as error:
            seen.append(type(error))
            raise

    with pytest.raises(BadPayload):
        ask(answer(b"[1]", kind=case.kind), call=through)
    assert seen == [BadPayload]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"<html>down</html>", b"null", b"[]]", b"{", b"[" * 3000])
def test_unreadable_answer_is_a_bad_payload_that_names_the_source(
    ask: Ask, answer: Any, case: Any, body: bytes
) -> None:
    with pytest.raises(BadPayload, match=rf"^{case.name}: "):
        ask(answer(body, kind=case.kind))


def test_page_of_another_kind_is_a_bad_payload(ask: Ask, answer: Any, case: Any) -> None:
    with pytest.raises(BadPayload, match=rf"{case.name} answered with text/html"):
        ask(answer(b"<html>maintenance</html>", kind="text/html"))


def test_huge_answer_is_a_bad_payload(ask: Ask, answer: Any, case: Any) -> None:
    with pytest.raises(BadPayload, match="sends more than"):
        ask(answer(b" " * 16_000_001, kind=case.kind))


@pytest.mark.parametrize("status", [500, 502, 503])
def test_fault_of_the_service_is_unavailable(ask: Ask, answer: Any, status: int) -> None:
    with pytest.raises(SourceUnavailable, match=f"answered {status}"):
        ask(answer(b"oops", status=status))


def test_silence_and_half_an_answer_are_unavailable(ask: Ask, answer: Any, good: Any) -> None:
    with pytest.raises(SourceUnavailable):
        ask(answer(mute=True))
    with pytest.raises(SourceUnavailable):
        ask(answer(good.body, kind=good.kind, cut=len(good.body) // 2))


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "700"},
        {"Retry-After": "Fri, 03 May 2024 12:11:40 GMT", "Date": "Fri, 03 May 2024 12:00:00 GMT"},
    ],
    ids=["seconds", "date"],
)
def test_too_many_requests_name_the_pause(ask: Ask, answer: Any, headers: dict[str, str]) -> None:
    with pytest.raises(RateLimited) as raised:
        ask(answer(b"slow down", status=429, headers=headers))
    assert raised.value.retry_after_s == 700


def test_refused_key_is_told_without_the_key(ask: Ask, answer: Any) -> None:
    with pytest.raises(SourceRefused) as raised:
        ask(answer(b"forbidden.", status=401))
    assert raised.value.status == 401
    assert "made-up-secret" not in str(raised.value)


def test_redirect_elsewhere_is_refused(ask: Ask, answer: Any) -> None:
    with pytest.raises(SourceRefused, match="redirects"):
        ask(answer(status=302, headers={"Location": "https://elsewhere.example/"}))
