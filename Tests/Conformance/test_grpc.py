"""The emulator over gRPC: what the official clients and gRPC's own tools rely on beside the services' methods."""

import gzip
import http.client
import json
import signal
import socket
import threading
import time

import grpc
import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore, scheduler_v1, tasks_v2
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import firestore as messages
from google.cloud.firestore_v1.types.write import Write
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from emulator_process import Emulator
from google_clients import LOCATION, channel_of, client_of
from google_schema import services

DATABASE = "projects/p/databases/(default)"


@pytest.fixture(scope="module")
def channel(emulator):
    return channel_of(emulator)


@pytest.fixture
def db(emulator, monkeypatch):
    """The high-level client, with what its documentation names alone."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.url.removeprefix("http://"))
    return firestore.Client(project=f"p{time.time_ns()}")


class Snapshots:
    """The snapshots that a listener has received."""

    def __init__(self):
        self.all = []
        self.changed = threading.Condition()

    def __call__(self, documents, changes, read_time):
        with self.changed:
            self.all.append([(change.type.name, change.document.id, change.document.to_dict()) for change in changes])
            self.changed.notify_all()

    def wait(self, count, seconds=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.all) >= count, seconds), self.all
        return self.all


# MARK: Calls


def raw(channel, path, request, **options):
    return channel.unary_unary(path, lambda message: message, lambda message: message)(request, **options)


def test_an_error_has_its_status_message_and_details(channel):
    client = tasks_v2.CloudTasksClient(transport=tasks_v2.CloudTasksClient.get_transport_class("grpc")(channel=channel))
    with pytest.raises(exceptions.NotFound, match="Queue does not exist"):
        client.get_queue(name=f"{LOCATION}/queues/none")
    with pytest.raises(exceptions.InvalidArgument) as refusal:
        client.list_queues(parent="projects/é%/locations/x")
    assert "é%" in refusal.value.message or "projects" in refusal.value.message
    with pytest.raises(grpc.RpcError) as error:
        raw(channel, "/google.firestore.v1.Firestore/RunQuery", explained_query())
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
    trailers = dict(error.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    detail = error_details_pb2.BadRequest()
    assert status.details[0].Unpack(detail) and detail.field_violations[0].field == "explain_options"


def explained_query():
    request = messages.RunQueryRequest(parent=f"{DATABASE}/documents", structured_query={"from_": [{}]})
    request.explain_options = {"analyze": True}
    return messages.RunQueryRequest.serialize(request)


@pytest.mark.parametrize(
    "path, request_bytes, code, text",
    [
        ("/google.cloud.tasks.v2.CloudTasks/Nothing", b"", grpc.StatusCode.UNIMPLEMENTED, "is not implemented on"),
        ("/google.cloud.tasks.v2.CloudTasks/GetQueue", b"\x0a\x05a", grpc.StatusCode.INTERNAL, "at byte 2, in 'name'"),
        ("/google.cloud.tasks.v2.CloudTasks/GetQueue", b"\x0a\x01\xff", grpc.StatusCode.INTERNAL, "is not UTF-8"),
        ("/google.firestore.v1.Firestore/ExecutePipeline", b"", grpc.StatusCode.UNIMPLEMENTED, "ExecutePipeline"),
    ],
)
def test_a_call_that_cannot_be_served_is_refused(channel, path, request_bytes, code, text):
    with pytest.raises(grpc.RpcError) as error:
        raw(channel, path, request_bytes)
    assert error.value.code() == code and text in error.value.details()


def test_large_requests_are_served_up_to_the_limit(channel):
    """Firestore takes 11,534,336 bytes; the text is the same as over REST."""
    path = "/google.firestore.v1.Firestore/Commit"
    with pytest.raises(grpc.RpcError) as error:
        raw(channel, path, bytes(11_534_337))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details() == "Request payload size exceeds the limit: 11534336 bytes."
    names = [Write(delete=f"{DATABASE}/documents/c/{number:0500}") for number in range(9_000)]
    request = messages.CommitRequest(database=DATABASE, writes=names)
    assert messages.CommitResponse.deserialize(raw(channel, path, messages.CommitRequest.serialize(request)))


def test_compressed_requests_are_read(channel):
    request = tasks_v2.ListQueuesRequest.serialize(tasks_v2.ListQueuesRequest(parent=LOCATION, filter=" " * 5_000))
    with pytest.raises(grpc.RpcError) as error:
        raw(channel, "/google.cloud.tasks.v2.CloudTasks/ListQueues", request, compression=grpc.Compression.Gzip)
    assert "filter" in error.value.details(), "it was read"
    with pytest.raises(grpc.RpcError) as error:
        raw(channel, "/google.cloud.tasks.v2.CloudTasks/ListQueues", request, compression=grpc.Compression.Deflate)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_both_protocols_share_the_port(emulator, channel):
    queue = f"{LOCATION}/queues/shared-{time.time_ns()}"
    client_of(tasks_v2.CloudTasksClient, emulator, "grpc").create_queue(parent=LOCATION, queue={"name": queue})
    assert client_of(tasks_v2.CloudTasksClient, emulator, "rest").get_queue(name=queue).name == queue
    assert emulator.call("GET", f"/v2/{queue}")[0] == 200


def test_health(emulator, channel):
    health = health_pb2_grpc.HealthStub(channel)
    for name in ["", "google.firestore.v1.Firestore"]:
        assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == 1
    with pytest.raises(grpc.RpcError) as error:
        health.Check(health_pb2.HealthCheckRequest(service="nobody"))
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    watch = health.Watch(health_pb2.HealthCheckRequest())
    assert next(watch).status == 1
    watch.cancel()


def test_reflection_describes_every_method_as_the_official_packages_do(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = DescriptorPool(database)
    official = services()
    for name in database.get_services():
        found = pool.FindServiceByName(name)
        if name.startswith("cloudjobs."):
            continue
        known = {method.name: method for method in official[name]}
        for method in found.methods:
            if method.name not in known:
                continue
            for mine, theirs in [
                (method.input_type, known[method.name].request),
                (method.output_type, known[method.name].response),
            ]:
                assert shape(mine, set()) >= shape(theirs, set()), method.full_name
            assert method.client_streaming == known[method.name].streams_request
            assert method.server_streaming == known[method.name].streams_response


def shape(message, seen):
    """Returns what a message's fields are, and those of the messages in it."""
    if message.full_name in seen or message.full_name.startswith("google.protobuf."):
        return set()
    seen.add(message.full_name)
    found = set()
    for field in message.fields:
        kind = field.message_type or field.enum_type
        oneof = field.containing_oneof.name if field.containing_oneof else None
        name = field.name.removesuffix("_")
        found.add(
            (message.full_name, name, field.number, field.type, field.is_repeated, kind and kind.full_name, oneof)
        )
        if field.message_type:
            found |= shape(field.message_type, seen)
    return found


