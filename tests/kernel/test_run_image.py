# SPDX-License-Identifier: GPL-2.0-only
"""nsview run --image: archives as docker and others write them, and as an attacker would."""

import gzip
import hashlib
import io
import json
import os
import pathlib
import re
import subprocess

import tarfile
import tempfile
import time
import unittest

from nsview import NSVIEW, PYTHON, SECONDS, Launched, requires_root, run, wait_until, without_libarchive

PLACES = ("usr", "bin", "sbin", "lib", "lib64")  # of this machine's programs


def tar(*entries, **options):
    """Entries are (name, kind or content, fields)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=options.get("format", tarfile.PAX_FORMAT)) as archive:
        for name, content, *rest in entries:
            info = tarfile.TarInfo(name)
            info.mode = 0o755 if content == tarfile.DIRTYPE else 0o644
            for key, value in (rest[0] if rest else {}).items():
                setattr(info, key, value)
            if content in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE,
                           tarfile.FIFOTYPE):
                info.type = content
                archive.addfile(info)
            else:
                data = content.encode() if isinstance(content, str) else content
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link(name, target):
    return name, tarfile.SYMTYPE, {"linkname": target}


def hard(name, target):
    return name, tarfile.LNKTYPE, {"linkname": target}


def folder(name, **fields):
    return name, tarfile.DIRTYPE, fields


def base():
    """Where this machine's programs go, by volumes; and users."""
    entries = [link(name, os.readlink(f"/{name}")) for name in PLACES if os.path.islink(f"/{name}")]
    return tar(folder("etc"), ("etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:4711:4712::/home/web:/bin/sh\n"),
               ("etc/group", "root:x:0:\nweb:x:4712:\nlogs:x:4713:web\n"), *entries)


def programs():
    """-v for each."""
    return [word for name in PLACES if os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}")
            for word in ("-v", f"/{name}:/{name}:ro")]


def saved(layers, config=None, **changes):
    """As docker save 20.10 writes it."""
    names = [f"{hashlib.sha256(layer).hexdigest()}/layer.tar" for layer in layers]
    manifest = [{"Config": "config.json", "RepoTags": ["test:latest"], "Layers": names, **changes}]
    members = [("config.json", json.dumps({"config": config or {}}))]
    return tar(*members, *dict(zip(names, layers)).items(), ("manifest.json", json.dumps(manifest)))


def layout(layers, config=None, platforms=(None,)):
    """{member: content} of an OCI layout."""
    found = {"oci-layout": '{"imageLayoutVersion": "1.0.0"}'}

    def blob(data):
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        digest = hashlib.sha256(data).hexdigest()
        found[f"blobs/sha256/{digest}"] = data
        return {"digest": f"sha256:{digest}", "size": len(data)}

    manifest = blob({"schemaVersion": 2, "config": blob({"config": config or {}}), "layers": [blob(one) for one in layers]})
    other = blob({"schemaVersion": 2, "config": blob({"config": {"User": "1"}}), "layers": []})
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    if platforms == (None,):
        index = {"schemaVersion": 2, "manifests": [manifest]}
    else:
        inner = blob({"schemaVersion": 2, "manifests": [
            {**(manifest if name == "here" else other), "platform": {"os": "linux", "architecture": here if name == "here" else name}}
            for name in platforms]})
        index = {"schemaVersion": 2, "manifests": [inner]}
    found["index.json"] = json.dumps(index)
    return found


@requires_root
class Images(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nsview-image-")
        self.addCleanup(os.rmdir, self.folder)
        self.file = os.path.join(self.folder, "image.tar")
        self.addCleanup(lambda: pathlib.Path(self.file).unlink(missing_ok=True))

    def write(self, data):
        pathlib.Path(self.file).write_bytes(data)

    def inside(self, *words, options=(), check=0, **settings):
        return run("run", "--image", self.file, *programs(), *options, "--", *words, check=check, **settings)

    def output(self, script, layers, config=None, **settings):
        self.write(saved([base(), *layers], config))
        return self.inside("sh", "-c", script, **settings).stdout

    def assert_refused(self, *patterns, words=("true",), options=(), **settings):
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        done = self.inside(*words, options=options, check=125, **settings)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")
        for pattern in patterns:
            self.assertIn(pattern, done.stderr)
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)

    def assert_layer_refused(self, *patterns, entries):
        with self.subTest(entries=entries):
            self.write(saved([base(), tar(*entries)]))
            self.assert_refused("layer 2 of ", *patterns)


