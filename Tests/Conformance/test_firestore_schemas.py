"""Requests of Google's clients to Firestore and its responses against Google's discovery document."""

import pytest

from discovery import Document, answered, faults_of
from emulator_process import Emulator
from recording_proxy import Exchange, RecordingProxy
from test_firestore import (  # noqa: F401
    c,
    cities,
    db,
    low,
    make_client,
    test_a_query_without_results_tells_its_time,
    test_a_transaction_conflicts_with_new_results_of_its_queries,
    test_a_transaction_sees_one_time_and_conflicts,
    test_aggregations,
    test_batch_write_reports_each_write,
    test_batches,
    test_bulk_writer,
    test_composite_filters,
    test_documents,
    test_every_type_comes_back_as_it_was_written,
    test_named_databases_are_apart,
    test_operators,
    test_orders_cursors_and_windows,
    test_preconditions,
    test_read_only_transactions_and_reads_in_the_past,
    test_subcollections_and_collection_groups,
    test_the_generated_client,
    test_transforms,
)

DOCUMENT = Document("firestore.v1")
DATABASE = "projects/p/databases/(default)"
ROOT = f"{DATABASE}/documents"
METHODS = "firestore.projects.databases.documents."
# The methods that the emulator answers with 501, with the reasons.
EXCEPTIONS = {
    METHODS + "executePipeline": "a query language of the Enterprise edition",
    METHODS + "listen": "a bidirectional stream, which REST does not support",
    METHODS + "write": "a bidirectional stream, which REST does not support",
} | {
    method["id"]: "administration: databases exist when first named, and indexes come from a file"
    for method in DOCUMENT.methods
    if not method["id"].startswith((METHODS, "firestore.projects.locations."))
    or method["id"].startswith("firestore.projects.locations.backups.")
}
OF_PIPELINES = {"fieldReferenceValue", "functionValue", "pipelineValue", "variableReferenceValue"}
VALUES = {
    "null": {"nullValue": None},
    "named null": {"nullValue": "NULL_VALUE"},
    "truth": {"booleanValue": True},
    "integer": {"integerValue": "-9223372036854775808"},
    "double": {"doubleValue": 1.5},
    "whole": {"doubleValue": 2},
    "nan": {"doubleValue": "NaN"},
    "infinite": {"doubleValue": "-Infinity"},
    "time": {"timestampValue": "2026-11-21T02:54:00.123456Z"},
    "text": {"stringValue": "é\u0000"},
    "bytes": {"bytesValue": "AAE="},
    "reference": {"referenceValue": f"{ROOT}/c/a"},
    "point": {"geoPointValue": {"latitude": -33.5, "longitude": 151.25}},
    "origin": {"geoPointValue": {}},
    "list": {"arrayValue": {"values": [{"integerValue": "1"}, {"mapValue": {"fields": {"x": {"stringValue": ""}}}}]}},
    "empty list": {"arrayValue": {}},
    "empty map": {"mapValue": {}},
}
ORDER = [{"field": {"fieldPath": "n"}, "direction": "DESCENDING"}, {"field": {"fieldPath": "__name__"}}]


@pytest.fixture(scope="session")
def transport():
    """Only REST has discovery documents; it overrides the fixture of the other files."""
    return "rest"


@pytest.fixture(scope="session")
def emulator(cloud_jobs):
    """The emulator behind a recording proxy; it overrides the fixture of the other files."""
    emulator = Emulator(cloud_jobs)
    proxy = RecordingProxy(emulator.url)
    proxy.call = lambda *call: Emulator.call(proxy, *call)
    yield proxy
    proxy.close()
    emulator.stop()


@pytest.fixture(autouse=True)
def exchanges(request):
    """The exchanges of one test; all must match the document."""
    if "emulator" not in request.fixturenames:
        yield []
        return
    proxy = request.getfixturevalue("emulator")
    kept = proxy.exchanges = []
    yield kept
    assert faults_in(kept) == []


def faults_in(exchanges):
    service = [exchange for exchange in exchanges if not exchange.path.startswith("/_emulator/")]
    return [fault for exchange in service for fault in faults_of(exchange, checks_request=True)]


def integer(number):
    return {"integerValue": str(number)}


