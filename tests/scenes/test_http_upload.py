"""XEP-0363, as clients see it: a slot over XMPP, the file over HTTP."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import aiohttp
import pytest

from imserver.xmpp.element import Element
from tests.scenes.actors import PATIENCE, Actor, Stage, staged
from tests.scenes.doors import eventually

UPLOAD = "urn:xmpp:http:upload:0"
SERVICE = "upload.localhost"
PICTURE = b"\x89PNG" + bytes(range(256)) * 300


class Http:
    """A client's other half."""

    def __init__(self, stage: Stage, client: aiohttp.ClientSession) -> None:
        self._stage = stage
        self._client = client

    def url(self, public: str) -> str:
        """Put the port in that the test happened to get."""
        return public.replace(":0/", f":{self._stage.running.ports['http'][0]}/", 1)

    async def __call__(
        self,
        method: str,
        url: str,
        data: object = None,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with self._client.request(
            method, self.url(url), data=data, headers=headers, ssl=context or True
        ) as response:
            return response.status, response.headers, await response.read()

    async def raw(self, request: str, *, later: str = "") -> bytes:
        """Send bytes as they are, some of them a little later, and read until the server hangs up."""
        port = self._stage.running.ports["http"][0]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request.encode())
        if later:
            await asyncio.sleep(0.1)
            writer.write(later.encode())
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
async def http(stage: Stage) -> AsyncIterator[Http]:
    async with aiohttp.ClientSession() as client:
        yield Http(stage, client)


def request(name: str = "holiday.png", size: int = len(PICTURE), type: str | None = "image/png") -> str:
    announced = f" content-type='{type}'" if type is not None else ""
    return (
        f"<iq type='get' id='slot' to='{SERVICE}'>"
        f"<request xmlns='{UPLOAD}' filename='{name}' size='{size}'{announced}/></iq>"
    )


async def slot(
    actor: Actor, name: str = "holiday.png", size: int = len(PICTURE), type: str | None = "image/png"
) -> str:
    """Ask for a slot, and return its address."""
    answer = await actor.asks(request(name, size, type))
    assert answer.get("type") == "result", answer
    put, get = answer.elements()[0].elements()
    assert (put.name, get.name, put.get("url")) == ("put", "get", get.get("url"))
    return put.get("url")


async def refusal(actor: Actor, xml: str) -> Element:
    answer = await actor.asks(xml)
    assert answer.get("type") == "error", answer
    error = answer.child("error")
    assert error is not None
    return error


def condition(error: Element) -> str:
    return error.elements()[0].name


def text(error: Element) -> str:
    found = error.child("text", "urn:ietf:params:xml:ns:xmpp-stanzas")
    return found.text if found is not None else ""


def stored(stage: Stage) -> list[Path]:
    return list((stage.server.settings.data / "uploads").iterdir())


# Finding it


async def test_the_service_says_what_it_is_and_how_large_a_file_may_be(ana: Actor) -> None:
    answer = await ana.asks(
        f"<iq type='get' id='1' to='{SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )

    query = answer.elements()[0]
    [identity] = query.all("identity")
    assert (identity.get("category"), identity.get("type")) == ("store", "file")
    assert UPLOAD in [feature.get("var") for feature in query.all("feature")]
    form = query.child("x", "jabber:x:data")
    assert form is not None
    fields = {field.get("var"): field.elements()[0].text for field in form.all("field")}
    assert fields == {"FORM_TYPE": UPLOAD, "max-file-size": "52428800"}


async def test_the_service_is_found_among_the_servers_items(ana: Actor) -> None:
    answer = await ana.asks(
        "<iq type='get' id='1' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"
    )

    assert SERVICE in [item.get("jid") for item in answer.elements()[0].elements()]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("<query xmlns='http://jabber.org/protocol/disco#info' node='x'/>", "item-not-found"),
        ("<query xmlns='jabber:iq:version'/>", "service-unavailable"),
    ],
)
async def test_what_the_service_does_not_know_it_says(ana: Actor, payload: str, expected: str) -> None:
    error = await refusal(ana, f"<iq type='get' id='1' to='{SERVICE}'>{payload}</iq>")

    assert condition(error) == expected


