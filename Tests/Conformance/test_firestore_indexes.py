"""Google's own Python client against an emulator with an index file, the counterpart of deployed indexes."""

import json
import re
import subprocess

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter, Or
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from emulator_process import Emulator
from google_clients import ByStatus, client_of
from repository import INDEXES

CITIES = {
    "SF": {"state": "CA", "country": "USA", "population": 860_000, "regions": ["west_coast", "norcal"]},
    "LA": {"state": "CA", "country": "USA", "population": 3_900_000, "regions": ["west_coast", "socal"]},
    "DC": {"state": None, "country": "USA", "population": 680_000, "regions": ["east_coast"]},
    "TOK": {"state": None, "country": "Japan", "population": 9_000_000, "regions": ["kanto", "honshu"]},
    "BJ": {"state": None, "country": "China", "population": 21_500_000, "regions": ["jingjinji", "hebei"]},
}


class Database:
    """An emulator over a data folder and an index file, restarted when the file changes."""

    def __init__(self, command, folder):
        self.command, self.folder, self.file = command, folder, folder / "firestore.indexes.json"
        self.content = {"indexes": [], "fieldOverrides": []}
        self.start()
        for name, city in CITIES.items():
            self.client.collection("cities").document(name).set(city)

    def start(self):
        self.file.write_text(json.dumps(self.content))
        self.emulator = Emulator(self.command, "--indexes", str(self.file), "--data", str(self.folder / "data"))
        self.client = firestore.Client(project="p", credentials=AnonymousCredentials())
        self.client._firestore_api_internal = ByStatus(client_of(FirestoreClient, self.emulator))

    def add(self, message):
        """Adds the index that an error message names to the file."""
        addition, place = re.search(r'put (\{.*\}) into "(\w+)"', message).groups()
        self.content[place].append(json.loads(addition))
        assert self.emulator.stop() == 0
        self.start()


@pytest.fixture
def database(cloud_jobs, tmp_path):
    database = Database(cloud_jobs, tmp_path)
    yield database
    database.emulator.stop()


def where(field, relation, value):
    return FieldFilter(field, relation, value)


def ids(query):
    return [city.id for city in query.stream()]


DESCENDING = firestore.Query.DESCENDING
# Queries with their results; those of REFUSED need an index in the file.
FREE = {
    "equalities": (lambda c: c.where(filter=where("state", "==", "CA")).where(filter=where("country", "==", "USA")),
                   ["LA", "SF"]),
    "a range": (lambda c: c.where(filter=where("population", ">", 5_000_000)), ["TOK", "BJ"]),
    "an order": (lambda c: c.order_by("population", direction=DESCENDING).limit(2), ["BJ", "TOK"]),
    "membership": (lambda c: c.where(filter=where("regions", "array_contains", "west_coast")), ["LA", "SF"]),
    "one of several": (lambda c: c.where(filter=where("country", "in", ["Japan", "China"])), ["BJ", "TOK"]),
}  # fmt: skip
REFUSED = {
    "an equality and an order": (
        lambda c: c.where(filter=where("state", "==", "CA")).order_by("population"), ["SF", "LA"]),
    "an equality and a range": (
        lambda c: c.where(filter=where("country", "==", "USA")).where(filter=where("population", "<", 800_000)),
        ["DC"]),
    "one of several, in an order": (
        lambda c: c.where(filter=where("country", "in", ["Japan", "China"])).order_by("population"), ["TOK", "BJ"]),
    "an alternative": (
        lambda c: c.where(filter=Or([where("state", "==", "CA"), where("population", ">", 10_000_000)])),
        ["SF", "LA", "BJ"]),
    "membership in an order": (
        lambda c: c.where(filter=where("regions", "array_contains", "west_coast"))
        .order_by("population", direction=DESCENDING), ["LA", "SF"]),
}  # fmt: skip


def test_queries_that_the_automatic_indexes_serve(database):
    cities = database.client.collection("cities")
    assert {name: ids(query(cities)) for name, (query, _) in FREE.items()} == {
        name: results for name, (_, results) in FREE.items()
    }


@pytest.mark.parametrize("name", REFUSED)
def test_a_query_is_refused_until_its_index_is_in_the_file(database, name):
    query, results = REFUSED[name]
    with pytest.raises(exceptions.FailedPrecondition, match="^400 The query requires an index. You can") as refusal:
        ids(query(database.client.collection("cities")))
    with pytest.raises(exceptions.FailedPrecondition):
        query(database.client.collection("cities")).count().get()
    database.add(refusal.value.message)
    assert ids(query(database.client.collection("cities"))) == results
    assert query(database.client.collection("cities")).count().get()[0][0].value == len(results)


def test_a_collection_group_is_refused_until_its_field_is_in_the_file(database):
    def group():
        return database.client.collection_group("cities").where(filter=where("state", "==", "CA"))

    wanted = "The query requires a COLLECTION_GROUP_ASC index for collection cities and field state. You can create it"
    with pytest.raises(exceptions.FailedPrecondition, match=wanted) as refusal:
        ids(group())
    database.add(refusal.value.message)
    assert ids(group()) == ["LA", "SF"]
    # The indexes of single collections still exist.
    assert ids(database.client.collection("cities").where(filter=where("state", "==", "CA"))) == ["LA", "SF"]


def test_without_a_file_no_query_is_refused(cloud_jobs, emulator):
    client = firestore.Client(project="without-indexes", credentials=AnonymousCredentials())
    client._firestore_api_internal = ByStatus(client_of(FirestoreClient, emulator))
    for name, city in CITIES.items():
        client.collection("cities").document(name).set(city)
    for query, results in REFUSED.values():
        assert ids(query(client.collection("cities"))) == results


def test_a_file_that_is_wrong_ends_the_start_with_the_reason(cloud_jobs, tmp_path):
    content = json.loads(INDEXES.read_text())
    del content["indexes"][1]["fields"][0]["order"]
    file = tmp_path / "indexes.json"
    file.write_text(json.dumps(content))
    process = subprocess.run(
        [cloud_jobs, "emulator", "--port", "0", "--indexes", str(file)], capture_output=True, text=True, timeout=60
    )
    assert process.returncode != 0 and process.stdout == ""
    assert f'{file}: indexes[1].fields[0]: It requires either "order" or "arrayConfig".' in process.stderr
    assert "(--indexes)" in process.stderr
