# SPDX-License-Identifier: GPL-2.0-only
"""nsview's live table in a terminal, and what one does to it: look, go to a row, leave what was begun."""

import re
import unittest

import screenful
from nsview import NSVIEW, Failed
from terminal import Terminal, needs_tmux


class Table(Terminal):
    """Without colours, unless they are asked for: what is selected is in reverse then."""

    def __init__(self, *words, environment=None, **options):
        super().__init__(*words, environment={"NO_COLOR": "1", **(environment or {})}, **options)

    def frame(self, claim=lambda frame: True):
        """The first one that fits."""
        def look(lines):
            frame = screenful.read(lines)
            return frame if frame and lines[-1].strip() and claim(frame) else None
        return self.wait(look)

    def marked(self):
        """(number, line) of all that is selected, and the frame that it is in, of one look."""
        lines = self.styled().split("\n")[:-1]
        plain = [re.sub(r"\x1b\[[\d;]*m|[\x0e\x0f]", "", line).rstrip() for line in lines]
        return [(number, plain[number]) for number in self.reversed_of(lines)], screenful.read(plain)

    def chosen(self):
        """The row that keys act on; None: none, or it is being drawn."""
        marked, frame = self.marked()
        lines = {number for number, _ in marked}
        return next((row for row in frame.rows if row.line in lines), None) if frame else None

    def chosen_change(self):
        """The line of the pane that keys act on."""
        marked, frame = self.marked()
        return next((line for _, line in marked if frame and line in frame.pane), None)

    def step(self, look, key):
        """The key, and then look() once it gives something else than before."""
        before = look()
        self.send(key)
        return self.wait(lambda lines: (now := look()) and now != before and now)

    def select(self, pid):
        """From the top down, one row after the other."""
        name = lambda: (row := self.chosen()) and (row.name if row.is_group else row.pid)
        self.wait(lambda lines: name())
        for _ in range(60):
            if name() == str(pid):
                return
            self.step(name, "Down")
        raise Failed(f"{pid} is not there to be selected:\n{self.text()}")

    def leave(self):
        """Whatever was begun: then the table and its line of keys are there again."""
        self.send("Escape")
        self.wait(lambda lines: screenful.read(lines) and "Quit" in lines[-1])


@needs_tmux
class Case(unittest.TestCase):
    def open(self, *words, size=(120, 40), **options):
        table = Table(*map(str, words), size=size, **options).__enter__()
        self.addCleanup(table.end)
        return table

    def open_top(self, *words, **options):
        return self.open(NSVIEW, "top", *words, **options)
