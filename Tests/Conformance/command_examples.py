"""Command lines in the documentation, compared with the options that `cloud-jobs` has."""

import dataclasses
import json
import re
import shlex
import subprocess

_PROGRAM = re.compile(r"^(cloud-jobs|swift run [a-z][a-z-]*)(?=\s|$)")
# Options that the library of the command line adds itself.
_BUILT_IN = {"generate-completion-script": {"kind": "option", "valueName": "shell"}}
_SHELL_BREAK = {"|", "||", "&&", ";", ">", ">>", "<", "2>", "&"}
# Products of the package, whose options are their own.
_OTHER_PRODUCTS = {"swift run worker-demo", "swift run inbox-demo"}


def command_tree(tool):
    """Returns the commands of a program with their options, as its parser describes them."""
    output = subprocess.run([tool, "--experimental-dump-help"], capture_output=True, text=True, check=True).stdout
    return json.loads(output)["command"]


def command_lines(text):
    """Returns the lines of a shell script that call `cloud-jobs`, or a program that has its commands."""
    lines = []
    for line in text.replace("\\\n", " ").split("\n"):
        # What precedes the program: assignments, and other commands of the line.
        for part in re.split(r"&&|\|\||;|\$\(", line.strip()):
            part = re.sub(r"^(\s*[A-Z_]+=\S*)+\s+", "", part).strip()
            match = _PROGRAM.match(part)
            if match and match[1] not in _OTHER_PRODUCTS:
                lines.append(part[match.end() :].strip())
    return lines


@dataclasses.dataclass
class CommandLine:
    """The arguments of a call, compared with the tree of commands."""

    tree: dict
    text: str

    def fault(self, is_whole=True):
        """Returns what is wrong with the call; None if nothing is. A call that is not whole may lack arguments."""
        try:
            tokens = shlex.split(self.text, comments=True)
        except ValueError as error:
            return str(error)
        command, given, positionals = self.tree, set(), 0
        tokens = iter(tokens)
        for token in tokens:
            if token in _SHELL_BREAK or token.startswith(("2>", ">")):
                break
            found = next((sub for sub in command.get("subcommands", []) if sub["commandName"] == token), None)
            if found is not None and not positionals:
                command = found
            elif token.startswith("--"):
                name, _, value = token[2:].partition("=")
                option = self._option(command, name)
                if option is None:
                    return f"{command['commandName']} has no option --{name}"
                given.add(option["valueName"])
                if option["kind"] == "option" and not value and next(tokens, None) is None and is_whole:
                    return f"--{name} has no value"
            else:
                if command.get("subcommands"):
                    return f"{command['commandName']} has no command {token}"
                positionals += 1
        return self._missing(command, given, positionals, is_whole)

    def _missing(self, command, given, positionals, is_whole):
        arguments = command.get("arguments", [])
        places = [argument for argument in arguments if argument["kind"] == "positional"]
        if positionals > len(places) and not any(place["isRepeating"] for place in places):
            return f"{command['commandName']} takes {len(places)} arguments, not {positionals}"
        if not is_whole:
            return None
        if positionals < sum(not place["isOptional"] for place in places):
            return f"{command['commandName']} needs more arguments"
        for argument in arguments:
            if argument["kind"] == "option" and not argument["isOptional"] and argument["valueName"] not in given:
                return f"{command['commandName']} needs --{argument['valueName']}"
        return None

    @staticmethod
    def _option(command, name):
        for argument in command.get("arguments", []):
            if any(other["kind"] == "long" and other["name"] == name for other in argument.get("names", [])):
                return argument
        return _BUILT_IN.get(name)
