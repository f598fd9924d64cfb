"""What a script for gcloud and a configuration for Terraform make on Google Cloud, in one form that can be compared."""

import json
import os
import shlex
import stat
import subprocess

STAND_IN = """#!/usr/bin/env bash
# Records each call, and says that nothing exists.
printf '%s\\0' "$@" >>"$CALLS"; printf '\\n' >>"$CALLS"
case "$*" in
  projects\\ describe*) echo 42 ;;
  *\\ describe\\ *) exit 1 ;;
esac
"""
ARGUMENTS = {
    "max_attempts": "--max-attempts",
    "max_retry_duration": "--max-retry-duration",
    "min_backoff": "--min-backoff",
    "max_backoff": "--max-backoff",
    "max_doublings": "--max-doublings",
    "max_dispatches_per_second": "--max-dispatches-per-second",
    "max_concurrent_dispatches": "--max-concurrent-dispatches",
    "schedule": "--schedule",
    "time_zone": "--time-zone",
    "description": "--description",
    "attempt_deadline": "--attempt-deadline",
    "retry_count": "--max-retry-attempts",
    "min_backoff_duration": "--min-backoff",
    "max_backoff_duration": "--max-backoff",
}
INGRESS = {"INGRESS_TRAFFIC_ALL": "all", "INGRESS_TRAFFIC_INTERNAL_ONLY": "internal"}


def calls_of(script, folder):
    """Runs a script with a stand-in for gcloud, and returns the arguments of each call."""
    tool = folder / "gcloud"
    tool.write_text(STAND_IN)
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    calls = folder / "calls"
    calls.write_text("")
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls)}
    answer = subprocess.run(["bash"], input=script, capture_output=True, text=True, env=environment)
    assert answer.returncode == 0 and not answer.stderr, answer.stderr
    return [line.split("\0")[:-1] for line in calls.read_text().split("\n") if line]


def parsed(call, commands):
    """Returns the command, the words and the options of a call; an option without a value has None."""
    command = max((name for name in commands if call[: len(name.split())] == name.split()), key=len, default=None)
    assert command, f"no such command: {shlex.join(call)}"
    words, options, rest = [], [], call[len(command.split()) :]
    switches = {"--async", "--disable-indexes", "--enable-ttl", "--delete-protection", "--cpu-throttling"}
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            words.append(word)
        elif word in switches or word.startswith("--no-"):
            options.append((word, None))
        else:
            options.append((word, rest.pop(0)))
    return command, words, options


def made_by_gcloud(script, folder, commands):
    """Returns the resources that a script makes, by kind and name, with their settings."""
    made, project = {}, None
    for call in calls_of(script, folder):
        command, words, pairs = parsed(call, commands)
        options = dict(pairs)
        names = {"--" + name.removeprefix("--").removeprefix("no-") for name in options}
        unknown = names - set(commands[command]) - {"--format"}
        assert not unknown, f"gcloud {command} has no {unknown}"
        if command == "services enable":
            made |= {("service", word): {} for word in words}
        elif command == "projects describe":
            project = words[0]
        elif command == "iam service-accounts create":
            made["account", words[0]] = {"name": options["--display-name"]}
        elif command == "projects add-iam-policy-binding":
            assert options["--condition"] == "None" and project in (None, words[0])
            made["project role", options["--role"], options["--member"]] = {}
        elif command == "iam service-accounts add-iam-policy-binding":
            made["account role", words[0], options["--role"], options["--member"]] = {}
        elif command == "firestore databases create":
            made["database", options["--database"]] = {
                "location": options["--location"],
                "type": options["--type"],
                "protected": "--delete-protection" in options,
            }
        elif command == "firestore indexes composite create":
            fields = tuple(
                tuple(part.partition("=")[2] for part in value.split(","))
                for option, value in pairs
                if option == "--field-config"
            )
            made["index", options["--database"], options["--collection-group"], fields] = {}
        elif command.startswith("firestore"):
            field = made.setdefault(("field", options["--database"], options["--collection-group"], words[0]), {})
            if command == "firestore fields ttls update":
                field["ttl"] = "--enable-ttl" in options
            else:
                field["indexes"] = [] if "--disable-indexes" in options else [options["--index"]]
        elif command == "tasks queues create":
            made["queue", options.pop("--location"), words[0]] = options
        elif command == "scheduler jobs create http":
            made["schedule", options.pop("--location"), words[0]] = options
            options["paused"] = False
        elif command == "scheduler jobs pause":
            made["schedule", options["--location"], words[0]]["paused"] = True
        elif command == "run deploy":
            made["run", options.pop("--region"), words[0]] = options
        elif command == "run services add-iam-policy-binding":
            made["run role", words[0], options["--role"], options["--member"]] = {}
        else:
            assert command.endswith("describe"), command
    return made


