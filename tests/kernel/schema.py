# SPDX-License-Identifier: GPL-2.0-only
"""Whether lines of `nsview events` are what docs/events.schema.json promises."""

import json
import pathlib

import jsonschema

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EVERY_LINE = 500  # from so many on, only lines of a kind that was not there yet

SCHEMA = json.loads((ROOT / "docs/events.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def complaints(line):
    """What the schema has against the line (text, or parsed already), one sentence each."""
    value = json.loads(line) if isinstance(line, (str, bytes)) else line
    return [f"{error.json_path}: {error.message[:300]}" for error in VALIDATOR.iter_errors(value)]


def is_valid(line):
    """The same without sentences: it ends at the first one."""
    return VALIDATOR.is_valid(line)


def kind(value, key=None):
    """Equal for lines that differ only in what the schema takes for any value of a type."""
    if isinstance(value, dict):
        return tuple((name, kind(member, name)) for name, member in value.items())
    if isinstance(value, list):
        if key in ("unknown", "truncated", "lossy"):
            return tuple(value)
        return frozenset(kind(member) for member in value)
    return value if key in ("action", "outcome", "inferred", "cause", "reason") else type(value)


def check(test, lines):
    """Fails the test (a unittest.TestCase) for the first line that is not valid. A storm's lines
    are looked at once for each kind: a validation takes milliseconds."""
    seen = set()
    for number, line in enumerate(lines, 1):
        value = json.loads(line) if isinstance(line, (str, bytes)) else line
        this = kind(value)
        if number > EVERY_LINE and this in seen:
            continue
        seen.add(this)
        found = complaints(value)
        if found:
            test.fail(f"line {number} is not what docs/events.schema.json says: "
                      + "; ".join(found[:5]) + f"\n{json.dumps(value)[:4000]}")
