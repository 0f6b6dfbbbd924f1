# SPDX-License-Identifier: GPL-2.0-only
"""The files of a tree, and C with what is not code taken out of it."""

import functools
import pathlib
import re
import subprocess

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def blank(text):
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    return TOKEN.sub(lambda m: blank(m[0]) if m[0][0] == "/" else m[0], text)


def without_words(text):
    """Neither comments nor what stands between quotes."""
    return TOKEN.sub(lambda m: blank(m[0]), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    @functools.cached_property
    def files(self):
        """Every file that is or could be committed, as paths from the root."""
        if (self.root / ".git").exists():
            command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, check=True, capture_output=True).stdout
            names = listed.decode().split("\0")[:-1]
        else:
            names = [str(path.relative_to(self.root)) for path in self.root.rglob("*")]
            names = [name for name in names if name.split("/")[0] != "build" and "__pycache__" not in name]
        return sorted(name for name in set(names) if (self.root / name).is_file())

    def matching(self, *patterns):
        """The files with a path like one of the patterns; ** is any number of folders."""
        return [name for name in self.files
                if any(re.fullmatch(as_expression(pattern), name) for pattern in patterns)]

    @functools.cache
    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def includes(self, name):
        """(line, included path)"""
        text = without_comments(self.text(name))
        return [(line_of(text, match.start(1)), match[1]) for match in INCLUDE.finditer(text)]

    def find(self, name, expression, strip=without_words):
        """(line, what was found) for each match in a C file's code."""
        text = strip(self.text(name))
        return [(line_of(text, match.start()), match[0]) for match in re.finditer(expression, text)]


def as_expression(pattern):
    parts = re.split(r"(\*\*/|\*)", pattern)
    return "".join({"**/": "(?:.*/)?", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts)