# MARK: Listen and Write


def test_a_listener_is_told_of_each_change_of_a_query(db):
    collection, snapshots = db.collection("c"), Snapshots()
    watch = collection.where(filter=firestore.FieldFilter("n", ">=", 0)).on_snapshot(snapshots)
    snapshots.wait(1)
    collection.document("a").set({"n": 1})
    collection.document("b").set({"n": 2})
    collection.document("other").set({"n": -1})
    collection.document("a").update({"n": 3})
    collection.document("a").update({"n": -3})
    collection.document("b").delete()
    found = snapshots.wait(6)
    watch.unsubscribe()
    assert found[:6] == [
        [],
        [("ADDED", "a", {"n": 1})],
        [("ADDED", "b", {"n": 2})],
        [("MODIFIED", "a", {"n": 3})],
        [("REMOVED", "a", {"n": 3})],
        [("REMOVED", "b", {"n": 2})],
    ]


def test_a_listener_is_told_of_a_document_and_of_a_limited_query(db):
    collection, one, best = db.collection("c"), Snapshots(), Snapshots()
    watches = [
        collection.document("x").on_snapshot(one),
        collection.order_by("n", direction="DESCENDING").limit(2).on_snapshot(best),
    ]
    one.wait(1), best.wait(1)
    for number in range(3):
        collection.document(f"d{number}").set({"n": number})
    collection.document("x").set({"m": 1})
    collection.document("x").delete()
    assert [change for change in one.wait(3)[1:3]] == [[("ADDED", "x", {"m": 1})], [("REMOVED", "x", {"m": 1})]]
    found = best.wait(4)
    for watch in watches:
        watch.unsubscribe()
    assert found[3] == [("REMOVED", "d0", {"n": 0}), ("ADDED", "d2", {"n": 2})]


