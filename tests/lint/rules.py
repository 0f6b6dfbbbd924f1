# SPDX-License-Identifier: GPL-2.0-only
"""What holds for the whole tree and no compiler knows. A rule is a function of a Tree that gives
("path:line", what is wrong and what to do) for each offence; RULES is the list of them."""

import re
import subprocess
import sys

from lint.tree import without_comments

RANKS = {
    "base": 1, "host": 2, "wire": 2, "launch": 3, "source": 3, "model": 3, "audit": 4, "view": 4,
    "output": 5, "cmd": 6, "main": 7,
}
SKELETONS = ("nsview.skel.h", "snapshot.skel.h")
GENERATED = (*SKELETONS, "libarchive_soname.h")
SYSTEM_BPF = re.compile(r"^(bpf/(?!event\.h$).*|linux/(bpf|btf)\.h)$")
# A cgroup's device rules on version 2 are a BPF program; it is made by hand, by the kernel's own header.
DEVICE_RULES = ("user/launch/device_guard.c", "linux/bpf.h")


def room_of(name):
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else "main"


def rule_layers(tree):
    """A file includes its own room and lower ranks, written from user/; siblings never meet."""
    for name in tree.matching("user/**/*.c", "user/**/*.h"):
        room = room_of(name)
        if room not in RANKS:
            yield name, f"user/{room} has no rank: give it one in design and in tests/lint/rules.py"
            continue
        quoted = dict(tree.find(name, r'#\s*include\s*"[^"]+"', without_comments))
        for line, path in tree.includes(name):
            if line not in quoted or path in ("bpf/event.h", *GENERATED):
                continue
            other = path.split("/")[0]
            if "/" not in path or other not in RANKS or f"user/{path}" not in tree.files:
                yield f"{name}:{line}", f'"{path}" is no header of user/: write it as "room/file.h"'
            elif other != room and RANKS[other] >= RANKS[room]:
                yield f"{name}:{line}", (f"{room} (rank {RANKS[room]}) must not see {other} "
                                         f"(rank {RANKS[other]}): {path}")


def rule_libbpf(tree):
    """libbpf and the skeleton stay in user/source/ and user/host/facts.c."""
    for name in tree.matching("user/**/*.c", "user/**/*.h"):
        if name.startswith("user/source/") or name == "user/host/facts.c":
            continue
        for line, path in tree.includes(name):
            if (path in SKELETONS or SYSTEM_BPF.match(path)) and (name, path) != DEVICE_RULES:
                yield f"{name}:{line}", f"{path} belongs in user/source/ (or user/host/facts.c)"
        calls = r"\b(libbpf_|bpf_(object|program|map|link|prog|iter|btf|obj|raw)_|btf__|nsview_bpf|snapshot_bpf)\w*"
        for line, word in tree.find(name, calls):
            yield f"{name}:{line}", f"{word} belongs in user/source/ (or user/host/facts.c)"


def rule_stdout(tree):
    """Only output/ and cmd/ write to standard output."""
    writers = r"\b(stdout|STDOUT_FILENO|v?printf|puts|putchar|putc_unlocked)\b|\b(write|dprintf)\(1\b"
    for name in tree.matching("user/**/*.c", "user/**/*.h"):
        if room_of(name) in ("output", "cmd"):
            continue
        for line, word in tree.find(name, writers):
            text = tree.text(name).splitlines()[line - 1]
            if "__attribute__((format(" not in text:
                yield f"{name}:{line}", f"{word}: standard output is written in output/ and cmd/ only"


def rule_kernel_differences(tree):
    """Which kernel has what is asked in bpf/kernel.bpf.h only."""
    for name in tree.matching("bpf/**/*.c", "bpf/**/*.h", "user/**/*.c", "user/**/*.h"):
        if name == "bpf/kernel.bpf.h":
            continue
        for line, word in tree.find(name, r"\bbpf_core_\w*_exists\b|\bLINUX_KERNEL_VERSION\b"):
            yield f"{name}:{line}", f"{word}: kernels differ in bpf/kernel.bpf.h only; add an accessor there"


def bpf_programs(tree):
    """{program: where}"""
    found = {}
    section = r'SEC\("(?!license|\.maps|version)[^"]+"\)\s+(?:static\s+)?int\s+(?:BPF_\w+\s*\(\s*)?(\w+)'
    for name in tree.matching("bpf/**/*.bpf.c", "bpf/**/*.bpf.h"):
        text = without_comments(tree.text(name))
        for match in re.finditer(section, text):
            found[match[1]] = f"{name}:{text.count(chr(10), 0, match.start(1)) + 1}"
    return found


