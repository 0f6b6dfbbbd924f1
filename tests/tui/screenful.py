# SPDX-License-Identifier: GPL-2.0-only
"""The live table, read back from what a terminal shows of it: `nsview top`'s frame by its headings."""

import dataclasses
import re

LEFT = ("USER", "IN-USER", "CAPS", "COMMAND")
RIGHT = ("PID", "IN-PID", "%CPU", "MEM/LIMIT")
PANE = re.compile(r"^-- ([a-z][a-z ]*?)(?:  \d+-\d+ of \d+)? -+")


@dataclasses.dataclass
class Row:
    line: int
    mark: str  # "", "*", "x", and for groups "+" or "-"
    cells: dict
    is_group: bool

    def __getattr__(self, name):
        """row.user, row.in_pid, row.cpu, row.memory, row.caps, row.command; of a group row.count"""
        title = {"cpu": "%CPU", "memory": "MEM/LIMIT"}.get(name, name.upper().replace("_", "-"))
        if title in self.cells:
            return self.cells[title]
        raise AttributeError(name)

    @property
    def name(self):
        """A group's own."""
        return self.cells["TITLE"].split()[0]


@dataclasses.dataclass
class Frame:
    lines: list
    headings: dict  # heading: (first column, one past its last)
    rows: list
    pane: list  # lines of the changes, newest first
    pane_title: str

    def groups(self):
        return [row for row in self.rows if row.is_group]

    def group(self, name):
        found = [row for row in self.groups() if row.name == name]
        return found[0] if found else None

    def procs(self, group=None):
        found, now = [], None
        for row in self.rows:
            if row.is_group:
                now = row.name
            elif group in (None, now):
                found.append(row)
        return found

    def proc(self, pid):
        found = [row for row in self.rows if not row.is_group and row.pid == str(pid)]
        return found[0] if found else None


def columns_of(heading):
    found = {}
    for name in (*LEFT, *RIGHT):
        match = re.search(rf"(?<!\S){re.escape(name)}(?!\S)", heading)
        if match:
            found[name] = match.span()
    return found


def cut(line, headings):
    """{heading: cell}: a left column goes on to where the next begins, a right one has its end."""
    ordered = sorted(headings.items(), key=lambda item: item[1])
    cells = {}
    for place, (name, (start, end)) in enumerate(ordered):
        if name in LEFT:
            following = ordered[place + 1] if place + 1 < len(ordered) else None
            if not following:
                stop = None
            elif following[0] in LEFT:
                stop = following[1][0]
            else:
                # the cell of the right-aligned column next to it may begin before its heading
                begin = line.rfind(" ", 0, following[1][1])
                stop = begin if begin >= start else following[1][0]
                stop = min(stop, following[1][0])
            cells[name] = line[start:stop].strip()
        else:
            cells[name] = line[line.rfind(" ", 0, end) + 1:end].strip()
    return cells


def title_of(line, headings):
    """The number of processes stands in the innermost pid's column; where that has left, behind the name."""
    if "CAPS" not in headings:
        found = re.match(r"..(.+?) (\d+)(?: |$)", line)
        return {"TITLE": found[1] if found else line[2:], "COUNT": found[2] if found else ""}
    end = headings.get("IN-PID", headings["PID"])[1]
    start = line.rfind(" ", 0, end) + 1
    return {"TITLE": line[2:start].strip(), "COUNT": line[start:end]}


def read(lines):
    """None: there is no table on the screen."""
    places = [place for place, line in enumerate(lines) if re.fullmatch(r" +(?:USER +)?PID\b[A-Z/% -]*\bCOMMAND", line)]
    if not places:
        return None
    headings = columns_of(lines[places[0]])
    rows, pane, pane_title, in_pane = [], [], "", False
    for number, line in enumerate(lines[places[0] + 1:], places[0] + 1):
        if match := PANE.match(line):
            in_pane, pane_title = True, match[1]
        elif in_pane:
            if line and number < len(lines) - 1:
                pane.append(line)
        elif re.match(r"[-+▸▾▶▼] \S", line):
            cells = cut(line, {name: span for name, span in headings.items() if name not in ("USER", "PID", "IN-USER")})
            cells.update(title_of(line, headings))
            rows.append(Row(number, line[0], cells, True))
        elif line[2:].strip() and number < len(lines) - 1 and re.match(r"[ *x] ", line):
            cells = cut(line, headings)
            if cells["PID"].isdigit():
                rows.append(Row(number, line[0].strip(), cells, False))
    return Frame(lines, headings, rows, pane, pane_title)