class Files(Images):
    def test_later_layers_lie_over_earlier_ones(self):
        first = tar(folder("d"), ("d/old", "1"), ("d/both", "1"), ("file", "1"), folder("tree"), ("tree/x", "1"))
        second = tar(("d/both", "2"), ("d/new", "2"), folder("file"), ("file/in", "2"), ("tree", "2"))
        text = self.output("cat d/old d/both d/new file/in tree", [first, second])
        self.assertEqual(text, "12222")

    def test_whiteouts_remove_what_is_below(self):
        first = tar(folder("d"), ("d/one", ""), ("d/two", ""), folder("d/sub"), ("d/sub/deep", ""), ("top", ""))
        second = tar(("d/.wh.one", ""), ("d/.wh.sub", ""), (".wh.top", ""), (".wh.never", ""), ("no/such/.wh.x", ""))
        self.assertEqual(self.output("ls -A d; ls top 2>&1; ls -A / | grep wh; true", [first, second]),
                         "two\nls: cannot access 'top': No such file or directory\n")

    def test_an_opaque_directory_hides_all_below_and_nothing_of_its_own_layer(self):
        first = tar(folder("d"), ("d/old", ""), folder("d/sub"), ("d/sub/x", ""))
        for second in (tar(("d/.wh..wh..opq", ""), ("d/new", "")), tar(("d/new", ""), ("d/.wh..wh..opq", ""))):
            self.assertEqual(self.output("ls -A d", [first, second]), "new\n")

    def test_a_whiteout_is_not_about_its_own_layer(self):
        self.assertEqual(self.output("cat d/x", [tar(folder("d"), ("d/x", "1")), tar(("d/.wh.x", ""), ("d/x", "2"))]), "2")

    def test_modes_owners_times_and_links(self):
        layer = tar(folder("d", mode=0o1770, uid=7, gid=8), ("d/suid", "", {"mode": 0o4711, "uid": 4711, "gid": 9, "mtime": 86400}),
                    link("d/soft", "/nowhere/../x"), hard("d/hard", "d/suid"), ("d/pipe", tarfile.FIFOTYPE))
        text = self.output("stat -c '%a %u %g %F' d d/suid d/pipe; stat -c %Y d/suid; stat -c %h d/hard; readlink d/soft", [layer])
        self.assertEqual(text.splitlines(), ["1770 7 8 directory", "4711 4711 9 regular empty file", "644 0 0 fifo", "86400", "2",
                                             "/nowhere/../x"])

    def test_file_capabilities(self):
        value = bytes.fromhex("0100000200040000" + "00" * 12).decode("latin-1")  # cap_net_bind_service=ep
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
            info = tarfile.TarInfo("program")
            info.pax_headers = {"SCHILY.xattr.security.capability": value}
            archive.addfile(info)
        script = "import os; print(os.getxattr('/program', 'security.capability').hex())"
        self.write(saved([base(), buffer.getvalue()]))
        self.assertTrue(self.inside(*PYTHON, "-c", script).stdout.startswith("0100000200040000"))

    def test_names_in_any_locale(self):
        long = "/".join(["a" * 60] * 8)
        layer = tar(("grüße-日本", "x"), (f"{long}/file", "y"))
        for locale in ("C", "C.UTF-8"):
            text = self.output(f"cat 'grüße-日本' {long}/file", [layer], env={**os.environ, "LC_ALL": locale})
            self.assertEqual(text, "xy")

    def test_what_is_written_is_gone_afterwards(self):
        self.write(saved([base()]))
        before = pathlib.Path(self.file).read_bytes()
        self.inside("sh", "-c", "echo x > /new; rm /etc/passwd")
        self.assertEqual(self.inside("ls", "/new", check=2).stdout, "")
        self.assertEqual(pathlib.Path(self.file).read_bytes(), before)

    def test_only_its_files_are_there(self):
        names = self.output("ls /", [tar(("file", ""))]).split()
        self.assertEqual(set(names), {"etc", "file", "dev", "proc", "sys", *filter(lambda name: os.path.exists(f"/{name}"), PLACES)})

    def test_nodes_of_its_dev_are_left_out(self):
        node = ("dev/console", tarfile.CHRTYPE, {"devmajor": 5, "devminor": 1})
        self.assertNotIn("console", self.output("ls /dev", [tar(folder("dev"), node)]))


