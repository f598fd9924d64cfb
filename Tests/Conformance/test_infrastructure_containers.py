"""Images, Kubernetes and Compose: the files in `infra/` and what `infra` prints, and the processes that they start."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import jsonschema
import kubernetes_validate
import pytest
import yaml

from command_line import CommandLine
from generated_infrastructure import INFRA, printed
from local_service import free_port
from repository import ROOT

CUSTOM = json.loads((ROOT / "Tests" / "Conformance" / "infrastructure" / "custom_resources.json").read_text())
# The libraries of Debian that programs may link, besides those of the base image.
PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libpq.so.5": "libpq5",
    "libsqlite3.so.0": "libsqlite3-0",
    "libz.so.1": "zlib1g",
}


# MARK: Images


@pytest.fixture(params=["infra/Dockerfile", "Examples/starter/Dockerfile", "printed"])
def recipe(request, bin_dir):
    """The text of a recipe, and the folder that it is built in."""
    if request.param == "printed":
        return printed(bin_dir, "--format", "dockerfile"), ROOT / "Examples" / "starter"
    path = ROOT / request.param
    return path.read_text(), ROOT if request.param.startswith("infra") else path.parent


def instructions(text):
    """Returns the stages of a recipe: lists of instructions with their words."""
    lines = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#"))).splitlines()
    stages = []
    for line in filter(None, lines):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest.strip()))
    return stages


def test_a_recipe_is_clean(recipe):
    hadolint = os.path.join(os.path.dirname(sys.executable), "hadolint")
    answer = subprocess.run(
        [hadolint, "--failure-threshold", "style", "-"], input=recipe[0], capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_last_stage_runs_a_program_as_a_user_without_rights(recipe):
    stages = instructions(recipe[0])
    names = [name for stage in stages for name, _ in stage]
    assert "ADD" not in names and "HEALTHCHECK" not in names
    last = dict(stages[-1])
    assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", last["USER"])
    assert json.loads(last["ENTRYPOINT"]) == ["/usr/local/bin/service"]
    assert not re.search(r"(?i)(secret|password|token|key)\s*=", recipe[0])
    images = [rest.split()[0] for name, rest in stages[0] + stages[-1] if name == "FROM"]
    assert all(":" in image and not image.endswith(":latest") for image in images)


def test_what_is_copied_exists(recipe):
    text, folder = recipe
    ignored = folder / ".dockerignore"
    rules = ignored.read_text().splitlines() if ignored.exists() else []
    admitted = {rule[1:] for rule in rules if rule.startswith("!")}
    for name, rest in instructions(text)[0]:
        if name != "COPY" or "--from=" in rest:
            continue
        for source in rest.split()[:-1]:
            if source == ".":
                continue
            assert list(folder.glob(source)), source
            if admitted:
                assert any(path.name in admitted for path in folder.glob(source)), (
                    f"{source} is not sent to the builder"
                )


@pytest.mark.parametrize("program", ["starter", "cloud-jobs", "inbox-demo"])
def test_the_image_has_the_libraries_that_the_program_links(bin_dir, program):
    linked = subprocess.run(["ldd", bin_dir / program], capture_output=True, text=True, check=True).stdout
    needed = {package for library, package in PACKAGES.items() if library in linked}
    for text in ((INFRA / "Dockerfile").read_text(), printed(bin_dir, "--format", "dockerfile")):
        words = dict(reversed(instructions(text)[-1]))["RUN"].split()
        assert needed <= set(words), needed - set(words)
        assert {"ca-certificates", "tzdata"} <= set(words)


# MARK: Kubernetes


def documents(name):
    return list(yaml.safe_load_all((INFRA / "kubernetes" / name).read_text()))


NAMES = ["workers.yaml", "workers-hpa.yaml", "workers-keda.yaml"]


@pytest.mark.parametrize("name", NAMES)
def test_manifests_fit_the_schemas(name):
    for document in documents(name):
        kind = f"{document['apiVersion']}/{document['kind']}"
        if kind in CUSTOM:
            jsonschema.validate(document, CUSTOM[kind]["schema"])
            continue
        for version in ("1.30", "1.37"):
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("name", NAMES)
def test_manifests_refer_to_one_another(name):
    found = {document["kind"]: document for document in documents(name)}
    deployment = found["Deployment"]
    pod = deployment["spec"]["template"]
    labels = pod["metadata"]["labels"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    selectors = [deployment["spec"]["selector"]["matchLabels"], found["Service"]["spec"]["selector"]]
    selectors += [found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]]
    selectors += [found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]]
    if "PodMonitor" in found:
        spec = found["PodMonitor"]["spec"]
        selectors.append(spec["selector"]["matchLabels"])
        assert set(spec["podTargetLabels"]) <= set(labels)
        assert all(endpoint["port"] in ports for endpoint in spec["podMetricsEndpoints"])
    assert all(selector.items() <= labels.items() and selector for selector in selectors)
    assert pod["spec"]["serviceAccountName"] == found["ServiceAccount"]["metadata"]["name"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        volume["name"] for volume in pod["spec"]["volumes"]
    }
    environment = {variable["name"]: variable for variable in container["env"]}
    assert int(environment["PORT"]["value"]) == ports["http"]
    assert found["Service"]["spec"]["ports"][0]["targetPort"] in ports
    scaler = found.get("HorizontalPodAutoscaler") or found.get("ScaledObject")
    assert ("replicas" in deployment["spec"]) == (scaler is None)
    if scaler:
        assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        assert "cloud_jobs_queue_depth" in json.dumps(scaler)


@pytest.mark.parametrize("name", NAMES)
def test_a_pod_has_no_rights(name):
    pod = next(d for d in documents(name) if d["kind"] == "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"] and container["resources"]["requests"]["cpu"]


def status_of(url, **headers):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


def test_the_container_of_the_deployment_works_as_the_manifest_says(bin_dir, postgres, tmp_path):
    pod = next(d for d in documents("workers.yaml") if d["kind"] == "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    port, secret = free_port(), "0123456789abcdef0123456789abcdef"
    values = {"store": postgres.database().store, "secret": secret}
    environment = {"PORT": str(port), "PATH": os.environ["PATH"]}
    for variable in container["env"]:
        source = variable.get("valueFrom", {})
        key = source.get("secretKeyRef", {}).get("key")
        environment.setdefault(variable["name"], variable.get("value") or values.get(key) or "jobs-abc")
    line = CommandLine(bin_dir, values["store"])
    process = subprocess.Popen([bin_dir / "starter", *container["args"]], env=environment, cwd=tmp_path)
    origin = f"http://127.0.0.1:{port}"
    paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "readiness", "liveness")}

    def answers(path):
        try:
            return status_of(origin + path) == 200
        except OSError:
            return False

    line.wait_for(lambda: answers(paths["startup"]))
    line.wait_for(lambda: answers(paths["readiness"]))
    assert answers(paths["liveness"])
    assert status_of(f"{origin}/jobs/jobs") == 401
    assert status_of(f"{origin}/jobs/jobs", Authorization=f"Bearer {secret}") == 200
    assert [worker["name"] for worker in line.json("workers")["workers"]] == ["jobs-abc"]
    process.send_signal(signal.SIGTERM)
    limit = int(environment["CLOUD_JOBS_SERVER_EXIT_LIMIT"].removesuffix("s"))
    assert process.wait(limit) == 0 and limit < pod["terminationGracePeriodSeconds"]
    assert list(tmp_path.iterdir()) == [], "it writes no file"


def test_a_secret_without_effect_is_refused(bin_dir):
    line = CommandLine(bin_dir, "firestore://p", FIRESTORE_EMULATOR_HOST="127.0.0.1:1")
    line.environment["CLOUD_JOBS_SERVER_SECRET"] = "0123456789abcdef"
    answer = line.call("serve", "--location", "l", "--service-url", "https://x", expect=64, program="starter")
    assert "CLOUD_JOBS_SERVER_SECRET" in answer.stderr and "0123456789abcdef" not in answer.stderr


def test_kubernetes_needs_an_image_and_sensible_numbers(bin_dir):
    line = CommandLine(bin_dir, "memory")
    assert "--image" in line.call("infra", "--format", "kubernetes", expect=64).stderr
    for words in (("--replicas", "0"), ("--replicas", "5", "--max-replicas", "4")):
        assert (
            "--max-replicas" in line.call("infra", "--format", "kubernetes", "--image", "i", *words, expect=64).stderr
        )
    assert "--product" in line.call("infra", "--format", "dockerfile", expect=64).stderr
    assert "PRODUCT=mine" in line.call("infra", "--format", "dockerfile", "--product", "mine").stdout


# MARK: Compose


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((INFRA / "compose.yaml").read_text())


def test_the_compose_file_fits_the_specification():
    tool = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", INFRA / "compose.yaml"]
    answer = subprocess.run(tool, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_services_have_no_rights_and_listen_at_loopback(compose, bin_dir):
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[1-9][0-9]*:[1-9][0-9]*", service["user"]), name
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True and service["healthcheck"]["test"]
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        if "build" in service:
            context = INFRA / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).is_file()
            assert (bin_dir / service["build"]["args"]["PRODUCT"]).is_file()
        for mount in service.get("volumes", []):
            assert mount.partition(":")[0] in compose["volumes"]
    assert compose["services"]["postgres"]["profiles"] == compose["services"]["workers"]["profiles"]


def test_the_app_and_the_emulator_of_compose_reach_each_other(bin_dir, tmp_path):
    unshare = (
        ["unshare", "--mount", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount", "--net"]
    )
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode:
        pytest.skip("This machine allows no network of its own.")
    script = ROOT / "Tests" / "Conformance" / "compose_network.py"
    command = [*unshare, sys.executable, script, bin_dir, INFRA / "compose.yaml", tmp_path]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found == {"deliveredBy": "queue", "stranger": "401", "ended": {"emulator": 0, "app": 0}}
