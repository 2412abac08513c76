"""EDGAR: companies, filings with their true times, and numbers of reports told once each."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine.clock import LiveClock
from engine.errors import BadPayload, ConfigError, RateLimited, SourceRefused
from engine.http import Reach, open_client
from engine.model.company import Reported
from engine.model.ids import instrument_id
from engine.model.market import Provenance
from engine.sources.edgar import (
    Edgar,
    Facts,
    Submissions,
    is_new_york_clock,
    parse_facts,
    parse_submissions,
    parse_tickers,
    quarters,
)
from engine.sources.reading import read_json

NOW = 1_714_743_900_000_000  # 2024-05-03 13:45 UTC
CIK = 1_000_001
ABC = instrument_id("ABC")
LIVE = Provenance.LIVE
Online = Callable[[Callable[[Any], Any]], Any]
Recorded = Callable[[str], bytes]


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def submissions(data: bytes) -> Submissions:
    return parse_submissions(read_json(data, "edgar"), CIK, ABC, NOW)


def facts(data: bytes, now_us: int = NOW) -> Facts:
    return parse_facts(read_json(data, "edgar"), CIK, now_us)


def with_filings(recorded: Recorded, rows: list[tuple[str, str, str]]) -> bytes:
    """The company's answer with these filings: form, day it is dated, time of acceptance."""
    document = json.loads(recorded("edgar/http_submissions.json"))
    count = len(rows)
    document["filings"]["recent"] = {
        "accessionNumber": [f"0001000001-24-{n:06d}" for n in range(count)],
        "form": [row[0] for row in rows],
        "filingDate": [row[1] for row in rows],
        "acceptanceDateTime": [f"{row[2]}.000Z" for row in rows],
        "items": ["2.02"] * count,
    }
    return json.dumps(document).encode()


def test_tickers_with_classes_of_shares(recorded: Recorded) -> None:
    found = parse_tickers(read_json(recorded("edgar/http_tickers.json"), "edgar"), NOW)
    assert found == {ABC: CIK, instrument_id("BRK.B"): 1_000_002}


def test_company_and_its_filings_newest_first(recorded: Recorded) -> None:
    found = submissions(recorded("edgar/http_submissions.json"))
    assert (found.name, found.sic) == ("ABC WORKS, INC.", "2834")
    assert [(one.form, one.items) for one in found.filings] == [
        ("8-K", ("1.01", "9.01")),
        ("10-Q", ()),
        ("8-K", ("2.02", "9.01")),
    ]
    # The evening of May 2 in New York, which is why the report is dated a day later.
    assert found.filings[0].ts_event == us("2024-05-02T22:05:12")
    assert found.filings[0].filed == date(2024, 5, 3)


@pytest.mark.parametrize(
    ("form", "filed", "written", "means"),
    [
        ("8-K", "2024-05-02", "2024-05-02T20:31:40", "2024-05-02T20:31:40"),  # 16:31 in New York
        ("8-K", "2024-05-02", "2024-05-02T16:31:40", "2024-05-02T20:31:40"),  # dated by 17:30, both would be
        ("8-K", "2024-05-02", "2024-05-02T07:30:32", "2024-05-02T11:30:32"),  # nobody files at 3:30
        ("8-K", "2024-05-03", "2024-05-02T18:08:27", "2024-05-02T22:08:27"),  # at 14:08 it were of that day
        ("4", "2024-05-02", "2024-05-03T01:30:00", "2024-05-03T01:30:00"),  # 21:30, when insiders report
    ],
)
def test_time_of_acceptance_is_utc_or_the_clock_of_new_york(
    recorded: Recorded, form: str, filed: str, written: str, means: str
) -> None:
    found = submissions(with_filings(recorded, [(form, filed, written)]))
    assert found.filings[0].ts_event == us(means)


def test_one_telling_filing_decides_for_all_of_a_company(recorded: Recorded) -> None:
    silent, telling = (
        ("10-D", "2024-05-01", "2024-05-01T16:00:00"),
        ("8-K", "2024-05-02", "2024-05-02T20:31:40"),
    )
    assert submissions(with_filings(recorded, [silent])).filings[0].ts_event == us("2024-05-01T20:00:00")
    both = submissions(with_filings(recorded, [telling, silent])).filings
    assert [one.ts_event for one in both] == [us("2024-05-02T20:31:40"), us("2024-05-01T16:00:00")]


