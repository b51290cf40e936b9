"""YAML of plain data: mappings, lists, texts, numbers, yes or no. Whatever else YAML can do is refused.

An alias may stand for a tree that has aliases itself: a kilobyte becomes gigabytes. So there are none, nor tags of
other types, and size and depth have limits. Dates are texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

LONGEST, DEEPEST, _LONGEST_NUMBER = 2**18, 32, 64
"""Characters of a text, levels of a tree, characters of a number."""

_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "map", "seq")}
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where it was built with it: ten times as fast


class PlainYamlError(ValueError):
    """No YAML, or more than plain data; says where."""


class _Words(yaml.SafeLoader):
    """What a text without quotes means: as in YAML 1.1, but for dates, ``<<`` and ``=``."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as its base has it
        first: [(tag, pattern) for tag, pattern in found if tag in _PLAIN]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_plain(text: str) -> Any:
    """The data in the text; None where it is empty. Raises PlainYamlError with the path of the key and the line."""
    node = compose_plain(text)
    return None if node is None else _value(node, _Words(""), ())


def dump_plain(tree: Any) -> str:
    """Plain data as YAML, keys in their order; what ``load_plain`` reads."""
    return yaml.dump(tree, Dumper=_Writer, sort_keys=False)


class _Writer(yaml.SafeDumper):
    """Writes what occurs twice in full."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def compose_plain(text: str) -> yaml.Node | None:
    """The tree of nodes, each of which knows its line; None where the text is empty. Raises PlainYamlError."""
    if len(text) > LONGEST:
        raise PlainYamlError(f"{len(text)} characters; {LONGEST} are the most")
    try:
        events = yaml.parse(text, Loader=_Parser)
        tree = [_node(event, events, _Words(""), 0) for event in events if isinstance(event, _BEGINS)]
    except (yaml.YAMLError, UnicodeError) as error:
        told = " ".join(str(error).split())  # whoever has the text knows its name
        raise PlainYamlError(re.sub(r' in "<[a-z ]+>",', ", at", told)) from error
    if len(tree) > 1:
        raise PlainYamlError(f"{len(tree)} documents, where one is expected")
    return tree[0] if tree else None


_BEGINS = (yaml.ScalarEvent, yaml.CollectionStartEvent, yaml.AliasEvent)


def _node(event: Any, events: Iterator[Any], words: Any, depth: int) -> yaml.Node:
    """The node that begins with an event."""
    begin, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.AliasEvent):
        raise PlainYamlError(f"line {begin.line + 1}: an alias (*{event.anchor}); write out what it stands for")
    if depth > DEEPEST:
        raise PlainYamlError(f"line {begin.line + 1}: more than {DEEPEST} levels")
    if isinstance(event, yaml.ScalarEvent):
        return yaml.ScalarNode(_tag(event, yaml.ScalarNode, words), event.value, begin, end)
    children = list(_children(events, words, depth + 1))
    if isinstance(event, yaml.SequenceStartEvent):
        return yaml.SequenceNode(_tag(event, yaml.SequenceNode, words), children, begin, end)
    pairs = list(zip(children[::2], children[1::2], strict=True))
    return yaml.MappingNode(_tag(event, yaml.MappingNode, words), pairs, begin, end)


def _children(events: Iterator[Any], words: Any, depth: int) -> Iterator[yaml.Node]:
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield _node(event, events, words, depth)


def _tag(event: Any, kind: type[yaml.Node], words: Any) -> str:
    written = event.tag not in (None, "!")
    tag: str = event.tag if written else words.resolve(kind, getattr(event, "value", None), event.implicit)
    if tag not in _PLAIN:
        raise PlainYamlError(f"line {event.start_mark.line + 1}: the tag {tag}; plain values have none")
    return tag


def _value(node: yaml.Node, words: Any, path: tuple[str, ...]) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {_key(key, words, path): _value(value, words, (*path, str(key.value))) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, words, (*path, str(number))) for number, item in enumerate(node.value)]
    where = f"{'.'.join(path)}: " if path else ""
    if node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
        raise PlainYamlError(f"{where}a number of {len(node.value)} characters")
    try:
        return words.construct_object(node)
    except (yaml.YAMLError, ValueError, KeyError, IndexError, ArithmeticError) as error:
        kind = node.tag.rpartition(":")[2]
        raise PlainYamlError(f"{where}{node.value[:60]!r} is no {kind} (line {node.start_mark.line + 1})") from error


def _key(node: yaml.Node, words: Any, path: tuple[str, ...]) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise PlainYamlError(f"{'.'.join(path) or 'the file'}: a key that is no word (line {node.start_mark.line + 1})")
    return _value(node, words, path)
