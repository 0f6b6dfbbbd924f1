# SPDX-License-Identifier: GPL-2.0-only
"""This tree keeps every rule, and every rule finds its offence."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from lint import rules
from lint.tree import Tree as Files

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SPDX = "/* SPDX-License-Identifier: GPL-2.0-only */\n"
PROGRAM = SPDX + 'SEC("iter/task")\nint dump_task(struct bpf_iter__task *ctx)\n{\n\treturn 0;\n}\n'


class Tree(unittest.TestCase):
    """A test per rule, so that each is counted and can be skipped by name."""

    def check(self, rule):
        if rule is rules.rule_layout:
            version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
            if not re.search(r"version 14\.", version):
                self.skipTest(f"{version.strip()} is not 14")
        offences = [f"{where}: {what}" for where, what in rule(Files(ROOT))]
        if offences:
            self.fail("\n".join(offences))


for each in rules.RULES:
    setattr(Tree, each.__name__.replace("rule_", "test_"), lambda self, rule=each: self.check(rule))


class Offences(unittest.TestCase):
    """files: what to put into an empty tree; the rule must find exactly the places in expected."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="nsview-lint-"))
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copy(ROOT / ".clang-format", self.root)

    def expect(self, rule, expected, files):
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        found = [where for where, _ in rule(Files(self.root))]
        self.assertEqual(found, expected)

    def test_a_lower_room_never_sees_a_higher_one(self):
        self.expect(rules.rule_layers, ["user/base/a.c:1"], {
            "user/base/a.c": '#include "view/column.h"\n',
            "user/view/column.h": '#include "base/a.h"\n',
            "user/base/a.h": ""})

    def test_siblings_never_see_each_other(self):
        self.expect(rules.rule_layers, ["user/model/a.c:2", "user/source/a.h:1"], {
            "user/model/a.c": '#include "model/b.h"\n#include "source/a.h"\n',
            "user/model/b.h": "",
            "user/source/a.h": '#include "launch/l.h"\n',
            "user/launch/l.h": ""})

    def test_an_include_is_written_from_user(self):
        self.expect(rules.rule_layers, ["user/model/a.c:1", "user/model/a.c:2"], {
            "user/model/a.c": '#include "b.h"\n#include "../base/c.h"\n#include "bpf/event.h"\n',
            "user/model/b.h": "",
            "user/base/c.h": ""})

    def test_a_room_has_a_rank(self):
        self.expect(rules.rule_layers, ["user/attic/a.c"], {"user/attic/a.c": ""})

    def test_a_comment_is_no_include(self):
        self.expect(rules.rule_layers, [], {
            "user/base/a.c": '/*\n#include "cmd/a.h"\n*/\n// #include "cmd/a.h"\n', "user/cmd/a.h": ""})

    def test_libbpf_stays_in_source_and_facts(self):
        text = '#include <bpf/libbpf.h>\n#include "nsview.skel.h"\nint f(void) { return bpf_map__fd(0); }\n'
        self.expect(rules.rule_libbpf, ["user/launch/device_guard.c:2"] + [f"user/model/a.c:{line}" for line in (1, 2, 3)], {
            "user/model/a.c": text, "user/source/a.c": text, "user/host/facts.c": text,
            "user/launch/device_guard.c": "#include <linux/bpf.h>\n#include <bpf/bpf.h>\n"})

    def test_only_output_and_cmd_write_to_stdout(self):
        text = 'void f(void) { puts("x"); }\n/* printf */\nvoid g(void) { fputs("stdout", stdout); }\n'
        self.expect(rules.rule_stdout, ["user/model/a.c:1", "user/model/a.c:3"], {
            "user/model/a.c": text, "user/output/a.c": text, "user/cmd/a.c": text,
            "user/base/a.h": 'int f(const char *, ...) __attribute__((format(printf, 1, 2)));\n'})

    def test_kernels_differ_in_one_header_only(self):
        text = "int f(void) { return bpf_core_field_exists(a.b); }\n"
        self.expect(rules.rule_kernel_differences, ["bpf/tasks.bpf.c:1"], {
            "bpf/tasks.bpf.c": text, "bpf/kernel.bpf.h": text})

    def test_a_program_that_nobody_names(self):
        self.expect(rules.rule_hook_table, ["bpf/a.bpf.c:3"], {"bpf/a.bpf.c": PROGRAM})

    def test_a_program_named_twice(self):
        self.expect(rules.rule_hook_table, ["bpf/a.bpf.c:3"], {
            "bpf/a.bpf.c": PROGRAM,
            "user/source/s.c": "f(skel->progs.dump_task);\ng(skel->progs.dump_task);\n"})

    def test_a_name_without_a_program(self):
        self.expect(rules.rule_hook_table, ["user/source/s.c:2"], {
            "bpf/a.bpf.c": PROGRAM,
            "user/source/s.c": "f(skel->progs.dump_task);\ng(skel->progs.dump_tasks);\n"})

    def test_a_header_that_needs_another(self):
        self.expect(rules.rule_headers, ["user/base/a.h"], {
            "user/base/a.h": "size_t f(void);\n", "user/base/b.h": "#include <stddef.h>\nsize_t f(void);\n"})

    def test_a_header_without_a_guard(self):
        self.expect(rules.rule_headers, ["user/base/a.h"], {"user/base/a.h": "enum a { A };\n"})

    def test_layout(self):
        self.expect(rules.rule_layout, ["user/base/a.c:1"], {"user/base/a.c": "int a ;\n"})

    def test_shell(self):
        self.expect(rules.rule_shell, ["a:2:6"], {"a": "#!/bin/sh\necho $1\n"})

    def test_machine_paths(self):
        self.expect(rules.rule_machine_paths, ["a.md:1", "a.md:2"], {
            "a.md": "see /ro" "ot/notes\nor /wo" "rk/main\nnot /root, /usr/share/wo" "rk/x\n"})

    def test_unfinished(self):
        self.expect(rules.rule_unfinished, ["a.c:2"], {"a.c": "int a;\n/* TO" "DO: b */\n"})

    def test_licence(self):
        self.expect(rules.rule_licence, ["b.c"], {"a.c": SPDX, "b.c": "int a;\n"})


class Cases(unittest.TestCase):
    def test_every_rule_has_an_offence(self):
        text = pathlib.Path(__file__).read_text()
        for rule in rules.RULES:
            self.assertIn(f"self.expect(rules.{rule.__name__}, [\"", text.replace('[f"', '["'))
