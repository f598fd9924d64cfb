"""The emulated Cloud Firestore through Google's generated and high-level Python clients, over REST."""

import concurrent.futures
import datetime
import math
import threading
import uuid

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import And, FieldFilter, Or
from google.cloud.firestore_v1.field_path import FieldPath
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.transforms import Maximum, Minimum
from google.cloud.firestore_v1.types import document as document_types
from google.cloud.firestore_v1.types import write as write_types
from google.cloud.firestore_v1.vector import Vector

from google_clients import ByStatus, client_of

PARENT = "projects/p/databases/(default)/documents"


@pytest.fixture(scope="session")
def low(emulator, transport):
    """The generated client."""
    client = client_of(FirestoreClient, emulator, transport)
    return ByStatus(client) if transport == "rest" else client


@pytest.fixture(scope="session")
def make_client(low):
    def make(database=None):
        client = firestore.Client(project="p", credentials=AnonymousCredentials(), database=database)
        client._firestore_api_internal = low
        return client

    return make


@pytest.fixture(scope="session")
def db(make_client):
    """The high-level client."""
    return make_client()


@pytest.fixture
def c(db):
    """A new collection for each test."""
    return db.collection(f"c-{uuid.uuid4().hex[:12]}")


def ids(query, **options):
    return [snapshot.id for snapshot in query.stream(**options)]


def test_every_type_comes_back_as_it_was_written(db, c):
    fields = {
        "null": None,
        "true": True,
        "small": -(2**63),
        "large": 2**63 - 1,
        "double": 1.5,
        "whole": 2.0,
        "infinite": -math.inf,
        "time": datetime.datetime(2026, 11, 21, 2, 54, 0, 123456, tzinfo=datetime.timezone.utc),
        "text": 'é "quoted" \u0000 \U0001f600',
        "bytes": bytes(range(256)),
        "point": firestore.GeoPoint(-33.5, 151.25),
        "reference": db.document("other/doc"),
        "list": [1, "a", {"b": [None]}],
        "empty list": [],
        "map": {"a.b": {"c`d": 1}, "empty": {}},
        "vector": Vector([1.0, 2.0, 3.0]),
    }
    c.document("all").set(fields)
    snapshot = c.document("all").get()
    assert snapshot.to_dict() == fields
    assert isinstance(snapshot.get("whole"), float) and isinstance(snapshot.get("large"), int)
    assert snapshot.create_time == snapshot.update_time <= snapshot.read_time
    c.document("nan").set({"x": math.nan})
    assert math.isnan(c.document("nan").get().get("x"))


def test_documents(db, c):
    document = c.document("a:b %/".replace("/", "é"))
    assert not document.get().exists
    first = document.create({"a": 1, "m": {"x": 1, "y": 2}})
    with pytest.raises(exceptions.AlreadyExists, match="Document already exists: projects/p/databases"):
        document.create({})
    document.update({"m.x": 5, "a": firestore.DELETE_FIELD})
    assert document.get().to_dict() == {"m": {"x": 5, "y": 2}}
    document.set({"m": {"z": 3}, "n": 1}, merge=True)
    assert document.get().to_dict() == {"m": {"x": 5, "y": 2, "z": 3}, "n": 1}
    document.set({"m": {"x": 0, "q": 1}, "n": 2}, merge=["m.x"])
    assert document.get().to_dict() == {"m": {"x": 0, "y": 2, "z": 3}, "n": 1}
    assert document.get(["m.x"]).to_dict() == {"m": {"x": 0}}
    same = document.update({"n": 1}).update_time
    assert same > first.update_time
    assert document.update({"n": 1}).update_time == same
    document.delete()
    assert not document.get().exists
    document.delete()
    _, added = c.add({"x": 1})
    assert len(added.id) == 20 and added.get().to_dict() == {"x": 1}
    with pytest.raises(exceptions.NotFound, match="No document to update: projects/p/databases"):
        c.document("missing").update({"x": 1})