def test_clock_of_no_filings_is_the_later_reading() -> None:
    assert is_new_york_clock([])


def test_winter_time_is_five_hours(recorded: Recorded) -> None:
    found = submissions(with_filings(recorded, [("8-K", "2024-01-10", "2024-01-10T07:00:00")]))
    assert found.filings[0].ts_event == us("2024-01-10T12:00:00")


def test_nothing_is_known_later_than_it_was_read(recorded: Recorded) -> None:
    found = submissions(with_filings(recorded, [("8-K", "2024-05-03", "2024-05-03T17:00:00")]))
    assert (found.filings[0].ts_event, found.filings[0].ts_known) == (NOW, NOW)


@pytest.mark.parametrize(("sic", "read"), [("100", "0100"), ("", None), ("abcd", None), (None, None)])
def test_industry_has_four_digits_or_is_not_known(
    recorded: Recorded, sic: str | None, read: str | None
) -> None:
    document = json.loads(recorded("edgar/http_submissions.json"))
    document["sic"] = sic
    assert submissions(json.dumps(document).encode()).sic == read


def test_answer_about_another_company_is_refused(recorded: Recorded) -> None:
    with pytest.raises(BadPayload, match="edgar: cik is not 1000001, got '0001000009'"):
        submissions(recorded("edgar/http_submissions.json").replace(b'0001000001"', b'0001000009"'))
    with pytest.raises(BadPayload, match="edgar: cik is not 1000001, got '7'"):
        facts(recorded("edgar/http_facts.json").replace(b'"cik": 1000001', b'"cik": 7'))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'["8-K", "10-Q", "8-K"]', b'["8-K", "10-Q"]', "filings.recent holds lists of different lengths"),
        (b'"1.01,9.01"', b'"earnings"', r"filings.recent.items\[0\] is not a list of item numbers"),
        (b'"2024-02-28"]', b'"28 Feb"]', r"filings.recent.filingDate\[2\] is not a day"),
        (b'"recent"', b'"older"', "filings.recent is missing"),
    ],
)
def test_damaged_filings_are_named(recorded: Recorded, old: bytes, new: bytes, says: str) -> None:
    data = recorded("edgar/http_submissions.json")
    assert old in data
    with pytest.raises(BadPayload, match=f"edgar: {says}"):
        submissions(data.replace(old, new))


def test_newest_shares_and_cash(recorded: Recorded) -> None:
    found = facts(recorded("edgar/http_facts.json"))
    assert found.shares_outstanding is not None
    assert (found.shares_outstanding.value, found.shares_outstanding.last) == (52e6, date(2024, 4, 26))
    assert found.fundamentals.cash_usd == 42e6
    assert found.fundamentals.quarterly_ocf_usd == -15e6


def test_report_is_known_when_its_day_is_over_in_new_york(recorded: Recorded) -> None:
    found = facts(recorded("edgar/http_facts.json"))
    assert found.fundamentals.cash is not None
    assert found.fundamentals.cash.ts_known == us("2024-05-03T04:00:00")
    early = facts(recorded("edgar/http_facts.json"), us("2024-05-02T21:00:00"))
    assert early.fundamentals.cash is not None
    assert early.fundamentals.cash.ts_known == us("2024-05-02T21:00:00"), "it was read before that"


def test_single_quarters_out_of_years_so_far(recorded: Recorded) -> None:
    found = facts(recorded("edgar/http_facts.json")).fundamentals.quarters
    # The first quarter of 2023 was told again a year later, as -10.5.
    assert [(flow.last.isoformat(), flow.value / 1e6) for flow in found] == [
        ("2023-03-31", -10.5),
        ("2023-06-30", -10.5),
        ("2023-09-30", -12.0),
        ("2023-12-31", -13.0),
        ("2024-03-31", -15.0),
    ]
    assert found[1].first == date(2023, 4, 1)
    assert all(flow.ts_known <= NOW for flow in found)


