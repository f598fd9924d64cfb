"""A real page in a real browser, against servers that trust this machine."""

import pathlib
import re
import shutil
import sqlite3
import subprocess
import time
import urllib.request

import pytest

from browser import find_browser, needs_browser
from local_service import LocalService, pass_on

# The ways in which a page can reach another origin without consent; each tries every route.
PAGE = """<!doctype html><title>page</title><body><pre id="log">started</pre><script>
const urls = URLS, log = document.getElementById("log");
const body = JSON.stringify({jobId: "scan_inbox"});
async function attempt(name, call) {
  try { const response = await call(); log.textContent += `\\n${name}: ${response.type} ${response.status}`; }
  catch (error) { log.textContent += `\\n${name}: ${error.name}`; }
}
function element(kind, fields, parent = document.body) {
  const node = document.createElement(kind);
  Object.assign(node, fields);
  parent.appendChild(node);
  return node;
}
(async () => {
  for (const [index, url] of urls.entries()) {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]) {
      const headers = {"Content-Type": type};
      await attempt("no-cors " + url, () => fetch(url, {method: "POST", mode: "no-cors", headers, body}));
      await attempt("cors " + url, () => fetch(url, {method: "POST", mode: "cors", headers, body}));
    }
    await attempt("get " + url, () => fetch(url));
    await attempt("no-referrer " + url,
      () => fetch(url, {method: "POST", mode: "no-cors", referrerPolicy: "no-referrer", body}));
    navigator.sendBeacon(url, body);
    element("img", {src: url});
    element("script", {src: url});
    element("iframe", {src: url});
    const frame = "frame" + index;
    element("iframe", {name: frame});
    const form = element("form", {action: url, method: "POST", enctype: "text/plain", target: frame});
    element("input", {name: '{"jobId":"scan_inbox","x":"', value: '"}'}, form);
    form.submit();
    // A sandboxed frame's origin is null.
    element("iframe", {sandbox: "allow-scripts allow-forms", srcdoc:
      `<form id=f method=POST action="${url}"><input name=a value=b></form><script>f.submit()<\\/script>`});
  }
  setTimeout(() => { log.textContent += "\\nfinished"; }, 1500);
})();
</script>"""


def page_server(page, target=None) -> LocalService:
    """Serves a page on another port of this machine; forwards all other requests to the target, if given, unchanged.

    The target stands for the address of the page's host name after DNS rebinding: for the browser, both are one origin.
    """

    def respond(request, body):
        if request.path == "/" or target is None:
            return 200, {"Content-Type": "text/html"}, page.encode()
        response, content = pass_on(target, request, body, dict(request.headers))
        return response.status, {"Content-Type": "application/json"}, content

    return LocalService(respond)


def visit(url, profile) -> str:
    """Returns the text of the page after its scripts have run."""
    command = [
        find_browser(), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
        "--host-resolver-rules=MAP evil.example 127.0.0.1", "--virtual-time-budget=20000", "--dump-dom", url,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-2_000:]
    return result.stdout


@pytest.fixture
def demo(bin_dir, tmp_path):
    """Runs an idle demo; yields the addresses of its service and its emulator, and its database."""
    command = [bin_dir / "inbox-demo", "--data", tmp_path / "data", "--stay"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    addresses = ()
    for line in process.stdout:
        if match := re.search(r"The service listens at (http://\S+)/jobs, the emulator at (http://[\d.]+:\d+)", line):
            addresses = match.groups()
        if "Serving until" in line:
            break
    try:
        yield (*addresses, tmp_path / "data" / "jobs.db")
    finally:
        process.terminate()
        process.communicate(timeout=30)


def runs_made_by_callers(database: pathlib.Path) -> int:
    """Counts the runs that only a page's request can cause: the nightly report, or a scan outside a pass."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        reports = connection.execute("SELECT count(*) FROM runs WHERE job = 'nightly_report'").fetchone()[0]
        deliveries = connection.execute(
            "SELECT count(*) FROM runs WHERE json_extract(document, '$.trigger') IN ('task', 'manual') "
            "AND job = 'scan_inbox'"
        ).fetchone()[0]
    return reports + deliveries


@needs_browser
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.example"])
def test_a_page_of_another_origin_runs_nothing_and_reads_nothing(demo, tmp_path, host):
    service, emulator, database = demo
    before = runs_made_by_callers(database)
    paths = ["/jobs/trigger", "/jobs/scheduled/nightly_report", "/jobs/master", "/jobs/health", "/jobs/runs"]
    urls = [service + path for path in paths]
    urls += [emulator + path for path in ("/_emulator/reset", "/v1/projects/demo/locations/local/jobs")]
    if host == "localhost":
        urls = [url.replace("127.0.0.1", "localhost") for url in urls]
    pages = page_server(PAGE.replace("URLS", str(urls)))
    try:
        text = visit(pages.url.replace("127.0.0.1", host) + "/", tmp_path / "profile")
    finally:
        pages.close()
    assert "finished" in text, text[-2_000:]
    answers = re.findall(r"(?:cors|get) (http://\S+): (\S+)(?: (\d+))?", text)
    assert len(answers) >= len(urls) * 7
    # An opaque response has no status and no body; any other response would be readable.
    assert {kind for _, kind, _ in answers} <= {"opaque", "TypeError"}, text[-4_000:]
    assert runs_made_by_callers(database) == before


@needs_browser
def test_a_page_under_a_rebound_name_reads_nothing(demo, tmp_path):
    """DNS rebinding: after the page has loaded, its host name leads to the service."""
    service, emulator, database = demo
    before = runs_made_by_callers(database)
    targets = {service: ["/jobs/trigger", "/jobs/scheduled/nightly_report", "/jobs/master", "/jobs/health"]}
    targets[emulator] = ["/v1/projects/demo/locations/local/jobs", "/_emulator/deliveries"]
    for number, (target, paths) in enumerate(targets.items()):
        pages = page_server(PAGE.replace("URLS", str(paths)), target)
        try:
            text = visit(pages.url.replace("127.0.0.1", "evil.example") + "/", tmp_path / f"profile-{number}")
        finally:
            pages.close()
        assert "finished" in text, text[-2_000:]
        answers = re.findall(r"(?:cors|get) (/\S+): (\S+)(?: (\d+))?", text)
        assert len(answers) == len(paths) * 7
        # The page can read the responses, which are refusals.
        assert {(kind, status) for _, kind, status in answers} <= {("basic", "403"), ("basic", "405")}, answers
        assert ("basic", "403") in {(kind, status) for _, kind, status in answers}
    assert runs_made_by_callers(database) == before


def test_programs_get_through(demo):
    service, _, database = demo
    before = runs_made_by_callers(database)
    probe = urllib.request.Request(service + "/jobs/health", headers={"User-Agent": "kube-probe/1.31"})
    assert urllib.request.urlopen(probe, timeout=10).status == 200
    curl = shutil.which("curl")
    body = ["-d", '{"jobId":"nightly_report"}']
    command = [curl, "-s", "-o", "/dev/null", "-w", "%{http_code}", *body, service + "/jobs/trigger"] if curl else None
    if command:
        assert subprocess.run(command, capture_output=True, text=True, timeout=30).stdout == "200"
    else:
        request = urllib.request.Request(service + "/jobs/trigger", data=body[1].encode())
        assert urllib.request.urlopen(request, timeout=30).status == 200
    deadline = time.time() + 10
    while runs_made_by_callers(database) == before and time.time() < deadline:
        time.sleep(0.05)
    assert runs_made_by_callers(database) == before + 1