def test_preconditions(db, c):
    document = c.document("a")
    made = document.set({"x": 1})
    stale = db.write_option(last_update_time=made.update_time)
    document.update({"x": 2}, option=stale)
    with pytest.raises(exceptions.FailedPrecondition, match="does not match the required base version"):
        document.update({"x": 3}, option=stale)
    with pytest.raises(exceptions.FailedPrecondition):
        document.delete(option=stale)
    with pytest.raises(exceptions.NotFound):
        c.document("b").delete(option=db.write_option(exists=True))
    document.delete(option=db.write_option(exists=True))


def test_transforms(c):
    document = c.document("a")
    document.set({"n": 1, "l": [1, 2], "m": {"t": 0}})
    before = datetime.datetime.now(datetime.timezone.utc)
    document.update(
        {
            "n": firestore.Increment(2.5),
            "new": firestore.Increment(-3),
            "l": firestore.ArrayUnion([2, 3]),
            "m.t": firestore.SERVER_TIMESTAMP,
            "high": Maximum(7),
            "low": Minimum(7),
        }
    )
    fields = document.get().to_dict()
    assert abs(fields["m"].pop("t") - before) < datetime.timedelta(seconds=30)
    assert fields == {"n": 3.5, "new": -3, "l": [1, 2, 3], "m": {}, "high": 7, "low": 7}
    document.update({"l": firestore.ArrayRemove([1, 3]), "high": Maximum(9), "low": Minimum(9)})
    assert document.get(["l", "high", "low"]).to_dict() == {"l": [2], "high": 9, "low": 7}
    document.set({"l": firestore.ArrayUnion(["x"])}, merge=True)
    assert document.get(["l"]).to_dict() == {"l": [2, "x"]}


def test_batches(db, c):
    batch = db.batch()
    batch.set(c.document("a"), {"x": 1})
    batch.update(c.document("a"), {"x": firestore.Increment(1)})
    batch.create(c.document("b"), {})
    batch.delete(c.document("c"))
    results = batch.commit()
    assert len(results) == 4
    assert c.document("a").get().to_dict() == {"x": 2}
    batch = db.batch()
    batch.set(c.document("d"), {})
    batch.create(c.document("b"), {})
    with pytest.raises(exceptions.AlreadyExists):
        batch.commit()
    assert not c.document("d").get().exists
    found = {s.id: s.exists for s in db.get_all([c.document("a"), c.document("zzz"), c.document("a")])}
    assert found == {"a": True, "zzz": False}


def test_batch_write_reports_each_write(low, c):
    def write(name):
        return write_types.Write(
            update=document_types.Document(name=f"{PARENT}/{c.id}/{name}"), current_document={"exists": False}
        )

    c.document("a").set({})
    response = low.batch_write(
        request={"database": "projects/p/databases/(default)", "writes": [write("a"), write("b")]}
    )
    assert [status.code for status in response.status] == [6, 0]
    assert len(response.write_results) == 2
    assert c.document("b").get().exists


def test_bulk_writer(db, c):
    writer = db.bulk_writer()
    for number in range(100):
        writer.create(c.document(f"{number:03}"), {"n": number})
    writer.close()
    assert len(ids(c)) == 100


@pytest.fixture(scope="session")
def cities(db):
    cities = db.collection(f"cities-{uuid.uuid4().hex[:12]}")
    rows = {
        "BJ": {"name": "Beijing", "population": 21_500_000, "regions": ["jingjinji", "hebei"], "capital": True},
        "DC": {"name": "Washington", "population": 680_000, "regions": ["east_coast"], "capital": True},
        "LA": {"name": "Los Angeles", "population": 3_900_000, "regions": ["west_coast", "socal"], "capital": False},
        "SF": {"name": "San Francisco", "population": 860_000.0, "regions": ["west_coast", "norcal"], "capital": False},
        "TOK": {"name": "Tokyo", "population": 9_000_000, "regions": ["kanto", "honshu"], "capital": True},
        "XX": {"name": None, "population": math.nan, "regions": "none"},
    }
    for key, row in rows.items():
        cities.document(key).set(row)
    return cities


