# SPDX-License-Identifier: GPL-2.0-only
"""Containers made by runc alone: a bundle with one static program and a passwd of its own."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from harness.patience import patience
from nsview import SUBJECT, Failed, wait_until

PASSWD = b"root:x:0:0::/:/\nseven:x:7:8::/:/\n"


class Container:
    """runs `subject STEPS hold`; pid is its host pid."""

    def __init__(self, *steps, user=None, map_size=0, passwd=PASSWD, edit=None):
        self.name = f"nsview-test-{os.getpid()}-{id(self):x}"
        self.bundle = pathlib.Path(tempfile.mkdtemp(prefix="nsview-runc-"))
        self.process = None
        try:
            self.make_bundle([str(step) for step in steps], user, map_size, passwd, edit)
            self.start()
        except BaseException:
            self.end()
            raise

    def make_bundle(self, steps, user, map_size, passwd, edit):
        root = self.bundle / "rootfs"
        for name in ("proc", "dev", "sys", "etc"):
            (root / name).mkdir(parents=True)
        shutil.copy(SUBJECT, root / "subject")
        (root / "etc/passwd").write_bytes(passwd)
        self.bundle.chmod(0o755)
        subprocess.run(["runc", "spec"], cwd=self.bundle, check=True)
        spec = json.loads((self.bundle / "config.json").read_text())
        process = spec["process"]
        process.update(args=["/subject", *steps, "hold"], terminal=False, cwd="/")
        process.pop("rlimits", None)  # raising them may not be ours to do
        process["user"] = user or {"uid": 0, "gid": 0}
        if map_size:
            spec["linux"]["namespaces"].append({"type": "user"})
            mapping = [{"containerID": 0, "hostID": 200000, "size": map_size}]
            spec["linux"].update(uidMappings=mapping, gidMappings=mapping)
            for path in (root, *root.rglob("*")):
                os.chown(path, 200000, 200000)
        if edit:
            edit(spec)
        (self.bundle / "config.json").write_text(json.dumps(spec))

    def start(self):
        log = open(self.bundle / "log", "wb")
        self.process = subprocess.Popen(["runc", "run", "-b", str(self.bundle), self.name],
                                        stdin=subprocess.PIPE, stdout=log, stderr=log)
        log.close()
        wait_until(self.is_ready)
        said = subprocess.run(["runc", "state", self.name], capture_output=True, text=True, check=True)
        self.pid = json.loads(said.stdout)["pid"]

    def is_ready(self):
        said = (self.bundle / "log").read_text(errors="replace")
        if self.process.poll() is not None:
            raise Failed(f"runc ended: {said}")
        return said.endswith("ready\n")

    def end(self):
        if self.process:
            self.process.stdin.close()
            try:
                self.process.wait(timeout=patience(5))
            except subprocess.TimeoutExpired:
                subprocess.run(["runc", "delete", "-f", self.name], capture_output=True)
                self.process.wait(timeout=patience(10))
        shutil.rmtree(self.bundle)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