def documents_over_raw_rest(call):
    base = f"/v1/{ROOT}"
    _, made = call("POST", f"{base}/c?documentId=all", {"fields": VALUES})
    call("POST", f"{base}/c", {"fields": {"n": integer(1)}})
    call("POST", f"{base}/c/all/d/x/e?documentId=deep&mask.fieldPaths=n", {"fields": {"n": integer(1)}})
    call("GET", f"{base}/c/all")
    call("GET", f"{base}/c/all?mask.fieldPaths=text&readTime={made['updateTime']}")
    call("GET", f"{base}/c/all?$alt=json;enum-encoding=int")
    call("GET", f"{base}/c/missing")
    call("POST", f"{base}/c?documentId=all", {})
    mask = "updateMask.fieldPaths=n&updateMask.fieldPaths=text&mask.fieldPaths=n"
    call("PATCH", f"{base}/c/all?{mask}", {"fields": {"n": integer(2)}})
    call("PATCH", f"{base}/c/b?currentDocument.exists=false", {"fields": {"n": integer(3)}})
    call("PATCH", f"{base}/c/none?currentDocument.exists=true", {})
    call("PATCH", f"{base}/c/b?currentDocument.updateTime={made['updateTime']}", {})
    call("GET", f"{base}/c?pageSize=1&orderBy=n%20desc&mask.fieldPaths=n")
    call("GET", f"{base}/c?showMissing=true&pageSize=1")
    call("GET", f"{base}/c/all/d?showMissing=true")
    call("GET", f"{base}/c/all/d/x/e?recursive=true&readTime={made['updateTime']}")
    for parent in (base, f"{base}/c/all"):
        call("POST", f"{parent}:listCollectionIds", {"pageSize": 1})
        call("POST", f"{parent}:listCollectionIds", {"readTime": made["updateTime"]})
    call("DELETE", f"{base}/c/b?currentDocument.exists=true")
    return made["updateTime"]


def writes_over_raw_rest(call):
    base, name = f"/v1/{ROOT}", f"{ROOT}/w/a"
    transforms = [
        {"fieldPath": "n", "increment": integer(2)},
        {"fieldPath": "high", "maximum": {"doubleValue": 1.5}},
        {"fieldPath": "low", "minimum": {"doubleValue": "NaN"}},
        {"fieldPath": "list", "appendMissingElements": {"values": [integer(1), {"nullValue": None}]}},
        {"fieldPath": "less", "removeAllFromArray": {"values": [integer(1)]}},
        {"fieldPath": "at", "setToServerValue": "REQUEST_TIME"},
    ]
    options = {"requestOptions": {"requestTags": ["a"]}}
    update = {"name": name, "fields": {"n": integer(1), "more": {"stringValue": "x"}}}
    call("POST", f"{base}:commit", {"writes": [{"update": update, "updateTransforms": transforms}], **options})
    call("POST", f"{base}:commit?$alt=json;enum-encoding=int", {
        "writes": [{"transform": {"document": name, "fieldTransforms": [{"fieldPath": "at", "setToServerValue": 1}]}}]
    })  # fmt: skip
    masked = {"update": update, "updateMask": {"fieldPaths": ["n"]}, "currentDocument": {"exists": True}}
    call("POST", f"{base}:commit", {"writes": [masked, {"delete": f"{ROOT}/w/none"}]})
    call("POST", f"{base}:commit", {"writes": [{"update": update, "currentDocument": {"exists": False}}]})
    stale = {"updateTime": "2020-01-01T00:00:00Z"}
    call("POST", f"{base}:commit", {"writes": [{"delete": name, "currentDocument": stale}]})
    call("POST", f"{base}:commit", {})
    both = [{"update": update, "currentDocument": {"exists": False}}, {"update": update}]
    call("POST", f"{base}:batchWrite", {"writes": both[:1] + [{"delete": f"{ROOT}/w/x"}], "labels": {"a": "b"}})
    call("POST", f"{base}:batchWrite", {})


