"""The infrastructure on Google Cloud: what `infra` prints for gcloud and Terraform, and the files in `infra/`."""

import json
import shutil
import subprocess

import pytest
import yaml

from command_line import CommandLine
from generated_infrastructure import FILES, GOOGLE, INFRA, command_of, printed
from google_resources import made_by_gcloud, made_by_terraform, table
from repository import ROOT
from terraform_language import Configuration, Reference, text_of
from terraform_provider import provider

FACTS = ROOT / "Tests" / "Conformance" / "infrastructure"
ARGUMENTS = table(FACTS / "terraform_arguments.json")["resources"]
COMMANDS = table(FACTS / "gcloud_options.json")["commands"]
# Each with options of its own: another owner of the address, the caller and the database, and what sync needs.
VARIANTS = {
    "plain": (),
    "sync": ("--sync", "--service", "app"),
    "own address": ("--service-url", "https://jobs.example", "--caller", "caller@other.iam.gserviceaccount.com"),
    "database": ("--database", "jobs-db", "--queue", "main"),
}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS)
def pair(request, bin_dir):
    """The script and the configuration of the same options."""
    options = (*GOOGLE, *request.param)
    return [printed(bin_dir, "--format", name, *options) for name in ("gcloud", "terraform")]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_the_command_line_prints(bin_dir, name):
    stored = (INFRA / name).read_text()
    assert stored == printed(bin_dir, *FILES[name]), f"print it again: {command_of(name)}"


def test_the_guide_shows_the_command_of_each_file():
    guide = (INFRA / "README.md").read_text()
    assert [name for name in FILES if command_of(name) not in guide] == []


def test_gcloud_and_terraform_make_the_same_resources(pair, tmp_path):
    script, configuration = pair
    by_gcloud = made_by_gcloud(script, tmp_path, COMMANDS)
    by_terraform = made_by_terraform(Configuration(configuration))
    assert by_gcloud == by_terraform
    kinds = {key[0] for key in by_gcloud}
    assert {"queue", "schedule", "index", "field", "database", "run", "run role", "account role"} <= kinds


def test_the_jobs_of_the_program_are_in_both_and_the_tool_has_none(bin_dir, tmp_path):
    for program, jobs in (("starter", ["cloud_jobs_master", "good_morning"]), ("cloud-jobs", ["cloud_jobs_master"])):
        configuration = Configuration(printed(bin_dir, "--format", "terraform", *GOOGLE, program=program))
        made = made_by_terraform(configuration)
        assert sorted(key[2] for key in made if key[0] == "schedule") == [f"cloud-jobs-{job}" for job in jobs]
        script = printed(bin_dir, "--format", "gcloud", *GOOGLE, program=program)
        assert made_by_gcloud(script, tmp_path, COMMANDS) == made


def test_the_accounts_have_the_roles_that_they_need_and_no_others(bin_dir):
    for more, expected in (((), 3), (("--sync",), 5)):
        made = made_by_terraform(Configuration(printed(bin_dir, "--format", "terraform", *GOOGLE, *more)))
        accounts = [f"jobs-{name}@my-project.iam.gserviceaccount.com" for name in ("runtime", "caller")]
        runtime, caller = (f"serviceAccount:{account}" for account in accounts)
        roles = {key[1] for key in made if key[0] == "project role"}
        assert len(roles) == expected and {key[2] for key in made if key[0] == "project role"} == {runtime}
        assert {"roles/datastore.user", "roles/cloudtasks.enqueuer", "roles/cloudtasks.taskDeleter"} <= roles
        assert [key[2:] for key in made if key[0] == "run role"] == [("roles/run.invoker", caller)]
        assert [key[1:] for key in made if key[0] == "account role"] == [
            (caller.partition(":")[2], "roles/iam.serviceAccountUser", runtime)
        ]


def test_the_indexes_and_expiry_are_those_of_the_file_for_the_firebase_tool():
    made = made_by_terraform(Configuration((INFRA / "terraform" / "main.tf").read_text()))
    file = json.loads((INFRA / "firestore.indexes.json").read_text())
    indexes = {
        (
            index["collectionGroup"],
            tuple((f["fieldPath"], f.get("order", f.get("arrayConfig")).lower()) for f in index["fields"]),
        )
        for index in file["indexes"]
    }
    assert {key[2:] for key in made if key[0] == "index"} == indexes
    fields = {
        (entry["collectionGroup"], entry["fieldPath"]): {
            "indexes": [f"order={index['order'].lower()}" for index in entry["indexes"]],
            **({"ttl": True} if entry.get("ttl") else {}),
        }
        for entry in file["fieldOverrides"]
    }
    assert {key[2:]: value for key, value in made.items() if key[0] == "field"} == fields


# MARK: Terraform


