#!/usr/bin/env python3
"""Runs one script of this folder: run.py <server> <script> <modules>.

`modules` is the folder that holds node_modules. The script finds the server's program in
LAPSE_SERVER. Exits with its status, or with 77, which CTest shows as skipped, when there is no
node, no playwright-core or no Chromium.
"""

import os
import shutil
import subprocess
import sys

SKIPPED = 77
SCRIPT_SECONDS = 400
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def skip(why: str) -> None:
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def main() -> int:
    server, script, modules = sys.argv[1:4]
    node = shutil.which("node")
    if node is None:
        skip("no node (Debian: nodejs, npm)")
    if not os.path.isdir(os.path.join(modules, "node_modules", "playwright-core")):
        skip(f"no playwright-core in {modules}; ./dev test installs it")
    found = filter(None, map(shutil.which, BROWSERS))
    browser = os.environ.get("LAPSE_CHROMIUM") or next(found, None)
    if not browser:
        skip("no browser (Debian: chromium)")
    environment = dict(os.environ, LAPSE_SERVER=server, LAPSE_CHROMIUM=browser,
                       NODE_PATH=os.path.join(modules, "node_modules"))
    try:
        return subprocess.run([node, "--test", script], env=environment,
                              timeout=SCRIPT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        print(f"still running after {SCRIPT_SECONDS} s")
        return 1


if __name__ == "__main__":
    sys.exit(main())