def flow(first: str, last: str, value: float, told: int = 0) -> Reported:
    return Reported(value, date.fromisoformat(first), date.fromisoformat(last), "10-Q", told, told, LIVE)


def test_year_alone_tells_no_quarter() -> None:
    assert quarters([flow("2023-01-01", "2023-12-31", -40)]) == ()


def test_quarter_that_was_told_itself_counts_more_than_a_difference() -> None:
    told = [
        flow("2023-01-01", "2023-03-31", -10),
        flow("2023-01-01", "2023-06-30", -25),
        flow("2023-04-01", "2023-06-30", -14),
    ]
    assert [one.value for one in quarters(told)] == [-10, -14]


def test_difference_is_known_when_both_parts_are() -> None:
    told = [flow("2023-01-01", "2023-03-31", -10, 9), flow("2023-01-01", "2023-06-30", -25, 5)]
    assert quarters(told)[1].ts_known == 9


def test_order_of_rows_does_not_matter(recorded: Recorded) -> None:
    document = json.loads(recorded("edgar/http_facts.json"))
    before = facts(json.dumps(document).encode())
    concept = document["facts"]["us-gaap"]["NetCashProvidedByUsedInOperatingActivities"]
    concept["units"]["USD"].reverse()
    assert facts(json.dumps(document).encode()) == before


def test_company_that_reports_nothing_so_has_unknown_numbers() -> None:
    found = facts(b'{"cik": 1000001, "facts": {}}')
    assert found.shares_outstanding is None
    assert (found.fundamentals.cash_usd, found.fundamentals.quarterly_ocf_usd) == (None, None)


def test_second_name_of_a_number_is_read_where_the_first_is_missing(recorded: Recorded) -> None:
    data = recorded("edgar/http_facts.json").replace(b'"dei": {"Entity', b'"us-gaap-x": {"Entity')
    data = data.replace(b'"CashAndCashEquivalentsAtCarryingValue"', b'"Cash"')
    assert facts(data).fundamentals.cash_usd == 42e6
    assert facts(data).shares_outstanding is None


def use(online: Online, answer: Any, ask: Callable[[Edgar], Any]) -> Any:
    async def main(server: Any) -> Any:
        server.then(answer)
        async with open_client(Reach(frozenset(), loopback=True)) as client:
            edgar = Edgar(client, "me@example.com", LiveClock(NOW), files_url=server.url, data_url=server.url)
            value = await ask(edgar)
        assert "me@example.com" in server.requests[0][1]["user-agent"]
        return [target for target, _ in server.requests], value

    return online(main)


def test_numbers_of_companies_have_ten_digits(online: Online, answer: Any, recorded: Recorded) -> None:
    targets, _ = use(
        online, answer(recorded("edgar/http_submissions.json")), lambda one: one.submissions(CIK, ABC)
    )
    assert targets == ["/submissions/CIK0001000001.json"]
    targets, _ = use(online, answer(recorded("edgar/http_facts.json")), lambda one: one.facts(CIK))
    assert targets == ["/api/xbrl/companyfacts/CIK0001000001.json"]


def test_company_without_reports_is_none(online: Online, answer: Any) -> None:
    assert use(online, answer(b"no such key", status=404), lambda one: one.facts(CIK))[1] is None


def test_ban_for_too_many_requests_lasts_ten_minutes(online: Online, answer: Any) -> None:
    page = answer(b"<html>Request Rate Threshold Exceeded</html>", status=403, kind="text/html")
    with pytest.raises(RateLimited) as raised:
        use(online, page, lambda one: one.tickers())
    assert raised.value.retry_after_s == 600
    with pytest.raises(RateLimited) as raised:
        use(online, answer(status=429, headers={"Retry-After": "1"}), lambda one: one.tickers())
    assert raised.value.retry_after_s == 600


def test_other_refusal_stays_one(online: Online, answer: Any) -> None:
    with pytest.raises(SourceRefused):
        use(online, answer(b"declare who you are", status=403), lambda one: one.tickers())


async def test_without_a_mail_address_nothing_is_asked() -> None:
    async with open_client(Reach(frozenset())) as client:
        with pytest.raises(ConfigError, match="mail address"):
            Edgar(client, "", LiveClock(NOW))
