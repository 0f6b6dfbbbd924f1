# SPDX-License-Identifier: GPL-2.0-only
"""docs/events.schema.json takes what the writer writes, and nothing else. No event is needed: the
unit tests' made-up lines, one of each kind, come from the real writer."""

import copy
import json
import re
import subprocess
import unittest

import nsview
import schema

LINES = nsview.BUILD / "tests/unit/test_events"

# What may be missing from some line without a word: it does not apply to every process, line or host.
OPTIONAL = """
    message process container orchestrator process.vpid process.parent process.parent.vpid process.tty
    process.args process.args_count process.executable process.env_vars process.*.name
    container.id container.image container.runtime orchestrator.namespace orchestrator.resource
    nsview.inside nsview.inside.*.name nsview.ns nsview.ns.* nsview.shared_with_host nsview.user_ns
    nsview.*.name nsview.login_uid nsview.session_id nsview.declared nsview.declared.user
    nsview.declared.cpu_limit nsview.declared.memory_limit nsview.declared.pids_limit nsview.drift
    nsview.cause nsview.before nsview.before.* nsview.before.*.* nsview.before.children.ns.* nsview.children
    nsview.children.ns.* nsview.idmap nsview.exec nsview.exec.* nsview.core_dumped
    nsview.cgroup.controller nsview.args_bytes nsview.info nsview.gap.hook nsview.lossy nsview.truncated nsview.cgroup
""".split()


def written(form="ecs"):
    done = subprocess.run([LINES, "lines", form], capture_output=True, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def places(value, path=()):
    """The path of each key in the value, whatever its depth."""
    if isinstance(value, list):
        for number, member in enumerate(value):
            yield from places(member, path + (number,))
    if isinstance(value, dict):
        for key, member in value.items():
            yield path + (key,)
            yield from places(member, path + (key,))


def each_place(lines):
    """(line, path) of each key, once for all lines that have it in that place."""
    seen = set()
    for line in lines:
        for path in places(line):
            if dotted(path) not in seen:
                seen.add(dotted(path))
                yield line, path


def holder(line, path):
    for step in path[:-1]:
        line = line[step]
    return line


def dotted(path):
    return ".".join(step for step in path if isinstance(step, str))


def may_be_missing(path):
    name = dotted(path)
    for pattern in OPTIONAL:
        if re.fullmatch(re.escape(pattern).replace(r"\*", "[a-z_]+"), name):
            return True
    return False


class Lines(unittest.TestCase):
    def test_each_line_of_the_writer_is_valid(self):
        lines = written()
        self.assertGreaterEqual(len(lines), 18)
        schema.check(self, lines)

    def test_the_schema_is_one(self):
        schema.VALIDATOR.check_schema(schema.SCHEMA)

    def test_no_line_is_valid_with_a_key_more(self):
        lines = written()
        self.assertFalse(schema.is_valid({**lines[0], "surprise": 1}))
        for line, path in each_place(lines):
            changed = copy.deepcopy(line)
            inside = holder(changed, path)[path[-1]]
            if isinstance(inside, dict):
                inside["surprise"] = 1
                self.assertFalse(schema.is_valid(changed), f"{dotted(path)}.surprise was taken")

    def test_no_line_is_valid_with_a_key_of_another_type(self):
        for line, path in each_place(written()):
            for wrong in (None, -1.5, {"surprise": 1}, [["surprise"]], "sur\u0000prise"):
                changed = copy.deepcopy(line)
                inside, key = holder(changed, path), path[-1]
                inside[key] = wrong if type(inside[key]) is not type(wrong) else True
                self.assertFalse(schema.is_valid(changed), f"{dotted(path)} = {inside[key]!r} was taken")

    def test_no_line_is_valid_without_one_of_its_keys(self):
        for line, path in each_place(written()):
            if may_be_missing(path):
                continue
            changed = copy.deepcopy(line)
            del holder(changed, path)[path[-1]]
            self.assertFalse(schema.is_valid(changed), f"a line without {dotted(path)} was taken")

    def test_what_is_unknown_may_be_missing_when_it_is_named(self):
        line = next(line for line in written() if line["event"]["action"] == "exec")
        del line["process"]["executable"]
        self.assertFalse(schema.is_valid(line))
        line["nsview"].setdefault("unknown", []).append("process.executable")
        self.assertEqual(schema.complaints(line), [])


class Names(unittest.TestCase):
    def test_each_column_that_names_its_field_has_it_in_the_schema(self):
        """`nsview ps --columns` says which field of the stream a column is."""
        columns = json.loads(nsview.run("ps", "--columns", "--json").stdout)
        missing = []
        for column in columns:
            if not column.get("ecs"):
                continue
            inside = schema.SCHEMA
            for step in column["ecs"].split("."):
                inside = inside.get("properties", {}).get(step, {})
                if "$ref" in inside:
                    inside = schema.SCHEMA["$defs"][inside["$ref"].rsplit("/", 1)[1]]
            if not inside:
                missing.append(column["ecs"])
        self.assertEqual(missing, [])

    def test_otel_attributes_are_conventional_or_nsviews(self):
        """Every attribute has a name of the semantic conventions, or starts with `nsview.`."""
        conventional = re.compile(
            r"process\.(pid|vpid|parent_pid|creation\.time|executable\.(name|path)|command_args|"
            r"args_count|exit\.code|(real_|saved_)?user\.(id|name)|environment_variable\..+)|"
            r"container\.(id|name|runtime\.name|image\.name)")
        for line in written("otel"):
            for name, value in line.items():
                self.assertRegex(name, rf"^(nsview\.[a-z_.]+|{conventional.pattern})$")
                self.assertNotIsInstance(value, dict, name)

    def test_otel_says_what_ecs_says(self):
        for ecs, otel in zip(written(), written("otel")):
            self.assertEqual(otel["nsview.event.action"], ecs["event"]["action"])
            process = ecs.get("process", {})
            self.assertEqual(otel.get("process.pid"), process.get("pid"))
            self.assertEqual(otel.get("process.command_args"), process.get("args"))
            self.assertEqual(str(otel.get("process.user.id")), process.get("user", {}).get("id", "None"))
            self.assertEqual(otel["nsview.inferred"], ecs["nsview"]["inferred"])


if __name__ == "__main__":
    unittest.main()
