"""A pytest plugin for Google's system tests: the high-level Firestore client speaks REST, which it can't by itself."""

import os
from types import SimpleNamespace

from google.cloud.firestore_v1 import client
from google.cloud.firestore_v1.services.firestore import FirestoreClient

from google_clients import ByStatus, client_of


def _firestore_api(self):
    if self._firestore_api_internal is None:
        address = os.environ["FIRESTORE_EMULATOR_HOST"]
        self._firestore_api_internal = ByStatus(client_of(FirestoreClient, SimpleNamespace(url=f"http://{address}")))
    return self._firestore_api_internal


client.Client._firestore_api = property(_firestore_api)
