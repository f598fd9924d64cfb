"""The documentation: code that compiles, commands that exist, links that lead somewhere, and a site without faults."""

import json
import re
import subprocess

import pytest
import yaml

import articles
import markdown_pages
from command_examples import CommandLine, command_lines, command_tree
from repository import ROOT
from site_builder import Site
from swift_examples import Compiler, check_manifest, doc_comment_page, examples_of

# Languages of blocks that are checked below, and of those that are not.
CHECKED = {"swift", "sh", "python", "json", "yaml"}
UNCHECKED = {"", "mermaid", "sql", "js", "go", "java"}
# Blocks of Swift that are no code of this version, with their reasons in the pages.
MAXIMUM_LEFT_OUT = 3
# Lines that a program prints, and nobody types.
OUTPUTS = {"emulator is ready at http://127.0.0.1:8085"}
FOLDERS = ["Documentation", "Sources", "Emulator", "Benchmarks", "Examples", "infra"]


def _files(suffix, folders):
    return [path.relative_to(ROOT).as_posix() for folder in folders for path in sorted((ROOT / folder).rglob(suffix))]


def _pages():
    paths = [path.name for path in sorted(ROOT.glob("*.md"))] + _files("*.md", FOLDERS)
    return [markdown_pages.read(path) for path in paths]


def _doc_comments():
    paths = _files("*.swift", ["Sources", "Emulator"])
    return [doc_comment_page(path) for path in paths if "/// ```" in (ROOT / path).read_text()]


PAGES = _pages()
TUTORIAL_SCRIPTS = sorted((articles.CATALOG / "Resources").glob("*.sh"))
BLOCKS = [block for page in PAGES for block in page.blocks]


def _blocks(*languages):
    return [block for block in BLOCKS if block.language in languages]


@pytest.fixture(scope="module")
def compiler(bin_dir, tmp_path_factory):
    return Compiler(bin_dir, tmp_path_factory.mktemp("examples"))


def test_the_swift_code_of_pages_and_doc_comments_compiles(compiler):
    examples, left_out = examples_of(PAGES + _doc_comments())
    assert len(examples) >= 60
    assert len(left_out) <= MAXIMUM_LEFT_OUT, [f"{block.path}:{block.line}" for block in left_out]
    assert compiler.check_examples(examples) == []


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ('try await runtime.enqeue(WelcomeEmail(userID: "7"))', "no member 'enqeue'"),
        ("struct Job: JobInput {}", "does not conform to protocol 'JobInput'"),
        ("import CloudJobs\n@main enum Main { static func main() { nothing() } }", "cannot find 'nothing'"),
        ('import PackageDescription\nlet package = Package(nom: "x")', "no exact matches"),
    ],
)
def test_a_fault_in_swift_code_is_found_at_its_line(compiler, code, fault):
    page = markdown_pages.Page("Page.md", f"# Title\n\n```swift\n\n{code}\n```\n")
    errors = compiler.check_examples(examples_of([page])[0])
    assert any(fault in error and error.startswith(("Page.md:5:", "Page.md:6:")) for error in errors), errors


def test_blocks_are_of_languages_that_are_known():
    others = {block.language for block in BLOCKS} - CHECKED - UNCHECKED
    assert not others, "Check blocks of these languages here, or list them as unchecked."


def test_shell_blocks_have_the_syntax_of_bash():
    scripts = [(f"{block.path}:{block.line}", block.text) for block in _blocks("sh")]
    for place, text in scripts + [(path.name, path.read_text()) for path in TUTORIAL_SCRIPTS]:
        result = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
        assert result.returncode == 0, f"{place}: {result.stderr}"


def test_other_blocks_can_be_parsed():
    for block in _blocks("python"):
        compile(block.text, f"{block.path}:{block.line}", "exec")
    for block in _blocks("json"):
        json.loads(block.text)
    for block in _blocks("yaml"):
        assert yaml.safe_load(block.text)


