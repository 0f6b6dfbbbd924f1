# SPDX-License-Identifier: GPL-2.0-only
"""What nsview keeps between runs to load quickly: it changes nothing, and nothing depends on it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import nsview
from nsview import Subject

KERNEL_BTF = pathlib.Path("/sys/kernel/btf/vmlinux")
# A shell that no longer sees the kernel's own description of itself.
WITHOUT_BTF = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh"]


def checksum(data):
    """FNV-1a by words of 8 bytes, as user/source/btf_cache.c has it, as it is in the file."""
    prime, number = 0x100000001b3, 0xcbf29ce484222325
    for at in range(0, len(data), 8):
        number = (number ^ int.from_bytes(data[at:at + 8], "little")) * prime % 2**64
        number ^= number >> 32
    return ((number ^ len(data)) * prime % 2**64).to_bytes(8, "little")


@nsview.requires_root
class Cache(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="nsview-cache-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def ps(self, *words, directory=None, **options):
        environment = {**os.environ, "NSVIEW_CACHE_DIR": str(directory or self.directory)}
        return nsview.ps(*words, env=environment, **options)

    def files(self):
        return sorted(self.directory.iterdir())

    def has_one_file(self):
        files = self.files()
        self.assertEqual(len(files), 1, files)
        return files[0]

    def is_remade_after(self, spoil):
        """Runs with a spoilt file, and finds that a whole one has taken its place."""
        self.ps("-p", "2")
        file = self.has_one_file()
        whole = file.read_bytes()
        spoil(file)
        self.assertEqual(self.ps("-p", "2").keys(), {2})
        remade = self.has_one_file()
        self.assertEqual(remade.read_bytes(), whole)
        self.assertEqual((remade.lstat().st_uid, remade.lstat().st_mode & 0o777), (os.geteuid(), 0o600))

    def test_rows_are_the_same_without_with_a_new_and_with_an_old_cache(self):
        extents = "\n".join(f"{inside} {100000 + 2 * inside} 1" for inside in range(7))
        with Subject("userns", extents, extents, "uids", 1, 2, 3, 4) as mapped, \
                Subject("fork-pid", "fork-pid", "pty", "no-new-privs", "seccomp") as nested, \
                Subject("memory", 4, "mlock", "threads", 7, "groups", 70000, 9) as busy:
            pids = f"{mapped.pid},{nested.pid},{busy.pid},2"
            answers = [self.ps("-p", pids, directory=directory)
                       for directory in ("/proc/none", self.directory, self.directory)]
        for rows in answers:
            self.assertEqual(len(rows), 4)
            for row in rows.values():
                for key in ("time_seconds", "cpu_percent", "start"):  # what goes on meanwhile
                    del row[key]
        self.has_one_file()
        self.assertEqual(answers[0], answers[1])
        self.assertEqual(answers[0], answers[2])

    def test_only_the_owner_can_read_it_and_no_draft_is_left(self):
        self.ps("-p", "2")
        self.assertEqual(self.has_one_file().stat().st_mode & 0o777, 0o600)

    def test_a_directory_is_made_for_its_owner_only(self):
        directory = self.directory / "new"
        self.ps("-p", "2", directory=directory)
        self.assertEqual(directory.stat().st_mode & 0o777, 0o700)
        self.assertEqual(len(list(directory.iterdir())), 1)

    @unittest.skipUnless(KERNEL_BTF.exists(), "the kernel has no BTF")
    def test_with_it_the_kernels_own_btf_is_not_opened(self):
        self.ps("-p", "2")
        self.assertEqual(self.ps("-p", "2", command=WITHOUT_BTF).keys(), {2})

    @unittest.skipUnless(KERNEL_BTF.exists(), "the kernel has no BTF")
    def test_without_either_the_reason_is_said(self):
        done = nsview.run("ps", "--source", "bpf", check=3, command=WITHOUT_BTF,
                          env={**os.environ, "NSVIEW_CACHE_DIR": "/proc/none"})
        self.assertIn("/sys/kernel/btf/vmlinux", done.stderr)
        self.assertIn("--btf", done.stderr)

    @unittest.skipUnless(KERNEL_BTF.exists(), "the kernel has no BTF")
    def test_btf_from_a_file_serves_as_well_and_is_not_kept(self):
        copy = self.directory / "copy"
        shutil.copy(KERNEL_BTF, copy)
        directory = self.directory / "cache"
        directory.mkdir(mode=0o700)
        words = ("--btf", str(copy), "-p", "2")
        self.assertEqual(self.ps(*words, directory=directory, command=WITHOUT_BTF).keys(), {2})
        self.assertEqual(list(directory.iterdir()), [])

    def test_a_cut_file_is_made_anew(self):
        self.is_remade_after(lambda file: os.truncate(file, file.stat().st_size // 2))

    def test_an_empty_file_is_made_anew(self):
        self.is_remade_after(lambda file: os.truncate(file, 0))

    def test_a_file_with_one_wrong_byte_is_made_anew(self):
        """Even if it loads: without that name, nobody would seem to have logged in."""
        def spoil(file):
            data = file.read_bytes()
            self.assertEqual(data.count(b"\0loginuid\0"), 1)
            file.write_bytes(data.replace(b"\0loginuid\0", b"\0loginuie\0"))
        self.is_remade_after(spoil)

    def test_a_file_that_others_can_write_is_made_anew(self):
        self.is_remade_after(lambda file: file.chmod(0o666))

    def test_a_file_of_somebody_else_is_made_anew(self):
        self.is_remade_after(lambda file: os.chown(file, 65534, 65534))

    def test_a_link_is_made_a_file(self):
        def spoil(file):
            shutil.move(file, file.parent.parent / f"{self.directory.name}.target")
            file.symlink_to(file.parent.parent / f"{self.directory.name}.target")
        self.addCleanup((self.directory.parent / f"{self.directory.name}.target").unlink, missing_ok=True)
        self.is_remade_after(spoil)

    def test_a_file_of_another_kernel_or_program_is_made_anew(self):
        """Renamed, that is: the key is in the name and in the file."""
        def spoil(file):
            data = file.read_bytes()
            key = bytes.fromhex(file.stem.rsplit("-", 1)[1])[::-1]
            self.assertEqual(data[-16:-8], key)
            self.assertEqual(data[-8:], checksum(data[:-8]))
            other = data[:-16] + bytes(8)
            file.write_bytes(other + checksum(other))
        self.is_remade_after(spoil)

    def test_a_directory_that_others_can_write_is_not_used(self):
        self.directory.chmod(0o777)
        self.assertEqual(self.ps("-p", "2").keys(), {2})
        self.assertEqual(self.files(), [])

    def test_a_directory_of_somebody_else_is_not_used(self):
        os.chown(self.directory, 65534, 65534)
        self.assertEqual(self.ps("-p", "2").keys(), {2})
        self.assertEqual(self.files(), [])

    def mounted(self, options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(self.directory)], check=True)
        self.addCleanup(subprocess.run, ["umount", str(self.directory)], check=True)

    def test_a_full_disk_is_no_trouble(self):
        self.mounted("mode=700,size=4k")
        (self.directory / "other").write_bytes(b"x" * 4096)
        done = nsview.run("ps", "--source", "bpf", "-p", "2",
                          env={**os.environ, "NSVIEW_CACHE_DIR": str(self.directory)})
        self.assertEqual(done.stderr, "")
        self.assertEqual([file.name for file in self.files()], ["other"])

    def test_a_read_only_disk_is_no_trouble(self):
        self.mounted("mode=700,ro")
        done = nsview.run("ps", "--source", "bpf", "-p", "2",
                          env={**os.environ, "NSVIEW_CACHE_DIR": str(self.directory)})
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.files(), [])

    def test_the_number_of_files_is_bounded(self):
        for number in range(40):
            (self.directory / f"old-x86_64-{number:016x}.btf").write_bytes(b"x")
        self.ps("-p", "2")
        self.assertLessEqual(len(self.files()), 16)


if __name__ == "__main__":
    unittest.main()