class Defaults(Images):
    CONFIG = {"User": "web", "Env": ["COLOUR=green", "PATH=/x:/usr/bin:/bin", "bad"], "WorkingDir": "/srv/made",
              "Entrypoint": ["sh", "-c", "echo $COLOUR $HOME $PATH; pwd; id -u; id -G; echo \"$@\"", "sh"], "Cmd": ["one", "two"]}

    def test_what_the_image_says(self):
        self.write(saved([base()], self.CONFIG))
        done = run("run", "--image", self.file, *programs())
        self.assertEqual(done.stdout.splitlines(),
                         ["green /home/web /x:/usr/bin:/bin", "/srv/made", "4711", "4712 4713", "one two"])

    def test_what_the_user_says_goes_before(self):
        self.write(saved([base()], self.CONFIG))
        lines = self.inside("three", options=["--user", "0"]).stdout.splitlines()
        self.assertEqual(lines[2:], ["0", "0", "three"])

    def test_command_alone(self):
        self.write(saved([base()], {"Cmd": ["echo", "hello"]}))
        self.assertEqual(run("run", "--image", self.file, *programs()).stdout, "hello\n")
        self.assertEqual(self.inside("echo", "bye").stdout, "bye\n")

    def test_no_command_at_all(self):
        self.write(saved([base()], {"Cmd": None, "Entrypoint": None}))
        done = run("run", "--image", self.file, check=125)
        self.assertRegex(done.stderr, r"\Ansview: [^\n]*no command of its own[^\n]*\n\Z")

    def test_a_user_that_the_image_does_not_have(self):
        self.write(saved([base()], {"User": "nobody-here"}))
        self.assert_refused("nobody-here")

    def test_a_working_directory_that_leads_out(self):
        """As in CVE-2024-21626: a descriptor of the host's as the place to start in."""
        for number in range(3, 20):
            for config, layers in (({"WorkingDir": f"/proc/self/fd/{number}"}, []),
                                   ({"WorkingDir": "/w"}, [tar(link("w", f"/proc/self/fd/{number}"))])):
                self.write(saved([base(), *layers], config))
                self.assert_refused(config["WorkingDir"])


class Formats(Images):
    def check_works(self):
        self.assertEqual(self.inside("cat", "/file").stdout, "content")

    def test_docker_save_with_a_layer_that_is_a_link(self):
        layer = tar(("file", "content"))
        manifest = [{"Config": "c.json", "RepoTags": None, "Layers": ["a/layer.tar", "b/layer.tar"]}]
        self.write(tar(link("b/layer.tar", "../real/layer.tar"), ("c.json", "{}"), ("manifest.json", json.dumps(manifest)),
                       ("a/layer.tar", base()), ("real/layer.tar", layer)))
        self.check_works()

    def test_compressed(self):
        self.write(gzip.compress(saved([base(), gzip.compress(tar(("file", "content")))])))
        self.check_works()

    def test_oci_layout_in_a_file(self):
        self.write(tar(*layout([base(), gzip.compress(tar(("file", "content")))]).items()))
        self.check_works()

    def test_oci_layout_for_several_machines(self):
        self.write(tar(*layout([base(), tar(("file", "content"))], platforms=("unknown", "here", "s390x-not")).items()))
        self.check_works()

    def test_oci_layout_in_a_directory(self):
        members = layout([base(), tar(("file", "content"))], {"Cmd": ["cat", "/file"]})
        paths = [pathlib.Path(self.folder, name) for name in ("blobs", "blobs/sha256")]
        for path in paths:
            path.mkdir()
        for name, data in members.items():
            paths.append(pathlib.Path(self.folder, name))
            paths[-1].write_bytes(data if isinstance(data, bytes) else data.encode())
        try:
            self.assertEqual(run("run", "--image", self.folder, *programs()).stdout, "content")
        finally:
            for path in reversed(paths):
                path.rmdir() if path.is_dir() else path.unlink()


