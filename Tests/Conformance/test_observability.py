"""Metrics, logs and traces of a running service, read by parsers that others wrote."""

import base64
import collections
import contextlib
import json
import math
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import promql_parser
import pytest
import yaml
from google.protobuf import json_format
from opentelemetry.proto.trace.v1 import trace_pb2
from prometheus_client.parser import text_string_to_metric_families

from local_service import free_port
from repository import ROOT

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"
# The suffixes of the series of a histogram.
HISTOGRAM = ("_bucket", "_sum", "_count")


@contextlib.contextmanager
def service(bin_dir, folder, **variables):
    """A process of the README's program, and its port; standard error is in the file `log`."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "K_SERVICE"}
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(
            [bin_dir / "quick-start"], cwd=folder, stderr=log, env={**environment, "PORT": str(port), **variables}
        )
        try:
            deadline = time.time() + 30
            while True:
                try:
                    call(port, "health")
                    break
                except urllib.error.URLError:
                    assert time.time() < deadline, "The service does not listen at PORT."
                    time.sleep(0.05)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=15) == 0


def call(port, path, body=None, **headers):
    """The body of a route's answer, and its content type."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/jobs/{path}", data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


def mail(port, user, **headers):
    body = {"jobId": "send_welcome_email", "payload": {"userID": user}}
    return json.loads(call(port, "trigger", body, **headers)[0])


def wait_for(condition):
    deadline = time.time() + 30
    while not (found := condition()):
        assert time.time() < deadline
        time.sleep(0.1)
    return found


def run_of(port, answer):
    return json.loads(call(port, f"runs/{answer['runId']}")[0])


@pytest.fixture(scope="module")
def scrape(bin_dir, tmp_path_factory):
    """The text of a scrape after some runs, with the retries of one."""
    with service(bin_dir, tmp_path_factory.mktemp("metrics")) as port:
        mail(port, "7")
        flaky = mail(port, "flaky")
        wait_for(lambda: run_of(port, flaky)["status"] == "succeeded")
        call(port, "master", {})
        # The store is asked again after some seconds.
        call(port, "metrics")
        time.sleep(5.5)
        text, content_type = call(port, "metrics")
        assert content_type == "text/plain; version=0.0.4; charset=utf-8"
        yield text


@pytest.fixture(scope="module")
def families(scrape):
    return {family.name: family for family in text_string_to_metric_families(scrape)}


def value(families, family, name, **labels):
    found = [sample.value for sample in families[family].samples if sample.name == name and sample.labels == labels]
    assert len(found) == 1, (name, labels, families[family].samples)
    return found[0]


def test_the_scrape_tells_what_has_happened(families):
    job = {"job": "send_welcome_email"}
    runs = "cloud_jobs_runs"
    assert value(families, runs, "cloud_jobs_runs_total", outcome="succeeded", **job) >= 2
    assert value(families, runs, "cloud_jobs_runs_total", outcome="retrying", **job) == 2
    duration = "cloud_jobs_attempt_duration_seconds"
    assert value(families, duration, f"{duration}_count", **job) >= 4
    wait = "cloud_jobs_run_wait_seconds"
    assert value(families, wait, f"{wait}_count", **job) >= 4
    assert 0 <= value(families, wait, f"{wait}_sum", **job) < 20
    passes = "cloud_jobs_master_pass_duration_seconds"
    assert value(families, passes, f"{passes}_count") >= 1
    for name, expected in [("cloud_jobs_store_up", 1), ("cloud_jobs_metric_series_dropped_total", 0)]:
        assert value(families, name.removesuffix("_total"), name) == expected
    assert value(families, "cloud_jobs_jobs", "cloud_jobs_jobs", state="enabled") == 3
    assert value(families, "cloud_jobs_workers", "cloud_jobs_workers", state="running") == 1
    for status in ["scheduled", "pending", "running"]:
        depth = value(families, "cloud_jobs_queue_depth", "cloud_jobs_queue_depth", queue="default", status=status)
        assert 0 <= depth < 5
    assert 0 <= value(families, "cloud_jobs_due_lateness_seconds", "cloud_jobs_due_lateness_seconds") < 5
    for name in ["cloud_jobs_start_time_seconds", "cloud_jobs_last_pass_time_seconds"]:
        assert 0 <= time.time() - value(families, name, name) < 300


def test_the_scrape_passes_the_lints_of_promtool(scrape, families):
    lines = scrape.splitlines()
    assert scrape.endswith("\n")
    declared = collections.Counter(line.split()[2] for line in lines if line.startswith("# TYPE"))
    helped = collections.Counter(line.split()[2] for line in lines if line.startswith("# HELP"))
    assert declared == helped and set(declared.values()) == {1}
    samples = collections.Counter(line.rsplit(" ", 1)[0] for line in lines if not line.startswith("#"))
    assert set(samples.values()) == {1}, "no series occurs twice"
    for name in declared:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert not re.search(r"_(milli|micro|nano)?(minutes|hours|milliseconds|ms|bytes_total_total)$", name)
    for family in families.values():
        assert family.type in {"counter", "gauge", "histogram"}
        assert len(family.documentation) > 10 and family.documentation.endswith(".")
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name.endswith("_total") and sample.value >= 0
            elif family.type == "gauge":
                assert not sample.name.endswith(("_total", *HISTOGRAM))
            assert not math.isnan(sample.value)


