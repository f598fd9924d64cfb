"""Blocks, headings and links of Markdown pages."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^( *)(`{3,})([A-Za-z]*)\s*$")
_HEADING = re.compile(r"^(#{1,6}) +(.+?)\s*#*$")
# A link's target has no spaces here; images are links too.
_LINK = re.compile(r"\[((?:[^\[\]`]|`[^`]*`)*)\]\(([^()\s]+)\)")
# A comment within inline code is shown.
_COMMENT = re.compile(r"(?<!`)<!--(.*?)-->(?!`)", re.DOTALL)


@dataclasses.dataclass
class Block:
    """A fenced block of code."""

    path: str
    """The page, relative to the repository."""
    line: int
    """The number of the first line of the code."""
    language: str
    text: str
    notes: list[str]
    """The HTML comments since the block before, in which a page says what its code depends on."""


@dataclasses.dataclass
class Line:
    """A line of prose, with its number from 1."""

    number: int
    text: str


class Page:
    """A page, divided into blocks of code and prose."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.blocks: list[Block] = []
        self.prose: list[Line] = []
        self._divide()

    def _divide(self):
        fence, notes, comment = None, [], None
        for number, line in enumerate(self.text.split("\n"), 1):
            if fence is not None:
                indent, marks, language, start, code = fence
                if line.strip() == marks:
                    text = "\n".join(code) + "\n"
                    self.blocks.append(Block(self.path, start, language, text, notes))
                    fence, notes = None, []
                else:
                    code.append(line[indent:] if not line[:indent].strip() else line)
            elif comment is not None:
                comment.append(line)
                if "-->" in line:
                    notes += [note.strip("\n") for note in _COMMENT.findall("\n".join(comment))]
                    comment = None
            elif "<!--" in line and "-->" not in line:
                comment = [line]
            elif match := _FENCE.match(line):
                fence = (len(match[1]), match[2], match[3], number + 1, [])
            else:
                notes += [note.strip("\n") for note in _COMMENT.findall(line)]
                self.prose.append(Line(number, _COMMENT.sub("", line)))
        assert fence is None, f"{self.path}: a block of code has no end"
        assert comment is None, f"{self.path}: a comment has no end"

    @property
    def headings(self):
        """The texts of the headings, without marks of emphasis, code and links."""
        found = [_HEADING.match(line.text) for line in self.prose]
        return [plain(match[2]) for match in found if match]

    @property
    def anchors(self):
        """The anchors of the headings as GitHub makes them, with the texts of the headings."""
        anchors = {}
        for heading in self.headings:
            name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            count = 1
            unique = name
            while unique in anchors:
                unique, count = f"{name}-{count}", count + 1
            anchors[unique] = heading
        return anchors

    @property
    def links(self):
        """The labels and targets of all links, with their lines. A link may go over the end of a line."""
        text, numbers = "", []
        for line in self.prose:
            text += line.text + "\n"
            numbers += [line.number] * (len(line.text) + 1)
        return [(match[1], match[2], numbers[match.start()]) for match in _LINK.finditer(text)]


def plain(text):
    """Returns a heading without its marks."""
    text = _LINK.sub(lambda match: match[1], text)
    return re.sub(r"[`*]", "", text)


def substitute_links(text, replace, replace_image):
    """Returns the text with `replace(label, target)` in place of each link, and the same of each image."""

    def substitute(match):
        is_image = match.string[: match.start()].endswith("!")
        # The exclamation mark before an image stays where it is.
        return (replace_image if is_image else replace)(match[1], match[2])

    return _LINK.sub(substitute, text)


def read(path):
    """Reads a page of the repository."""
    return Page(path, (ROOT / path).read_text())