def made_by_terraform(configuration):
    """Returns the resources that a configuration makes, in the form of those of a script."""
    return dict(resource(kind, body) for kind, _, body in configuration.resources())


def resource(kind, body):
    if kind == "google_project_service":
        return ("service", body["service"]), {}
    if kind == "google_service_account":
        return ("account", body["account_id"]), {"name": body["display_name"]}
    if kind == "google_project_iam_member":
        return ("project role", body["role"], body["member"]), {}
    if kind == "google_service_account_iam_member":
        account = body["service_account_id"].removeprefix("projects/-/serviceAccounts/")
        return ("account role", account, body["role"], body["member"]), {}
    if kind == "google_firestore_database":
        return ("database", body["name"]), {
            "location": body["location_id"],
            "type": body["type"].lower().replace("_", "-"),
            "protected": body["delete_protection_state"] == "DELETE_PROTECTION_ENABLED",
        }
    if kind == "google_firestore_index":
        fields = tuple(
            (field["field_path"], (field.get("order") or field.get("array_config")).lower()) for field in body["fields"]
        )
        return ("index", body["database"], body["collection"], fields), {}
    if kind == "google_firestore_field":
        indexes = [f"order={index['order'].lower()}" for index in body["index_config"][0].get("indexes", [])]
        settings = {"indexes": indexes} | ({"ttl": True} if "ttl_config" in body else {})
        return ("field", body["database"], body["collection"], body["field"]), settings
    if kind == "google_cloud_tasks_queue":
        return ("queue", body["location"], body["name"]), settings_of(body, "retry_config", "rate_limits")
    if kind == "google_cloud_scheduler_job":
        target = body["http_target"][0]
        return ("schedule", body["region"], body["name"]), {
            **settings_of(body, "retry_config"),
            "--http-method": target["http_method"],
            "--uri": target["uri"],
            "--oidc-service-account-email": target["oidc_token"][0]["service_account_email"],
            "--oidc-token-audience": target["oidc_token"][0]["audience"],
            "paused": body["paused"],
        }
    if kind == "google_cloud_run_v2_service":
        return ("run", body["location"], body["name"]), run_options(body)
    assert kind == "google_cloud_run_v2_service_iam_member", kind
    return ("run role", body["name"], body["role"], body["member"]), {}


def settings_of(body, *blocks):
    """Returns the arguments of a resource and of its blocks as options of gcloud."""
    members = dict(body)
    for block in blocks:
        members |= body.get(block, [{}])[0]
    return {ARGUMENTS[name]: str(value) for name, value in members.items() if name in ARGUMENTS}


def run_options(body):
    template = body["template"][0]
    container = template["containers"][0]
    resources, probe = container["resources"][0], container["startup_probe"][0]
    get = probe["http_get"][0]
    assert body["deletion_protection"] is True
    return {
        "--image": container["image"],
        "--service-account": template["service_account"],
        "--no-allow-unauthenticated": None,
        "--ingress": INGRESS[body["ingress"]],
        "--timeout": template["timeout"].removesuffix("s"),
        "--concurrency": str(template["max_instance_request_concurrency"]),
        **({"--cpu-throttling": None} if resources["cpu_idle"] else {}),
        "--cpu": resources["limits"]["cpu"],
        "--memory": resources["limits"]["memory"],
        "--min-instances": str(template["scaling"][0]["min_instance_count"]),
        "--max-instances": str(template["scaling"][0]["max_instance_count"]),
        "--startup-probe": f"httpGet.path={get['path']},httpGet.port={get['port']},"
        f"periodSeconds={probe['period_seconds']},failureThreshold={probe['failure_threshold']}",
        "--set-env-vars": ",".join(f"{variable['name']}={variable['value']}" for variable in container["env"]),
        "--args": ",".join(container["args"]),
    }


def table(path):
    return json.loads(path.read_text())
