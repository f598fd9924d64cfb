"""Swift code in Markdown pages and doc comments, as files that the compiler checks.

A block is compiled as the body of a function, its declarations as members of a type. It sees the names of
`examples/Prelude.swift`, and those of the file in that folder that is named for its page or its module. An HTML comment
before it may say:

    <!-- with CloudJobsPostgres -->    it sees the names of that file, too
    <!-- continues -->                 it goes on where the block before ended, with its names
    <!-- not compiled: the reason -->  it is no Swift code of this version
"""

import dataclasses
import pathlib
import re
import subprocess

from markdown_pages import ROOT, Block, Page
from site_builder import compiler_flags

PRELUDE = pathlib.Path(__file__).parent / "examples" / "Prelude.swift"

_DECLARATION = re.compile(
    r"^(@\w+(\([^)]*\))?\s+)*((public|private|package|final|nonisolated|fileprivate)\s+)*"
    r"(struct|class|enum|actor|protocol|extension|func|typealias)\s"
)
_COMMENT = re.compile(r"^( *)///(?: (.*))?$")


@dataclasses.dataclass
class Piece:
    """A declaration or a statement, with its place."""

    path: str
    line: int
    text: str

    @property
    def located(self):
        """The code, whose faults the compiler reports at its place."""
        return f'#sourceLocation(file: "{self.path}", line: {self.line})\n{self.text}\n'


def doc_comment_page(path):
    """Returns the doc comments of a Swift file as a page; blocks keep their line numbers."""
    lines = []
    for line in (ROOT / path).read_text().split("\n"):
        match = _COMMENT.match(line)
        lines.append((match[2] or "") if match else "")
    return Page(path, "\n".join(lines))


def pieces_of(path, line, text):
    """Divides code at the lines that begin something at the margin."""
    pieces, current, start, open_text = [], [], line, False
    for number, code in enumerate(text.split("\n"), line):
        begins = code[:1] not in ("", " ", "}", ")", "]", ".") and not open_text
        attached = bool(current) and all(re.match(r"^(@\w+(\(.*\))?|//.*)$", other) for other in current if other)
        if begins and any(current) and not attached:
            pieces.append(Piece(path, start, "\n".join(current)))
            current, start = [], number
        if code.count('"""') % 2:
            open_text = not open_text
        current.append(code)
    pieces.append(Piece(path, start, "\n".join(current)))
    return pieces


class Example:
    """Blocks that are compiled together."""

    def __init__(self, block: Block):
        self.imports: list[Piece] = []
        self.declarations: list[Piece] = []
        self.extensions: list[Piece] = []
        self.statements: list[Piece] = []
        self.text = ""
        self.place = f"{block.path}:{block.line}"
        self.add(block)
        names = [part.removesuffix(".md") for part in pathlib.Path(block.path).parts]
        names += [note.strip().removeprefix("with ") for note in block.notes if note.strip().startswith("with ")]
        preludes = [PRELUDE.parent / f"{name}.swift" for name in dict.fromkeys(names)]
        self.preludes = [] if self.is_program else [path for path in preludes if path.is_file()]

    def add(self, block):
        """Adds a block that goes on where the one before ended."""
        self.text += block.text
        self._add(block.path, block.line, block.text)

    def _add(self, path, line, text):
        for piece in pieces_of(path, line, text):
            lines = [line for line in piece.text.split("\n") if line and not line.startswith("//")]
            while len(lines) > 1 and re.match(r"^@\w+(\(.*\))?$", lines[0]):
                lines.pop(0)
            code = lines[0] if lines else ""
            if code.startswith(("import ", "@testable import ", "public import ")):
                self.imports.append(piece)
            elif match := _DECLARATION.match(code):
                (self.extensions if match[5] == "extension" else self.declarations).append(piece)
            elif code:
                self.statements.append(piece)

    @property
    def is_manifest(self):
        """Whether it is a package's manifest."""
        return "import PackageDescription" in self.text

    @property
    def is_program(self):
        """Whether it is a whole program."""
        return re.search(r"^@main\b", self.text, re.MULTILINE) is not None

    def source(self, name):
        """Returns the file that is compiled."""
        if self.is_program and self.imports:
            return "".join(piece.located for piece in self.imports + self.declarations + self.extensions)
        imports = "".join(f"import {module}\n" for module in MODULES)
        if self.is_program:
            # A part of a program: it has no imports.
            return imports + "".join(piece.located for piece in self.declarations + self.extensions)
        members = "".join(Piece(path.name, 1, path.read_text()).located for path in self.preludes)
        members += "".join(piece.located for piece in self.declarations)
        body = "".join(piece.located for piece in self.statements)
        return (
            imports
            + "".join(piece.located for piece in self.imports)
            + f"struct {name} {{\n{members}"
            + f"@Sendable func statements() async throws {{\n{body}}}\n}}\n"
            + "".join(piece.located for piece in self.extensions)
        )


