"""The YAML file: read with bounds, written so that it can be read and compared."""

from typing import Any

import yaml

from mqtt.exceptions import ConfigurationError

FORMAT = 1
LARGEST = 20 * 1024 * 1024
"""Bytes; a thousand connections with their certificates and a hundred thousand labels have some ten million."""

MOST_VALUES = 2_000_000
"""With names, and as often as aliases repeat them."""

HEAD = """\
# The configuration of a Vedetta console: manage.py import_config FILE puts it in place, also again and again.
# What is not in this file is left alone; nothing is ever deleted by it.
"""


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice: YAML's own rule is that the last one counts, without a word."""

    composed = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Each costs a thousand bytes, also when the file has two for it."""
        self.composed += 1
        if self.composed > MOST_VALUES:
            raise yaml.composer.ComposerError(None, None, "it holds too many values", self.get_mark())
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping of names that differ."""
        names = [(one.tag, one.value) for one, _ in node.value if isinstance(one, yaml.ScalarNode)]
        twice = next((one for one in names if names.count(one) > 1), None) if len(set(names)) < len(names) else None
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[1]} stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


class _Dumper(yaml.SafeDumper):
    """Certificates as blocks of lines, not as one line with signs for them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_block = "\n" in text and text.isascii()
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if is_block else None)


_Dumper.add_representer(str, _text)


def write(sections: dict[str, list[dict[str, Any]]]) -> str:
    """The file's text."""
    content = {"vedetta": FORMAT, **{name: rows for name, rows in sections.items() if rows}}
    return HEAD + yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read(text: str, known: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    """{section: rows} of a file. Raises ConfigurationError for what is none."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        raise ConfigurationError(f"The file has more than {LARGEST // 2**20} MB.")
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"This is no YAML: {' '.join(str(error).split())}") from error
    _bound(content)
    if not isinstance(content, dict) or "vedetta" not in content:
        raise ConfigurationError("This is no configuration of Vedetta: it begins with the line vedetta: 1.")
    if content.pop("vedetta") != FORMAT:
        raise ConfigurationError(f"This file is of another format than {FORMAT}: take the version that wrote it.")
    unknown = sorted(str(name) for name in content.keys() - set(known))
    if unknown:
        raise ConfigurationError(f"There is no section {unknown[0]}. Known are: {', '.join(known)}.")
    for name, rows in content.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ConfigurationError(f"{name} must be a list of entries with names and values.")
    return content


def _bound(content: Any) -> None:
    """Raise ConfigurationError for what no database keeps, and for aliases that make very much of a small file."""
    waiting, seen = [content], 0
    while waiting:
        value = waiting.pop()
        parts = [one for pair in value.items() for one in pair] if isinstance(value, dict) else value
        if isinstance(parts, list):
            waiting += parts
            seen += len(parts)
        if seen > MOST_VALUES:
            raise ConfigurationError("It holds too many values, or an entry in it contains itself.")
        if isinstance(value, str) and "\0" in value:
            raise ConfigurationError("A text in it holds a NUL character, which no database keeps.")
