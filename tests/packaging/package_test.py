#!/usr/bin/env python3
"""The Debian package: package_test.py <build directory> <source directory>.

Builds it from a finished build and looks at what is in it; installs, upgrades, removes and purges
it in a root directory of its own by dpkg itself, with the maintainer scripts told of that root
(DPKG_ROOT) and with stand-ins for what would speak to a running systemd; runs the server from the
unpacked tree. Nothing of the machine is touched.

Exits 77, which CTest shows as skipped, without dpkg-deb or dpkg-shlibdeps.
"""

import glob
import gzip
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = (os.path.abspath(path) for path in sys.argv[1:3])
PATIENCE_SECONDS = 60
# As systemd-analyze counts, from 0 (locked in) to 10.
MAX_EXPOSURE = 15  # in tenths


def run(*command, **options):
    options.setdefault("timeout", PATIENCE_SECONDS)
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)


def have(program):
    return shutil.which(program) is not None


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def build_package():
    """Returns the path of the .deb."""
    directory = os.path.join(BUILD, "package")
    shutil.rmtree(directory, ignore_errors=True)
    done = run("cpack", "-G", "DEB", "-B", directory, cwd=BUILD, timeout=240)
    packages = glob.glob(os.path.join(directory, "*.deb"))
    if done.returncode != 0 or len(packages) != 1:
        sys.exit(f"cpack: {done.stdout}")
    return packages[0]