def transactions_over_raw_rest(call, then):
    base, name = f"/v1/{ROOT}", f"{ROOT}/c/all"

    def begin(options):
        return call("POST", f"{base}:beginTransaction", {"options": options})[1]["transaction"]

    first = begin({"readWrite": {"concurrencyMode": "OPTIMISTIC"}})
    call("POST", f"{base}:batchGet", {"documents": [name, f"{ROOT}/c/none"], "transaction": first})
    call("POST", f"{base}:commit", {"writes": [{"update": {"name": name}}]})
    call("POST", f"{base}:commit", {"transaction": first, "writes": [{"delete": name}]})
    second = begin({"readWrite": {"retryTransaction": first}})
    call("POST", f"{base}:rollback", {"transaction": second})
    call("POST", f"{base}:rollback", {"transaction": second})
    past = begin({"readOnly": {"readTime": then}})
    call("POST", f"{base}:batchGet", {"documents": [name], "transaction": past, "mask": {"fieldPaths": ["text"]}})
    call("POST", f"{base}:batchGet", {"documents": [name], "readTime": then})
    call("POST", f"{base}:batchGet", {"documents": [name], "newTransaction": {"readOnly": {}}})
    call("POST", f"{base}:batchGet", {})
    call("POST", f"{base}:batchGet", {"documents": ["elsewhere"]})
    query = {"from": [{"collectionId": "c"}]}
    call("POST", f"{base}:runQuery", {"structuredQuery": query, "newTransaction": {"readWrite": {}}})


def filters():
    """Returns a filter of each kind and operator."""
    values = {"IN": {"arrayValue": {"values": [integer(1)]}}, "ARRAY_CONTAINS": integer(1)}
    values |= {"NOT_IN": values["IN"], "ARRAY_CONTAINS_ANY": values["IN"]}
    schemas = DOCUMENT.schemas
    for name in schemas["FieldFilter"]["properties"]["op"]["enum"][1:]:
        yield {"fieldFilter": {"field": {"fieldPath": "n"}, "op": name, "value": values.get(name, integer(1))}}
    for name in schemas["UnaryFilter"]["properties"]["op"]["enum"][1:]:
        yield {"unaryFilter": {"field": {"fieldPath": "n"}, "op": name}}
    for number in (2, 3, 4, 5):
        yield {"unaryFilter": {"field": {"fieldPath": "n"}, "op": number}}
    parts = [{"unaryFilter": {"field": {"fieldPath": name}, "op": "IS_NULL"}} for name in "nm"]
    for name in schemas["CompositeFilter"]["properties"]["op"]["enum"][1:]:
        yield {"compositeFilter": {"op": name, "filters": parts}}


def queries_over_raw_rest(call):
    base = f"/v1/{ROOT}"
    source = {"from": [{"collectionId": "q"}]}
    for number in range(4):
        call("PATCH", f"{base}/q/{number}", {"fields": {"n": integer(number % 3), "t": {"stringValue": "x"}}})
    then = call("GET", f"{base}/q/3")[1]["updateTime"]
    for where in filters():
        call("POST", f"{base}:runQuery", {"structuredQuery": {**source, "where": where}})
    page = {
        "orderBy": ORDER,
        "startAt": {"values": [integer(2)], "before": True},
        "endAt": {"values": [integer(0), {"referenceValue": f"{ROOT}/q/3"}]},
        "offset": 1,
        "limit": 2,
        "select": {"fields": [{"fieldPath": "n"}]},
    }
    call("POST", f"{base}:runQuery", {"structuredQuery": {**source, **page}, "readTime": then})
    group = {"from": [{"collectionId": "q", "allDescendants": True}]}
    call("POST", f"{base}:runQuery", {"structuredQuery": group})
    call("POST", f"{base}/c/all:runQuery", {"structuredQuery": {"from": [{"collectionId": "d"}]}})
    call("POST", f"{base}:runQuery", {"structuredQuery": {**source, "limit": -1}})
    field = {"field": {"fieldPath": "n"}}
    aggregations = [{"alias": "all", "count": {"upTo": "3"}}, {"alias": "s", "sum": field}, {"avg": field}]
    for parent in (base, f"{base}/c/all"):
        aggregation = {"structuredQuery": source, "aggregations": aggregations}
        call("POST", f"{parent}:runAggregationQuery", {"structuredAggregationQuery": aggregation, "readTime": then})
    call("POST", f"{base}:runAggregationQuery", {"structuredAggregationQuery": {"structuredQuery": source}})
    by_name = {**group, "orderBy": [{"field": {"fieldPath": "__name__"}, "direction": "ASCENDING"}]}
    call("POST", f"{base}:partitionQuery", {"structuredQuery": by_name, "partitionCount": "4", "pageSize": 2})
    call("POST", f"{base}:partitionQuery", {"structuredQuery": by_name})