def test_histograms_are_cumulative_and_complete(families):
    histograms = [family for family in families.values() if family.type == "histogram"]
    assert len(histograms) >= 3
    for family in histograms:
        assert family.name.endswith("_seconds")
        buckets, counts, sums = collections.defaultdict(list), {}, {}
        for sample in family.samples:
            labels = dict(sample.labels)
            bound = labels.pop("le", None)
            key = tuple(sorted(labels.items()))
            if sample.name.endswith("_bucket"):
                buckets[key].append((float(bound), sample.value))
            else:
                (sums if sample.name.endswith("_sum") else counts)[key] = sample.value
        assert buckets.keys() == counts.keys() == sums.keys()
        for key, found in buckets.items():
            assert found == sorted(found) and found[-1][0] == math.inf
            values = [number for _, number in found]
            assert values == sorted(values) and values[-1] == counts[key]


def selectors(expression):
    """The names that a parsed query selects."""
    kind = type(expression).__name__
    if kind == "VectorSelector":
        return {expression.name}
    if kind == "MatrixSelector":
        return {expression.vector_selector.name}
    parts = []
    for name in ["lhs", "rhs", "expr", "param"]:
        parts.append(getattr(expression, name, None))
    parts += getattr(expression, "args", None) or []
    return set().union(*[selectors(part) for part in parts if part is not None and not isinstance(part, str)])


def exists(name, families):
    """Whether a scrape has a series of this name."""
    if name in families and families[name].type != "histogram":
        return True
    counter, histogram = name.removesuffix("_total"), re.sub("_(bucket|sum|count)$", "", name)
    return (name.endswith("_total") and families.get(counter) is not None) or (
        name.endswith(HISTOGRAM) and histogram in families and families[histogram].type == "histogram"
    )


# These appear when something goes wrong first.
LATER = {"cloud_jobs_lease_losses_total", "cloud_jobs_store_retries_total", "cloud_jobs_occurrences_skipped_total"}


def documented():
    text = (ROOT / "Documentation" / "observability.md").read_text()
    return set(re.findall(r"^\| `(cloud_jobs_\w+)` \|", text, re.MULTILINE))


def test_the_documentation_lists_exactly_the_metrics(families):
    names = {name + ("_total" if family.type == "counter" else "") for name, family in families.items()}
    assert documented() == names | LATER