def listen(client, requests):
    """Opens a stream that sends the given requests and stays open."""
    done = threading.Event()

    def sent():
        yield from requests
        done.wait(60)

    stream = client.listen(sent(), metadata=[("google-cloud-resource-prefix", DATABASE)])
    return stream, done


def query_target(collection, **fields):
    query = {"from_": [{"collection_id": collection}]}
    target = {"query": {"parent": f"{DATABASE}/documents", "structured_query": query}, "target_id": 7, **fields}
    return messages.ListenRequest(database=DATABASE, add_target=target)


def until_current(stream):
    """Returns the responses up to the first snapshot, and its token."""
    found = []
    for response in stream:
        found.append(response)
        change = response.target_change
        if "target_change" in response and not change.target_ids and change.read_time:
            return found, change.resume_token


def kinds(responses):
    return [type(response).pb(response).WhichOneof("response_type") for response in responses]


def test_a_stream_is_resumed_by_its_token_over_a_restart(cloud_jobs, tmp_path):
    emulator = Emulator(cloud_jobs, "--data", tmp_path / "data")
    client = client_of(FirestoreClient, emulator, "grpc")
    db = firestore.Client(project="p", credentials=AnonymousCredentials())
    db._firestore_api_internal = client
    for name in "abc":
        db.collection("c").document(name).set({"n": 1})
    stream, done = listen(client, [query_target("c")])
    found, token = until_current(stream)
    assert kinds(found) == ["target_change", *["document_change"] * 3, "target_change", "target_change"]
    done.set(), stream.cancel()
    db.collection("c").document("a").set({"n": 2})
    db.collection("c").document("b").delete()
    assert emulator.stop() == 0
    emulator = Emulator(cloud_jobs, "--data", tmp_path / "data")
    client = client_of(FirestoreClient, emulator, "grpc")
    stream, done = listen(client, [query_target("c", resume_token=token)])
    found, _ = until_current(stream)
    assert kinds(found) == [
        *("target_change", "document_change", "document_delete", "filter", "target_change", "target_change")
    ]
    assert found[1].document_change.document.name.endswith("/c/a")
    assert found[2].document_delete.document.endswith("/c/b")
    assert found[3].filter.count == 2
    done.set(), stream.cancel()
    stream, done = listen(client, [query_target("c", resume_token=(10**17).to_bytes(8, "big"))])
    found, _ = until_current(stream)
    assert found[1].target_change.target_change_type.name == "RESET"
    assert kinds(found).count("document_change") == 2
    done.set(), stream.cancel()
    assert emulator.stop() == 0


def test_targets_are_removed_and_refused_one_by_one(emulator):
    client = client_of(FirestoreClient, emulator, "grpc")
    bad = query_target("c")
    bad.add_target.target_id = 8
    bad.add_target.query.structured_query.offset = -1
    remove = messages.ListenRequest(database=DATABASE, remove_target=7)
    stream, done = listen(client, [query_target("c"), bad, remove])
    changes = []
    for response in stream:
        if "target_change" in response:
            changes.append(response.target_change)
        if changes and changes[-1].target_change_type.name == "REMOVE" and changes[-1].target_ids == [7]:
            break
    done.set(), stream.cancel()
    refused = next(change for change in changes if change.target_ids == [8])
    assert refused.target_change_type.name == "REMOVE" and refused.cause.code == 3
    assert "offset" in refused.cause.message


