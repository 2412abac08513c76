"""HTTP to outside services, under limits (RELIABILITY 9): the one place where a client is made.

A client calls only the hosts it was made for, by https, and no address inside a private network: the address
is looked at after the name was resolved, and that very address is connected to, so a name cannot point
elsewhere a moment later. Plain http is for loopback, and only where that was asked for. A whole answer comes
within ten seconds and within its size, also unpacked. Certificates are checked against the system's store.
"""

import asyncio
import ipaddress
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.metadata import version
from typing import Any

import httpcore
import httpx

from engine.errors import BadPayload, RateLimited, SourceRefused, SourceUnavailable
from engine.model.text import clean

MAX_BYTES = 2_000_000
"""Of one answer, packed and unpacked, where a request does not name another limit."""
MAX_RATIO = 100
"""What is unpacked to more than this many times its size is a bomb."""
FREE_BYTES = 100_000
"""Below it no ratio is looked at: short texts of spaces pack well."""
TIMEOUT_S = 10.0
"""From the look-up of the name to the last byte."""
MAX_HOPS = 3
"""Redirects within one host."""
MAX_PAUSE_S = 3600.0
"""No service may ask for a longer one."""
_EXCERPT = 120
_CONNECTIONS = 8
_KEPT_S = 30.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LIMIT = "tradedeck.max_bytes"

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(name, port) -> addresses, best first. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a client may go. `loopback`: also to this machine, there by plain http too."""

    hosts: frozenset[str]
    loopback: bool = False


def open_client(
    reach: Reach, contact: str = "", resolve: "Resolve | None" = None, timeout_s: float = TIMEOUT_S
) -> httpx.AsyncClient:
    """A client for the hosts of `reach`; close it with `aclose`. `contact` is named in each request."""
    transport = LimitedTransport(reach, resolve or system_resolve, timeout_s)
    agent = f"tradedeck/{version('tradedeck')}" + (f" ({contact})" if contact else "")
    return httpx.AsyncClient(
        transport=transport,
        headers={"User-Agent": agent, "Accept-Encoding": "gzip"},
        # The limit on the whole is the transport's; follow nothing, and no proxy that the environment names.
        timeout=None,  # noqa: S113 - ten seconds for all of it, in LimitedTransport
        follow_redirects=False,
        trust_env=False,
    )


@cache
def tls_context() -> ssl.SSLContext:
    """Checks certificates and names against the system's store; TLS 1.2 at least. One for all clients."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


async def system_resolve(name: str, port: int) -> Sequence[str]:
    """By the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an IP address lies in the public Internet, also one that is wrapped in an IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local)


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_loopback(host: str) -> bool:
    """Whether a host names this machine by a number, or by the one name that always does."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to an address that was looked at, never to a name."""

    def __init__(self, reach: Reach, resolve: Resolve) -> None:
        self._reach = reach
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} has no address: {error.strerror or error}") from error
        for address in addresses:
            self._check(host, address)
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def _check(self, host: str, address: str) -> None:
        if self._reach.loopback and is_loopback(host) and is_loopback(address):
            return
        if not is_public(address):
            raise SourceRefused(
                f"{host} has the address {address}, which is not a public one",
                "A name server or /etc/hosts points it there; nothing was sent",
            )