@pytest.mark.parametrize(
    ("field", "operator", "value", "expected"),
    [
        ("capital", "==", True, ["BJ", "DC", "TOK"]),
        ("population", "<", 1_000_000, ["XX", "DC", "SF"]),
        ("population", "<=", 860_000, ["XX", "DC", "SF"]),
        ("population", ">", 3_900_000, ["TOK", "BJ"]),
        ("population", ">=", 3_900_000.0, ["LA", "TOK", "BJ"]),
        ("population", "!=", 860_000, ["XX", "DC", "LA", "TOK", "BJ"]),
        ("population", "in", [860_000, 9_000_000, 1], ["SF", "TOK"]),
        ("name", "not-in", ["Tokyo", "Beijing"], ["LA", "SF", "DC"]),
        ("regions", "array_contains", "west_coast", ["LA", "SF"]),
        ("regions", "array_contains_any", ["kanto", "hebei"], ["BJ", "TOK"]),
        ("name", "==", None, ["XX"]),
        ("name", "!=", None, ["BJ", "LA", "SF", "TOK", "DC"]),
        ("population", "==", math.nan, ["XX"]),
        ("population", "!=", math.nan, ["DC", "SF", "LA", "TOK", "BJ"]),
    ],
)
def test_operators(cities, field, operator, value, expected):
    assert ids(cities.where(filter=FieldFilter(field, operator, value))) == expected


def test_composite_filters(cities):
    small = FieldFilter("population", "<", 1_000_000)
    capital = FieldFilter("capital", "==", True)
    assert ids(cities.where(filter=small).where(filter=capital)) == ["DC"]
    assert ids(cities.where(filter=And([small, capital]))) == ["DC"]
    assert ids(cities.where(filter=Or([FieldFilter("name", "==", "Tokyo"), capital]))) == ["BJ", "DC", "TOK"]
    both = And([capital, Or([FieldFilter("name", "==", "Tokyo"), FieldFilter("name", "==", "San Francisco")])])
    assert ids(cities.where(filter=both)) == ["TOK"]
    named = cities.where(filter=FieldFilter(FieldPath.document_id(), ">=", cities.document("SF")))
    assert ids(named) == ["SF", "TOK", "XX"]
    listed = FieldFilter("__name__", "in", [cities.document("LA"), cities.document("A")])
    assert ids(cities.where(filter=listed)) == ["LA"]


def test_orders_cursors_and_windows(cities):
    ordered = cities.order_by("population")
    assert ids(ordered) == ["XX", "DC", "SF", "LA", "TOK", "BJ"]
    assert ids(cities.order_by("population", direction=firestore.Query.DESCENDING).limit(2)) == ["BJ", "TOK"]
    mixed = cities.order_by("capital").order_by("population", direction="DESCENDING")
    assert ids(mixed) == ["LA", "SF", "BJ", "TOK", "DC"]
    assert ids(ordered.start_at({"population": 860_000}).end_before({"population": 9_000_000})) == ["SF", "LA"]
    assert ids(ordered.start_after({"population": 860_000}).end_at({"population": 9_000_000})) == ["LA", "TOK"]
    snapshot = cities.document("LA").get()
    assert ids(ordered.start_after(snapshot)) == ["TOK", "BJ"]
    assert ids(cities.start_at(snapshot).limit(2)) == ["LA", "SF"]
    assert ids(ordered.offset(2).limit(2)) == ["SF", "LA"]
    assert [s.id for s in cities.order_by("population").limit_to_last(2).get()] == ["TOK", "BJ"]
    assert [s.to_dict() for s in ordered.select(["name"]).limit(2).stream()] == [{"name": None}, {"name": "Washington"}]
    assert [s.to_dict() for s in ordered.select([]).limit(1).stream()] == [{}]
    with pytest.raises(exceptions.InvalidArgument, match="requires an non-empty ArrayValue"):
        ids(cities.where(filter=FieldFilter("name", "in", [])))


def test_paging_with_cursors_visits_everything_once(c):
    for number in range(25):
        c.document(f"{number:02}").set({"g": number % 3})
    seen, last = [], None
    while True:
        query = c.order_by("g").order_by("__name__").limit(7)
        page = list((query.start_after(last) if last else query).stream())
        if not page:
            break
        seen += [s.id for s in page]
        last = page[-1]
    assert len(seen) == 25 and sorted(seen) == [f"{n:02}" for n in range(25)]


