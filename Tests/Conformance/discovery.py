"""Checks requests and answers against Google's discovery documents, where an unknown name is a fault."""

import base64
import json
import pathlib
import re

import googleapiclient

DOCUMENTS = pathlib.Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
SYSTEM = {"$alt", "alt", "key", "fields", "prettyPrint", "quotaUser"}


class Document:
    """The methods and schemas of one service."""

    def __init__(self, name):
        self.name = name
        self.content = json.loads((DOCUMENTS / f"{name}.json").read_text())
        self.schemas = self.content["schemas"]
        self.methods = list(self.walk(self.content))
        self.globals = set(self.content["parameters"]) | SYSTEM

    def walk(self, resource):
        yield from resource.get("methods", {}).values()
        for child in resource.get("resources", {}).values():
            yield from self.walk(child)

    def method(self, verb, path):
        """The method that a request means; the longest pattern that fits, so that a verb goes before an id."""
        own = [method for method in self.methods if method["httpMethod"] == verb]
        fits = [method for method in own if self.pattern(method).fullmatch(path)]
        return max(fits, key=lambda method: len(method["flatPath"]), default=None)

    @staticmethod
    def pattern(method):
        parts = re.split(r"\{[^}]*\}", method["flatPath"])
        return re.compile("/" + r"[^/:]+".join(re.escape(part) for part in parts))

    def check_query(self, method, query):
        own = {name for name, value in method["parameters"].items() if value["location"] == "query"}
        return [f"query: unknown parameter {name}" for name, _ in query if name not in own | self.globals]

    def check_request(self, method, body):
        if "request" not in method:
            return [] if not body else ["request: a body where there is none"]
        return self.check(body if body is not None else {}, method["request"], "request")

    def check_answer(self, method, body):
        return self.check(body, method["response"], "answer")

    def check(self, value, schema, path):
        """All that is wrong with a value, as lines that begin with its place."""
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
        if "enum" in schema:
            return value in schema["enum"] or (isinstance(value, int) and 0 <= value < len(schema["enum"]))
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
