"""Terraform configurations: parsed by python-hcl2, and evaluated here as far as this package's use the language."""

import re

import hcl2

TOKEN = re.compile(
    r'\s*("(?:[^"\\]|\\.)*"|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|[0-9]+|==|>=|<=|&&|[?:()\[\],])', re.DOTALL
)
ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n", "\\r": "\r", "\\t": "\t"}


class Reference(Exception):
    """A name that stands for nothing."""


def text_of(literal, evaluate):
    """Returns the text of a quoted template, whose interpolations a function evaluates."""
    assert literal[0] == literal[-1] == '"', literal
    rest, text = literal[1:-1], ""
    while rest:
        if rest.startswith(("$${", "%%{")):
            text, rest = text + rest[1:3], rest[3:]
        elif rest.startswith("${"):
            end = closing_brace(rest)
            text, rest = text + str(evaluate(rest[2:end])), rest[end + 1 :]
        elif rest.startswith("%{"):
            raise AssertionError(f"a directive: {literal}")
        elif escape := re.match(r'\\(?:["\\nrt]|u[0-9A-F]{4}|U[0-9A-F]{8})', rest):
            code = escape.group()
            text += ESCAPES[code] if code in ESCAPES else chr(int(code[2:], 16))
            rest = rest[len(code) :]
        else:
            assert rest[0] != "\\", literal
            text, rest = text + rest[0], rest[1:]
    return text


def closing_brace(text):
    """Returns where the interpolation that begins a text ends."""
    depth, in_quotes, index = 0, False, 0
    while True:
        character = text[index]
        if character == "\\" and in_quotes:
            index += 1
        elif character == '"':
            in_quotes = not in_quotes
        elif not in_quotes and character in "{}":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return index
        index += 1


def as_regex(pattern):
    return pattern.replace("[^[:space:]]", r"\S")


FUNCTIONS = {
    "toset": lambda values: sorted(values),
    "regex": lambda pattern, text: re.search(as_regex(pattern), text).group(),
    "contains": lambda values, value: value in values,
    "floor": lambda value: value // 1,
}


class Expression:
    """A recursive descent over an expression."""

    def __init__(self, text, names):
        self.tokens, self.names = [], names
        position = 0
        while text[position:].strip():
            found = TOKEN.match(text, position)
            assert found, f"not understood: {text[position:]}"
            self.tokens.append(found.group(1))
            position = found.end()

    def take(self, expected=None):
        token = self.tokens.pop(0)
        assert expected in (None, token), (expected, token)
        return token

    def next_is(self, *tokens):
        return bool(self.tokens) and self.tokens[0] in tokens

    def value(self):
        condition = self.conjunction()
        if not self.next_is("?"):
            return condition
        self.take("?")
        first = self.value()
        self.take(":")
        second = self.value()
        return first if condition else second

    def conjunction(self):
        left = self.comparison()
        while self.next_is("&&"):
            self.take()
            right = self.comparison()
            left = left and right
        return left

    def comparison(self):
        left = self.operand()
        if not self.next_is("==", ">=", "<="):
            return left
        operator, right = self.take(), self.operand()
        return {"==": left == right, ">=": left >= right, "<=": left <= right}[operator] if operator else None

    def operand(self):
        token = self.take()
        if token[0] == '"':
            return text_of(token, lambda inner: Expression(inner, self.names).value())
        if token.isdigit():
            return int(token)
        if token == "[":
            return self.arguments("]")
        if self.next_is("["):
            self.take()
            (key,) = self.arguments("]")
            return self.names(token)[key]
        if not self.next_is("("):
            return self.names(token)
        self.take("(")
        if token == "can":
            try:
                return bool(self.arguments(")"))
            except AttributeError:
                while self.take() != ")":
                    pass
                return False
        return FUNCTIONS[token](*self.arguments(")"))

    def arguments(self, end):
        values = []
        while not self.next_is(end):
            values.append(self.value())
            if self.next_is(","):
                self.take()
        self.take(end)
        return values


class Configuration:
    """A configuration, whose variables have their defaults or given values."""

    def __init__(self, text, **values):
        self.parsed = hcl2.loads(text)
        self.variables = {unquoted(name): body for block in self.parsed["variable"] for name, body in block.items()}
        self.locals = {name: value for block in self.parsed.get("locals", []) for name, value in block.items()}
        self.values = values
        self.blocks = {
            (unquoted(kind), unquoted(name)): body
            for block in self.parsed["resource"]
            for kind, named in block.items()
            for name, body in named.items()
        }
        self.data = {
            (unquoted(kind), unquoted(name)): body
            for block in self.parsed.get("data", [])
            for kind, named in block.items()
            for name, body in named.items()
        }

    def name(self, path, each=None):
        """Returns what a name stands for."""
        parts = path.split(".")
        if path in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[path]
        if parts[0] == "each" and each is not None:
            return each[0] if parts[1] == "key" else each[1][parts[2]]
        if parts[0] == "var" and parts[1] in self.variables:
            if parts[1] in self.values:
                return self.values[parts[1]]
            if "default" not in self.variables[parts[1]]:
                raise Reference(f"{path} has no value")
            return self.evaluated(self.variables[parts[1]]["default"])
        if parts[0] == "local" and parts[1] in self.locals:
            return self.evaluated(self.locals[parts[1]])
        if parts[0] == "data" and tuple(parts[1:3]) in self.data:
            return {"number": 42}[parts[3]]
        if tuple(parts[:2]) in self.blocks:
            return self.attribute(self.blocks[tuple(parts[:2])], *parts[2:])
        raise Reference(path)

    def attribute(self, block, name=None):
        if name is None:
            return block
        if name == "email":
            return f"{self.evaluated(block['account_id'])}@{self.evaluated(block['project'])}.iam.gserviceaccount.com"
        if name not in block:
            raise Reference(name)
        return self.evaluated(block[name])

    def evaluated(self, value, each=None):
        """Returns the value of an attribute or a block."""
        if isinstance(value, dict):
            names = [name for name in value if not name.startswith("__") and name != "for_each"]
            return {unquoted(name): self.evaluated(value[name], each) for name in names}
        if isinstance(value, list):
            return [self.evaluated(item, each) for item in value]
        if not isinstance(value, str):
            return value

        def names(path):
            return self.name(path, each)

        if value.startswith('"'):
            return text_of(value, lambda inner: Expression(inner, names).value())
        assert value.startswith("${"), value
        expression = Expression(value[2:-1], names)
        result = expression.value()
        assert not expression.tokens, value
        return result

    def resources(self):
        """Yields each resource with its kind, its address and its arguments."""
        for (kind, name), block in self.blocks.items():
            if "for_each" not in block:
                yield kind, f"{kind}.{name}", self.evaluated(block)
                continue
            all_of = self.evaluated(block["for_each"])
            for key, value in all_of.items() if isinstance(all_of, dict) else ((key, None) for key in all_of):
                yield kind, f"{kind}.{name}[{key}]", self.evaluated(block, (key, value))

    def refusals(self, variable, value):
        """Returns the messages of a variable's rules that a value breaks."""
        own = Configuration.__new__(Configuration)
        own.__dict__ = {**self.__dict__, "values": {**self.values, variable: value}}
        rules = self.variables[variable].get("validation", [])
        return [own.evaluated(rule["error_message"]) for rule in rules if not own.evaluated(rule["condition"])]


def unquoted(name):
    return name[1:-1] if name.startswith('"') else name
