"""A listener that is told of every commit, once and in order, while the emulator is killed and started again."""

import random
import threading
import time

import grpc
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.types import firestore as messages
from google.cloud.firestore_v1.types.write import Write

from emulator_process import Emulator
from google_clients import client_of

COMMITS = 10_000
KILLS = 5
DATABASE = "projects/p/databases/(default)"
DOCUMENTS = f"{DATABASE}/documents"
PREFIX = [("google-cloud-resource-prefix", DATABASE)]


class Program:
    """An emulator over a folder; the address of the one that runs now."""

    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        self.emulator = Emulator(command, "--data", str(folder))

    def restart(self):
        self.emulator.kill()
        self.emulator = Emulator(self.command, "--data", str(self.folder))

    def client(self):
        return client_of(FirestoreClient, self.emulator, "grpc")


class Listener(threading.Thread):
    """Takes a change only with its snapshot, and goes on from the snapshot's token, as clients do."""

    def __init__(self, program):
        super().__init__(daemon=True)
        self.program = program
        self.told, self.streams, self.token = [], 0, b""
        self.start()

    def run(self):
        while len(self.told) < COMMITS:
            try:
                self.listen()
            except grpc.RpcError:
                time.sleep(0.02)
            except Exception as error:
                if "Unavailable" not in type(error).__name__ and "connect" not in str(error).lower():
                    raise
                time.sleep(0.02)

    def listen(self):
        query = {"from_": [{"collection_id": "wanted"}]}
        target = {"query": {"parent": DOCUMENTS, "structured_query": query}, "target_id": 1}
        if self.token:
            target["resume_token"] = self.token
        done = threading.Event()

        def requests():
            yield messages.ListenRequest(database=DATABASE, add_target=target)
            done.wait(120)

        pending = []
        try:
            for response in self.program.client().listen(requests(), metadata=PREFIX, retry=None):
                response = messages.ListenResponse.pb(response)
                kind = response.WhichOneof("response_type")
                if kind == "document_change":
                    pending.append(int(response.document_change.document.fields["n"].integer_value))
                elif kind == "target_change":
                    change = response.target_change
                    assert change.target_change_type != change.RESET and not change.HasField("cause")
                    if not change.target_ids and change.HasField("read_time"):
                        self.told += pending
                        self.token, pending = change.resume_token, []
                        if len(self.told) >= COMMITS:
                            return
                else:
                    assert kind == "filter" and response.filter.count == len(self.told) + len(pending)
        finally:
            self.streams += 1
            done.set()


def commit(program, number):
    """Commits a document that is listened to and another one, until it is acknowledged."""
    wanted = {"name": f"{DOCUMENTS}/wanted/{number:05}", "fields": {"n": {"integer_value": number}}}
    other = {"name": f"{DOCUMENTS}/other/{number:05}", "fields": {"n": {"integer_value": -number}}}
    request = messages.CommitRequest(database=DATABASE, writes=[Write(update=wanted), Write(update=other)])
    while True:
        try:
            return program.writer.commit(request, timeout=20, retry=None)
        except Exception:
            time.sleep(0.01)
            program.writer = program.client()


def test_every_commit_is_told_once_and_in_order_over_restarts(cloud_jobs, tmp_path):
    program = Program(cloud_jobs, tmp_path / "data")
    program.writer = program.client()
    listener = Listener(program)
    kills = sorted(random.Random(3).sample(range(500, COMMITS), KILLS))
    for number in range(COMMITS):
        if kills and number == kills[0]:
            kills.pop(0)
            program.restart()
        commit(program, number)
    listener.join(120)
    assert not listener.is_alive(), f"{len(listener.told)} of {COMMITS} commits were told"
    assert listener.told == list(range(COMMITS))
    assert listener.streams > KILLS
    assert program.emulator.stop() == 0
