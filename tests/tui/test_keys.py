# SPDX-License-Identifier: GPL-2.0-only
"""Every key of nsview top, typed into the real program in a real top, beside what /proc says."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import nsview
import procview
import screenful
import two
from nsview import NSVIEW
from two import ONE, TWO, arguments, named, pid_of, pids_in

setUpModule, tearDownModule = two.start, two.end


class Help(two.Case):
    KEYS = ("F1", "h", "?", "F3", "/", "F4", "\\", "f", "F5", "t", "F6", ">", "s", "I", "P", "M", "T", "Space", "+", "-",
            "u", "Enter", "i", "e", "p", "w", "F10", "q")

    def test_every_key_of_the_promise_is_in_it(self):
        top, _ = self.full(size=(100, 60))
        for key in ("F1", "h", "?"):
            with self.subTest(key):
                top.send(key)
                lines = top.wait(lambda lines: lines[-1].startswith("Esc") and lines)
                words = set(re.split(r"[\s,]+", "\n".join(lines)))
                self.assertEqual([key for key in self.KEYS if key not in words], [])
                top.leave()
                self.wait_full(top)

    def test_the_last_line_names_the_keys(self):
        last = self.full()[1].lines[-1]
        for word in ("F1", "Help", "Search", "Filter", "Tree", "Sort", "Fold", "Inspect", "Inside", "Events", "Freeze", "Quit"):
            self.assertIn(word, last)

    def test_help_of_the_command_has_them_too(self):
        said = nsview.run("top", "--help").stdout
        for word in ("-d", "--once", "--replay"):
            self.assertIn(word, said)


class Search(two.Case):
    def test_goes_to_the_next_one_and_round_the_end(self):
        for key in ("F3", "/"):
            with self.subTest(key):
                top, frame = self.full()
                top.send(key)
                top.type("SLEEP 200")
                top.send("Enter")
                wanted = [row.line for row in frame.procs() if "sleep 200" in row.command]
                self.assertGreaterEqual(len(wanted), 2)
                nsview.wait_until(lambda: (row := top.chosen()) and row.line in wanted)

    def test_n_and_shift_n_go_on_and_back(self):
        top, _ = self.full()
        top.send("/")
        top.type("sleep 200")
        top.send("Enter")
        pid = lambda: (row := top.chosen()) and "sleep 200" in row.cells["COMMAND"] and row.pid
        first = top.wait(lambda lines: pid())
        self.assertNotIn(top.step(pid, "n"), (None, first))
        self.assertEqual(top.step(pid, "N"), first)

    def test_what_is_nowhere_is_said(self):
        top, _ = self.full()
        top.send("/")
        top.type("no-such-thing")
        top.wait_for('no row.* has "no-such-thing" in it')
        top.leave()
        self.wait_full(top)

    def test_escape_leaves_it(self):
        top, before = self.full()
        top.send("/")
        top.type("sleep")
        top.send("Escape")
        top.wait(lambda lines: lines[-1] == before.lines[-1])


class Filter(two.Case):
    def enter(self, top, text, key="F4"):
        top.send(key)
        top.wait_for("(?i)filter:")
        top.type(text)
        top.send("Enter")

    def test_shows_what_it_selects_and_says_so(self):
        for key in ("F4", "\\", "f"):
            with self.subTest(key):
                top, _ = self.full()
                pid = pid_of(ONE, "sleep", "1001")
                self.enter(top, f"pid={pid}", key)
                frame = top.frame(lambda frame: len(frame.procs()) == 1)
                self.assertEqual(frame.procs()[0].pid, str(pid))
                self.assertIn(f"pid={pid}", "\n".join(frame.lines[:4]))
                self.assertIsNone(frame.group(TWO))

    def test_is_that_of_ps(self):
        for expression in ("euid=65534", "caps=none", "rss>10m", "command~'sleep 200[12]'", "not container=%s" % ONE):
            with self.subTest(expression):
                top, _ = self.full()
                self.enter(top, expression)
                rows = nsview.ps("-c", ONE, "-c", TWO, "--filter", expression)
                self.assertTrue(rows)
                frame = top.frame(lambda frame: len(frame.procs()) == len(rows))
                self.assertEqual({int(row.pid) for row in frame.procs()}, set(rows))

    def test_an_error_is_shown_where_it_is(self):
        top, _ = self.full()
        for text, place, words in (("pidd=1", 0, "pidd"), ("pid=1 and euid=", 15, ""), ("pid=1 nd euid=0", 6, ""),
                                   ("(pid=1", 0, "("), ("rss>10q", 4, "size")):
            with self.subTest(text):
                self.enter(top, text)
                lines = top.wait(lambda lines: text in lines[-1] and lines[-2].strip() and lines)
                self.assertIn(words, lines[-2])
                start = lines[-1].index(text)
                nsview.wait_until(lambda: int(top.ask("cursor_x")) == start + place)
                top.leave()
                self.wait_full(top)

    def test_it_can_be_mended(self):
        top, _ = self.full()
        pid = pid_of(ONE, "sleep", "1001")
        self.enter(top, f"pidd={pid}")
        top.wait_for("pidd")
        top.send("Home", "Right", "Right", "Right", "DC", "Enter")
        frame = top.frame(lambda frame: len(frame.procs()) == 1)
        self.assertEqual(frame.procs()[0].pid, str(pid))

    def test_an_empty_one_takes_it_away(self):
        top, _ = self.full()
        self.enter(top, "pid=1")
        top.frame(lambda frame: not frame.procs())
        top.send("F4")
        top.wait_for("Filter: pid=1$")
        top.send("C-u", "Enter")
        self.wait_full(top)

    def test_escape_keeps_what_was(self):
        top, _ = self.full()
        top.send("F4")
        top.type("pid=1")
        top.leave()
        self.wait_full(top)


class Fold(two.Case):
    def test_space_folds_the_group(self):
        top, frame = self.full()
        pid = pid_of(ONE, "sleep", "1001")
        top.select(pid)
        top.send("Space")
        frame = top.frame(lambda frame: not frame.procs(ONE))
        self.assertEqual(frame.group(ONE).mark, "+")
        self.assertEqual(frame.group(TWO).mark, "-")
        self.assertTrue(frame.procs(TWO))
        nsview.wait_until(lambda: (row := top.chosen()) and row.is_group and row.name == ONE)
        top.send("Space")
        self.assertEqual(self.wait_full(top).group(ONE).mark, "-")

    def test_minus_and_plus_fold_all(self):
        top, _ = self.full()
        top.send("-")
        frame = top.frame(lambda frame: not frame.procs())
        self.assertEqual({group.mark for group in frame.groups()}, {"+"})
        top.send("+")
        self.wait_full(top)

    def test_a_folded_group_still_counts(self):
        top, _ = self.full()
        top.send("-")
        frame = top.frame(lambda frame: not frame.procs())
        for name in (ONE, TWO):
            top.frame(lambda frame, name=name: int(frame.group(name).count) == len(pids_in(name)))


class Tree(two.Case):
    def test_children_stand_below_their_parents(self):
        for key in ("F5", "t"):
            with self.subTest(key):
                top, _ = self.full()
                top.send(key)
                frame = top.frame(lambda frame: re.search(r"[\\|`]_? ?", "\n".join(
                    row.command for row in frame.procs(ONE))))
                at, lines = {}, {}
                for row in frame.procs():
                    at[int(row.pid)] = len(row.command) - len(re.sub(r"^[ \\|`_+-]+", "", row.command))
                    lines[int(row.pid)] = row.line
                for pid in at:
                    parent = int(procview.status(pid)["PPid"])
                    if parent in at:
                        self.assertLess(lines[parent], lines[pid])
                        self.assertLess(at[parent], at[pid], (parent, pid, frame.lines))
                top.send(key)
                top.frame(lambda frame: not re.search(r"\\_", "\n".join(row.command for row in frame.procs())))


class Sort(two.Case):
    def rss(self, pid):
        return int(procview.status(pid).get("VmRSS", "0 kB").split()[0])

    def time(self, pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def check_falling(self, top, figure):
        """figure(pid) falls from row to row of TWO, however often the table is drawn."""
        def look(frame):
            order = [int(row.pid) for row in frame.procs(TWO)]
            found = [figure(pid) for pid in order]
            return len(order) >= 4 and found == sorted(found, reverse=True)
        return top.frame(look)

    def test_by_memory(self):
        top, _ = self.full()
        top.send("M")
        frame = self.check_falling(top, self.rss)
        self.assertEqual(int(frame.procs(TWO)[0].pid), named(TWO, "big"))
        top.send("I")
        top.frame(lambda frame: int(frame.procs(TWO)[-1].pid) == named(TWO, "big"))

    def test_by_cpu(self):
        busy = named(TWO, "busy")
        top, _ = self.full()
        top.send("P")
        top.frame(lambda frame: frame.procs(TWO) and int(frame.procs(TWO)[0].pid) == busy)

    def test_by_time(self):
        top, _ = self.full()
        busy = named(TWO, "busy")
        # It is nice: beside others' work it takes a while until it has had more than those that are idle now.
        nsview.wait_until(lambda: self.time(busy) >= 50 + max(self.time(pid) for pid in pids_in(TWO) - {busy}))
        top.send("T")
        frame = self.check_falling(top, lambda pid: self.time(pid) // 50)
        self.assertEqual(int(frame.procs(TWO)[0].pid), busy)

    def test_any_column_from_the_menu(self):
        for key in ("F6", ">", "s"):
            with self.subTest(key):
                top, _ = self.full()
                top.send(key)
                top.wait_for("(?i)sort")
                top.type("pid")
                top.send("Enter")
                def is_by_pid(frame):
                    order = [int(row.pid) for row in frame.procs(TWO)]
                    return len(order) >= 4 and order in (sorted(order), sorted(order, reverse=True))
                top.frame(is_by_pid)

    def test_without_a_choice_it_is_that_of_ps(self):
        top, frame = self.full()
        order = [int(row.in_pid) for row in frame.procs(ONE)]
        self.assertEqual(order, sorted(order))


class User(two.Case):
    def test_shows_one_user_s_only(self):
        top, _ = self.full()
        top.send("u")
        top.wait_for("(?i)user")
        top.type("65534")
        top.send("Enter")
        frame = top.frame(lambda frame: len(frame.procs()) == 1)
        self.assertEqual(int(frame.procs()[0].pid), pid_of(ONE, "sleep", "1002"))

    def test_a_name_does_too_and_nothing_takes_it_away(self):
        top, _ = self.full()
        top.send("u")
        top.wait_for("(?i)user")
        top.type("nobody")
        top.send("Enter")
        top.frame(lambda frame: len(frame.procs()) == 1)
        top.send("u")
        top.wait_for("(?i)user")
        top.send("C-u", "Enter")
        self.wait_full(top)

    def test_a_user_who_is_none_is_told(self):
        top, _ = self.full()
        top.send("u")
        top.type("nosuchuser")
        top.send("Enter")
        top.wait_for("nosuchuser")
        top.leave()
        self.wait_full(top)


class Freeze(two.Case):
    def test_nothing_moves_until_it_is_pressed_again(self):
        top, _ = self.full()
        top.send("p")
        before = top.wait(lambda lines: "frozen" in lines[0] and lines)
        two.containers[ONE].do("sleep 5005 & echo $! > /tmp/last")
        self.addCleanup(two.containers[ONE].do, "kill $(cat /tmp/last)")
        time.sleep(2.2)
        self.assertEqual(top.lines(), before)  # the clock too: it is that of the frame
        top.step(lambda: (row := top.chosen()) and row.line, "Down")  # but keys still act
        top.send("p")
        top.frame(lambda frame: any("sleep 5005" in row.command for row in frame.procs(ONE)))
        top.wait_gone("(?i)frozen")


class Write(two.Case):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="nsview-tui-")
        self.addCleanup(shutil.rmtree, folder)
        self.folder = pathlib.Path(folder)

    def write(self, top, path):
        top.send("w")
        top.wait_for("(?i)write")
        top.send("C-u")
        top.type(str(path))
        top.send("Enter")

    def wait_written(self, top, path):
        """It is there, and nobody writes it any more."""
        opened = pathlib.Path(f"/proc/{top.pid}/fd")
        nsview.wait_until(lambda: path.exists() and path.stat().st_size and
                          str(path) not in map(os.path.realpath, opened.iterdir()))

    def test_text_is_what_is_on_the_screen(self):
        top, _ = self.full()
        top.send("p")
        top.wait_for("(?i)frozen")
        path = self.folder / "view.txt"
        self.write(top, path)
        self.wait_written(top, path)
        frame = screenful.read(path.read_text().splitlines() + ["", ""])
        shown = self.wait_full(top)
        self.assertEqual([(row.pid, row.caps) for row in frame.procs()], [(row.pid, row.caps) for row in shown.procs()])
        self.assertNotIn("\x1b", path.read_text())
        self.assertEqual(path.stat().st_mode & 0o077, 0)

    def test_json_by_its_ending(self):
        top, _ = self.full()
        path = self.folder / "view.json"
        self.write(top, path)
        self.wait_written(top, path)
        told = subprocess.run(["jq", ".[].pid", str(path)], capture_output=True,
                              text=True, check=True).stdout
        self.assertEqual({int(line) for line in told.split()}, pids_in(ONE) | pids_in(TWO))

    def test_where_it_cannot_it_says_so(self):
        top, _ = self.full()
        self.write(top, "/no/such/folder/view.txt")
        top.wait_for("(?i)no such file")
        self.wait_full(top)


class Once(two.Case):
    def test_prints_one_frame_and_ends(self):
        done = nsview.run("top", "--once", "-c", ONE, "-c", TWO)
        frame = screenful.read(done.stdout.splitlines() + ["", ""])
        self.assertEqual({int(row.pid) for row in frame.procs()}, pids_in(ONE) | pids_in(TWO))
        self.assertNotIn("\x1b", done.stdout)

    def test_is_the_command_without_a_word(self):
        top = self.open(NSVIEW)
        top.frame()
        top.send("q")
        self.assertEqual(top.wait_end(), 0)


class Unprivileged(two.Case):
    """From /proc, complete for one's own, and it says so."""

    def test_a_table_from_proc(self):
        folder = tempfile.mkdtemp(prefix="nsview-tui-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        program = shutil.copy(NSVIEW, folder)
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
        with subprocess.Popen([*command, "sleep", "8008"]) as own:
            try:
                nsview.wait_until(lambda: arguments(own.pid) == ["sleep", "8008"])
                top = self.open(*command, program, "top", "-p", own.pid)
                frame = top.frame(lambda frame: frame.proc(own.pid))
                self.assertEqual(frame.proc(own.pid).user, "nobody")
                self.assertIn("/proc", "\n".join(frame.lines[:3]))
                top.send("q")
                self.assertEqual(top.wait_end(), 0)
            finally:
                own.kill()


if __name__ == "__main__":
    unittest.main()