class Unpacked(unittest.TestCase):
    """What is in the package."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="lapse-package-")
        cls.root = os.path.join(cls.scratch, "root")
        cls.control = os.path.join(cls.scratch, "control")
        subprocess.run(["dpkg-deb", "-x", PACKAGE, cls.root], check=True)
        subprocess.run(["dpkg-deb", "-e", PACKAGE, cls.control], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch)

    def path(self, name):
        return os.path.join(self.root, name)

    def field(self, name):
        return run("dpkg-deb", "-f", PACKAGE, name).stdout.strip()

    def test_control_fields(self):
        self.assertEqual(self.field("Package"), "lapse")
        version = re.search(r"VERSION (\S+) LANG", read(os.path.join(SOURCE, "CMakeLists.txt")))
        self.assertEqual(self.field("Version"), version.group(1) + "-1")
        self.assertEqual(self.field("Section"), "database")
        depends = self.field("Depends")
        for package in ("libc6", "libssl3", "libspdlog", "init-system-helpers", "systemd"):
            self.assertIn(package, depends)
        self.assertEqual(self.field("Description").splitlines()[0],
                         "Redis-compatible key-value server for keys that expire")

    def test_files(self):
        for name in ("usr/bin/lapse-server", "usr/bin/lapse-flush",
                     "lib/systemd/system/lapse.service",
                     "usr/lib/sysusers.d/lapse.conf", "etc/lapse/lapse.conf",
                     "usr/share/man/man1/lapse-server.1.gz",
                     "usr/share/man/man1/lapse-flush.1.gz",
                     "usr/share/doc/lapse/configuration.md",
                     "usr/share/doc/lapse/openapi.json",
                     "usr/share/doc/lapse/changelog.Debian.gz"):
            self.assertTrue(os.path.isfile(self.path(name)), name)
        self.assertEqual(read(os.path.join(self.control, "conffiles")), "/etc/lapse/lapse.conf\n")
        # Nothing of the library for other programs, and nothing outside of these.
        self.assertEqual(sorted(os.listdir(self.root)), ["etc", "lib", "usr"])
        self.assertEqual(sorted(os.listdir(self.path("usr"))), ["bin", "lib", "share"])
        self.assertEqual(os.listdir(self.path("usr/lib")), ["sysusers.d"])
        for folder, _, files in os.walk(self.root):
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o755, folder)
            for name in files:
                mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
                expected = 0o755 if folder.endswith("bin") else \
                    0o640 if name == "lapse.conf" and folder.endswith("etc/lapse") else 0o644
                self.assertEqual(oct(mode), oct(expected), name)

    def test_maintainer_scripts_are_sound_shell(self):
        for name in ("postinst", "prerm", "postrm"):
            script = os.path.join(self.control, name)
            self.assertTrue(os.access(script, os.X_OK), name)
            self.assertEqual(run("sh", "-n", script).stdout, "")
            self.assertIn("\nset -e\n", read(script))

    def test_unit_is_valid_and_confined(self):
        if not have("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        unit = read(self.path("lib/systemd/system/lapse.service"))
        self.assertIn("ExecStart=/usr/bin/lapse-server /etc/lapse/lapse.conf\n", unit)
        # As it would be where the program and its page are installed.
        unit = re.sub(r"Documentation=.*\n", "", unit)
        unit = unit.replace("/usr/bin/lapse-server", self.path("usr/bin/lapse-server"))
        here = os.path.join(self.scratch, "lapse.service")
        with open(here, "w", encoding="utf-8") as file:
            file.write(unit)
        verified = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", here)
        self.assertEqual((verified.returncode, verified.stdout), (0, ""))
        judged = run("systemd-analyze", "security", "--no-pager", "--offline=true",
                     f"--threshold={MAX_EXPOSURE}", here)
        self.assertEqual(judged.returncode, 0, judged.stdout)

    def test_manual_pages_are_readable(self):
        if not have("man"):
            self.skipTest("no man")
        for page in glob.glob(self.path("usr/share/man/man1/*.gz")):
            shown = run("man", "--warnings", "-l", page, env={**os.environ, "MANWIDTH": "80",
                                                              "LC_ALL": "C.UTF-8"})
            self.assertEqual(shown.returncode, 0)
            self.assertNotIn("warning", shown.stdout)
            self.assertNotIn("@PROJECT", shown.stdout)
            self.assertIn("SYNOPSIS", shown.stdout)

    def test_manual_pages_have_what_help_has(self):
        for program in ("lapse-server", "lapse-flush"):
            with gzip.open(self.path(f"usr/share/man/man1/{program}.1.gz"), "rt") as file:
                page = file.read().replace("\\-", "-")
            # Of the server's, what precedes the list of directives.
            shown = run(self.path(f"usr/bin/{program}"), "--help").stdout
            shown = shown.split("Directives have the names")[0]
            options = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", shown, re.MULTILINE))
            self.assertIn("--help", options | set(re.findall(r"--[a-z-]+", shown)))
            for option in options:
                self.assertIn(option, page, program)

    def test_server_runs_from_the_tree_with_its_configuration(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            notify = os.path.join(self.scratch, "notify")
            manager.bind(notify)
            manager.settimeout(PATIENCE_SECONDS)
            server = subprocess.Popen(
                [self.path("usr/bin/lapse-server"), self.path("etc/lapse/lapse.conf"),
                 "--port", str(port), "--dir", self.scratch],
                env={**os.environ, "NOTIFY_SOCKET": notify}, stdout=subprocess.DEVNULL)
            try:
                self.assertIn(b"READY=1\n", manager.recv(4096))
                with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as client:
                    client.sendall(b"PING\r\n")
                    self.assertEqual(client.recv(64), b"+PONG\r\n")
                    client.sendall(b"SHUTDOWN NOSAVE\r\n")
                    self.assertIn(b"STOPPING=1\n", manager.recv(4096))
                self.assertEqual(server.wait(PATIENCE_SECONDS), 0)
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait()


class Installed(unittest.TestCase):
    """What dpkg and the maintainer scripts do, in a root of their own."""

    def setUp(self):
        if os.geteuid() != 0 and not have("fakeroot"):
            self.skipTest("needs root or fakeroot")
        for program in ("systemd-sysusers", "deb-systemd-helper"):
            if not have(program):
                self.skipTest(f"no {program}")
        self.scratch = tempfile.mkdtemp(prefix="lapse-install-")
        self.addCleanup(shutil.rmtree, self.scratch)
        self.root = os.path.join(self.scratch, "root")
        for folder in ("etc", "run/systemd/system", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
            os.makedirs(os.path.join(self.root, folder))
        for name in ("passwd", "group", "shadow", "gshadow"):
            self.write(f"etc/{name}", "")
        self.write("var/lib/dpkg/status", "")
        # Stand-ins that note how they were called, and know whether the service runs.
        self.calls = os.path.join(self.scratch, "calls")
        active = os.path.join(self.scratch, "active")
        stands = os.path.join(self.scratch, "bin")
        os.mkdir(stands)
        for program in ("systemctl", "deb-systemd-invoke"):
            path = os.path.join(stands, program)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"""#!/bin/sh
