"""Builds the documentation's site from the libraries as they were built, the guides and the tutorials."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import articles
from markdown_pages import ROOT

# In stages: each library follows those that it links to.
STAGES = [
    ["CloudJobsCore"],
    ["CloudJobs", "CloudJobsHTTP", "CloudJobsEmulator"],
    ["CloudJobsGoogle", "CloudJobsSQLite", "CloudJobsPostgres", "CloudJobsEncryption", "CloudJobsServer"],
    ["CloudJobsStores", "CloudJobsCommands", "CloudJobsEmulatorServer", "CloudJobsTesting"],
]
START = "documentation/swiftcloudjobs/"


class Failure(Exception):
    """A step that could not be done, with the output of its tool."""


@dataclasses.dataclass
class Finding:
    """A fault of the documentation."""

    place: str
    message: str

    def __str__(self):
        return f"{self.place}: {self.message}"


def run(*command):
    """Runs a tool, and returns its output."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(f"{command[0]} failed:\n{result.stdout}{result.stderr}")
    return result.stdout


def compiler_flags(bin_dir):
    """Returns what the compiler needs to find the modules of a build, with those of C libraries."""
    bin_dir = pathlib.Path(bin_dir)
    manifest = bin_dir.parent.parent / f"{bin_dir.name}.yaml"
    if not manifest.is_file():
        raise Failure(f"{manifest} is missing. Build the package with `swift build` first.")
    maps = sorted(set(re.findall(r'"(-fmodule-map-file=[^"]*)"', manifest.read_text())))
    headers = run("pkg-config", "--cflags-only-I", "libcurl", "libpq", "sqlite3", "zlib").split()
    flags = ["-I", str(bin_dir / "Modules")]
    for flag in maps + headers:
        flags += ["-Xcc", flag]
    return flags


