"""The YAML file: read with bounds, written so that it can be read and compared."""

from typing import Any

import yaml

from mqtt.exceptions import ConfigurationError

FORMAT = 1
LARGEST = 20 * 1024 * 1024
"""Bytes; a thousand connections with their certificates and a hundred thousand labels have some ten million."""

HEAD = """\
# The configuration of a Vedetta console: manage.py import_config FILE puts it in place, also again and again.
# What is not in this file is left alone; nothing is ever deleted by it.
"""


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
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"This is no YAML: {' '.join(str(error).split())}") from error
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
    try:
        has_nul = _has_nul(content)
    except RecursionError as error:
        raise ConfigurationError("An entry in it contains itself.") from error
    if has_nul:
        raise ConfigurationError("A text in it holds a NUL character, which no database keeps.")
    return content


def _has_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return any(_has_nul(one) for one in value)
    return isinstance(value, str) and "\0" in value
