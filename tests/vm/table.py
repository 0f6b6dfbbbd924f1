#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""make kernel-table: writes docs/kernels.md from what `nsview doctor --json` says under each kernel named,
as tests/vm/guest.py boots it. K for x86-64, arm64:K for arm64. test_static.py reads it again."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "tests/vm"), str(ROOT / "tests")]

from guest import Guest, architecture_of  # noqa: E402

PATH = ROOT / "docs/kernels.md"
HEAD = """# Hooks under Debian's kernels

Made by `make kernel-table`, from `nsview doctor --json` of build/nsview-static as root, alone with each kernel
(docs/kernels-testing.md); nothing here is written by hand. In bold how each hook listens; behind it the
tiers that were tried by `--hooks` and work too, best first. docs/hooks.md has their meaning, and what
each of them misses.
"""


def spares(hook):
    return dict.fromkeys(tier["tier"] for tier in hook["tiers"] if tier["verdict"] == "spare")


def forced(one, hooks, tier):
    """Those of the hooks that can be had on this tier."""
    told = one.run("/nsview", "events", "--hooks", ",".join(f"{hook}={tier}" for hook in hooks), "--types", "info",
                   "--duration", "100ms")
    messages = [json.loads(line).get("message", "") for line in told.splitlines()]
    return {hook for hook in hooks if not any(f"hook {hook} is off" in message for message in messages)}


def cells(one, hooks):
    """{hook: the tier taken, then those that work too}"""
    wanted = {}
    for hook in hooks:
        for tier in spares(hook):
            wanted.setdefault(tier, []).append(hook["hook"])
    works = {tier: forced(one, names, tier) for tier, names in wanted.items()}
    return {hook["hook"]: " ".join([f"**{hook['tier']}**" if hook["tier"] != "off" else "off",
                                    *(tier for tier in spares(hook) if hook["hook"] in works[tier])])
            for hook in hooks}


def told(name):
    """What docs/kernels.md has of a kernel, as fetch names it: ({hook: cell}, what it asks for). Of another of that major
    version if it has none."""
    hooks, kernels = ([line.strip("| ").split(" | ") for line in part.splitlines()]
                    for part in PATH.read_text().split("\n\n") if part.startswith("| "))
    machine = {"arm64": "aarch64"}.get(architecture_of(name), "x86_64")
    number = name.rpartition(":")[2]
    for begin in (f"{number}.", f"{number.partition('.')[0]}."):
        for column, release in enumerate(hooks[0]):
            if release.startswith(begin) and release.endswith(machine):
                return {row[0]: row[column] for row in hooks[2:]}, kernels[column + 1][1:]
    return None


def look(name):
    """(release, the cells of one kernel, its doctor)"""
    with Guest(name) as one:
        said = one.json("/nsview", "doctor", "--json")
        return said["kernel"]["value"], cells(one, said["hooks"]), said


def needs(said):
    """The capabilities that doctor says processes and events take, and kprobes."""
    return [" ".join(name.removeprefix("CAP_") for name in said["capabilities"][kind])
            for kind in ("processes", "kprobes")]


def write(out, columns):
    def line(*cells):
        out.write("| " + " | ".join(cells) + " |\n")

    out.write(HEAD + "\n")
    line("hook", *(release.replace("-cloud-amd64", "").replace("-cloud-arm64", "") for release, _, _ in columns))
    line("---", *("---" for _ in columns))
    for hook in columns[0][1]:
        line(hook, *(cells[hook] for _, cells, _ in columns))
    out.write("\nWhat they ask for (docs/doctor.md):\n\n")
    line("kernel", "processes and events", "kprobes too")
    line("---", "---", "---")
    for release, _, said in columns:
        line(release, *needs(said))
    out.write("\nWhy not the first of a row:\n\n")
    reasons = {}
    for release, _, said in columns:
        for hook in said["hooks"]:
            if hook["why"]:
                reasons.setdefault((release, hook["why"]), []).append(hook["hook"])
    for (release, why), hooks in reasons.items():
        out.write(f"- {release}, {', '.join(hooks)}: {why}\n")
    if not reasons:
        out.write("- never: each hook has its best tier everywhere.\n")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: tests/vm/table.py K...")
    columns = []
    for name in sys.argv[1:]:
        print(f"  {name}", flush=True)
        columns.append(look(name))
        print(f"    {columns[-1][0]}", flush=True)
    with PATH.with_suffix(".new").open("w") as out:
        write(out, columns)
    PATH.with_suffix(".new").rename(PATH)


if __name__ == "__main__":
    main()