def rule_hook_table(tree):
    """Each BPF program is named once on the user side, and each name there is a program."""
    programs = bpf_programs(tree)
    uses = {}
    for name in tree.matching("user/source/*.c", "user/source/*.h"):
        text = without_comments(tree.text(name))
        for match in re.finditer(r"\b(?:progs\.(\w+)|(?<!define )HOOK\((\w+))", text):
            line = text.count("\n", 0, match.start()) + 1
            uses.setdefault(match[1] or match[2], []).append(f"{name}:{line}")
    for program, where in programs.items():
        count = len(uses.get(program, []))
        if count != 1:
            yield where, f"{program} is named {count} times in user/source/, not once"
    for program, places in uses.items():
        if program not in programs:
            yield places[0], f"there is no BPF program {program}"


def rule_headers(tree):
    """Each header compiles alone."""
    jobs = [(name, ["cc", "-std=gnu17", "-D_GNU_SOURCE", "-Iuser", "-I."])
            for name in tree.matching("user/**/*.h", "bpf/event.h")]
    jobs += [(name, ["clang", "-target", "bpf", "-D__TARGET_ARCH_x86", "-Ivmlinux", "-I."])
             for name in tree.matching("bpf/*.bpf.h")]
    for name, command in jobs:
        command = command + ["-Wall", "-Wno-unused-function", "-fsyntax-only", "-x", "c", "-"]
        source = f'#include "{name}"\n#include "{name}"\n'
        done = subprocess.run(command, cwd=tree.root, input=source, capture_output=True, text=True)
        if done.returncode or done.stderr:
            yield name, "does not compile alone, or not twice: " + done.stderr.strip().splitlines()[0]


def rule_layout(tree):
    """clang-format has nothing to change."""
    names = tree.matching("**/*.c", "**/*.h")
    if not names:
        return
    command = ["clang-format", "--dry-run", "--Werror", *names]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
    offences = re.findall(r"^(.+?:\d+):\d+: error:", done.stderr, re.MULTILINE)
    for where in dict.fromkeys(offences):
        yield where, "is laid out otherwise than .clang-format says: make format"
    if done.returncode and not offences:
        yield names[0], done.stderr.strip()


def rule_shell(tree):
    """shellcheck has nothing to say."""
    scripts = [name for name in tree.files
               if name.endswith(".sh") or re.match(r"#!.*\b(ba|da)?sh\b", tree.text(name)[:80])]
    if not scripts:
        return
    done = subprocess.run(["shellcheck", "-f", "gcc", *scripts], cwd=tree.root, capture_output=True, text=True)
    for line in (done.stdout + done.stderr).splitlines():
        where, _, said = line.partition(": ")
        yield where, said


def is_text(tree, name):
    return "\0" not in tree.text(name)[:4096]


def rule_machine_paths(tree):
    """No file speaks of the machine it was written on."""
    # Written apart, so that this file does not find itself.
    places = [r"/wo" r"rk/", r"/tm" r"p/wt\b", r"/ro" r"ot/[\w.]", r"/hom" r"e/(?!user\b|\$|<)\w+/"]
    for name in filter(lambda name: is_text(tree, name), tree.files):
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if match := re.search("(?<![\\w.}])(" + "|".join(places) + ")", line):
                yield f"{name}:{number}", f"{match[0]} is a path of one machine"


def rule_unfinished(tree):
    """What is not finished is not committed."""
    marks = "|".join(("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK"))
    for name in filter(lambda name: is_text(tree, name), tree.files):
        for number, line in enumerate(tree.text(name).splitlines(), 1):
            if match := re.search(rf"\b({marks})\b", line):
                yield f"{name}:{number}", f"{match[0]}: finish it, or say it in an issue"


def rule_licence(tree):
    """Each source file names its licence in its first two lines."""
    names = tree.matching("**/*.c", "**/*.h", "**/*.py", "**/*.sh", "Makefile", ".ci/run", "tests/**/run")
    for name in names:
        if "SPDX-License-Identifier: GPL-2.0-only" not in "\n".join(tree.text(name).splitlines()[:2]):
            yield name, "lacks SPDX-License-Identifier: GPL-2.0-only in its first two lines"


RULES = [
    rule_layers, rule_libbpf, rule_stdout, rule_kernel_differences, rule_hook_table, rule_headers,
    rule_layout, rule_shell, rule_machine_paths, rule_unfinished, rule_licence,
]


def lint(tree):
    offences = [f"{where}: {what}" for rule in RULES for where, what in rule(tree)]
    for offence in offences:
        print(offence, file=sys.stderr)
    return 1 if offences else 0