async def test_nobody_reads_messages_to_the_service(ana: Actor) -> None:
    await ana.sends(f"<message to='{SERVICE}' id='1'><body>Hello?</body></message>")

    await ana.receives("<message type='error' from='…' to='…'>…<error type='cancel'>…</error></message>")


# Slots


async def test_a_slot_is_at_a_random_address_with_a_safe_name(ana: Actor) -> None:
    first, second = await slot(ana, "../é b&amp;.png"), await slot(ana, "../é b&amp;.png")

    assert first != second
    _, token, name = first.removeprefix("http://localhost:0").strip("/").split("/")
    assert len(token) == 43  # 256 bits
    assert unquote(name) == "é b&.png"
    assert first.isascii()


async def test_line_breaks_of_a_name_never_get_into_a_header(ana: Actor, http: Http) -> None:
    url = await slot(ana, "a&#13;&#10;Set-Cookie: b.png", 3)

    await http("PUT", url, b"abc", {"Content-Type": "image/png"})
    _, headers, _ = await http("GET", url)

    assert "%0D" not in url
    assert "%0A" not in url
    assert "Set-Cookie" not in headers


@pytest.mark.settings(upload={"max_bytes": 1000})
async def test_a_file_that_is_too_large_is_refused_with_the_limit(ana: Actor) -> None:
    error = await refusal(ana, request(size=1001))

    assert (condition(error), text(error)) == ("not-acceptable", "A file may have up to 1000 bytes")
    too_large = error.child("file-too-large", UPLOAD)
    assert too_large is not None
    assert too_large.elements()[0].text == "1000"


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (request(size=0), "not-acceptable"),
        (request(name="x" * 256), "not-acceptable"),
        (request(type="png"), "not-acceptable"),
        (request(type="image/png&#10;X: y"), "not-acceptable"),
        (request(name=""), "bad-request"),
        (request(size=-1), "bad-request"),
        (
            f"<iq type='get' id='1' to='{SERVICE}'><request xmlns='{UPLOAD}' filename='a'/></iq>",
            "bad-request",
        ),
    ],
)
async def test_a_slot_that_is_refused_says_by_which_rule(ana: Actor, xml: str, expected: str) -> None:
    error = await refusal(ana, xml)

    assert condition(error) == expected
    assert text(error)


@pytest.mark.settings(upload={"quota_bytes": 1000})
async def test_whoever_has_used_up_the_quota_is_told_when_to_come_back(ana: Actor, luis: Actor) -> None:
    await slot(ana, size=600)
    await slot(ana, size=400)

    error = await refusal(ana, request(size=1))

    assert condition(error) == "resource-constraint"
    assert "1000 bytes" in text(error)
    retry = error.child("retry", UPLOAD)
    assert retry is not None
    assert retry.get("stamp").endswith("Z")
    await slot(luis, size=1000)  # a quota of one's own


# Putting


async def test_a_file_is_uploaded_and_downloaded(stage: Stage, ana: Actor, http: Http) -> None:
    url = await slot(ana)

    status, _, _ = await http("PUT", url, PICTURE, {"Content-Type": "image/png"})
    assert status == 201

    status, headers, body = await http("GET", url)
    assert (status, body) == (200, PICTURE)
    assert headers["Content-Type"] == "image/png"
    assert stage.server.counters.uploads == 1


async def test_over_tls_it_is_the_same(tmp_path: Path) -> None:
    async with staged(tmp_path, {"http": {"tls": True}}) as stage, aiohttp.ClientSession() as client:
        ana, http = await stage.comes_online("ana"), Http(stage, client)
        trusted = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
        url = await slot(ana)
        assert url.startswith("https://")

        status, _, _ = await http("PUT", url, PICTURE, {"Content-Type": "image/png"}, trusted)
        assert status == 201

        assert (await http("GET", url, context=trusted))[2] == PICTURE


async def test_a_file_comes_only_once(ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)
    await http("PUT", url, b"abc", {"Content-Type": "image/png"})

    status, _, _ = await http("PUT", url, b"xyz", {"Content-Type": "image/png"})

    assert status == 409
    assert (await http("GET", url))[2] == b"abc"