def test_commands_of_cloud_jobs_exist_with_their_options(cloud_jobs):
    tree = command_tree(cloud_jobs)
    calls = [
        (f"{block.path}:{block.line}", call, True) for block in _blocks("sh", "") for call in command_lines(block.text)
    ]
    calls += [(path.name, call, True) for path in TUTORIAL_SCRIPTS for call in command_lines(path.read_text())]
    for page in PAGES:
        for line in page.prose:
            spans = re.findall(r"`([^`]+)`", line.text)
            calls += [(f"{page.path}:{line.number}", call, False) for span in spans for call in command_lines(span)]
    assert len(calls) >= 50
    faults = [
        (place, call, CommandLine(tree, call).fault(is_whole)) for place, call, is_whole in calls if call not in OUTPUTS
    ]
    assert [fault for fault in faults if fault[2]] == []


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("statuss", "no command statuss"),
        ("runs list --stat failed", "no option --stat"),
        ("jobs show", "needs more arguments"),
        ("jobs show one two", "takes 1 arguments"),
        ("status --store", "no value"),
    ],
)
def test_a_wrong_command_line_is_found(cloud_jobs, call, fault):
    assert fault in CommandLine(command_tree(cloud_jobs), call).fault()


def test_targets_of_make_exist():
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        if page.path == "CHANGELOG.md":
            continue
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", page.text, re.MULTILINE):
            assert target in targets, f"{page.path}: make {target}"


def test_relative_links_and_anchors_lead_somewhere():
    pages = {page.path: page for page in PAGES}
    faults = []
    for page in PAGES:
        if ".docc/" in page.path:
            continue  # DocC checks the links of its catalogs.
        for _, target, line in page.links:
            if "://" in target or target.startswith("mailto:"):
                continue
            path, _, anchor = target.partition("#")
            found = articles.resolved(page.path, path) if path else page.path
            if not (ROOT / found).exists():
                faults.append(f"{page.path}:{line}: {target}")
            elif anchor and anchor not in pages[found].anchors:
                faults.append(f"{page.path}:{line}: {target} is no heading of {found}")
    assert faults == []


def test_the_index_names_each_page_once():
    index = markdown_pages.read("Documentation/README.md")
    named = [articles.resolved(index.path, target) for _, target, _ in index.links if "://" not in target]
    pages = _files("*.md", ["Documentation"])
    expected = {path for path in pages if ".docc/" not in path and path != index.path}
    assert sorted(path for path in named if path in expected) == sorted(expected)


def test_the_architecture_names_modules_imports_and_files_that_exist():
    page = markdown_pages.read("Documentation/Architecture.md")
    manifest = (ROOT / "Package.swift").read_text()
    targets = dict(re.findall(r'library\(\s*"(\w+)",(.*?)\]\)', manifest, re.DOTALL))
    rows = [[cell.strip().strip("`") for cell in line.text.split("|")[1:-1]] for line in page.prose if "|" in line.text]
    assert set(targets) <= {row[0] for row in rows}
    graph = next(block.text for block in page.blocks if block.language == "mermaid")
    for module, imported in re.findall(r"(\w+) --> (\w+)", graph):
        assert f'"{imported}"' in targets[module], f"{module} does not depend on {imported}"
    folders = {"decides": "Sources/CloudJobsCore/Planning", "its business": "Sources/CloudJobs"}
    folder = None
    for row in rows:
        folder = folders.get(row[1], folder) if row[-1] == "file" else folder
        if folder and len(row) == 3 and row[-1] != "file" and not row[-1].startswith("-"):
            assert (ROOT / folder / row[-1]).exists(), row[-1]


def test_the_site_has_no_faults(bin_dir, tmp_path):
    site = Site(bin_dir, tmp_path / "documentation")
    site.build()
    assert [str(finding) for finding in site.findings] == []
    start = json.loads((site.folder / "data" / "documentation" / "swiftcloudjobs.json").read_text())
    titles = [section["title"] for section in start["topicSections"]]
    assert titles[:3] == ["Build jobs", "Operate", "Contribute"]


def test_the_tutorials_code_compiles(compiler):
    files = sorted((articles.CATALOG / "Resources").glob("*.swift"))
    assert files
    programs = {}
    for path in files:
        if path.name.startswith("Package-"):
            assert check_manifest(path) == []
        else:
            # A file's name is that of its step and that of the file in the reader's package: 03-Jobs.swift.
            step, _, name = path.stem.partition("-")
            programs.setdefault(step, {})[name] = path
    latest = {}
    for step, parts in sorted(programs.items()):
        latest.update(parts)
        assert compiler.check_program(list(latest.values())) == [], step


def test_each_file_of_the_tutorials_is_shown():
    pages = "".join(path.read_text() for path in sorted(articles.CATALOG.glob("*.tutorial")))
    for path in sorted((articles.CATALOG / "Resources").iterdir()):
        assert f': "{path.name}"' in pages, path.name
