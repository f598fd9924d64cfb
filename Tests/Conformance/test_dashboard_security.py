"""Texts, pages and names that attack the service's dashboard, in a real browser."""

import datetime
import html
import http.server
import json
import sqlite3
import ssl
import threading
import time
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Error

from browser import needs_browser
from dashboard import FORM, Dashboard, pages_of
from hostile import INTRUDERS, TEXTS
from local_service import LocalService, pass_on

pytestmark = needs_browser

NAME = "\"><img src=x onerror=hit()>{{title}}'\u0301 onfocus='hit()"
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def attacked(bin_dir, tmp_path_factory):
    """A shop in which each text stands wherever a caller or a handler can write; yields it with its runs."""
    folder = tmp_path_factory.mktemp("attacked")
    file = folder / "jobs.db"
    (folder / "texts.json").write_text(json.dumps(TEXTS))
    options = ["--title", NAME, "--name", NAME, "--refresh", "0", "--texts", folder / "texts.json"]
    dashboard = Dashboard(bin_dir, f"sqlite:{file}", *options)
    found = {}
    deadline = time.time() + 60
    while len(found) < len(TEXTS) and time.time() < deadline:
        with sqlite3.connect(file) as database:
            rows = database.execute("SELECT id, input FROM runs WHERE status IN ('succeeded', 'failed', 'cancelled')")
            found = {json.loads(text)["text"]: run for run, text in rows if text and "text" in text}
    runs = [found[text] for text in TEXTS]
    # A document that another program wrote.
    with sqlite3.connect(file) as database:
        fields = json.dumps({"cron": NAME, "group": NAME, "queue": NAME, NAME: NAME, "metadata": {NAME: NAME}})
        changed = database.execute("UPDATE jobs SET configuration = ? WHERE id = 'rebuild_index'", [fields])
        assert changed.rowcount == 1
        fields = json.dumps({"group": NAME, "queue": NAME, "metadata": {NAME: NAME}, "input": NAME})
        database.execute("UPDATE jobs SET configuration = ? WHERE id = 'clean_carts'", [fields])
    yield dashboard, runs
    assert dashboard.close() == 0


def check(page, base):
    """Checks that nothing on a page comes from a text, and that nothing happened."""
    intruders = page.evaluate(INTRUDERS, base)
    assert not intruders, (page.url, intruders)
    page.check_faults()


def test_no_text_of_a_run_becomes_a_part_of_its_page(browser, attacked):
    dashboard, runs = attacked
    with browser.page() as page:
        for run, text in zip(runs, TEXTS, strict=True):
            page.open(f"{dashboard.url}/runs/{run}")
            check(page, dashboard.path)
            # The text is there, as text.
            if text.isascii() and text.isprintable() and len(text) < 200 and text.strip():
                shown = page.locator("body").text_content()
                assert " ".join(text.split()) in " ".join(shown.split()), (run, text)


def test_no_text_becomes_a_part_of_a_list_or_of_another_page(browser, attacked):
    dashboard, _ = attacked
    with browser.page() as page:
        for path in pages_of(dashboard):
            page.open(dashboard.origin + path)
            check(page, dashboard.path)
        address = f"{dashboard.url}/runs"
        for _ in range(20):
            page.open(address)
            check(page, dashboard.path)
            following = page.locator("a[rel=next]")
            if following.count() == 0:
                break
            address = dashboard.origin + following.first.get_attribute("href")


def test_no_parameter_becomes_a_part_of_a_page(browser, attacked):
    dashboard, _ = attacked
    names = set()
    paths = [path for path in pages_of(dashboard) if "?" not in path]
    with browser.page() as page:
        for path in paths:
            page.open(dashboard.origin + path)
            names |= set(page.evaluate("() => [...document.querySelectorAll('[name]')].map(e => e.name)"))
        names |= {"done", "cursor", "status", "month", "page"} - {""}
        names.discard("viewport")
        page.may_be_refused = True
        for number, text in enumerate(TEXTS):
            encoded = urllib.parse.quote(text[:300], safe="")
            query = "&".join(f"{name}={encoded}" for name in ("q", "job", "correlation", "done", "group"))
            # Each text in the search, and in one other place.
            path = paths[number % len(paths)]
            every = "&".join(f"{name}={encoded}" for name in sorted(names))
            others = [f"{path}?{every}", f"{dashboard.path}/jobs/{encoded}", f"{dashboard.path}/{encoded}"]
            for address in (f"{dashboard.path}/runs?{query}", others[number % 3]):
                response = page.tab.goto(dashboard.origin + address, wait_until="load")
                assert response.status in (200, 400, 404, 413, 422), (address, response.status)
                check(page, dashboard.path)


# MARK: Other pages

