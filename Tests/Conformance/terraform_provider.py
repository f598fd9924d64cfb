"""A stand-in for Terraform's provider for Google: the schema of the resources that are used, and no behaviour.

With it `terraform validate` checks a whole configuration, although the provider can't be downloaded. It speaks version
6 of the plugin protocol (https://developer.hashicorp.com/terraform/plugin/terraform-plugin-protocol).
"""

import contextlib
import json
import os
from concurrent import futures

import grpc

NUMBERS = {
    "failure_threshold",
    "max_attempts",
    "max_concurrent_dispatches",
    "max_dispatches_per_second",
    "max_doublings",
    "max_instance_count",
    "max_instance_request_concurrency",
    "min_instance_count",
    "period_seconds",
    "port",
    "retry_count",
}
FLAGS = {"cpu_idle", "deletion_protection", "disable_on_destroy", "paused"}
TYPES = {"args": ["list", "string"], "limits": ["map", "string"]}
COMPUTED = {"google_service_account": ["email"], "google_project": ["number"]}
REQUIRED, OPTIONAL, COMPUTED_FLAG, LIST = 4, 5, 6, 2


def varint(value):
    encoded = b""
    while value > 127:
        encoded, value = encoded + bytes([value & 127 | 128]), value >> 7
    return encoded + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def attribute(name, presence):
    kind = TYPES.get(name) or ("number" if name in NUMBERS else "bool" if name in FLAGS else "string")
    return message(2, message(1, name) + message(2, json.dumps(kind)) + number(presence, 1))


def block(arguments, path, computed=()):
    """Returns the schema of a block, and of those in it."""
    inner = {name.rpartition(".")[2]: name for name in arguments if name and name.rpartition(".")[0] == path}
    content = b"".join(
        attribute(name, presence)
        for key, presence in (("required", REQUIRED), ("optional", OPTIONAL))
        for name in arguments[path][key]
        if name not in inner
    )
    content += b"".join(attribute(name, COMPUTED_FLAG) for name in computed)
    for name, own in inner.items():
        content += message(3, message(1, name) + message(2, block(arguments, own)) + number(3, LIST))
    return content


def schema(resources):
    """Returns the answer to `GetProviderSchema`."""
    answer = message(1, message(2, attribute("project", OPTIONAL) + attribute("region", OPTIONAL)))
    for kind, facts in resources.items():
        content = message(2, block(facts["arguments"], "", COMPUTED.get(kind, [])))
        answer += message(3 if kind == "google_project" else 2, message(1, kind) + message(2, content))
    return answer


class Provider(grpc.GenericRpcHandler):
    """Answers with the schema, and finds every configuration that fits it valid."""

    def __init__(self, resources):
        self.schema = schema(resources)

    def service(self, details):
        method = details.method.rpartition("/")[2]

        def answer(_, context):
            if method != "GetProviderSchema" and not method.startswith("Validate"):
                context.abort(grpc.StatusCode.UNIMPLEMENTED, method)
            return self.schema if method == "GetProviderSchema" else b""

        return grpc.unary_unary_rpc_method_handler(answer)


@contextlib.contextmanager
def provider(resources):
    """Serves the provider, and yields the environment in which Terraform calls it."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((Provider(resources),))
    address = {"Network": "tcp", "String": f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"}
    server.start()
    plugin = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
    attached = json.dumps({"registry.terraform.io/hashicorp/google": plugin})
    yield {
        **os.environ,
        "TF_REATTACH_PROVIDERS": attached,
        "TF_CLI_CONFIG_FILE": os.devnull,
        "CHECKPOINT_DISABLE": "1",
    }
    server.stop(None)