def test_every_method_answers_in_its_schema(emulator, exchanges):
    then = documents_over_raw_rest(emulator.call)
    writes_over_raw_rest(emulator.call)
    transactions_over_raw_rest(emulator.call, then)
    queries_over_raw_rest(emulator.call)
    emulator.call("GET", "/v1/projects/p/locations")
    emulator.call("GET", "/v1/projects/p/locations/l")
    errors = [exchange.answer for exchange in exchanges if exchange.status >= 400]
    refused = {(error[0] if isinstance(error, list) else error)["error"]["status"] for error in errors}
    expected = {"NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "ABORTED", "INVALID_ARGUMENT"}
    assert refused == expected, "every error here is intended"
    assert {method["id"] for method in DOCUMENT.methods} - answered(exchanges) == set(EXCEPTIONS)
    kinds = {kind for kind in DOCUMENT.schemas["Value"]["properties"] if kind not in OF_PIPELINES}
    read = next(exchange.answer["fields"] for exchange in exchanges if exchange.method == "GET")
    assert {kind for value in read.values() for kind in value} == kinds


@pytest.mark.parametrize("method", [m for m in DOCUMENT.methods if m["id"] in EXCEPTIONS], ids=lambda m: m["id"])
def test_what_is_not_served_is_refused_as_such(emulator, method):
    path = "/" + "/".join(part if "{" not in part else "x" for part in method["flatPath"].split("/"))
    verbs = method["flatPath"].rsplit("}", 1)[-1]
    path = path if not verbs.startswith(":") else path + verbs
    status, answer = emulator.call(method["httpMethod"], path, {} if "request" in method else None)
    error = (answer[0] if isinstance(answer, list) else answer)["error"]
    assert (status, error["status"]) == (501, "UNIMPLEMENTED")


VALUE = "POST", f"/v1/{ROOT}/c"


@pytest.mark.parametrize(
    "method, path, body, fault",
    [
        (*VALUE, {"fields": {"x": {"intValue": "1"}}}, "fields.x.intValue: unknown name"),
        (*VALUE, {"fields": {"x": {"integerValue": 1}}}, "1 is no int64"),
        (*VALUE, {"fields": {"x": {"integerValue": "9223372036854775808"}}}, "'9223372036854775808' is no int64"),
        (*VALUE, {"fields": {"x": {"timestampValue": "2026-11-21"}}}, "'2026-11-21' is no google-datetime"),
        (*VALUE, {"fields": {"x": {"nullValue": "null"}}}, "'null' is no string"),
        (*VALUE, {"fields": {"x": {"bytesValue": "%"}}}, "'%' is no byte"),
        ("GET", f"/v1/{ROOT}/c/a?readTime=now", None, "'now' is no google-datetime"),
        ("GET", f"/v1/{ROOT}/c?pageSize=two", None, "'two' is no int32"),
        ("GET", f"/v1/{ROOT}/c?page=2", None, "unknown parameter page"),
        ("POST", f"/v1/{ROOT}:runQuery", {"structuredQuery": {"form": []}}, "structuredQuery.form: unknown name"),
        (
            "POST",
            f"/v1/{ROOT}:runQuery",
            {"structuredQuery": {"where": {"unaryFilter": {"op": 1}}}},
            "where.unaryFilter.op: 1 is no string",
        ),
        ("POST", f"/v1/{ROOT}:runQueries", {}, "no such method"),
        ("PATCH", f"/v1/{ROOT}/c", {}, "no such method"),
    ],
)
def test_the_check_finds_faults_in_requests(method, path, body, fault):
    """Verifies that the check can fail."""
    path, _, query = path.partition("?")
    parameters = [tuple(query.split("="))] if query else []
    found = faults_of(Exchange(method, path, parameters, body, None, None), checks_request=True)
    assert any(fault in text for text in found), found


@pytest.mark.parametrize(
    "path, status, answer, fault",
    [
        (":runQuery", 200, {}, "answer: no array"),
        (":runQuery", 200, [{"document": {"version": 1}}], "answer[0].document.version: unknown name"),
        (":runQuery", 400, {"error": {}}, "is no stream"),
        (":commit", 200, {"commitTime": "2026-11-21T00:00:00"}, "is no google-datetime"),
        (":commit", 400, {"error": {"code": 400, "message": ""}}, "is no error of Google's"),
    ],
)
def test_the_check_finds_faults_in_answers(path, status, answer, fault):
    found = faults_of(Exchange("POST", f"/v1/{ROOT}{path}", [], {}, status, answer), checks_request=True)
    assert any(fault in text for text in found), found
