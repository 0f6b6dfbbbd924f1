# SPDX-License-Identifier: GPL-2.0-only
"""Root file systems as tars, made on the spot from this machine's own programs."""

import io
import shutil
import subprocess
import tarfile

PASSWD = ("root:x:0:0:root:/root:/bin/sh\n"
          "daemon:x:1:1:daemon:/:/bin/false\n"
          "www-data:x:33:33:www-data:/var/www:/bin/false\n"
          "nobody:x:65534:65534:nobody:/:/bin/false\n")
GROUP = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nstaff:x:50:\nnogroup:x:65534:\n"


class Tar:
    def __init__(self):
        self.buffer = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.buffer, mode="w")
        self.folders = set()

    def entry(self, path, kind, mode, **fields):
        if (parent := path.rpartition("/")[0]) and parent not in self.folders:
            self.folder(parent)
        info = tarfile.TarInfo(path)
        info.type, info.mode = kind, mode
        for name, value in fields.items():
            setattr(info, name, value)
        return info

    def folder(self, path, mode=0o755):
        info = self.entry(path, tarfile.DIRTYPE, mode)
        self.folders.add(path)
        self.tar.addfile(info)

    def file(self, path, content, mode=0o644):
        self.tar.addfile(self.entry(path, tarfile.REGTYPE, mode, size=len(content)), io.BytesIO(content))

    def link(self, path, target):
        self.tar.addfile(self.entry(path, tarfile.SYMTYPE, 0o777, linkname=target))

    def copy(self, source, path=None, mode=0o755):
        """path: default the same one; what it is called, not what it may be a link to."""
        with open(source, "rb") as file:
            self.file((path or source).lstrip("/"), file.read(), mode)

    def bytes(self):
        self.tar.close()
        return self.buffer.getvalue()


def with_busybox():
    tar = Tar()
    busybox = shutil.which("busybox")
    tar.copy(busybox, "bin/busybox")
    applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout
    for name in applets.split():
        if name != "busybox":
            tar.link(f"bin/{name}", "busybox")
    tar.file("etc/passwd", PASSWD.encode())
    tar.file("etc/group", GROUP.encode())
    tar.folder("tmp", 0o1777)
    tar.folder("root", 0o700)
    return tar


def libraries(program):
    """Every file that the dynamic linker would map for it, the linker included."""
    said = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    words = [word for line in said.splitlines() for word in line.split()]
    return sorted({word for word in words if word.startswith("/")})


def busybox():
    """busybox-static with a link for each applet, users and groups."""
    return with_busybox().bytes()


def procps():
    """The same, but /bin/ps is this machine's procps with its libraries."""
    tar = Tar()
    busybox_path, ps = shutil.which("busybox"), shutil.which("ps")
    tar.copy(busybox_path, "bin/busybox")
    for name in ("sh", "sleep", "cat", "kill", "true", "setsid"):
        tar.link(f"bin/{name}", "busybox")
    tar.copy(ps, "bin/ps")
    for library in libraries(ps):
        tar.copy(library)
    tar.file("etc/passwd", PASSWD.encode())
    tar.file("etc/group", GROUP.encode())
    tar.folder("tmp", 0o1777)
    return tar.bytes()
