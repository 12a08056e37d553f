#!/usr/bin/env python3
"""Runs one script of this folder against a server of its own: run.py <server> <script> [modules].

The server starts on a free port of the loopback interface, in a directory that goes with it; the
script finds the port in LAPSE_PORT. `modules` is the folder that holds node_modules. Any server
that takes --port, --dir and --save will do, redis-server too: what fails there as well, and is
not newer than that server, is wrong in the script. A script that needs further words on the
server's command line has them in a comment of its own, `server: --directive value ...`; where they
name {http_port}, that is a free port, too, and the script finds it in LAPSE_HTTP_PORT.
Exits with the script's status; with 77, which CTest shows as skipped, when what the script needs
is not installed; with 1 when the server did not outlive it or did not end well.
"""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
START_SECONDS = 20
SCRIPT_SECONDS = 150


def skip(why: str) -> None:
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def python_with_redis() -> str:
    """This interpreter may not be the one that Debian's package python3-redis serves."""
    for python in (sys.executable, "/usr/bin/python3"):
        probe = [python, "-c", "import redis"]
        if not os.path.exists(python):
            continue
        if subprocess.run(probe, stderr=subprocess.DEVNULL).returncode == 0:
            return python
    skip("no Python module redis (Debian: python3-redis)")


def command_of(script: str, modules: str) -> list:
    if script.endswith(".py"):
        return [python_with_redis(), script]
    node = shutil.which("node")
    if node is None:
        skip("no node (Debian: nodejs, npm)")
    if not os.path.isdir(os.path.join(modules, "node_modules", "ioredis")):
        skip(f"no packages in {modules}; ./dev test-clients installs them")
    return [node, script]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_words(script: str, http_port: int) -> list:
    with open(script) as text:
        lines = re.findall(r"^(?://|#) server: (.*)$", text.read(), re.MULTILINE)
    return [word.replace("{http_port}", str(http_port))
            for line in lines for word in shlex.split(line)]


def wait_until_up(server: subprocess.Popen, port: int) -> bool:
    end = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(64).startswith(b"+PONG"):
                    return True
        except OSError:
            pass
        time.sleep(0.02)
    return False


def run(server: subprocess.Popen, port: int, http_port: int, command: list,
        modules: str) -> int:
    if not wait_until_up(server, port):
        print("the server did not start")
        return 1
    environment = dict(os.environ, LAPSE_PORT=str(port), LAPSE_HTTP_PORT=str(http_port),
                       NODE_PATH=os.path.join(modules, "node_modules"))
    try:
        status = subprocess.run(command, env=environment, timeout=SCRIPT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        print(f"still running after {SCRIPT_SECONDS} s")
        status = 1
    if server.poll() is not None:
        print(f"the server ended with {server.returncode} meanwhile")
        return 1
    return status


def main() -> int:
    program, script = sys.argv[1:3]
    modules = sys.argv[3] if len(sys.argv) > 3 else os.path.dirname(os.path.abspath(script))
    command = command_of(script, modules)
    port, http_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="lapse-clients-") as scratch:
        log = os.path.join(scratch, "log")
        with open(log, "wb") as output:
            server = subprocess.Popen(
                [program, "--port", str(port), "--dir", scratch, "--save", "",
                 *server_words(script, http_port)],
                stdout=output, stderr=output)
        try:
            status = run(server, port, http_port, command, modules)
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)
            try:
                ended = server.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                ended = "SIGKILL"
        if ended != 0:
            print(f"the server's exit status is {ended}")
            status = status or 1
        if status != 0:
            with open(log, errors="replace") as output:
                print("the server's log:\n" + output.read()[-4000:])
    return status


if __name__ == "__main__":
    sys.exit(main())