def test_subcollections_and_collection_groups(db, c):
    group = f"g-{uuid.uuid4().hex[:12]}"
    for path in ["a", "b"]:
        c.document(path).collection(group).document(f"in-{path}").set({"x": path})
    c.document("missing").collection(group).document("deep").set({"x": "c"})
    db.collection(group).document("top").set({"x": "d"})
    assert ids(c.document("a").collection(group)) == ["in-a"]
    assert sorted(ids(db.collection_group(group))) == ["deep", "in-a", "in-b", "top"]
    filtered = db.collection_group(group).where(filter=FieldFilter("x", ">", "a")).order_by("x")
    assert ids(filtered) == ["in-b", "deep", "top"]
    assert len(list(db.collection_group(group).get_partitions(4))) == 1
    c.document("a").set({})
    assert [d.id for d in c.list_documents()] == ["a", "b", "missing"]
    assert [d.id for d in c.list_documents(page_size=2)] == ["a", "b", "missing"]
    assert [x.id for x in c.document("missing").collections()] == [group]
    assert group in [x.id for x in db.collections()]
    assert db.recursive_delete(c) >= 3
    assert ids(db.collection_group(group)) == ["top"]


def test_aggregations(cities):
    everything = cities.count(alias="all").get()
    assert everything[0][0].value == 6 and everything[0][0].alias == "all"
    capitals = cities.where(filter=FieldFilter("capital", "==", True))
    query = capitals.sum("population", alias="s").avg("population", alias="a").count(alias="n")
    result = {r.alias: r.value for r in query.get()[0]}
    assert result == {"s": 31_180_000, "a": 31_180_000 / 3, "n": 3}
    assert capitals.count().get()[0][0].value == 3


def test_transactions_under_contention(make_client, c):
    counter = c.document("counter")
    counter.set({"n": 0})
    retries = threading.local()

    def work(_):
        client = make_client()
        mine = client.document(counter.path)

        @firestore.transactional
        def increment(transaction):
            retries.count = getattr(retries, "count", 0) + 1
            transaction.update(mine, {"n": mine.get(transaction=transaction).get("n") + 1})

        for _ in range(20):
            increment(client.transaction(max_attempts=10_000))
        return retries.count

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        attempts = sum(pool.map(work, range(16)))
    assert counter.get().to_dict() == {"n": 320}
    assert attempts >= 320


def test_a_transaction_sees_one_time_and_conflicts(db, c):
    c.document("a").set({"n": 1})
    c.document("b").set({"n": 1})
    transaction = db.transaction(max_attempts=1)
    transaction._begin()
    assert c.document("a").get(transaction=transaction).get("n") == 1
    c.document("b").set({"n": 2})
    assert c.document("b").get(transaction=transaction).get("n") == 1
    transaction.set(c.document("z"), {})
    with pytest.raises(exceptions.Aborted, match="Too much contention on these documents. Please try again."):
        transaction._commit()
    transaction._rollback()
    assert not c.document("z").get().exists


def test_a_transaction_conflicts_with_new_results_of_its_queries(db, c):
    transaction = db.transaction()
    transaction._begin()
    assert ids(c.where(filter=FieldFilter("n", ">", 0)), transaction=transaction) == []
    c.document("new").set({"n": 1})
    transaction.set(c.document("z"), {})
    with pytest.raises(exceptions.Aborted):
        transaction._commit()


def test_read_only_transactions_and_reads_in_the_past(db, c):
    document = c.document("a")
    then = document.set({"n": 1}).update_time
    document.set({"n": 2})
    assert document.get(read_time=then).get("n") == 1
    assert [s.get("n") for s in c.stream(read_time=then)] == [1]
    transaction = db.transaction(read_only=True)
    transaction._begin()
    assert document.get(transaction=transaction).get("n") == 2
    document.set({"n": 3})
    assert document.get(transaction=transaction).get("n") == 2
    transaction._rollback()


def test_expired_and_unknown_transactions(low):
    with pytest.raises(exceptions.InvalidArgument, match="expired or is no longer valid"):
        low.rollback(request={"database": "projects/p/databases/(default)", "transaction": b"unknown"})


def test_named_databases_are_apart(make_client, db, c):
    other = make_client("other")
    other.collection(c.id).document("a").set({"x": 1})
    assert ids(other.collection(c.id)) == ["a"]
    assert ids(c) == []


