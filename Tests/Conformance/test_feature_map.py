"""The commands that the feature map names, against those of the program itself."""

import re

from command_line import CommandLine
from repository import ROOT

PAGE = ROOT / "Documentation" / "feature-map.md"


def commands():
    """Returns the command lines in the tables of the page, without the program's name."""
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return sorted({call for row in rows for call in re.findall(r"`cloud-jobs ([^`]+)`", row)})


def fault(leaves, call):
    """Returns the word of a command line that the program does not know, or None."""
    words = call.split()
    name = next((name for name in (" ".join(words[:2]), words[0]) if name in leaves), None)
    if name is None:
        return call
    arguments = leaves[name].get("arguments", [])
    options = {f"--{option['name']}" for argument in arguments for option in argument.get("names", [])}
    return next((word for word in words[len(name.split()) :] if word not in options), None)


def test_each_command_of_the_page_exists_with_its_options(bin_dir):
    leaves = CommandLine(bin_dir, "memory").leaves()
    assert len(commands()) >= 20
    assert {call: word for call in commands() if (word := fault(leaves, call))} == {}


def test_a_command_or_an_option_that_does_not_exist_is_found(bin_dir):
    leaves = CommandLine(bin_dir, "memory").leaves()
    assert fault(leaves, "runs list --job --status") is None
    assert fault(leaves, "rnus list") == "rnus list"
    assert fault(leaves, "runs lst") == "runs lst"
    assert fault(leaves, "status --wach") == "--wach"