MODULES = [
    "CloudJobsCommands",
    "CloudJobsEmulatorServer",
    "CloudJobsEncryption",
    "CloudJobsGoogle",
    "CloudJobsHTTP",
    "CloudJobsPostgres",
    "CloudJobsServer",
    "CloudJobsSQLite",
    "CloudJobsStores",
    "CloudJobsTesting",
    "GRDB",
    "HTTPTypes",
    "Hummingbird",
    "Logging",
    "Metrics",
    "Testing",
]


def examples_of(pages):
    """Returns the examples of pages, and the blocks that are not compiled."""
    examples, left_out = [], []
    for page in pages:
        last = None
        for block in page.blocks:
            if block.language != "swift":
                continue
            notes = [note.strip() for note in block.notes]
            if any(note.startswith("not compiled:") for note in notes):
                left_out.append(block)
            elif "continues" in notes and last is not None:
                last.add(block)
            else:
                last = Example(block)
                examples.append(last)
    return examples, left_out


OPTIONS = ["-diagnostic-style", "llvm", "-suppress-warnings"]


def errors_in(result):
    """Returns the errors in a compiler's output; the whole output if it names none although it failed."""
    errors = sorted({line for line in result.stderr.split("\n") if " error: " in line and line[:1] not in ("", " ")})
    return errors if errors or result.returncode == 0 else [result.stderr]


class Compiler:
    """Swift's compiler, which only checks types."""

    def __init__(self, bin_dir, folder):
        self.folder = pathlib.Path(folder)
        self.flags = compiler_flags(bin_dir)

    def check(self, sources, *options):
        """Returns the errors in files of one module."""
        command = ["swiftc", "-typecheck", "-wmo", "-swift-version", "6", "-parse-as-library", *OPTIONS, *options]
        result = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True)
        return errors_in(result)

    def check_examples(self, examples):
        """Returns the errors in examples: those that are parts of programs as one module."""
        sources, errors = [PRELUDE], []
        for number, example in enumerate(examples):
            path = self.folder / f"Example{number}.swift"
            path.write_text(example.source(f"Example{number}"))
            if example.is_program:
                parts = [path] if example.imports else [PRELUDE, path]
                errors += self.check(parts, "-module-name", f"Program{number}", *self.flags)
            elif not example.is_manifest:
                sources.append(path)
        errors += self.check(sources, "-module-name", "Examples", *self.flags)
        return errors + self.check_manifests([example for example in examples if example.is_manifest])

    def check_manifests(self, examples):
        """Returns the errors in packages' manifests."""
        errors = []
        for number, example in enumerate(examples):
            path = self.folder / f"Package{number}.swift"
            page, _, line = example.place.rpartition(":")
            path.write_text(f'#sourceLocation(file: "{page}", line: {line})\n{example.text}')
            errors += check_manifest(path)
        return errors

    def check_program(self, paths):
        """Returns the errors in files of one program and its tests."""
        copies = []
        for path in paths:
            copy = self.folder / path.name
            # Program and tests are one module here.
            text = re.sub(r"(?m)^@testable import \w+$", "", path.read_text())
            copy.write_text(f'#sourceLocation(file: "{path.relative_to(ROOT)}", line: 1)\n{text}')
            copies.append(copy)
        return self.check(copies, "-module-name", "Program", *self.flags)


def check_manifest(path):
    """Returns the errors in a package's manifest."""
    swiftc = pathlib.Path(subprocess.run(["which", "swiftc"], capture_output=True, text=True).stdout.strip()).resolve()
    interface = swiftc.parent.parent / "lib" / "swift" / "pm" / "ManifestAPI"
    command = ["swiftc", "-typecheck", "-swift-version", "6", "-I", interface, "-package-description-version", "6.2"]
    result = subprocess.run([*map(str, command), *OPTIONS, str(path)], capture_output=True, text=True)
    return errors_in(result)