def test_the_generated_client(low, c):
    # The client's path template rejects the root as the parent of create_document and list_documents.
    parent = f"{PARENT}/{c.id}/top/sub"
    top = parent.rsplit("/", 1)[0]
    made = low.create_document(
        request={
            "parent": top,
            "collection_id": "sub",
            "document_id": "a",
            "document": {"fields": {"x": {"integer_value": 1}, "y": {"null_value": 0}}},
            "mask": {"field_paths": ["x"]},
        }
    )
    assert made.name == f"{parent}/a" and list(made.fields) == ["x"]
    changed = low.update_document(
        request={
            "document": {"name": made.name, "fields": {"z": {"string_value": "z"}}},
            "update_mask": {"field_paths": ["y", "z"]},
            "current_document": {"update_time": made.update_time},
        }
    )
    assert sorted(changed.fields) == ["x", "z"]
    with pytest.raises(exceptions.FailedPrecondition):
        low.delete_document(request={"name": made.name, "current_document": {"update_time": made.update_time}})
    for name in "bcd":
        low.create_document(request={"parent": top, "collection_id": "sub", "document_id": name, "document": {}})
    pager = low.list_documents(request={"parent": top, "collection_id": "sub", "page_size": 2})
    assert [d.name.rsplit("/", 1)[1] for d in pager] == ["a", "b", "c", "d"]
    pager = low.list_documents(request={"parent": top, "collection_id": "sub", "order_by": "x desc"})
    assert [d.name.rsplit("/", 1)[1] for d in pager] == ["a"]
    with pytest.raises(exceptions.NotFound, match="not found"):
        low.get_document(request={"name": f"{parent}/missing"})
    begun = low.begin_transaction(
        request={"database": "projects/p/databases/(default)", "options": {"read_write": {"concurrency_mode": 1}}}
    )
    assert low.get_document(request={"name": made.name, "transaction": begun.transaction}).name == made.name
    commit = low.commit(
        request={
            "database": "projects/p/databases/(default)",
            "transaction": begun.transaction,
            "writes": [{"delete": made.name}],
        }
    )
    assert isinstance(commit.commit_time.timestamp(), float)
    low.delete_document(request={"name": made.name})


def test_a_query_without_results_tells_its_time(low, c):
    responses = list(
        low.run_query(request={"parent": PARENT, "structured_query": {"from_": [{"collection_id": c.id}]}})
    )
    assert len(responses) == 1
    assert not responses[0].document.name and responses[0].read_time is not None
    responses = list(
        low.batch_get_documents(
            request={
                "database": "projects/p/databases/(default)",
                "documents": [f"{PARENT}/{c.id}/a"],
                "new_transaction": {"read_only": {}},
            }
        )
    )
    assert responses[0].transaction and responses[1].missing == f"{PARENT}/{c.id}/a"


def test_unknown_fields_and_large_documents_are_refused(emulator, c):
    status, body = emulator.call("POST", f"/v1/{PARENT}:runQuery", {"structuredQuery": {"form": []}})
    assert status == 400
    assert "Unknown name \"form\" at 'structured_query': Cannot find field." in body[0]["error"]["message"]
    with pytest.raises(exceptions.InvalidArgument, match="exceeds the maximum allowed size of 1,048,576 bytes"):
        c.document("a").set({"x": "x" * 1_000_000, "y": "y" * 48_576})
    with pytest.raises(exceptions.InvalidArgument, match='value of property "m.x" is longer than 1048487 bytes'):
        c.document("a").set({"m": {"x": b"x" * 1_048_488}})
    with pytest.raises(exceptions.InvalidArgument, match='Resource id "__a__" is invalid because it is reserved'):
        c.document("__a__").set({})


def test_billed_operations_are_counted(emulator, db, c):
    def usage():
        return emulator.call("GET", "/_emulator/usage")[1]["firestore"]

    before = usage()
    c.document("a").set({"x": 1})
    c.document("b").set({"x": 2})
    assert len(ids(c)) == 2
    assert ids(c.where(filter=FieldFilter("x", ">", 5))) == []
    c.document("a").delete()
    after = usage()
    assert {key: after[key] - before[key] for key in after} == {"reads": 3, "writes": 2, "deletes": 1}
