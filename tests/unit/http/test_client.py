"""The shared HTTP client: where it may go, how much it reads, and what each bad answer is called."""

import asyncio
import gzip
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.errors import BadPayload, RateLimited, SourceError, SourceRefused, SourceUnavailable
from engine.http import (
    MAX_BYTES,
    Reach,
    fetch,
    is_loopback,
    is_public,
    open_client,
    retry_after_s,
    system_resolve,
    tls_context,
)
from engine.loop import run_virtual

HERE = Reach(frozenset(), loopback=True)
Online = Callable[[Callable[[Any], Awaitable[Any]]], Any]


def resolving(*addresses: str) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    async def resolve(name: str, port: int) -> Sequence[str]:
        return addresses

    return resolve


def asked(reach: Reach, url: str, **terms: Any) -> Any:
    """What a client says to one request, on a loop of its own."""

    async def main() -> bytes:
        async with open_client(reach, **terms) as client:
            return await fetch(client, "service", url)

    return run_virtual(main(), io_wait_s=0.01)


def told(online: Online, *answers: Any, **terms: Any) -> Any:
    """What `fetch` makes of an answer of the server."""

    async def main(server: Any) -> bytes:
        if answers:
            server.then(*answers)
        async with open_client(HERE) as client:
            return await fetch(client, "service", f"{server.url}/path", **terms)

    return online(main)


def test_whole_answer_with_our_name_in_the_request(online: Online, answer: Any) -> None:
    async def main(server: Any) -> None:
        server.then(answer(b'{"a": 1}'))
        async with open_client(HERE, contact="me@example.com") as client:
            assert (
                await fetch(client, "service", f"{server.url}/p", {"q": "a b"}, {"X-Key": "k"}) == b'{"a": 1}'
            )
        target, headers = server.requests[0]
        assert target == "/p?q=a%20b" or target == "/p?q=a+b"
        assert headers["user-agent"].startswith("tradedeck/")
        assert "me@example.com" in headers["user-agent"]
        assert headers["x-key"] == "k"
        assert headers["accept-encoding"] == "gzip"

    online(main)