case "$*" in
  *is-active*) test -e "{active}"; exit ;;
  start*) touch "{active}" ;;
  stop*) rm "{active}" ;;
esac
echo "{program} $*" >>"{self.calls}"
""")
            os.chmod(path, 0o755)
        self.search = os.pathsep.join([stands, "/usr/sbin", "/usr/bin", "/sbin", "/bin"])

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as file:
            file.write(text)

    def path(self, name):
        return os.path.join(self.root, name)

    def dpkg(self, *words):
        """Returns the calls of the stand-ins."""
        open(self.calls, "w", encoding="utf-8").close()
        as_root = [] if os.geteuid() == 0 else ["fakeroot"]
        done = run(*as_root, "dpkg", f"--root={self.root}",
                   "--force-script-chrootless,depends,not-root,bad-path,confold", *words,
                   env={"PATH": self.search, "LC_ALL": "C", "HOME": self.scratch})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.said = done.stdout
        return read(self.calls).splitlines()

    def enabled(self):
        return os.path.lexists(
            self.path("etc/systemd/system/multi-user.target.wants/lapse.service"))

    def test_life_of_an_installation(self):
        reload, start = "systemctl --system daemon-reload", "deb-systemd-invoke start lapse.service"
        self.assertEqual(self.dpkg("-i", PACKAGE), [reload, start])
        self.assertTrue(self.enabled())
        user = [line.split(":") for line in read(self.path("etc/passwd")).splitlines()]
        self.assertEqual([entry[0] for entry in user], ["lapse"])
        self.assertTrue(user[0][6].endswith("nologin"))
        self.assertEqual(stat.S_IMODE(os.stat(self.path("etc/lapse/lapse.conf")).st_mode), 0o640)
        if os.geteuid() == 0:
            self.assertEqual(os.stat(self.path("etc/lapse/lapse.conf")).st_gid, int(user[0][3]))

        # An upgrade keeps the configuration and the running server.
        self.write("etc/lapse/lapse.conf", "port 7000\n")
        os.makedirs(self.path("var/lib/lapse"))
        self.write("var/lib/lapse/tasks.json", "{}")
        self.assertEqual(self.dpkg("-i", PACKAGE), [reload, reload])
        self.assertIn("systemctl restart lapse", self.said)
        self.assertEqual(read(self.path("etc/lapse/lapse.conf")), "port 7000\n")

        # Removed: stopped, configuration and state kept, and not started by anything.
        self.assertEqual(self.dpkg("-r", "lapse"),
                         ["deb-systemd-invoke stop lapse.service", reload])
        self.assertFalse(os.path.exists(self.path("usr/bin/lapse-server")))
        self.assertTrue(os.path.exists(self.path("etc/lapse/lapse.conf")))
        self.assertTrue(os.path.exists(self.path("var/lib/lapse/tasks.json")))

        # And back again.
        self.assertEqual(self.dpkg("-i", PACKAGE)[-1], start)
        self.assertTrue(self.enabled())

        self.dpkg("-P", "lapse")
        for left in ("etc/lapse", "var/lib/lapse", "usr/bin/lapse-server"):
            self.assertFalse(os.path.lexists(self.path(left)), left)
        self.assertFalse(self.enabled())
        self.assertFalse(os.path.lexists(self.path("etc/systemd/system/lapse.service")))

    def test_without_systemd_nothing_is_started(self):
        shutil.rmtree(self.path("run"))
        self.assertEqual(self.dpkg("-i", PACKAGE), [])
        self.assertEqual(self.dpkg("-P", "lapse"), [])


if __name__ == "__main__":
    for needed in ("cpack", "dpkg", "dpkg-deb", "dpkg-shlibdeps"):
        if not have(needed):
            print(f"skipped: no {needed}")
            sys.exit(77)
    PACKAGE = build_package()
    unittest.main(argv=sys.argv[:1], verbosity=2)
