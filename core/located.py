"""YAML as plain data, with the line on which each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from core.errors import StudyError

Loc = tuple[str | int, ...]
# A recursive type cannot be named here: pydantic checks the values.
Plain = object

_MAX_DEPTH = 30  # a study has 6 levels
_CORE = "tag:yaml.org,2002:"
_CONSTRUCTED = frozenset(_CORE + name for name in ("int", "float", "bool", "null"))
_NO_CHARACTER = re.compile(r"\\U(?!000[0-9a-fA-F]|0010)[0-9a-fA-F]{8}")  # Unicode ends with 10FFFF
_TEXT = frozenset(_CORE + name for name in ("str", "timestamp", "merge"))


@dataclass(frozen=True, slots=True)
class Located:
    """A document's data, the line of each location (from 1) and what is wrong with its form."""

    data: Plain
    lines: Mapping[Loc, int]
    problems: tuple[tuple[int, str], ...]

    def line(self, loc: Loc) -> int:
        """The line of the longest known beginning of `loc`."""
        return next((self.lines[loc[:n]] for n in range(len(loc), -1, -1) if loc[:n] in self.lines), 1)


def read(text: str, *, path: str) -> Located:
    """Read one YAML document.

    Raises StudyError naming the line when the text is not YAML. Repeated keys,
    aliases and tags are listed in `problems`, so that all are told at once.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = _MAX_DEPTH
    try:
        node = yaml.compose(text)
        reader = _Reader(yaml)
        data = None if node is None else reader.value(node, ())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise StudyError(
            f"{path}:{line}: found {error.problem}; needed YAML; "
            "look at quotes, colons and indentation here and on the line above"
        ) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise StudyError(
            f"{path}:{line}: found the character {error.character!r}; needed text; remove it"
        ) from error
    except (ValueError, OverflowError) as error:  # of a quoted text: its escape names no character
        escape = _NO_CHARACTER.search(text)
        line = text.count("\n", 0, escape.start()) + 1 if escape else 1
        found = escape.group() if escape else str(error)
        raise StudyError(f"{path}:{line}: found {found}; needed a character; write it out") from error
    except RecursionError as error:
        raise StudyError(f"{path}:1: found values nested too deeply; needed a study; undo that") from error
    return Located(data, reader.lines, tuple(reader.problems))


class _Reader:
    """One walk over the nodes of a document."""

    def __init__(self, yaml: YAML) -> None:
        self.yaml = yaml
        self.lines: dict[Loc, int] = {}
        self.problems: list[tuple[int, str]] = []
        self.seen: set[int] = set()

    def value(self, node: Node, loc: Loc) -> Plain:
        line = node.start_mark.line + 1
        self.lines.setdefault(loc, line)
        # An alias is the same node once more; nested ones would grow without bound.
        if id(node) in self.seen:
            self.problems.append((line, "found an alias of this value; needed the value; write it out twice"))
            return None
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self.scalar(node, line)
        if isinstance(node, MappingNode):
            return {name: self.value(child, (*loc, name)) for name, child in self.pairs(node, loc)}
        return [self.value(child, (*loc, index)) for index, child in enumerate(node.value)]

    def scalar(self, node: ScalarNode, line: int) -> Plain:
        if node.tag not in _CONSTRUCTED | _TEXT:
            self.problems.append((line, f"found the tag {node.tag}; needed a plain value; remove the tag"))
        if node.tag not in _CONSTRUCTED:
            return str(node.value)
        try:
            value: Plain = self.yaml.constructor.construct_object(node)
        except (ValueError, KeyError):
            is_bool = node.tag == _CORE + "bool"
            needed = "true or false; write one of them" if is_bool else "a number; write it in digits"
            self.problems.append((line, f"found {node.value!r}; needed {needed}"))
            return None
        return value

    def pairs(self, node: MappingNode, loc: Loc) -> Iterator[tuple[str, Node]]:
        first: dict[str, int] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            name = key.value if isinstance(key, ScalarNode) else "?"
            if name in first:
                text = f"found the key {name!r} again; needed it once; remove this one or line {first[name]}"
                self.problems.append((line, text))
                continue
            first[name] = line
            self.lines[(*loc, name)] = line
            yield name, child