def test_connection_is_kept_for_the_next_request(online: Online, answer: Any) -> None:
    async def main(server: Any) -> None:
        async with open_client(HERE) as client:
            for _ in range(3):
                await fetch(client, "service", f"{server.url}/p")
        assert len(server.requests) == 3

    online(main)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://other.example/", "not one of the hosts"),
        ("http://good.example/", "by https only"),
        ("ftp://good.example/", "by https only"),
        ("https://me:pw@good.example/", "holds a password"),
        ("https://127.0.0.1/", "not one of the hosts"),
        ("https://localhost/", "not one of the hosts"),
        ("https://good.example.evil.example/", "not one of the hosts"),
    ],
)
def test_address_outside_the_rules_is_not_called(url: str, why: str) -> None:
    with pytest.raises(SourceRefused, match=why):
        asked(Reach(frozenset({"good.example"})), url, resolve=resolving("192.0.2.1"))


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - compared, never bound
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_name_that_points_into_a_private_network_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(SourceRefused, match="not a public one"):
        asked(Reach(frozenset({"good.example"})), "https://good.example/", resolve=resolving(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(SourceRefused, match=r"10\.0\.0\.1"):
        asked(
            Reach(frozenset({"good.example"})),
            "https://good.example/",
            resolve=resolving("8.8.8.8", "10.0.0.1"),
        )


def test_loopback_permission_is_for_names_of_loopback_alone() -> None:
    reach = Reach(frozenset({"good.example"}), loopback=True)
    with pytest.raises(SourceRefused, match="not a public one"):
        asked(reach, "https://good.example/", resolve=resolving("127.0.0.1"))


def test_address_that_was_looked_at_is_the_one_connected_to(online: Online, answer: Any) -> None:
    """A second look-up could give another address: there is none."""
    looked: list[str] = []

    async def resolve(name: str, port: int) -> Sequence[str]:
        looked.append(name)
        return ("127.0.0.1",) if len(looked) == 1 else ("10.0.0.1",)

    async def main(server: Any) -> None:
        async with open_client(HERE, resolve=resolve) as client:
            await fetch(client, "service", f"http://localhost:{server.port}/p")
        assert server.requests[0][1]["host"] == f"localhost:{server.port}"

    online(main)
    assert looked == ["localhost"]


def test_second_address_is_tried_when_the_first_does_not_answer(online: Online) -> None:
    async def main(server: Any) -> None:
        async with open_client(HERE, resolve=resolving("::1", "127.0.0.1")) as client:
            assert await fetch(client, "service", f"http://localhost:{server.port}/p") == b"{}"

    online(main)


def test_name_without_an_address_and_port_without_a_server_are_unavailable() -> None:
    async def nowhere(name: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    with pytest.raises(SourceUnavailable, match="has no address"):
        asked(Reach(frozenset({"good.example"})), "https://good.example/", resolve=nowhere)
    with pytest.raises(SourceUnavailable, match="has no address"):
        asked(Reach(frozenset({"good.example"})), "https://good.example/", resolve=resolving())
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        asked(HERE, "http://127.0.0.1:9/")


async def test_system_resolver_gives_each_address_once() -> None:
    assert await system_resolve("127.0.0.1", 80) == ("127.0.0.1",)


def test_tls_is_checked_and_modern() -> None:
    context = tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    since = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(since)
        .not_valid_after(since.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("nothing is sent before the certificate was accepted")

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server, open_client(HERE) as client:
            with pytest.raises(SourceUnavailable, match=r"(?i)certificate verify failed"):
                await fetch(client, "service", f"https://127.0.0.1:{port}/")

    run_virtual(main(), io_wait_s=0.03)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, RateLimited),
        (500, SourceUnavailable),
        (502, SourceUnavailable),
        (503, SourceUnavailable),
        (408, SourceUnavailable),
        (400, SourceRefused),
        (401, SourceRefused),
        (403, SourceRefused),
        (404, SourceRefused),
        (418, SourceRefused),
        (204, SourceRefused),
    ],
)
def test_each_status_has_its_error(online: Online, answer: Any, status: int, kind: type[SourceError]) -> None:
    body = b"" if status == 204 else b"it says \x1b[31mwhy"
    with pytest.raises(kind) as raised:
        told(online, answer(body, status=status))
    assert type(raised.value) is kind
    assert f"service answered {status}" in raised.value.message
    assert "\x1b" not in raised.value.message
    if isinstance(raised.value, SourceRefused):
        assert raised.value.status == status


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "999999999999"}, 3600),
        ({"Retry-After": "Fri, 03 May 2024 12:00:30 GMT", "Date": "Fri, 03 May 2024 12:00:00 GMT"}, 30),
        ({"Retry-After": "Fri, 03 May 2024 11:00:00 GMT", "Date": "Fri, 03 May 2024 12:00:00 GMT"}, 0),
        ({"Retry-After": "Fri, 03 May 2024 12:00:30 GMT"}, 1),
        ({"Retry-After": "soon"}, 1),
        ({"Retry-After": "-5"}, 1),
        ({"Retry-After": "\u0663"}, 1),
        ({}, 1),
    ],
)
def test_pause_that_a_429_asks_for(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(httpx.Headers({k: v.encode() for k, v in headers.items()})) == seconds


def test_429_over_the_wire_carries_its_pause(online: Online, answer: Any) -> None:
    with pytest.raises(RateLimited) as raised:
        told(online, answer(b"slow down", status=429, headers={"Retry-After": "12"}))
    assert raised.value.retry_after_s == 12


def test_answer_that_never_comes_takes_ten_seconds(online: Online, answer: Any) -> None:
    async def main(server: Any) -> float:
        server.then(answer(mute=True))
        began = asyncio.get_running_loop().time()
        async with open_client(HERE) as client:
            with pytest.raises(SourceUnavailable, match="no whole answer in 10 s"):
                await fetch(client, "service", f"{server.url}/")
        return asyncio.get_running_loop().time() - began

    assert online(main) == pytest.approx(10, abs=0.5)


def test_half_an_answer_is_no_answer(online: Online, answer: Any) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        told(online, answer(b'{"a": 1, "b": 2}', cut=5))


@pytest.mark.parametrize(
    "raw", [b"", b"hello\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"]
)
def test_what_is_no_http_is_unavailable(online: Online, answer: Any, raw: bytes) -> None:
    with pytest.raises(SourceUnavailable):
        told(online, answer(raw=raw))


def test_answer_over_its_limit_is_not_read_to_its_end(online: Online, answer: Any) -> None:
    with pytest.raises(BadPayload, match=r"more than 2,000,000 bytes"):
        told(online, answer(b"1" * (MAX_BYTES + 1)))
    assert len(told(online, answer(b"1" * MAX_BYTES))) == MAX_BYTES


def test_request_may_name_another_limit(online: Online, answer: Any) -> None:
    assert len(told(online, answer(b"1" * 3_000_000), most=3_000_000)) == 3_000_000
    with pytest.raises(BadPayload):
        told(online, answer(b"1" * 11), most=10)


def test_gzip_is_unpacked(online: Online, answer: Any) -> None:
    body = b'{"price": 1.25}' * 50
    packed = answer(gzip.compress(body), headers={"Content-Encoding": "gzip"})
    assert told(online, packed) == body


@pytest.mark.parametrize(
    ("size", "why"), [(1_500_000, "unpack to more than"), (50_000_000, "unpack to more than")]
)
def test_gzip_bomb_is_not_unpacked(online: Online, answer: Any, size: int, why: str) -> None:
    bomb = gzip.compress(b" " * size)
    with pytest.raises(BadPayload, match=why):
        told(online, answer(bomb, headers={"Content-Encoding": "gzip"}))


def test_damaged_gzip_and_other_packings_are_refused(online: Online, answer: Any) -> None:
    body = gzip.compress(b"x" * 1000)
    with pytest.raises(BadPayload, match="cannot be unpacked"):
        told(online, answer(b"not gzip at all", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(SourceUnavailable, match="ends in the middle"):
        told(online, answer(body[:-9], headers={"Content-Encoding": "gzip"}))
    with pytest.raises(BadPayload, match="was not offered"):
        told(online, answer(body, headers={"Content-Encoding": "br"}))


def test_another_kind_of_content_is_refused(online: Online, answer: Any) -> None:
    with pytest.raises(BadPayload, match="answered with text/html, not application/json"):
        told(online, answer(b"<html>", kind="text/html; charset=utf-8"))
    with pytest.raises(BadPayload, match="no content type"):
        told(online, answer(b"{}", kind=""))
    assert told(online, answer(b"{}", kind="Application/JSON; charset=utf-8")) == b"{}"


def test_redirect_within_the_host_is_followed(online: Online, answer: Any) -> None:
    there = answer(status=301, headers={"Location": "/there?x=1"})
    assert told(online, there, answer(b'{"found": 1}')) == b'{"found": 1}'


@pytest.mark.parametrize(
    "location", ["https://evil.example/", "//127.0.0.1:1/x", "http://localhost/x", "ftp://127.0.0.1/x"]
)
def test_redirect_to_another_host_is_not_followed(online: Online, answer: Any, location: str) -> None:
    async def main(server: Any) -> None:
        server.then(answer(status=302, headers={"Location": location}))
        async with open_client(Reach(frozenset({"evil.example"}), loopback=True)) as client:
            with pytest.raises(SourceRefused, match=r"redirects from 127\.0\.0\.1 to"):
                await fetch(client, "service", f"{server.url}/")
        assert len(server.requests) == 1

    online(main)


def test_redirects_in_a_circle_end(online: Online, answer: Any) -> None:
    with pytest.raises(SourceRefused, match="more than 3 times"):
        told(online, answer(status=302, headers={"Location": "/path"}))


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch, online: Online) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://10.0.0.1:3128")
    monkeypatch.setenv("ALL_PROXY", "http://10.0.0.1:3128")
    assert told(online) == b"{}"


def test_no_parameter_or_header_is_told_in_an_error(online: Online, answer: Any) -> None:
    for bad in (answer(status=500), answer(mute=True), answer(b"<", kind="text/html")):
        with pytest.raises(SourceError) as raised:
            told(online, bad, params={"apikey": "sesame"}, headers={"X-Key": "sesame"})
        assert "sesame" not in str(raised.value)


def test_foreign_client_errors_are_ours(online: Online) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("it took too long")

    async def main(server: Any) -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as client:
            with pytest.raises(SourceUnavailable, match="it took too long"):
                await fetch(client, "service", "https://good.example/")
            with pytest.raises(SourceUnavailable, match="cannot be asked"):
                await fetch(client, "service", "https://good.example:99999/")

    online(main)


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("[::1]", True), ("localhost", True), ("example.com", False), ("", False)],
)
def test_what_names_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here
