# SPDX-License-Identifier: GPL-2.0-only
"""The system call filter of a process, asked of the kernel (ptrace(2), PTRACE_SECCOMP_GET_FILTER), and
what it answers to any call: no call has to be made."""

import contextlib
import ctypes
import errno
import os
import struct

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_SECCOMP_GET_FILTER = 17, 0x4206, 0x4207, 0x420C
ARCHS = {"x86_64": 0xC000003E, "i386": 0x40000003, "aarch64": 0xC00000B7, "arm": 0x40000028}
X32_BIT = 0x40000000
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=None, data=None):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return result


@contextlib.contextmanager
def stopped(pid):
    ptrace(PTRACE_SEIZE, pid)
    try:
        ptrace(PTRACE_INTERRUPT, pid)
        os.waitpid(pid, 0x40000000)  # __WALL
        yield
    finally:
        ptrace(PTRACE_DETACH, pid)


def filters(pid):
    """Each a list of (code, jt, jf, k), the first set first."""
    found = []
    with stopped(pid):
        while True:
            try:
                length = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, len(found))
            except OSError as error:
                # Past the last one; and where there is none at all.
                if error.errno == errno.ENOENT or error.errno == errno.EINVAL and not found:
                    return found
                raise
            program = ctypes.create_string_buffer(8 * length)
            ptrace(PTRACE_SECCOMP_GET_FILTER, pid, len(found), program)
            found.append(list(struct.iter_unpack("=HBBI", program.raw)))


JUMPS = {0x10: lambda a, k: a == k, 0x20: lambda a, k: a > k, 0x30: lambda a, k: a >= k, 0x40: lambda a, k: bool(a & k)}


def answer(program, arch, number, arguments=()):
    """The filter's return value: classic BPF, as far as libseccomp writes it."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, k = program[at]
        at += 1
        if code == 0x20:  # load a word
            accumulator = struct.unpack_from("=I", data, k)[0]
        elif code == 0x54:  # and
            accumulator &= k
        elif code == 0x05:  # jump
            at += k
        elif code & 7 == 5:
            at += if_true if JUMPS[code & 0xF0](accumulator, k) else if_false
        elif code == 0x06:  # return
            return k
        else:
            raise ValueError(f"unknown instruction {code:#x}")