class Site:
    """The site in a folder, with the archives and symbol graphs that it is made of beside it."""

    def __init__(self, bin_dir, output, base_path=""):
        self.bin_dir = pathlib.Path(bin_dir)
        self.output = pathlib.Path(output).resolve()
        self.base_path = base_path
        self.archives: list[pathlib.Path] = []
        self.findings: list[Finding] = []
        self.sources: dict[str, str] = {}
        """The pages that articles are made of, by the articles' paths."""

    @property
    def folder(self):
        """The folder of the pages."""
        return self.output / "site"

    def build(self):
        """Builds everything, and records what is wrong with it."""
        shutil.rmtree(self.output, ignore_errors=True)
        self.output.mkdir(parents=True)
        flags = compiler_flags(self.bin_dir)
        target = json.loads(run("swiftc", "-print-target-info"))["target"]["unversionedTriple"]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for stage in STAGES:
                finished = list(self.archives)
                work = [pool.submit(self._library, name, ["-target", target, *flags], finished) for name in stage]
                self.archives += [result.result() for result in work]
        guides = self.output / "SwiftCloudJobs.docc"
        articles.write_catalog(guides)
        self.sources = {str(guides / f"{name}.md"): page.path for name, page in articles.guides().items()}
        self.archives.append(self._convert(guides, "SwiftCloudJobs", [], self.archives))
        run("docc", "merge", *self.archives, "--synthesized-landing-page-name", "swift-cloud-jobs", "-o", self.folder)
        self._write_index()
        self._check_links()

    def _library(self, library, flags, dependencies):
        graphs = self.output / "graphs" / library
        graphs.mkdir(parents=True)
        run(
            *("swift-symbolgraph-extract", "-module-name", library, *flags, "-output-dir", graphs),
            *("-minimum-access-level", "public", "-skip-synthesized-members", "-emit-extension-block-symbols"),
        )
        catalog = next(ROOT.glob(f"*/{library}/{library}.docc"), None)
        if catalog is None:
            raise Failure(f"{library} has no catalog. Write Sources/{library}/{library}.docc/{library}.md.")
        archive = self._convert(catalog, library, ["--additional-symbol-graph-dir", graphs], dependencies)
        self._check_curation(library)
        return archive

    def _convert(self, catalog, name, graphs, dependencies):
        archive = self.output / f"{name}.doccarchive"
        diagnostics = self.output / f"{name}.diagnostics.json"
        command = ["docc", "convert", catalog, *graphs, "--output-path", archive, "--diagnostics-file", diagnostics]
        command += ["--fallback-display-name", name, "--fallback-bundle-identifier", f"swift-cloud-jobs.{name}"]
        command += ["--fallback-default-module-kind", "Library", "--enable-experimental-external-link-support"]
        command += ["--transform-for-static-hosting"]
        if self.base_path:
            command += ["--hosting-base-path", self.base_path]
        for dependency in dependencies:
            command += ["--dependency", dependency]
        run(*command)
        for found in json.loads(diagnostics.read_text())["diagnostics"]:
            if found["severity"] in ("warning", "error"):
                path = found.get("source", name).removeprefix("file://").removeprefix(f"{ROOT}/")
                path = self.sources.get(path, path)
                line = found.get("range", {}).get("start", {}).get("line", 1)
                self.findings.append(Finding(f"{path}:{line}", found["summary"]))
        return archive

    def _check_curation(self, library):
        """Records the symbols that the library's page does not name under a topic."""
        path = self.output / f"{library}.doccarchive" / "data" / "documentation" / f"{library.lower()}.json"
        page = json.loads(path.read_text())
        for section in page.get("topicSections", []):
            if section.get("generated"):
                for identifier in section["identifiers"]:
                    title = page["references"].get(identifier, {}).get("title", identifier)
                    self.findings.append(Finding(f"{library}.docc/{library}.md", f"{title} is under no topic"))

    def _write_index(self):
        (self.folder / "index.html").write_text(
            "<!DOCTYPE html>\n"
            '<html lang="en"><head><meta charset="utf-8"><title>swift-cloud-jobs</title>\n'
            f'<meta http-equiv="refresh" content="0; url={START}">\n'
            f'</head><body><a href="{START}">The documentation of swift-cloud-jobs</a></body></html>\n'
        )

    def _check_links(self):
        """Records the links of the site's pages that lead to no page of it."""
        for file in sorted((self.folder / "data").rglob("*.json")):
            page = file.relative_to(self.folder / "data").with_suffix("").as_posix()
            for reference in json.loads(file.read_text()).get("references", {}).values():
                url = reference.get("url", "")
                if reference.get("type") in ("topic", "section", "link") and url.startswith("/"):
                    path = url.partition("#")[0].removeprefix(self.base_path).strip("/")
                    data = self.folder / "data" / f"{path}.json"
                    # A chapter is a part of its tutorials' page.
                    is_chapter = path.startswith("tutorials/") and data.parent.with_suffix(".json").is_file()
                    if not data.is_file() and not is_chapter:
                        self.findings.append(Finding(page, f"the link to {url} leads nowhere"))
            if not (self.folder / page / "index.html").is_file():
                self.findings.append(Finding(page, "the page has no index.html"))


def main():
    """Builds the site, tells where it is, and fails if something is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin-dir", required=True, help="the output of `swift build --show-bin-path`")
    parser.add_argument("--output", default=ROOT / ".build" / "documentation", type=pathlib.Path)
    parser.add_argument(
        "--hosting-base-path", default="", help="the path of the site on its host, such as /my-repository"
    )
    arguments = parser.parse_args()
    site = Site(arguments.bin_dir, arguments.output, arguments.hosting_base_path.rstrip("/"))
    try:
        site.build()
    except Failure as failure:
        sys.exit(str(failure))
    for finding in site.findings:
        print(finding, file=sys.stderr)
    if site.findings:
        sys.exit(f"The documentation has {len(site.findings)} faults, listed above.")
    print(f"The site is in {site.folder}. To read it: python3 -m http.server --directory {site.folder}")


if __name__ == "__main__":
    main()