# Every way in which a page can send a request to another origin, with the credentials of its visitor.
ATTACK = """<!doctype html><title>page</title><body><pre id="log">started</pre><script>
const [target, paths, form] = ARGUMENTS;
const log = document.getElementById("log");
const note = (name, result) => { log.textContent += `\\n${name}: ${result}`; };
async function attempt(name, url, options) {
  try { const response = await fetch(url, options); note(name, `${response.type} ${response.status}`); }
  catch (error) { note(name, error.name); }
}
(async () => {
  for (const [index, path] of paths.entries()) {
    const url = target + path;
    for (const mode of ["no-cors", "cors"]) {
      for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]) {
        const headers = {"Content-Type": type};
        await attempt(`${mode} ${type}`, url, {method: "POST", mode, headers, body: form, credentials: "include"});
      }
    }
    await attempt("read", url, {credentials: "include"});
    await attempt("same-origin", url, {credentials: "include", mode: "same-origin"});
    navigator.sendBeacon(url, new Blob([form], {type: "application/x-www-form-urlencoded"}));
    for (const policy of ["no-referrer", "unsafe-url"]) {
      const name = `frame-${index}-${policy}`;
      const frame = document.createElement("iframe");
      frame.name = name;
      document.body.append(frame);
      const node = document.createElement("form");
      Object.assign(node, {method: "post", action: url, target: name});
      node.setAttribute("rel", policy === "no-referrer" ? "noreferrer" : "");
      for (const [key, value] of new URLSearchParams(form)) {
        const input = document.createElement("input");
        Object.assign(input, {name: key, value});
        node.append(input);
      }
      document.body.append(node);
      node.submit();
    }
    const sandbox = document.createElement("iframe");
    sandbox.setAttribute("sandbox", "allow-scripts allow-forms");
    sandbox.srcdoc = `<form id=f method=post action="${url}"><input name=because value=x></form>` +
      "<script>f.submit()<\\/script>";
    document.body.append(sandbox);
  }
  setTimeout(() => note("finished", ""), 1000);
})();
</script>"""


@pytest.fixture(params=["loopback", "passwords"])
def guarded(request, bin_dir, tmp_path):
    """A dashboard with a run that waits, the pages that would change it, and the credentials of a visitor."""
    options = ["--password", PASSWORD] if request.param == "passwords" else []
    dashboard = Dashboard(bin_dir, f"sqlite:{tmp_path / 'jobs.db'}", "--no-worker", *options)
    run = dashboard.enqueue("send_welcome_email", {"customer": "a"}, delay="3600s")
    user = {"username": "alice", "password": PASSWORD} if options else None
    yield dashboard, run, user
    assert dashboard.close() == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_a_page_of_another_origin_changes_and_reads_nothing(browser, guarded, host):
    dashboard, run, user = guarded
    paths = [f"{dashboard.path}/runs/{run}/cancel", f"{dashboard.path}/runs/{run}/now"]
    paths += [f"{dashboard.path}/jobs/clean_carts/pause", f"{dashboard.path}/runs/bulk"]
    form = f"because=x&confirm=yes&action=cancel&scope=selected&run={run}"
    target = dashboard.origin.replace("127.0.0.1", "localhost") if host == "localhost" else dashboard.origin
    text = ATTACK.replace("ARGUMENTS", json.dumps([target, paths, form]))
    service = LocalService(lambda request, body: (200, {"Content-Type": "text/html"}, text.encode()))
    try:
        options = {"http_credentials": user} if user else {}
        with browser.page(**options) as page:
            if user:
                # The browser has the credentials from an earlier visit.
                page.open(target + dashboard.path)
            page.faults.clear()
            page.tab.goto(service.url.replace("127.0.0.1", host) + "/")
            page.wait_for_function("() => document.getElementById('log').textContent.includes('finished')")
            log = page.locator("#log").inner_text()
            assert not [fault for fault in page.faults if fault.startswith("dialog")]
    finally:
        service.close()
    results = {line.split(": ")[-1] for line in log.splitlines()[1:]} - {"", "finished:"}
    assert results <= {"opaque 0", "TypeError"}, log
    assert dashboard.call("GET", f"runs/{run}")["status"] == "scheduled"
    assert not dashboard.call("GET", "jobs/clean_carts").get("paused")


def test_a_link_on_another_page_leads_to_the_dashboard(browser, guarded):
    dashboard, _, user = guarded
    link = f'<a href="{dashboard.url}">dashboard</a>'.encode()
    service = LocalService(lambda request, body: (200, {"Content-Type": "text/html"}, link))
    try:
        with browser.page(**({"http_credentials": user} if user else {})) as page:
            page.tab.goto(service.url.replace("127.0.0.1", "evil.example") + "/")
            with page.expect_navigation():
                page.locator("a").click()
            assert page.url == dashboard.url and page.locator("h1").inner_text() == "Overview"
    finally:
        service.close()