class Hostile(Images):
    """Nothing of it is ever outside of the container, and the container is not started."""

    def setUp(self):
        super().setUp()
        self.outside = tempfile.mkdtemp(prefix="nsview-outside-")
        self.addCleanup(os.rmdir, self.outside)
        self.victim = pathlib.Path(self.outside, "victim")
        self.victim.write_text("untouched")
        self.addCleanup(self.victim.unlink)
        self.addCleanup(lambda: self.assertEqual((os.listdir(self.outside), self.victim.read_text()), (["victim"], "untouched")))

    def test_names_that_lead_out(self):
        up = "../" * 12 + self.outside[1:]
        self.assert_layer_refused("absolute", entries=[(f"{self.outside}/new", "x")])
        self.assert_layer_refused("`..`", entries=[(f"{up}/new", "x")])
        self.assert_layer_refused("`..`", entries=[(f"a/../{up}/victim", "x")])
        self.assert_layer_refused("`..`", entries=[folder("..", mode=0o777)])
        self.assert_layer_refused("absolute", entries=[folder("/", mode=0o777)])

    def test_links_that_lead_out(self):
        for target in (self.outside, "../" * 12 + self.outside[1:]):
            for entry in (("link/new", "x"), ("link/victim", "x"), ("link/deep/new", "x"), folder("link/sub"), hard("link/new", "etc/passwd")):
                self.assert_layer_refused("link/", entries=[link("link", target), entry])

    def test_a_link_is_replaced_not_followed(self):
        layer = tar(link("link", str(self.victim)), link("dir", self.outside))
        text = self.output("cat link; stat -c %F dir", [layer, tar(("link", "mine"), folder("dir", mode=0o700))])
        self.assertEqual(text, "minedirectory\n")

    def test_hard_links_that_lead_out(self):
        up = "../" * 12 + str(self.victim)[1:]
        self.assert_layer_refused("absolute", entries=[hard("h", str(self.victim))])
        self.assert_layer_refused("`..`", entries=[hard("h", up)])
        self.assert_layer_refused("not there", entries=[link("out", self.outside), hard("h", "out/victim")])
        self.assert_layer_refused("not there", entries=[hard("h", "missing")])
        self.assert_layer_refused("not there", entries=[hard("h", "etc")])

    def test_a_hard_link_to_a_link_is_not_followed(self):
        layer = tar(link("soft", str(self.victim)), hard("h", "soft"), ("h", "mine"))
        self.assertEqual(self.output("cat h; readlink soft", [layer]), f"mine{self.victim}\n")

    def test_device_nodes(self):
        for kind, major, minor in ((tarfile.BLKTYPE, 8, 0), (tarfile.CHRTYPE, 1, 1)):
            self.assert_layer_refused("device node", entries=[("disk", kind, {"devmajor": major, "devminor": minor})])
        self.assert_layer_refused("device node", entries=[("dev", tarfile.BLKTYPE, {"devmajor": 8})])

    def test_whiteouts_that_lead_out(self):
        for name in (".wh.", ".wh..", ".wh...", "etc/.wh..."):
            self.assert_layer_refused("no file", entries=[(name, "")])
        self.assert_layer_refused("`..`", entries=[("../" * 12 + self.outside[1:] + "/.wh.victim", "")])
        layers = [tar(link("link", self.outside)), tar(("link/.wh.victim", ""), ("link/.wh..wh..opq", ""))]
        self.assertEqual(self.output("echo ok", layers), "ok\n")

    def test_mount_points_that_are_links(self):
        for name in ("proc", "sys", "dev"):
            self.write(saved([base(), tar(link(name, self.outside))]))
            self.assert_refused(f"/{name}", "symbolic link")

    def test_an_etc_that_is_a_link(self):
        pathlib.Path(self.victim).write_text("untouched")
        layer = tar((".wh.etc", ""), link("etc", self.outside))
        self.write(saved([base(), layer], {"User": "web"}))
        self.assert_refused("web")

    def test_damage(self):
        good = saved([base(), tar(("file", os.urandom(100000)))])
        member = hashlib.sha256(base()).hexdigest() + "/layer.tar"
        for data, pattern in (
                (good[:len(good) // 2], ""), (good[:-20000], ""), (os.urandom(5000), "format"), (b"", "format"),
                (gzip.compress(good)[:3000], ""), (saved([b"no tar at all" * 100]), "its layer"), (saved([]), "no layers"),
                (saved([base()], Layers=[member, "../../etc/passwd"]), "etc/passwd is not in it"),
                (saved([base()], Layers=["/etc/passwd"]), "is not in it"), (saved([base()], Layers="x"), "no layers"),
                (saved([base()], Config="missing.json"), "configuration"), (saved([base()], Config=None), "configuration"),
                (saved([base()], Layers=[member] * 1100), "1024"),
                (tar(("manifest.json", "[{")), "no JSON"), (tar(("manifest.json", "{}")), "configuration"),
                (tar(("manifest.json", "[" * 1000)), "no JSON"), (tar(("manifest.json", " " * (5 << 20))), "4 MiB"),
                (tar(link("manifest.json", "manifest.json")), "docker save"), (tar(link("manifest.json", "/etc/passwd")), "docker save"),
                (tar(("manifest.json", json.dumps([{"Config": "a"}, {"Config": "b"}]))), "several"),
                (tar(("index.json", "{}")), "no image"), (tar(("index.json", '{"manifests": [{"digest": "sha256:../../x"}]}')), "manifest"),
                (tar(("index.json", '{"manifests": [{"digest": "sha256:00"}]}')), "not in it"), (tar(("file", "x")), "docker save")):
            with self.subTest(size=len(data), pattern=pattern):
                self.write(data)
                self.assert_refused(pattern)

    def test_an_index_that_holds_itself(self):
        loop = '{"manifests": [{"digest": "sha256:00"}]}'
        self.write(tar(("index.json", loop), ("blobs/sha256/00", loop)))
        self.assert_refused("manifest")

    def test_what_is_no_image(self):
        for path, pattern in ((f"{self.folder}/missing", "No such file"), ("/dev/zero", "neither a file nor a directory"), ("", "''"),
                              (self.folder, "docker save"), ("/proc/self/mem", "")):
            with self.subTest(path=path):
                done = run("run", "--image", path, "true", check=125)
                self.assertRegex(done.stderr, r"\Ansview: [^\n]+\n\Z")
                self.assertIn(pattern, done.stderr)
        self.write(saved([base()]))
        self.assert_refused("--rootfs", options=["--rootfs", "/"])

    def test_escape_sequences_in_names_are_shown_not_sent(self):
        self.assert_layer_refused("\\x1b[31m", entries=[("../\x1b[31m", "")])

    def test_modes_that_lock_others_out(self):
        """A directory that its owner may not enter is no obstacle, nor is one of mode 0."""
        text = self.output("cat d/file", [tar(folder("d", mode=0), ("d/file", "x", {"mode": 0}))])
        self.assertEqual(text, "x")

    def test_an_image_larger_than_the_memory_limit(self):
        self.write(saved([base(), tar(("large", os.urandom(48 << 20)))]))
        self.assert_refused("memory", options=["--memory", "16m"])

    def test_killed_while_it_unpacks(self):
        """kill -9 of nsview in the middle of it leaves no process, mount or state file."""
        self.write(saved([base(), *[tar((f"file{i}", os.urandom(2 << 20))) for i in range(8)]]))
        name = f"image-{os.getpid()}"
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        for moment in range(12):
            process = subprocess.Popen([NSVIEW, "run", "--name", name, "--image", self.file, *programs(), "sleep", "300"],
                                       stderr=subprocess.DEVNULL)
            time.sleep(moment * 0.004)
            process.kill()
            process.wait()
            wait_until(lambda: not os.path.exists(f"/run/nsview/{name}.json"))
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), mounts)

    def test_no_other_program_is_executed(self):
        self.write(gzip.compress(saved([base(), gzip.compress(tar(("file", "x")))])))
        done = self.inside("true", command=["strace", "-f", "-qq", "-e", "trace=execve", "-e", "status=successful"],
                           env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})  # which cannot be traced
        self.assertEqual(done.stderr.count("execve("), 2, done.stderr)

    def test_no_advice_to_leave_the_image_out(self):
        """It is there already: a word too many is a command that is not."""
        self.write(saved([base()]))
        done = self.inside("ubuntu", "sleep", "3600", check=127)
        self.assertRegex(done.stderr, r"\Ansview: cannot run ubuntu: no such command in the container's PATH [^\n]*\n\Z")
        self.assertNotIn("no image is needed", done.stderr)

    def shown(self, *words):
        """{name: image} of the containers that ps shows."""
        return {row["container"]: row["image"] for row in json.loads(run("ps", "--json", *words).stdout)}

    def test_ps_knows_the_image(self):
        """By its tag, or without one by its archive as it was typed."""
        for changes, image in (({}, "test:latest"), ({"RepoTags": None}, self.file)):
            with self.subTest(image=image):
                self.write(saved([base()], **changes))
                name = f"image-{os.getpid()}-{len(changes)}"
                run("run", "-d", "--name", name, "--image", self.file, *programs(), "sleep", "300")
                try:
                    state = json.loads(pathlib.Path(f"/run/nsview/{name}.json").read_text())
                    self.assertEqual((state["image"], state["rootfs"]), (image, os.path.realpath(self.file)))
                    self.assertEqual(self.shown("-c", name), {name: image})
                    self.assertIn(name, self.shown("--image", f"*{image[2:]}"))
                    self.assertNotIn(name, self.shown("--image", f"{image}x"))
                finally:
                    run("run", "--stop", name)

    def test_without_an_image_there_is_none(self):
        name = f"image-{os.getpid()}"
        run("run", "-d", "--name", name, "--rootfs", "/", "sleep", "300")
        try:
            self.assertEqual(self.shown("-c", name), {name: None})
        finally:
            run("run", "--stop", name)

    def test_a_sparse_giant_takes_no_memory(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("giant")
            info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "giant",
                                "GNU.sparse.size": str(1 << 40), "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,4"}
            info.size = 4
            archive.addfile(info, io.BytesIO(b"data"))
        self.assertEqual(self.output("stat -c %s giant", [buffer.getvalue()]), f"{1 << 40}\n")