class LimitedTransport(httpx.AsyncBaseTransport):
    """Sends what the rules allow, and gives whole answers: read, unpacked and within their limits.

    Raises SourceRefused for what the rules forbid, SourceUnavailable for what did not come whole and in time,
    BadPayload for what is too large or packed in a way that was not offered.
    """

    def __init__(self, reach: Reach, resolve: Resolve, timeout_s: float) -> None:
        self._reach = reach
        self._timeout_s = timeout_s
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(),
            max_connections=_CONNECTIONS,
            keepalive_expiry=_KEPT_S,
            network_backend=_CheckedNetwork(reach, resolve),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, one whole answer."""
        self._check(request.url)
        host = request.url.host
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._send(request)
        except TimeoutError as error:
            raise SourceUnavailable(f"{host} gave no whole answer in {self._timeout_s:g} s") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            said = clean(str(error), _EXCERPT)
            raise SourceUnavailable(f"{host} cannot be reached: {said or type(error).__name__}") from error

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    def _check(self, url: httpx.URL) -> None:
        is_here = self._reach.loopback and is_loopback(url.host)
        if not is_here and url.host not in self._reach.hosts:
            raise SourceRefused(
                f"{clean(url.host)} is not one of the hosts that may be called here",
                f"Allowed: {', '.join(sorted(self._reach.hosts))}",
            )
        if url.scheme != "https" and not (is_here and url.scheme == "http"):
            raise SourceRefused(f"{clean(url.host)} may be called by https only, not by {clean(url.scheme)}")
        if url.userinfo:
            raise SourceRefused(f"an address of {clean(url.host)} holds a password", "Keys go into headers")

    async def _send(self, request: httpx.Request) -> httpx.Response:
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions={},
        )
        answer = await self._pool.handle_async_request(sent)
        try:
            headers = httpx.Headers(answer.headers)
            most = request.extensions.get(_LIMIT, MAX_BYTES)
            packed = await _read(answer, request.url.host, most)
            body = _unpacked(packed, headers.get("content-encoding", ""), request.url.host, most)
        finally:
            await answer.aclose()
        kept = [
            (name, value)
            for name, value in headers.raw
            if name.lower() not in (b"content-encoding", b"content-length")
        ]
        return httpx.Response(answer.status, headers=kept, content=body, request=request)


async def _read(answer: httpcore.Response, host: str, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.aiter_stream():
        size += len(part)
        if size > most:
            raise BadPayload(f"{host} sends more than {most:,} bytes", "It is not read to its end")
        parts.append(part)
    return b"".join(parts)


def _unpacked(packed: bytes, encoding: str, host: str, most: int) -> bytes:
    """`packed` as it was before gzip, if that is what its header says. Raises BadPayload."""
    if encoding.strip().lower() in ("", "identity"):
        return packed
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise BadPayload(f"{host} packs its answer by {clean(encoding, 20)!r}, which was not offered")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    allowed = min(most, max(FREE_BYTES, MAX_RATIO * len(packed)))
    try:
        body = unpacker.decompress(packed, allowed + 1)
    except zlib.error as error:
        raise BadPayload(f"{host} sends gzip that cannot be unpacked: {clean(str(error))}") from error
    if len(body) > allowed:
        raise BadPayload(
            f"{host} sends {len(packed):,} bytes that unpack to more than {allowed:,}",
            "It is not read to its end",
        )
    if not unpacker.eof:
        raise SourceUnavailable(f"{host} sends gzip that ends in the middle")
    return body


async def fetch(
    client: httpx.AsyncClient,
    source: str,
    url: str,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    kinds: Iterable[str] = ("application/json",),
    most: int = MAX_BYTES,
) -> bytes:
    """The body of a GET that was answered with 200 and one of the content types `kinds`.

    `most`: bytes. Redirects are followed within the host. Raises RateLimited, SourceUnavailable,
    SourceRefused (with the HTTP status) and BadPayload; no message holds parameters or headers.
    """
    extensions = {_LIMIT: most}
    try:
        target = httpx.URL(url, params=params) if params else httpx.URL(url)
        for _ in range(MAX_HOPS + 1):
            response = await client.get(target, headers=headers, extensions=extensions)
            if response.status_code not in _REDIRECTS:
                return _judged(response, source, kinds)
            target = _next_hop(response, source)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        said = clean(str(error), _EXCERPT)
        raise SourceUnavailable(f"{source} cannot be asked: {said or type(error).__name__}") from error
    raise SourceRefused(f"{source} redirects more than {MAX_HOPS} times")


def _next_hop(response: httpx.Response, source: str) -> httpx.URL:
    here = response.request.url
    there = here.join(response.headers.get("location", ""))
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        raise SourceRefused(
            f"{source} redirects from {here.host} to {clean(there.host) or 'nowhere'}",
            "If the service has moved, its address must be changed by hand",
            response.status_code,
        )
    return there


def _judged(response: httpx.Response, source: str, kinds: Iterable[str]) -> bytes:
    status, said = response.status_code, _excerpt(response.content)
    words = f"{source} answered {status}" + (f": {said}" if said else "")
    if status == 429:
        raise RateLimited(words, retry_after_s(response.headers))
    if status >= 500 or status == 408:
        raise SourceUnavailable(words)
    if status in (401, 403):
        raise SourceRefused(words, "Check the key and what it may do", status)
    if status != 200:
        raise SourceRefused(words, "", status)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in kinds:
        raise BadPayload(
            f"{source} answered with {clean(kind, 40) or 'no content type'}, not {' or '.join(kinds)}"
        )
    return response.content


def _excerpt(body: bytes) -> str:
    return clean(body[: 4 * _EXCERPT].decode("utf-8", "replace"), _EXCERPT).strip()


def retry_after_s(headers: httpx.Headers) -> float:
    """The pause that a 429 asks for, in seconds: of `Retry-After`, a number or a date; 1 where it is missing.

    A date counts from the answer's own `Date`, so that our clock does not matter (RFC 9110, 10.2.3).
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_PAUSE_S)
    try:
        pause = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError, OverflowError):
        return 1.0
    return min(max(pause, timedelta(0)).total_seconds(), MAX_PAUSE_S)
