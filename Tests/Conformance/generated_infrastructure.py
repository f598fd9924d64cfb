"""The files in `infra/` that the command line prints, each with the options that it was printed with."""

from command_line import CommandLine
from repository import ROOT

INFRA = ROOT / "infra"
IMAGE = "europe-docker.pkg.dev/my-project/jobs/jobs"
GOOGLE = ("--project", "my-project", "--location", "europe-west1", "--image", IMAGE)
WORKERS = ("--format", "kubernetes", "--image", "registry.example/jobs:1")
FILES = {
    "gcloud/setup.sh": ("--format", "gcloud", *GOOGLE),
    "terraform/main.tf": ("--format", "terraform", *GOOGLE),
    "kubernetes/workers.yaml": WORKERS,
    "kubernetes/workers-hpa.yaml": (*WORKERS, "--scaling", "hpa", "--pod-monitor"),
    "kubernetes/workers-keda.yaml": (*WORKERS, "--scaling", "keda", "--pod-monitor"),
    "compose.yaml": ("--format", "compose", "--context", "..", "--dockerfile", "infra/Dockerfile", "--package", ".."),
}


def printed(bin_dir, *options, program="starter"):
    """Returns what `infra` prints."""
    return CommandLine(bin_dir, "memory").call("infra", *options, program=program).stdout


def command_of(name):
    """Returns the command that prints a file, as documentation shows it."""
    return f"starter infra {' '.join(FILES[name])} >infra/{name}"
