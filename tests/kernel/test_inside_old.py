# SPDX-License-Identifier: GPL-2.0-only
"""nsview ps --inside of processes that really are older than a day, against the ps inside. No time
namespace makes a process older: it moves the boot and every start alike. So this is for a guest of
tests/kernel/vm/boot -l, where a day that nobody works passes at once."""

import contextlib
import os
import subprocess
import time
import unittest

import nsview
import test_inside
from test_inside import AUX, DAY, FULL, Container


@nsview.requires_root
@unittest.skipUnless(os.environ.get("NSVIEW_CLOCK_LEAPS"), "here a day takes a day")
class Old(unittest.TestCase):
    compare_all = test_inside.AgainstProcps.compare_all
    compare_lists = test_inside.AgainstProcps.compare_lists
    compare_rows = test_inside.AgainstProcps.compare_rows

    def compare(self, *words):
        """nsview gives a file system a second to answer, and that is over at once for whoever has to wait here."""
        for _ in range(20):
            with contextlib.suppress(AssertionError):
                return test_inside.AgainstProcps.compare(self, *words)
        return test_inside.AgainstProcps.compare(self, *words)

    def compare_old(self, container, day):
        said = subprocess.run(["ps", "-o", "etimes=", "-p", str(container.pid)], capture_output=True, check=True)
        self.assertGreater(int(said.stdout), DAY)
        self.compare_all(container)
        for words, field in ((AUX, 8), (FULL, 4)):
            self.assertEqual(self.compare(container, words)[1].split()[field], day)

    def test_start_is_the_day_before(self):
        with Container() as plain, Container("--time", "--boottime", str(3 * DAY + 1)) as moved:
            day = time.strftime("%b%d").encode()
            time.sleep(DAY + 3600)
            for container in (plain, moved):
                self.compare_old(container, day)


if __name__ == "__main__":
    unittest.main()
