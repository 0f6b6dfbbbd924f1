# SPDX-License-Identifier: GPL-2.0-only
"""The system call filter of `nsview run` answers every call as that of a real docker's container with
the same words does."""

import ctypes
import ctypes.util
import errno
import os
import subprocess
import unittest

import lab
import seccomp
from test_run import Running

NUMBERS = range(1024)
CLONE_FLAGS = [0, 17, *(1 << bit for bit in range(32))]
PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xFFFFFFFF, 1, 0x40000, 0x400000, 0x20001]
AF_VSOCK = 40
MACHINE = os.uname().machine
# What its kernel runs: (its name in seccomp.ARCHS, what is added to a number)
INTERFACES = {"x86_64": [("x86_64", 0), ("i386", 0), ("x86_64", seccomp.X32_BIT)],
              "aarch64": [("aarch64", 0), ("arm", 0)]}[MACHINE]
WORDS = [[], ["--cap-add=SYS_ADMIN"], ["--cap-add=SYS_PTRACE"], ["--cap-add=SYS_NICE", "--cap-add=SYS_TIME"],
         ["--cap-add=DAC_READ_SEARCH", "--cap-add=SYSLOG"], ["--cap-drop=ALL"], ["--user=4242"],
         ["--cap-add=SYS_BOOT", "--cap-add=SYS_MODULE", "--cap-add=SYS_PACCT", "--cap-add=SYS_RAWIO",
          "--cap-add=SYS_TTY_CONFIG", "--cap-drop=SYS_CHROOT"]]

# docker 20.10 against what docker does now, which nsview does; and names that it did not know yet.
STRICTER = {"io_uring_setup", "io_uring_enter", "io_uring_register"}  # since Docker 25
FREER = {"process_vm_readv", "process_vm_writev", "name_to_handle_at", "pkey_mprotect", "pkey_alloc", "pkey_free",
         "clock_settime64", "bpf", "perf_event_open", "syslog"}

docker = lab.Docker()
library = ctypes.CDLL(ctypes.util.find_library("seccomp") or "libseccomp.so.2")
library.seccomp_syscall_resolve_num_arch.restype = ctypes.c_void_p
library.seccomp_syscall_resolve_num_arch.argtypes = [ctypes.c_uint32, ctypes.c_int]


def setUpModule():
    docker.start()


def tearDownModule():
    docker.stop()


def name_of(arch, added, number):
    token = 0x4000003E if added else seccomp.ARCHS[arch]
    pointer = library.seccomp_syscall_resolve_num_arch(token, number + added)
    return ctypes.string_at(pointer).decode() if pointer else str(number)


def calls():
    """(arch, what is added to the number, number, arguments)"""
    for arch, added in INTERFACES:
        for number in NUMBERS:
            yield arch, added, number, ()
            name = name_of(arch, added, number)
            if name == "clone":
                yield from ((arch, added, number, (flags,)) for flags in CLONE_FLAGS)
            elif name == "personality":
                yield from ((arch, added, number, (value,)) for value in PERSONALITIES)
            elif name == "socket":
                yield from ((arch, added, number, (family, 1)) for family in range(46) if family != AF_VSOCK)


def answers(pid):
    [program] = seccomp.filters(pid)
    return {call: seccomp.answer(program, seccomp.ARCHS[call[0]], call[2] + call[1], call[3]) for call in calls()}


def newest(found):
    """{(arch, added): the highest number that is let through}; x32 has some of its own from 512 on."""
    highest = {}
    for (arch, added, number, _), value in found.items():
        if value == seccomp.ALLOW and not (added and number >= 512):
            highest[arch, added] = max(number, highest.get((arch, added), 0))
    return highest


def said(value):
    if value == seccomp.ALLOW:
        return "allowed"
    return errno.errorcode.get(value & 0xFFFF, hex(value)) if value & 0xFFFF0000 == seccomp.ERRNO else hex(value)


@lab.needs_docker
class LikeDocker(unittest.TestCase):
    def differences(self, words):
        with docker.run(*words, "--network=none", command=("sleep", "3600")) as container:
            theirs = answers(container.pid)
        with Running("sleep", "60", options=words) as sample:
            mine = answers(sample.pid)
        known = newest(theirs)
        for call, value in mine.items():
            arch, added, number, arguments = call
            name = name_of(arch, added, number)
            if value == theirs[call] or name in STRICTER and value & 0xFFFF0000 == seccomp.ERRNO:
                continue
            if name in FREER and value == seccomp.ALLOW:
                continue
            # What docker did not know yet is not there (ENOSYS), and known, or at least refused, here.
            is_newer = known[arch, added] < number and not (added and number >= 512)
            if is_newer and value in (seccomp.ALLOW, seccomp.ERRNO | errno.EPERM,
                                                         seccomp.ERRNO | errno.ENOSYS):
                continue
            yield f"{arch}{'+x32' if added else ''} {name}{arguments}: {said(value)} against {said(theirs[call])}"

    def test_every_call_is_answered_as_dockers_filter_answers_it(self):
        for words in WORDS:
            with self.subTest(words=words):
                self.assertEqual(list(self.differences(words)), [])

    def test_no_container_without_a_filter_has_one(self):
        for words in (["--security-opt=seccomp=unconfined"], ["--privileged"]):
            with docker.run(*words, "--network=none", command=("sleep", "3600")) as container:
                self.assertEqual(seccomp.filters(container.pid), [])
            with Running("sleep", "60", options=words, stderr=subprocess.DEVNULL) as sample:
                self.assertEqual(seccomp.filters(sample.pid), [])


if __name__ == "__main__":
    unittest.main()