def arguments_of(kind, body, path=""):
    """Checks the names of a block's arguments, and of the blocks in it."""
    known = ARGUMENTS[kind]["arguments"]
    assert path in known, f"{kind} has no block {path}"
    names = {name for name in body if not name.startswith("__")} - {"for_each", "depends_on"}
    unknown = names - set(known[path]["required"]) - set(known[path]["optional"])
    assert not unknown, f"{kind} {path} has no {unknown}: {ARGUMENTS[kind]['source']}"
    missing = set(known[path]["required"]) - names
    assert not missing, f"{kind} {path} needs {missing}"
    for name in names:
        for block in body[name] if isinstance(body[name], list) else []:
            if isinstance(block, dict) and block.get("__is_block__"):
                arguments_of(kind, block, f"{path}.{name}".lstrip("."))


def test_terraform_uses_arguments_that_the_provider_has(pair):
    configuration = Configuration(pair[1])
    for (kind, _), body in (configuration.blocks | configuration.data).items():
        arguments_of(kind, body)


def test_each_name_in_terraform_stands_for_something(pair):
    configuration = Configuration(pair[1])
    for _ in configuration.resources():
        pass
    for block in configuration.parsed["output"]:
        for body in block.values():
            assert configuration.evaluated(body)["value"]
    for body in configuration.data.values():
        configuration.evaluated(body)
    text = pair[1].replace("var.location", "var.region")
    with pytest.raises(Reference):
        list(Configuration(text).resources())
    used = pair[1]
    assert [name for name in configuration.variables if f"var.{name}" not in used] == []


REFUSED = {
    "project": ["", "My-Project", "a b"],
    "location": ["", "Europe West"],
    "service": ["", "9jobs", "Jobs", "a" * 21],
    "image": ["", "a b"],
    "database": ["", "db", "-jobs"],
    "ingress": ["", "public"],
    "timeout": [0, 3601, 1.5],
    "concurrency": [0, 1001],
    "min_instances": [-1],
    "max_instances": [0],
    "cpu": ["3", ""],
    "memory": ["512", "1 Gi"],
    "service_url": ["jobs.example", "https://jobs.example/a"],
    "caller": ["caller"],
}


def test_variables_have_types_descriptions_and_rules(pair):
    configuration = Configuration(pair[1])
    for name, body in configuration.variables.items():
        assert body["type"] in ("string", "number", "bool", "${string}", "${number}", "${bool}") and body["description"]
        if "default" in body:
            assert configuration.refusals(name, configuration.evaluated(body["default"])) == []
        for value in REFUSED.get(name, []):
            assert configuration.refusals(name, value), (name, value)
    assert set(configuration.variables) - {"deletion_protection"} <= set(REFUSED)


@pytest.fixture
def terraform(tmp_path):
    """Runs Terraform in a folder, over a stand-in for the provider."""
    if not shutil.which("terraform"):
        pytest.skip("Terraform is not installed.")
    with provider(ARGUMENTS) as environment:

        def run(*words):
            command = ["terraform", f"-chdir={tmp_path}", *words]
            return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)

        yield run


def test_terraform_finds_the_configuration_valid_and_formatted(terraform, pair, tmp_path):
    (tmp_path / "main.tf").write_text(pair[1])
    for words in (("fmt", "-check", "-diff"), ("init", "-no-color"), ("validate", "-no-color")):
        answer = terraform(*words)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    for fault in ("var.projekt", "google_service_account.caller.mail", "local.adress"):
        (tmp_path / "main.tf").write_text(pair[1] + f'output "x" {{\n  value = {fault}\n}}\n')
        assert terraform("validate").returncode == 1, fault


# MARK: Scripts and text


def test_the_script_is_clean(pair):
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed.")
    answer = subprocess.run(["shellcheck", "-"], input=pair[0], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout
    assert subprocess.run(["bash", "-n"], input=pair[0], text=True).returncode == 0


def test_literals_stand_for_their_text():
    rows = json.loads((FACTS / "quoting.json").read_text())
    for row in rows:
        echoed = subprocess.run(["bash", "-c", f"printf %s {row['shell']}"], capture_output=True, check=True)
        assert echoed.stdout.decode() == row["text"]
        for loader in (yaml.SafeLoader, yaml.BaseLoader):
            assert yaml.load(f"a: {row['yaml']}", loader)["a"] == row["text"], row
        assert text_of(row["terraform"], None) == row["text"]


@pytest.mark.parametrize(
    "words",
    [
        ("--location", "europe,west"),
        ("--image", "a b"),
        ("--caller", "a'b"),
        ("--database", "${x}"),
        ("--service-url", 'https://x"'),
        ("--queue", "a\nb"),
        ("--service", "jobs-"),
    ],
)
def test_an_option_that_would_break_a_list_is_refused(bin_dir, words):
    line = CommandLine(bin_dir, "memory")
    assert words[0] in line.call("infra", *GOOGLE, *words, expect=64).stderr