async def test_two_who_upload_at_once_do_not_mix(stage: Stage, ana: Actor, http: Http) -> None:
    url = await slot(ana, size=6)
    other_is_answered = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b"one"
        await other_is_answered.wait()
        yield b"one"

    headers = {"Content-Type": "image/png", "Content-Length": "6"}
    first = asyncio.create_task(http("PUT", url, slowly(), headers))
    await eventually(lambda: any((stage.server.settings.data / "uploads").iterdir()))
    status, _, _ = await http("PUT", url, b"twotwo", {"Content-Type": "image/png"})
    other_is_answered.set()

    assert status == 409
    assert (await first)[0] == 201
    assert (await http("GET", url))[2] == b"oneone"


@pytest.mark.parametrize(
    ("body", "type", "status"),
    [
        (b"x" * 101, "image/png", 413),
        (b"x" * 99, "image/png", 400),
        (b"x" * 100, "text/html", 415),
        (b"x" * 100, "image/png; charset=x", 201),
        (b"x" * 100, "IMAGE/PNG", 201),
    ],
)
async def test_size_and_type_are_the_announced_ones(
    stage: Stage, ana: Actor, http: Http, body: bytes, type: str, status: int
) -> None:
    url = await slot(ana, size=100)

    answered, _, _ = await http("PUT", url, body, {"Content-Type": type})

    assert answered == status
    assert len(stored(stage)) == (status == 201)


