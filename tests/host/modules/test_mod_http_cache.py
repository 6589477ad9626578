"""Sounds of the web, from a server on the loopback: what is fetched, what is kept, and how it fails."""

from __future__ import annotations

import io
import json
import shutil
import ssl
import subprocess
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.clock import MILLISECOND, SECOND, RealClock
from host.interfaces import ApiRequest
from host.modules.mod_http_cache.cache import HttpCache
from host.modules.mod_http_cache.settings import Settings, read_settings
from host.modules.mod_http_cache.transfer import (
    Transfer,
    TransferError,
    ending_of,
    ending_of_type,
    max_age_of,
)
from host.session import Session
from host.sound_file import open_source
from host.switch import Switch
from media.source import Source
from tests.eventually import eventually
from tests.host.one_call import in_call
from tests.host.xml_document import settings as settings_document


def wav(ms: int, level: int = 1000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(np.full(8 * ms, level, np.int16).tobytes())
    return file.getvalue()


@dataclass
class Page:
    """What the server answers for a path."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None  # what it promises
    chunked: bool = False
    gate: threading.Event | None = None  # it answers when this is set
    drips: bool = False  # it sends a byte every now and then, for ever


class Web:
    """A web server whose pages a test writes; `seen` are the requests that came, each with its headers."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.open = True
        self.pages: dict[str, Page] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.put: dict[str, bytes] = {}
        self.arrived = threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.seen.append(("GET", self.path, dict(self.headers)))
                web.arrived.set()
                page = web.pages.get(self.path, Page(status=404))
                if page.gate is not None:
                    page.gate.wait()
                self.close_connection = True
                etag = page.headers.get("ETag")
                if etag is not None and self.headers["If-None-Match"] == etag:
                    page = Page(status=304, headers=page.headers)
                self.send_response(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                if page.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                elif page.status != 304:
                    length = len(page.body) if page.length is None else page.length
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                while page.drips and web.open:
                    self.wfile.write(b"x")
                    RealClock().sleep(50 * MILLISECOND)
                self.wfile.write(b"%x\r\n%b\r\n" % (len(page.body), page.body) if page.chunked else page.body)

            def do_PUT(self) -> None:
                web.seen.append(("PUT", self.path, dict(self.headers)))
                web.put[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(201 if self.path.startswith("/up") else 403)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' * (certificate is not None)}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def gets(self, path: str) -> int:
        return sum(one[:2] == ("GET", path) for one in self.seen)

    def close(self) -> None:
        self.open = False
        for page in self.pages.values():
            if page.gate is not None:
                page.gate.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setenv("no_proxy", "*")
    server = Web()
    yield server
    server.close()


@pytest.fixture
def switch(virtual_switch: Switch, web: Web) -> Switch:
    for module in ("mod_sndfile", "mod_native_file", "mod_http_cache"):
        virtual_switch.modules.load(module)
    return virtual_switch


def cache_of(tmp_path: Path, **settings: object) -> HttpCache:
    made = Settings(str(tmp_path / "kept"))
    for name, value in settings.items():
        setattr(made, name, value)
    return HttpCache(RealClock(), made, Transfer(made), lambda ending: ending == "wav")


def api(switch: Switch, name: str, argument: str = "") -> str:
    command = switch.api_commands.get(name)
    assert command is not None
    return command.run(ApiRequest(switch, argument)) or ""


def length(source: Source) -> int | None:
    return source.length


@pytest.mark.parametrize("scheme", ["", "http_cache://"])
def test_a_document_is_played_and_kept(switch: Switch, web: Web, scheme: str) -> None:
    web.pages["/a.wav?x=1"] = Page(wav(200))
    for _ in range(3):
        source = open_source(switch, f"{scheme}{web.url}/a.wav?x=1", 8000)
        assert length(source) == 1600
        assert source.render(0, 1)[0] == 1000
    assert web.gets("/a.wav?x=1") == 1


def test_a_call_hears_it(switch: Switch, web: Web) -> None:
    web.pages["/a.wav"] = Page(wav(300))

    def run(session: Session) -> object:
        began = session.switch.clock.now()
        application = session.switch.applications.get("playback")
        assert application is not None
        application.run(session, f"{web.url}/a.wav")
        return session.switch.clock.now() - began

    outcome = in_call(switch, run)
    assert outcome.values == [pytest.approx(300_000, abs=20_000)]


@pytest.mark.parametrize("kind", ["audio/x-wav", "audio/wav; codec=1"])
def test_the_kind_is_told_by_the_type_where_the_url_does_not(switch: Switch, web: Web, kind: str) -> None:
    web.pages["/say.php?id=7"] = Page(wav(100), headers={"Content-Type": kind})
    assert length(open_source(switch, f"{web.url}/say.php?id=7", 8000)) == 800


def test_it_follows_redirects_but_not_for_ever_nor_to_files(switch: Switch, web: Web, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(wav(100))
    web.pages["/1.wav"] = Page(status=302, headers={"Location": "/2.wav"})
    web.pages["/2.wav"] = Page(wav(100))
    web.pages["/turn.wav"] = Page(bytes(1000), status=302, headers={"Location": "/turn.wav"})
    web.pages["/file.wav"] = Page(status=302, headers={"Location": f"file://{tmp_path}/secret.wav"})
    web.pages["/ftp.wav"] = Page(status=302, headers={"Location": "ftp://127.0.0.1/x.wav"})
    assert length(open_source(switch, f"{web.url}/1.wav", 8000)) == 800
    for name in ("turn", "file", "ftp"):
        with pytest.raises(OSError):
            open_source(switch, f"{web.url}/{name}.wav", 8000)
    assert web.gets("/turn.wav") < 12


def test_what_is_not_there_is_missing_and_not_kept(switch: Switch, web: Web) -> None:
    with pytest.raises(FileNotFoundError, match="404"):
        open_source(switch, f"{web.url}/none.wav", 8000)
    web.pages["/none.wav"] = Page(wav(100))
    assert length(open_source(switch, f"{web.url}/none.wav", 8000)) == 800


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(wav(100), length=5000), "ended after"),
        (Page(b"<html></html>", headers={"Content-Type": "text/html"}), "Error Opening"),
        (Page(wav(100), status=500), "500"),
        (Page(status=304), "304"),
    ],
)
def test_what_cannot_be_played_is_an_error(switch: Switch, web: Web, page: Page, reason: str) -> None:
    web.pages["/a.wav"] = page
    with pytest.raises(OSError, match=reason):
        open_source(switch, f"{web.url}/a.wav", 8000)


@pytest.mark.parametrize(
    "url", ["http://", "http://[", "http://127.0.0.1:1/a.wav", "http_cache://file:///etc/passwd"]
)
def test_what_is_no_web_address_is_an_error(switch: Switch, url: str) -> None:
    with pytest.raises(OSError):
        open_source(switch, url, 8000)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_huge_body_is_refused_and_leaves_nothing(web: Web, tmp_path: Path, chunked: bool) -> None:
    cache = cache_of(tmp_path, max_file_size=1000)
    web.pages["/a.wav"] = Page(bytes(100_000), chunked=chunked)
    with pytest.raises(TransferError, match="larger than 1000 bytes"):
        cache.get(f"{web.url}/a.wav")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_chunked_body_that_breaks_off_is_an_error(web: Web, tmp_path: Path) -> None:
    web.pages["/a.wav"] = Page(bytes(1000), chunked=True)  # the server sends no last chunk
    with pytest.raises(TransferError):
        cache_of(tmp_path).get(f"{web.url}/a.wav")
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_silent_server_is_given_up(web: Web, tmp_path: Path) -> None:
    web.pages["/a.wav"] = Page(wav(100), gate=threading.Event())
    with pytest.raises(TransferError, match="timed out"):
        cache_of(tmp_path, connect_timeout=1).get(f"{web.url}/a.wav")


def test_a_server_that_drips_is_given_up(web: Web, tmp_path: Path) -> None:
    web.pages["/a.wav"] = Page(length=1_000_000, drips=True)
    with pytest.raises(TransferError, match="more than 1 s"):
        cache_of(tmp_path, download_timeout=1).get(f"{web.url}/a.wav")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_a_server_must_prove_who_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("no_proxy", "*")
    file = tmp_path / "own.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "c.pem")]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "c.pem").read_bytes())
    server = Web(file)
    server.pages["/a.wav"] = server.pages["/a.wav?again"] = Page(wav(100))
    url = f"{server.url}/a.wav"
    try:
        with pytest.raises(TransferError, match="CERTIFICATE_VERIFY_FAILED"):
            cache_of(tmp_path).get(url)
        with pytest.raises(TransferError, match="mismatch"):
            cache_of(tmp_path, ssl_cacert=str(file)).get(url.replace("127.0.0.1", "localhost"))
        assert server.seen == []
        assert cache_of(tmp_path, ssl_cacert=str(file)).get(url)
        assert cache_of(tmp_path, ssl_verifypeer=False).get(f"{url}?again")
    finally:
        server.close()


def test_the_configuration(virtual_switch: Switch, tmp_path: Path) -> None:
    params = {
        "location": str(tmp_path / "x"),
        "max-urls": "7",
        "max-size": "0",
        "default-max-age": "0",
        "connect-timeout": "5",
        "download-timeout": "x",
        "ssl-verifypeer": "false",
        "ssl-cacert": "/no/such/file",
        "enable-file-formats": "false",
    }
    virtual_switch.xml.load_text(settings_document("http_cache.conf", params))
    assert read_settings(virtual_switch) == Settings(
        str(tmp_path / "x"), max_urls=7, default_max_age=0, connect_timeout=5, ssl_verifypeer=False
    )


def test_a_stale_document_is_asked_for_again(switch: Switch, web: Web) -> None:
    url = f"{web.url}/a.wav"
    page = Page(wav(100), headers={"ETag": '"1"', "Cache-Control": "public, max-age=60"})
    web.pages["/a.wav"] = page
    path = api(switch, "http_get", url)
    switch.clock.sleep(59 * SECOND)
    assert api(switch, "http_get", url) == path
    assert web.gets("/a.wav") == 1
    switch.clock.sleep(2 * SECOND)
    assert api(switch, "http_tryget", url) == "-ERR download\n"
    assert api(switch, "http_get", url) == path  # 304
    assert web.gets("/a.wav") == 2
    assert api(switch, "http_get", url) == path
    assert web.gets("/a.wav") == 2
    web.pages["/a.wav"] = Page(wav(200), headers={"ETag": '"2"'})
    changed = api(switch, "http_get", f"{{refresh=true}}{url}")
    assert web.seen[-1][2]["If-None-Match"] == '"1"'
    assert changed != path
    assert Path(changed).read_bytes() == wav(200)
    assert not Path(path).exists()


def test_what_may_not_be_kept_is_fetched_each_time(switch: Switch, web: Web) -> None:
    web.pages["/a.wav"] = Page(wav(100), headers={"Cache-Control": "no-store"})
    for _ in range(2):
        assert length(open_source(switch, f"{web.url}/a.wav", 8000)) == 800
    assert web.gets("/a.wav") == 2


def test_all_who_ask_at_once_share_one_download(web: Web, tmp_path: Path) -> None:
    cache = cache_of(tmp_path)
    gate = threading.Event()
    web.pages["/a.wav"] = Page(wav(100), headers={"Cache-Control": "max-age=0"}, gate=gate)
    web.pages["/b.wav"] = Page(wav(100))
    paths: list[str] = []
    threads = [threading.Thread(target=lambda: paths.append(cache.get(f"{web.url}/a.wav"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    web.arrived.wait()
    assert cache.get(f"{web.url}/b.wav")  # another document does not wait for it
    eventually(lambda: len(cache._under_way) == 1 and waiting(cache) == 4)
    gate.set()
    for thread in threads:
        thread.join()
    assert len(paths) == 5
    assert len(set(paths)) == 1
    assert web.gets("/a.wav") == 1


def waiting(cache: HttpCache) -> int:
    """How many threads wait for a download that is under way."""
    conditions = [vars(download.ended)["_cond"] for download in cache._under_way.values()]
    return sum(len(vars(condition)["_waiters"]) for condition in conditions)


def test_the_least_recently_used_is_forgotten(web: Web, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, max_urls=2)
    urls = [f"{web.url}/{name}.wav" for name in "abc"]
    for name in "abc":
        web.pages[f"/{name}.wav"] = Page(wav(100))
    first, second = cache.get(urls[0]), cache.get(urls[1])
    assert cache.get(urls[0]) == first
    cache.get(urls[2])
    assert cache.held(urls[0]) == first
    assert cache.held(urls[1]) is None
    assert not Path(second).exists()
    assert len(list((tmp_path / "kept").iterdir())) == 4


def test_the_cache_grows_no_larger_than_it_may(web: Web, tmp_path: Path) -> None:
    cache = cache_of(tmp_path, max_size=2 * len(wav(100)))
    for name in "abcd":
        web.pages[f"/{name}.wav"] = Page(wav(100))
        cache.get(f"{web.url}/{name}.wav")
    assert [cache.held(f"{web.url}/{name}.wav") is not None for name in "abcd"] == [False, False, True, True]


def test_documents_outlive_the_process(web: Web, tmp_path: Path) -> None:
    web.pages["/a.wav"] = Page(wav(100))
    path = cache_of(tmp_path).get(f"{web.url}/a.wav")
    kept = tmp_path / "kept"
    (kept / "999999999-x.part").write_bytes(b"half")
    (kept / f"{'0' * 64}.json").write_text(json.dumps({"url": "http://x/", "name": "../../etc/passwd"}))
    again = cache_of(tmp_path)
    assert again.held(f"{web.url}/a.wav") == path
    assert not (kept / "999999999-x.part").exists()
    Path(path).write_bytes(wav(100)[:50])
    assert cache_of(tmp_path).held(f"{web.url}/a.wav") is None


def test_a_document_whose_file_was_deleted_is_fetched_again(web: Web, tmp_path: Path) -> None:
    web.pages["/a.wav"] = Page(wav(100), headers={"ETag": '"1"'})
    cache = cache_of(tmp_path)
    Path(cache.get(f"{web.url}/a.wav")).unlink()
    assert Path(cache.get(f"{web.url}/a.wav")).read_bytes() == wav(100)


def test_the_commands(switch: Switch, web: Web, tmp_path: Path) -> None:
    web.pages["/a.json"] = Page(b"{}")
    url = f"{web.url}/a.json"
    assert api(switch, "http_tryget", url) == "-ERR download\n"
    path = api(switch, "http_get", url)
    assert path.startswith(f"{switch.global_variables.get('cache_dir')}/http_cache/")
    assert path.endswith(".json")
    assert Path(path).read_bytes() == b"{}"
    assert api(switch, "http_tryget", url) == path
    assert api(switch, "http_remove_cache", url) == "+OK\n"
    assert not Path(path).exists()
    assert api(switch, "http_prefetch", url) == "+OK\n"
    switch.clock.sleep(SECOND)
    assert api(switch, "http_tryget", url).endswith(".json")
    assert api(switch, "http_clear_cache") == "+OK\n"
    assert api(switch, "http_tryget", url) == "-ERR download\n"
    assert api(switch, "http_get", f"{web.url}/none") == "-ERR\n"


def test_a_file_is_put(switch: Switch, web: Web, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(100))
    file = tmp_path / "a.wav"
    address = web.url.replace("http://", "http://me:pa%20ss@")
    assert api(switch, "http_put", f"{address}/up/a.wav {file}") == "+OK 201\n"
    assert web.put["/up/a.wav"] == wav(100)
    assert web.seen[-1][2]["Authorization"] == "Basic bWU6cGEgc3M="
    assert api(switch, "http_put", f"{web.url}/no/a.wav {file}") == "-ERR 403\n"
    assert api(switch, "http_put", f"http://127.0.0.1:1/a.wav {file}") == "-ERR 0\n"
    assert api(switch, "http_put", f"{web.url}/up/a.wav {tmp_path}/none") == "-ERR 0\n"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("http_get", "USAGE: {param=val}<url>\n"),
        ("http_tryget", "USAGE: {param=val}<url>\n"),
        ("http_prefetch", "USAGE: {param=val}<url>\n"),
        ("http_put http://127.0.0.1/", "USAGE: {param=val}<url> <file>\n"),
        ("http_remove_cache", "USAGE: <url>\n"),
        ("http_clear_cache x", "USAGE: \n"),
    ],
)
def test_usage(switch: Switch, line: str, reply: str) -> None:
    name, _, argument = line.partition(" ")
    assert api(switch, name, argument) == reply


@pytest.mark.parametrize(
    ("url", "ending"),
    [
        ("http://h/a/b.wav", "wav"),
        ("http://h/a.wav?x=1.mp3#y.z", "wav"),
        ("http://h.wav/a", ""),
        ("http://h/a.w/v", ""),
        ("http://h/a.{x}", ""),
        ("http://[/a.wav", ""),
    ],
)
def test_the_ending_of_a_url(url: str, ending: str) -> None:
    assert ending_of(url) == ending


def test_the_ending_of_a_type() -> None:
    assert [ending_of_type(kind) for kind in ("Audio/MPEG; a=b", "text/html", "x/none", "")] == [
        "mp3",
        "html",
        "",
        "",
    ]


@given(st.text())
def test_any_cache_control_has_an_age_or_none(text: str) -> None:
    age = max_age_of(text)
    assert age is None or age >= 0
    assert max_age_of(f"max-age=7,{text}") is not None


@given(st.text())
def test_any_url_has_an_ending_that_is_a_plain_word(url: str) -> None:
    ending = ending_of(url)
    assert ending == "" or (ending.isalnum() and ending.isascii())


def test_a_call_that_hangs_up_waits_no_longer_and_the_download_goes_on(tmp_path: Path, web: Web) -> None:
    gate = threading.Event()
    web.pages["/a.wav"] = Page(wav(100), headers={"Cache-Control": "max-age=100"}, gate=gate)
    real = Switch(RealClock(), tmp_path)
    try:
        for module in ("mod_sndfile", "mod_dptools", "mod_http_cache"):
            real.modules.load(module)
        real.engine.start()

        def do(session: Session) -> object:
            session.execute("playback", f"{web.url}/a.wav")
            return gate.is_set(), session.channel.ready

        outcome = in_call(real, do, hangup_ms=1000)
        assert outcome.values == [(False, False)]
        assert any("the call ended before the download did" in text for text in outcome.logs)
        assert api(real, "http_tryget", f"{web.url}/a.wav") == "-ERR download\n"
        real.clock.call_later(100 * MILLISECOND, gate.set)
        outcome = in_call(real, lambda session: session.execute("playback", f"{web.url}/a.wav"))
        assert outcome.played and len(web.seen) == 1
    finally:
        gate.set()
        real.close()
        real.clock.close()