def test_a_write_stream_commits_in_order(emulator):
    client = client_of(FirestoreClient, emulator, "grpc")
    answers, more = [], threading.Semaphore(1)

    def requests():
        more.acquire(timeout=20)
        yield messages.WriteRequest(database=DATABASE)
        for number in range(3):
            assert more.acquire(timeout=20)
            document = {"name": f"{DATABASE}/documents/w/x", "fields": {"n": {"integer_value": number}}}
            yield messages.WriteRequest(writes=[Write(update=document)], stream_token=answers[-1].stream_token)

    for answer in client.write(requests(), metadata=[("google-cloud-resource-prefix", DATABASE)]):
        answers.append(answer)
        more.release()
    assert [len(answer.write_results) for answer in answers] == [0, 1, 1, 1]
    assert answers[1].commit_time < answers[2].commit_time < answers[3].commit_time
    assert client.get_document(request={"name": f"{DATABASE}/documents/w/x"}).fields["n"].integer_value == 2


def test_the_time_limit_of_a_stream_is_kept(channel):
    path, request = "/google.firestore.v1.Firestore/Listen", messages.ListenRequest.serialize(query_target("c"))
    stream = channel.stream_stream(path, lambda message: message, lambda message: message)
    hold = threading.Event()

    def requests():
        yield request
        hold.wait(20)

    begin = time.monotonic()
    with pytest.raises(grpc.RpcError) as error:
        for _ in stream(requests(), timeout=1):
            pass
    hold.set()
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0.8 < time.monotonic() - begin < 5


def test_a_listener_sees_every_commit_in_order_and_no_other(emulator, db):
    count = 300
    snapshots = Snapshots()
    watch = db.collection("wanted").on_snapshot(snapshots)
    snapshots.wait(1)
    for number in range(count):
        batch = db.batch()
        batch.set(db.collection("wanted").document("x"), {"n": number})
        batch.set(db.collection("other").document("x"), {"n": -number})
        batch.commit()
    found = snapshots.wait(count + 1, 60)
    watch.unsubscribe()
    assert [changes[0][2]["n"] for changes in found[1:]] == list(range(count))


# MARK: Connections


def test_the_emulator_stops_with_streams_idle_and_half_open_connections(cloud_jobs):
    emulator = Emulator(cloud_jobs)
    client = client_of(FirestoreClient, emulator, "grpc")
    streams = [listen(client, [query_target("c")]) for _ in range(3)]
    for stream, _ in streams:
        until_current(stream)
    idle = channel_of(emulator)
    grpc.channel_ready_future(idle).result(10)
    address = ("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))
    silent = [socket.create_connection(address) for _ in range(2)]
    silent[1].sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    begin = time.monotonic()
    emulator.process.send_signal(signal.SIGTERM)
    assert emulator.process.wait(15) == 0
    assert time.monotonic() - begin < 9
    for stream, done in streams:
        done.set(), stream.cancel()
    for connection in silent:
        connection.close()


def test_java_sends_a_patch_as_a_post_and_the_discovery_clients_send_gzip(emulator):
    connection = http.client.HTTPConnection("127.0.0.1", int(emulator.url.rsplit(":", 1)[1]))
    path = f"/v2/{LOCATION}/queues/overridden-{time.time_ns()}"
    body = gzip.compress(json.dumps({"rateLimits": {"maxDispatchesPerSecond": 3}}).encode())
    headers = {"X-HTTP-Method-Override": "PATCH", "Content-Encoding": "gzip", "Content-Type": "application/json"}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    assert answer.status == 200 and json.loads(answer.read())["rateLimits"]["maxDispatchesPerSecond"] == 3
    for bad in (b"nonsense", body[:-4], gzip.compress(bytes(40_000_000))):
        connection.request("POST", path, bad, headers)
        answer = connection.getresponse()
        assert answer.status == 400 and json.loads(answer.read())["error"]["status"] == "INVALID_ARGUMENT"
    connection.request("POST", path, b"{}", headers | {"Content-Encoding": "br"})
    answer = connection.getresponse()
    assert answer.status == 400 and "br" in json.loads(answer.read())["error"]["message"]


def test_the_schedulers_client_works_over_grpc(emulator):
    client = client_of(scheduler_v1.CloudSchedulerClient, emulator, "grpc")
    name = f"{LOCATION}/jobs/grpc-{time.time_ns()}"
    job = {"name": name, "schedule": "* * * * *", "http_target": {"uri": "http://127.0.0.1:1/", "body": b"\0"}}
    assert client.create_job(parent=LOCATION, job=job).http_target.body == b"\0"
    client.delete_job(name=name)