async def test_an_upload_says_its_length_first(stage: Stage, ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"abc"

    assert (await http("PUT", url, chunks(), {"Content-Type": "image/png"}))[0] == 411
    assert stored(stage) == []


async def test_a_compressed_upload_is_refused(ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)

    status, _, _ = await http("PUT", url, b"abc", {"Content-Type": "image/png", "Content-Encoding": "gzip"})

    assert status == 415


async def test_bytes_after_the_announced_ones_are_never_kept(stage: Stage, ana: Actor, http: Http) -> None:
    path = (await slot(ana, size=3)).removeprefix("http://localhost:0")

    answer = await http.raw(
        f"PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 3\r\n\r\nabc",
        later="def",
    )

    assert answer.startswith(b"HTTP/1.1 201")
    [file] = stored(stage)
    assert file.read_bytes() == b"abc"


async def test_an_upload_that_breaks_off_leaves_nothing_and_may_be_tried_again(
    stage: Stage, ana: Actor, http: Http
) -> None:
    url = await slot(ana, size=100)
    path = url.removeprefix("http://localhost:0")
    with socket.create_connection(("127.0.0.1", stage.running.ports["http"][0])) as broken:
        broken.sendall(
            f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nhalf".encode()
        )
        await eventually(lambda: bool(stored(stage)))

    await eventually(lambda: not stored(stage))
    assert (await http("GET", url))[0] == 404
    assert (await http("PUT", url, b"x" * 100, {"Content-Type": "image/png"}))[0] == 201


async def test_an_upload_that_stalls_is_cut(
    stage: Stage, ana: Actor, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imserver.features.upload_files.STALL_SECONDS", 0.1)
    path = (await slot(ana, size=100)).removeprefix("http://localhost:0")

    answer = await http.raw(
        f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\nhalf"
    )

    assert answer.startswith(b"HTTP/1.1 408")
    assert stored(stage) == []


async def test_a_slot_is_good_for_a_while_only(stage: Stage, ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)
    await _turn_the_clock(stage, seconds=301)

    assert (await http("PUT", url, b"abc", {"Content-Type": "image/png"}))[0] == 404


async def test_a_type_that_was_not_announced_is_never_shown(ana: Actor, http: Http) -> None:
    url = await slot(ana, "page.html", 3, None)

    assert (await http("PUT", url, b"abc", {"Content-Type": "text/html"}))[0] == 201

    _, headers, _ = await http("GET", url)
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


# Getting


async def test_a_download_can_do_no_harm_in_a_browser(ana: Actor, http: Http) -> None:
    url = await slot(ana, "evil.html", 3, "text/html")
    await http("PUT", url, b"<b>", {"Content-Type": "text/html"})

    _, headers, _ = await http("GET", url)

    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''evil.html"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "immutable" in headers["Cache-Control"]


async def test_parts_of_a_file_can_be_had(ana: Actor, http: Http) -> None:
    url = await slot(ana)
    await http("PUT", url, PICTURE, {"Content-Type": "image/png"})

    status, headers, body = await http("GET", url, headers={"Range": "bytes=10-19"})
    assert (status, body) == (206, PICTURE[10:20])
    assert headers["Content-Range"] == f"bytes 10-19/{len(PICTURE)}"
    assert headers["X-Content-Type-Options"] == "nosniff"

    assert (await http("GET", url, headers={"Range": "bytes=-5"}))[2] == PICTURE[-5:]
    assert (await http("GET", url, headers={"Range": "bytes=999999-"}))[0] == 416


async def test_head_says_how_large_a_file_is(ana: Actor, http: Http) -> None:
    url = await slot(ana)
    await http("PUT", url, PICTURE, {"Content-Type": "image/png"})

    status, headers, body = await http("HEAD", url)

    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == str(len(PICTURE))


async def test_whatever_is_not_there_looks_the_same(stage: Stage, ana: Actor, http: Http) -> None:
    promised = await slot(ana, size=3)
    url = await slot(ana, size=3)
    await http("PUT", url, b"abc", {"Content-Type": "image/png"})
    folder, _, name = url.rpartition("/")
    (stage.server.settings.data / "uploads" / "secret").write_text("secret")

    tried = [
        promised,  # not there yet
        f"{folder}/other.png",
        f"{folder}/",
        folder,
        f"{folder}/{name}/{name}",
        f"{folder[:-1]}x/{name}",
        f"http://localhost:0/upload/{'A' * 43}/{name}",
        "http://localhost:0/upload/",
        "http://localhost:0/upload/secret/secret",
        "http://localhost:0/upload/..%2fimserver.db",
        "http://localhost:0/upload/%00/x",
    ]
    answers = [await http("GET", one) for one in tried]
    for path in ("..", "%2e%2e", "..%2f..", "//etc", "./.."):
        got = await http.raw(
            f"GET /upload/{path}/imserver.db HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert got.startswith(b"HTTP/1.1 404")
        assert got.endswith(b"\r\n\r\nThere is no such file")

    assert [status for status, _, _ in answers] == [404] * len(tried)
    assert {body for _, _, body in answers} == {b"There is no such file"}
    assert len({tuple(sorted(set(headers) - {"Date"})) for _, headers, _ in answers}) == 1


async def test_an_expired_file_is_gone(stage: Stage, ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)
    await http("PUT", url, b"abc", {"Content-Type": "image/png"})
    await _turn_the_clock(stage, seconds=91 * 86_400)

    assert (await http("GET", url))[0] == 404


async def test_web_clients_of_any_origin_may_upload(ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)
    origin = {"Origin": "https://web.example"}

    status, headers, _ = await http("OPTIONS", url, headers=origin | {"Access-Control-Request-Method": "PUT"})
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in headers["Access-Control-Allow-Headers"]

    _, headers, _ = await http("PUT", url, b"abc", origin | {"Content-Type": "image/png"})
    assert headers["Access-Control-Allow-Origin"] == "*"
    _, headers, _ = await http("GET", url, headers=origin)
    assert headers["Access-Control-Allow-Origin"] == "*"
    _, headers, _ = await http("GET", f"{url}x", headers=origin)
    assert headers["Access-Control-Allow-Origin"] == "*"


async def test_nothing_lies_in_the_log_that_opens_a_file(stage: Stage, ana: Actor, http: Http) -> None:
    url = await slot(ana, size=3)
    await http("PUT", url, b"abc", {"Content-Type": "image/png"})
    await http("GET", url)

    token = url.split("/")[-2]
    assert "file uploaded" in [entry["event"] for entry in stage.log.entries]
    assert token not in str(stage.log.entries)


async def test_files_survive_a_restart(tmp_path: Path) -> None:
    async with staged(tmp_path, {}) as stage, aiohttp.ClientSession() as client:
        http = Http(stage, client)
        url = await slot(await stage.comes_online("ana"), size=3)
        await http("PUT", url, b"abc", {"Content-Type": "image/png"})

    async with staged(tmp_path, {}) as stage, aiohttp.ClientSession() as client:
        assert (await Http(stage, client)("GET", url))[2] == b"abc"


async def _turn_the_clock(stage: Stage, *, seconds: int) -> None:
    """Let everything expire that much earlier."""
    async with stage.server.store.database.writing() as connection:
        await connection.exec_driver_sql(f"UPDATE uploads SET expires = expires - {seconds * 1_000_000}")
