"""The schema in the emulator's sources against the official packages and Google's discovery documents."""

import re

import pytest

from discovery import SERVICES
from google_schema import rendered

FILES = rendered()
DOCUMENTS = "firestore.projects.databases.documents."
# The services of the Firestore document that the emulator has methods of. The others are those of its administration,
# which is a service of its own.
FIRESTORE = (DOCUMENTS, "firestore.projects.databases.operations.", "firestore.projects.locations.")
# The methods that only the discovery documents have, with the reasons.
ONLY_IN_DISCOVERY = {
    "cloudtasks.projects.locations.queues.tasks.buffer": "the package has neither the method nor its messages",
    "cloudscheduler.projects.locations.getCmekConfig": "the package has neither the method nor its messages",
    "cloudscheduler.projects.locations.updateCmekConfig": "the package has neither the method nor its messages",
    "cloudscheduler.projects.locations.operations.cancel": "the package does not mix in the operations",
    "cloudscheduler.projects.locations.operations.delete": "the package does not mix in the operations",
    "cloudscheduler.projects.locations.operations.get": "the package does not mix in the operations",
    "cloudscheduler.projects.locations.operations.list": "the package does not mix in the operations",
    DOCUMENTS + "listen": "the package has no path for a stream in both directions",
    DOCUMENTS + "write": "the package has no path for a stream in both directions",
} | {
    method["id"]: "administration"
    for document in SERVICES
    for method in document.methods
    if document.name == "firestore.v1"
    and (not method["id"].startswith(FIRESTORE) or method["id"].startswith("firestore.projects.locations.backups."))
}


def normal_path(template):
    """Returns a path with an asterisk for each variable. A discovery document has one or two for the depth of `**`."""
    inner = re.sub(r"\{[^{}=]+=([^{}]+)\}", r"\1", template)
    return re.sub(r"\{[^{}]+\}|\*\*", "*", inner)


def is_bound(method, bindings):
    return (method["httpMethod"], normal_path("/" + method["flatPath"])) in bindings


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_are_those_of_the_packages(path):
    text = path.read_text() if path.exists() else ""
    assert text == FILES[path], f"{path.name} is not what the official packages say: run `make schema`."


def test_methods_have_the_paths_of_the_discovery_documents():
    found = re.findall(r"^ +(GET|POST|PATCH|PUT|DELETE) (/\S+)", "\n".join(FILES.values()), re.MULTILINE)
    bindings = {(verb, normal_path(template)) for verb, template in found}
    methods = [method for document in SERVICES for method in document.methods]
    lacking = {method["id"] for method in methods if not is_bound(method, bindings)}
    assert lacking == set(ONLY_IN_DISCOVERY)


@pytest.mark.parametrize(
    "template, path",
    [
        ("/v2/{parent=projects/*/locations/*}/queues", "/v2/projects/*/locations/*/queues"),
        ("/v2/projects/{projectsId}/locations/{locationsId}/queues", "/v2/projects/*/locations/*/queues"),
        ("/v1/{parent=projects/*/documents/*/**}/{collection_id}", "/v1/projects/*/documents/*/*/*"),
        ("/v1/{name=projects/*/databases/*}:clone", "/v1/projects/*/databases/*:clone"),
    ],
)
def test_the_normal_form_of_paths(template, path):
    assert normal_path(template) == path