class Library(Images):
    """libarchive, which brings a dozen others, is in no process that has no image to read."""

    def test_no_command_starts_with_it(self):
        listed = run("--version", env={**os.environ, "LD_TRACE_LOADED_OBJECTS": "1"}).stdout
        self.assertIn("libbpf.so", listed)
        self.assertNotIn("libarchive", listed)

    def test_an_image_loads_it_and_nothing_else_does(self):
        self.write(saved([base()]))
        for option, source, is_loaded in (("--rootfs", "/", False), ("--image", self.file, True)):
            with self.subTest(option=option):
                volumes = programs() if is_loaded else ()
                launched = Launched([NSVIEW, "run", option, source, *volumes, "sleep", "300"])
                with launched:
                    maps = pathlib.Path(f"/proc/{launched.process.pid}/maps").read_text()
                self.assertIn("libbpf.so", maps)
                self.assertEqual("libarchive.so" in maps, is_loaded)

    def test_without_it_an_image_is_refused_in_one_sentence(self):
        self.write(saved([base()]))
        with without_libarchive() as program:
            done = subprocess.run([program, "run", "--image", self.file, "true"], capture_output=True, text=True,
                                  timeout=SECONDS, check=False)
        self.assertEqual((done.returncode, done.stdout), (125, ""))
        self.assertRegex(done.stderr, rf"\Ansview: cannot read the image {re.escape(self.file)}: [^\n]+\n\Z")
        for part in ("no-archive.so.", "No such file", "install libarchive", "--rootfs DIR"):
            self.assertIn(part, done.stderr)

    def test_a_damaged_one_is_refused_in_one_sentence(self):
        name = re.search(rb"libarchive\.so[.0-9]*", pathlib.Path(NSVIEW).read_bytes())[0].decode()
        damaged = pathlib.Path(self.folder, name)
        self.addCleanup(damaged.unlink)
        damaged.touch()
        self.write(saved([base()]))
        self.assert_refused(self.file, str(damaged), "install libarchive", "--rootfs DIR",
                            env={**os.environ, "LD_LIBRARY_PATH": self.folder})


if __name__ == "__main__":
    unittest.main()
