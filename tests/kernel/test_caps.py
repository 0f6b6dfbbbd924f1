# SPDX-License-Identifier: GPL-2.0-only
"""nsview caps, against libcap's own tools."""

import os
import pathlib
import re
import shutil
import subprocess
import unittest

import nsview

CAP_LAST = int(pathlib.Path("/proc/sys/kernel/cap_last_cap").read_text())
CAPSH = shutil.which("capsh", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def rows(text):
    """{name: number} of the lines that explain a capability."""
    return {name: int(number) for number, name in re.findall(r"^ *(\d+) (\S+) +\S", text, re.M)}


def decoded(mask):
    """libcap's names of a mask, without cap_, in capitals."""
    said = subprocess.run([CAPSH, f"--decode={mask:x}"], capture_output=True, text=True, check=True).stdout
    names = said.strip().partition("=")[2]
    return {name.removeprefix("cap_").upper() for name in names.split(",") if name}


class Caps(unittest.TestCase):
    def test_the_list_has_every_capability_of_this_kernel(self):
        listed = rows(nsview.run("caps").stdout)
        self.assertEqual(sorted(listed.values())[:CAP_LAST + 1], list(range(CAP_LAST + 1)))
        self.assertEqual({name for name, number in listed.items() if number <= CAP_LAST},
                         decoded((1 << CAP_LAST + 1) - 1))

    def test_masks_are_decoded_as_capsh_decodes_them(self):
        for mask in (0xa80425fb, 0x800405fb, 0x1, 0x1fffeffffff, 0x8000000000000000, 0xfcecbfff):
            with self.subTest(mask=hex(mask)):
                for word in (f"{mask:016x}", f"{mask:x}", f"0x{mask:X}"):
                    said = nsview.run("caps", word).stdout
                    self.assertEqual(set(rows(said)), decoded(mask))
                    self.assertIn(f" {mask.bit_count()} of {CAP_LAST + 1} capabilities", said)

    def test_what_this_kernel_does_not_have_is_told(self):
        lines = nsview.run("caps", "8000000000002000").stdout.splitlines()
        self.assertEqual([line.endswith("(this kernel does not have it)") for line in lines[1:]], [False, True])

    def test_digits_alone_are_a_mask(self):
        self.assertEqual(set(rows(nsview.run("caps", "10").stdout)), {"FSETID"})

    def test_names_are_taken_in_any_form(self):
        for name in ("NET_ADMIN", "net_admin", "CAP_NET_ADMIN", "cap_Net_Admin"):
            self.assertEqual(rows(nsview.run("caps", name).stdout), {"NET_ADMIN": 12})

    def test_the_words_of_the_caps_column_are_decoded(self):
        said = nsview.run("caps", "docker-default +MAC_ADMIN -KILL in userns").stdout
        self.assertEqual(set(rows(said)), decoded(0x2a80425db))
        self.assertEqual(rows(nsview.run("caps", "none").stdout), {})

    def test_a_mistyped_name_is_refused_with_the_nearest(self):
        done = nsview.run("caps", "KILL", "SYS_ADMN", check=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, "nsview: unknown capability SYS_ADMN: did you mean SYS_ADMIN?\n")

    def test_hostile_words_reach_the_terminal_printable(self):
        for word in ("\x1b[2J", "a\nb", "\u202e", b"\xff\xfe", "x" * 100000, "", "11111111111111111"):
            done = nsview.run("caps", word, check=2)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertTrue(done.stderr[:-1].isprintable(), ascii(done.stderr[:200]))

    def test_a_full_disk_is_a_failure_said_once(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = nsview.run("caps", check=1, stdout=full)
        self.assertRegex(done.stderr, r"\Ansview: write to standard output: .*\n\Z")

    def test_no_privilege_and_no_proc_are_needed(self):
        if os.geteuid():
            self.skipTest("needs root to hide /proc")
        done = subprocess.run(["unshare", "-m", "sh", "-c",
                               'mount -t tmpfs none /proc && exec setpriv --reuid 65534 --clear-groups '
                               '--inh-caps=-all --bounding-set=-all "$0" caps', nsview.NSVIEW],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, nsview.run("caps").stdout)
