"""Checks of requests and responses against Google's discovery documents; an unknown name is a fault."""

import base64
import enum
import inspect
import json
import pathlib
import re

import googleapiclient
import proto
from google.cloud import firestore_v1, scheduler_v1, tasks_v2
from google.cloud.firestore_v1.types import query

from recording_proxy import Exchange

DOCUMENTS = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
SYSTEM = {"$alt", "alt", "key", "fields", "prettyPrint", "quotaUser"}
# The methods that return a stream. Over REST it is an array, which the documents do not mention.
STREAMS = {
    f"firestore.projects.databases.documents.{name}"
    for name in ("batchGet", "executePipeline", "listen", "runAggregationQuery", "runQuery", "write")
}


def enums_in(scope):
    """Yields the names and numbers of each enum of the generated clients; a document may list them in another order."""
    for member in list(vars(scope).values()):
        if not inspect.isclass(member):
            continue
        if issubclass(member, enum.Enum):
            yield frozenset(value.name for value in member), {value.value for value in member}
        elif issubclass(member, proto.Message) and member is not scope:
            yield from enums_in(member)


CLIENTS = (tasks_v2, scheduler_v1, firestore_v1.types, query)
NUMBERS = {names: numbers for client in CLIENTS for names, numbers in enums_in(client)}


class Document:
    """The methods and schemas of one service."""

    def __init__(self, name):
        self.name = name
        self.content = json.loads((DOCUMENTS / f"{name}.json").read_text())
        self.schemas = self.content["schemas"]
        self.methods = list(self.walk(self.content))
        self.patterns = {method["id"]: self.pattern(method) for method in self.methods}
        self.globals = set(self.content["parameters"]) | SYSTEM

    def walk(self, resource):
        yield from resource.get("methods", {}).values()
        for child in resource.get("resources", {}).values():
            yield from self.walk(child)

    def method(self, verb, path):
        """Returns the method of a request: the longest pattern that matches, so that a verb wins over an id."""
        own = [method for method in self.methods if method["httpMethod"] == verb]
        fits = [method for method in own if self.patterns[method["id"]].fullmatch(path)]
        return max(fits, key=lambda method: len(method["flatPath"]), default=None)

    @staticmethod
    def pattern(method):
        """Returns a pattern for a method's paths. Documents lie at any depth; the root can be a parent too."""
        text = method["flatPath"]
        deep = re.search(r"/\{documentsId\}(/\{documentsId1\})?", text)
        depths = "" if not deep else "+" if deep[1] and ":" not in text else "*"
        halves = [text] if not deep else [text[: deep.start()], text[deep.end() :]]
        own = [r"[^/:]+".join(re.escape(part) for part in re.split(r"\{[^}]*\}", half)) for half in halves]
        return re.compile("/" + rf"(?:/[^/]+/[^/]+){depths}".join(own))

    def check_query(self, method, query):
        own = {name: value for name, value in method["parameters"].items() if value["location"] == "query"}
        faults = []
        for name, text in query:
            if name in own:
                schema = own[name]
                is_literal = schema["type"] != "string" or ("enum" in schema and text.isdigit())
                try:
                    value = json.loads(text) if is_literal else text
                except ValueError:
                    value = text
                if not self.fits(value, schema["type"], schema):
                    faults.append(f"query: {name}: {value!r} is no {schema.get('format', schema['type'])}")
            elif name not in self.globals:
                faults.append(f"query: unknown parameter {name}")
        return faults

    def check_request(self, method, body):
        if "request" not in method:
            return [] if not body else ["request: a body where there is none"]
        return self.check(body if body is not None else {}, method["request"], "request")

    def check_answer(self, method, body):
        schema = method["response"]
        return self.check(body, {"type": "array", "items": schema} if method["id"] in STREAMS else schema, "answer")

    def check(self, value, schema, path):
        """Returns the faults of a value, one line each, starting with the path."""
        if "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        kind = schema["type"]
        if kind == "any":
            return []
        if kind == "object":
            return self.check_object(value, schema, path)
        if kind == "array":
            if not isinstance(value, list):
                return [f"{path}: no array"]
            return [
                fault
                for index, item in enumerate(value)
                for fault in self.check(item, schema["items"], f"{path}[{index}]")
            ]
        return [] if self.fits(value, kind, schema) else [f"{path}: {value!r} is no {schema.get('format', kind)}"]

    def check_object(self, value, schema, path):
        if not isinstance(value, dict):
            return [f"{path}: no object"]
        faults = []
        for name, member in value.items():
            own = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
            if own is None:
                faults.append(f"{path}.{name}: unknown name")
            else:
                faults += self.check(member, own, f"{path}.{name}")
        return faults

    @staticmethod
    def fits(value, kind, schema):
        if kind == "boolean":
            return isinstance(value, bool)
        if isinstance(value, bool):
            return False
        if schema.get("enum") == ["NULL_VALUE"]:
            return value in (None, 0, "NULL_VALUE")
        if "enum" in schema:
            numbers = NUMBERS.get(frozenset(schema["enum"]), set())
            return value in schema["enum"] or (isinstance(value, int) and value in numbers)
        if kind == "integer":
            return isinstance(value, int) and -(2**31) <= value < 2**31
        if kind == "number":
            return isinstance(value, (int, float)) or value in ("NaN", "Infinity", "-Infinity")
        if not isinstance(value, str):
            return False
        match schema.get("format"):
            case "google-datetime":
                return TIME.fullmatch(value) is not None
            case "google-duration":
                return DURATION.fullmatch(value) is not None
            case "int64":
                return re.fullmatch(r"-?\d{1,19}", value) is not None and -(2**63) <= int(value) < 2**63
            case "byte":
                try:
                    return len(base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)) >= 0
                except ValueError:
                    return False
            case _:
                return True


SERVICES = [Document("cloudtasks.v2"), Document("cloudscheduler.v1"), Document("firestore.v1")]


def methods_of(exchange: Exchange):
    """Returns the methods of a request: several where services share a path, as v1 does for locations."""
    found = [
        (document, document.method(exchange.method, exchange.path))
        for document in SERVICES
        if exchange.path.startswith(f"/{document.content['version']}/")
    ]
    return [(document, method) for document, method in found if method is not None]


def faults_of(exchange: Exchange, checks_request: bool):
    place = f"{exchange.method} {exchange.path}"
    methods = methods_of(exchange)
    faults = [] if methods else ["no such method"]
    for document, method in methods:
        faults += document.check_query(method, exchange.query)
        if checks_request:
            faults += document.check_request(method, exchange.request)
        if exchange.status is not None and exchange.status < 400:
            faults += document.check_answer(method, exchange.answer)
        elif exchange.status is not None:
            faults += error_faults(exchange, method)
    return [f"{place}: {fault}" for fault in faults]


def error_faults(exchange: Exchange, method):
    """Returns the faults of an error response; a streaming method returns it as the only element of an array."""
    answer = exchange.answer
    if method["id"] in STREAMS:
        if not isinstance(answer, list) or len(answer) != 1:
            return [f"answer: {answer} is no stream"]
        answer = answer[0]
    if not isinstance(answer, dict) or set(answer) != {"error"}:
        return [f"answer: {answer} is no error"]
    error = answer["error"]
    if set(error) - {"details"} != {"code", "message", "status"} or error["code"] != exchange.status:
        return [f"answer: {error} is no error of Google's"]
    return []


def answered(exchanges):
    """Returns the ids of the methods that were answered with status 200."""
    return {method["id"] for e in exchanges if e.status == 200 for _, method in methods_of(e)}