def test_the_alert_rules_parse_and_use_metrics_that_exist(families):
    groups = yaml.safe_load((ROOT / "infra" / "prometheus" / "alerts.yaml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 8
    text = (ROOT / "Documentation" / "observability.md").read_text()
    headings = {
        re.sub("[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for rule in rules:
        names = selectors(promql_parser.parse(rule["expr"]))
        assert names and all(exists(name, families) or name in LATER for name in names), (rule["alert"], names)
        assert rule["labels"]["severity"] in {"warning", "critical"}
        page, _, section = rule["annotations"]["runbook"].partition("#")
        assert page == "Documentation/observability.md" and section in headings
        assert f"`{rule['alert']}`" in text


def test_the_dashboard_uses_metrics_that_exist(families):
    dashboard = json.loads((ROOT / "infra" / "grafana" / "cloud-jobs.json").read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 10
    used = set()
    for panel in panels:
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "5m").replace("$job", ".*")
            names = selectors(promql_parser.parse(query))
            assert names and all(exists(name, families) or name in LATER for name in names), (panel["title"], names)
            used |= names
    unused = {re.sub("_(bucket|sum|count)$", "", name) for name in used} ^ documented()
    assert unused <= {"cloud_jobs_start_time_seconds", "cloud_jobs_metric_series_dropped_total"}


# MARK: Logs


SEVERITIES = {"DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL"}


@pytest.mark.parametrize("variables", [{"K_SERVICE": "mail"}, {"CLOUD_JOBS_SERVER_LOG_FORMAT": "json"}])
def test_on_cloud_run_each_line_of_the_log_is_json_of_cloud_logging(bin_dir, tmp_path, variables):
    with service(bin_dir, tmp_path, GOOGLE_CLOUD_PROJECT="my-project", **variables) as port:
        answer = mail(port, "7\n{}", traceparent=TRACEPARENT)
        other = mail(port, "8", **{"X-Cloud-Trace-Context": f"{TRACE}/74;o=1"})
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) > 4
    for line in lines:
        assert line["severity"] in SEVERITIES and isinstance(line["message"], str)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", line["time"])
        assert set(line["logging.googleapis.com/sourceLocation"]) == {"file", "line", "function"}
    mails = [line for line in lines if line["message"].startswith("mail to 7")]
    assert len(mails) == 1 and mails[0]["severity"] == "NOTICE"
    assert mails[0]["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"
    assert mails[0]["logging.googleapis.com/spanId"] == CALLER
    assert mails[0]["logging.googleapis.com/trace_sampled"] is True
    assert mails[0]["logging.googleapis.com/labels"] == {"job": "send_welcome_email", "run": answer["runId"]}
    ends = [line for line in lines if line.get("runId") == other["runId"] and line["message"] == "job.succeeded"]
    assert ends and ends[0]["logging.googleapis.com/trace"] == f"projects/my-project/traces/{TRACE}"
    assert ends[0]["logging.googleapis.com/spanId"] == "000000000000004a"


def test_elsewhere_the_log_is_text(bin_dir, tmp_path):
    with service(bin_dir, tmp_path) as port:
        mail(port, "7")
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines and not any(line.startswith("{") for line in lines)


# MARK: Traces


def spans_of(path):
    """The spans of a trace file, checked against the schema of OTLP."""
    spans = []
    for line in path.read_text().splitlines():
        data = json.loads(line)
        # The mapping of OTLP has ids in hexadecimal digits, that of Protocol Buffers in Base64.
        mapped = json.loads(line)
        for resource in mapped["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    for holder in [span, *span.get("links", [])]:
                        for name in {"traceId", "spanId", "parentSpanId"} & holder.keys():
                            assert re.fullmatch("[0-9a-f]{32}" if name == "traceId" else "[0-9a-f]{16}", holder[name])
                            holder[name] = base64.b64encode(bytes.fromhex(holder[name])).decode()
        message = json_format.Parse(json.dumps(mapped), trace_pb2.TracesData())
        assert message.resource_spans[0].resource.attributes[0].key == "service.name"
        for scope in data["resourceSpans"][0]["scopeSpans"]:
            spans += scope["spans"]
    return spans


def attributes(span):
    return {item["key"]: item["value"].get("stringValue", item["value"].get("intValue")) for item in span["attributes"]}


def test_a_trace_file_joins_a_request_its_attempts_and_what_they_enqueue(bin_dir, tmp_path):
    path = tmp_path / "traces.jsonl"
    with service(bin_dir, tmp_path, CLOUD_JOBS_SERVER_TRACE_FILE=str(path)) as port:
        flaky = mail(port, "flaky", traceparent=TRACEPARENT)
        wait_for(lambda: run_of(port, flaky)["status"] == "succeeded")
        # The job `report` enqueues a mail; its schedule must not do so before.
        pause = urllib.request.Request(
            f"http://127.0.0.1:{port}/jobs/jobs/report", data=b'{"cron": "0 0 1 1 *"}', method="PATCH"
        )
        urllib.request.urlopen(pause, timeout=20).close()
        call(port, "scheduled/report", {}, traceparent=TRACEPARENT)
        wait_for(lambda: path.exists() and "enqueue send_welcome_email" in path.read_text())
        wait_for(lambda: sum(s["name"] == "attempt send_welcome_email" for s in spans_of(path)) >= 4)
    spans = spans_of(path)
    ours = [span for span in spans if span["traceId"] == TRACE]
    assert {span["name"] for span in ours} == {
        "deliver send_welcome_email", "attempt send_welcome_email", "deliver report", "attempt report",
        "enqueue send_welcome_email",
    }  # fmt: skip
    by_id = {span["spanId"]: span for span in ours}
    assert len(by_id) == len(ours)
    for span in ours:
        assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    deliveries = [span for span in ours if span["name"].startswith("deliver")]
    assert [span["parentSpanId"] for span in deliveries] == [CALLER, CALLER]
    assert {span["kind"] for span in deliveries} == {2}

    attempts = [span for span in ours if attributes(span).get("cloud_jobs.run.id") == flaky["runId"]]
    attempts = sorted((s for s in attempts if s["name"].startswith("attempt")), key=lambda s: s["startTimeUnixNano"])
    assert [attributes(span)["cloud_jobs.run.attempt"] for span in attempts] == ["1", "2", "3"]
    assert [attributes(span)["cloud_jobs.outcome"] for span in attempts] == ["retrying", "retrying", "succeeded"]
    assert by_id[attempts[0]["parentSpanId"]]["name"] == "deliver send_welcome_email"
    # The retries are in the same trace, as the caller's, whose request has ended.
    assert [span["parentSpanId"] for span in attempts[1:]] == [CALLER, CALLER]
    assert [span.get("status", {}).get("code") for span in attempts] == [2, 2, None]
    assert attributes(attempts[0])["messaging.system"] == "cloud_jobs"
    assert "error.type" in attributes(attempts[0]) and "error.type" not in attributes(attempts[2])

    (enqueue,) = [span for span in ours if span["name"] == "enqueue send_welcome_email"]
    assert enqueue["kind"] == 4 and by_id[enqueue["parentSpanId"]]["name"] == "attempt report"
    children = [span for span in ours if span.get("parentSpanId") == enqueue["spanId"]]
    assert [span["name"] for span in children] == ["attempt send_welcome_email"]
    assert children[0]["kind"] == 5