def test_a_page_under_a_rebound_name_reads_and_changes_nothing(browser, guarded):
    """DNS rebinding: after the page has loaded, its host name leads to the dashboard."""
    dashboard, run, user = guarded
    paths = [dashboard.path, f"{dashboard.path}/runs/{run}/cancel", f"{dashboard.path}/runs"]
    text = ATTACK.replace("ARGUMENTS", json.dumps(["", paths, "because=x"]))

    def respond(request, body):
        if request.path == "/":
            return 200, {"Content-Type": "text/html"}, text.encode()
        response, content = pass_on(dashboard.origin, request, body, dict(request.headers))
        return response.status, {"Content-Type": "text/html"}, content

    service = LocalService(respond)
    try:
        with browser.page(**({"http_credentials": user} if user else {})) as page:
            page.tab.goto(service.url.replace("127.0.0.1", "evil.example") + "/")
            page.wait_for_function("() => document.getElementById('log').textContent.includes('finished')")
            log = page.locator("#log").inner_text()
    finally:
        service.close()
    results = {line.rpartition(": ")[2] for line in log.splitlines()[1:]} - {""}
    # The page can read the responses, which are refusals.
    assert results == {"basic 403"}, log
    assert dashboard.call("GET", f"runs/{run}")["status"] == "scheduled"


def test_no_page_frames_the_dashboard(browser, guarded):
    dashboard, _, user = guarded
    frames = "".join(f'<iframe id=f{n} src="{dashboard.url}{path}"></iframe>' for n, path in enumerate(["", "/runs"]))
    frames += f'<object id=o data="{dashboard.url}"></object><embed id=e src="{dashboard.url}">'
    service = LocalService(lambda request, body: (200, {"Content-Type": "text/html"}, frames.encode()))
    try:
        for host in ("127.0.0.1", "localhost", "evil.example"):
            with browser.page(**({"http_credentials": user} if user else {})) as page:
                page.tab.goto(service.url.replace("127.0.0.1", host) + "/", wait_until="load")
                page.wait_for_timeout(300)
                shown = [frame for frame in page.tab.frames[1:] if "CloudJobs" in frame_text(frame)]
                assert len(page.tab.frames) >= 3 and not shown
                assert any("frame" in fault.lower() or "403" in fault for fault in page.faults), page.faults
    finally:
        service.close()


def frame_text(frame):
    return frame.evaluate("() => document.documentElement.outerHTML") if not frame.is_detached() else ""


# MARK: A proxy with TLS


class Proxy:
    """A proxy with TLS that forwards to a dashboard, with or without the name by which it was called."""

    def __init__(self, dashboard, folder, passes_host):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jobs.example")])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("jobs.example")]), False)
            .sign(key, hashes.SHA256())
        )
        file = folder / f"proxy-{passes_host}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fields = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                fields |= {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Via": "1.1 proxy"}
                if passes_host:
                    fields["Host"] = self.headers["Host"]
                response, content = pass_on(dashboard.origin, self, body, fields)
                self.send_response(response.status)
                for field, value in response.headers.items():
                    if field.lower() not in ("content-length", "connection", "date", "server", "transfer-encoding"):
                        self.send_header(field, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = handle_any

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        self.url = f"https://jobs.example:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.mark.parametrize("passes_host", [True, False])
def test_behind_a_proxy_with_tls_users_sign_in_and_change_runs(browser, guarded, tmp_path, passes_host):
    dashboard, run, user = guarded
    proxy = Proxy(dashboard, tmp_path, passes_host)
    try:
        if user is None:
            with browser.page(ignore_https_errors=True) as page:
                page.open(proxy.url + dashboard.path, 403)
                assert "forwarded" in page.locator("main").inner_text() or "Host" in page.locator("main").inner_text()
            return
        with browser.page(ignore_https_errors=True, http_credentials=user) as page:
            page.open(f"{proxy.url}{dashboard.path}/runs/{run}/cancel")
            assert page.locator(".user").inner_text() == "alice"
            with page.expect_navigation():
                page.locator("main form button").first.click()
            assert page.url == f"{proxy.url}{dashboard.path}/runs/{run}?done=cancelled"
            page.check_faults()
        assert dashboard.call("GET", f"runs/{run}")["status"] == "cancelled"
        robin = {"username": "robin", "password": PASSWORD}
        with browser.page(ignore_https_errors=True, http_credentials=robin) as page:
            page.open(f"{proxy.url}{dashboard.path}/runs")
            assert page.locator("main form[method=post], main input[type=checkbox], main .danger").count() == 0
            assert page.locator("header .badge", has_text="read only").is_visible()
        with browser.page(ignore_https_errors=True) as page:
            # A browser without a window asks nobody for a password.
            with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
                page.open(proxy.url + dashboard.path)
    finally:
        proxy.close()


def test_the_refusal_of_a_form_tells_what_to_do(guarded):
    dashboard, run, user = guarded
    path = f"{dashboard.path}/runs/{run}/cancel"
    rows = {
        "Sec-Fetch-Site is missing": {"Content-Type": FORM},
        "not made by a page of the dashboard": {"Content-Type": FORM, "Sec-Fetch-Site": "same-site"},
        "Content-Type is not that of a form": {"Content-Type": "text/plain", "Sec-Fetch-Site": "same-origin"},
    }
    for text, fields in rows.items():
        status, _, page = dashboard.request("POST", path, "because=x", fields)
        if user is None and "same-site" in fields.values():
            text = "Sec-Fetch-Site is"
        assert status == 403 and text in html.unescape(page), (status, text)
