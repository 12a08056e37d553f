"""What monitoring sees: METRICS through promtool, and prometheus-redis-exporter beside it.

The programs are Debian's (packages prometheus and prometheus-redis-exporter, which `./dev test`
unpacks into build/reference): that which is missing is left out, and without both the test is
skipped.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

PORT = int(os.environ["LAPSE_PORT"])
REFERENCE = pathlib.Path(__file__).resolve().parents[2] / "build" / "reference" / "usr" / "bin"
SKIPPED = 77
PATIENCE_SECONDS = 30
# Counters that move between two looks by nature, and what each side says of itself.
MOVING = re.compile(r"redis_(commands|cpu|net|mem|memory|connec|latency|uptime|slowlog|last|start"
                    r"|exporter|instance|errors|total_error|expired_stale|up\b|target)")


def program(name: str) -> str | None:
    found = REFERENCE / name
    return str(found) if found.exists() else shutil.which(name)


def command(*words: str) -> bytes:
    """A verbatim, bulk or simple reply's bytes, in RESP2."""
    request = b"*%d\r\n" % len(words)
    for word in words:
        request += b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode())
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as connection:
        connection.sendall(request)
        stream = connection.makefile("rb")
        head = stream.readline()
        if head[:1] != b"$" or head.startswith(b"$-1"):
            return head[1:].strip()
        return stream.read(int(head[1:]))


def families(text: str) -> dict:
    """{family: (type, {labels: value})}"""
    found: dict = {}
    kinds = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif line and not line.startswith("#"):
            match = re.fullmatch(r"(\w+)(\{.*\})? (\S+)", line)
            name, labels, value = match.groups()
            found.setdefault(name, (kinds.get(name, ""), {}))[1][labels or ""] = float(value)
    return found


def check_with_promtool(tool: str, text: bytes) -> None:
    result = subprocess.run([tool, "check", "metrics"], input=text, timeout=60,
                            capture_output=True, check=False)
    said = (result.stdout + result.stderr).decode()
    assert result.returncode == 0, f"promtool: {said}"
    assert said.strip() == "", f"promtool: {said}"


def scrape(url: str) -> str:
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            assert time.monotonic() < end, "the exporter does not answer"
            time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_with_exporter(tool: str) -> None:
    port = free_port()
    exporter = subprocess.Popen(
        [tool, "-redis.addr", f"redis://127.0.0.1:{PORT}",
         "-web.listen-address", f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        theirs = families(scrape(f"http://127.0.0.1:{port}/metrics"))
    finally:
        exporter.terminate()
        exporter.wait(10)
    assert theirs["redis_up"][1][""] == 1
    assert theirs["redis_exporter_last_scrape_error"][1] == {'{err=""}': 0}
    assert theirs["redis_db_keys"][1]['{db="db0"}'] == 11
    ours = families(command("METRICS").decode())
    shared = [name for name in ours if name in theirs and name.startswith("redis_")]
    assert len(shared) >= 30, shared
    for name in shared:
        kind, values = ours[name]
        assert kind == theirs[name][0], f"{name} is a {kind}, the exporter's a {theirs[name][0]}"
        if MOVING.match(name):
            continue
        for labels, value in values.items():
            other = theirs[name][1].get(labels)
            assert other is not None and abs(value - other) < 1, f"{name}{labels}: {value} {other}"
    unknown = [name for name in ours
               if name.startswith("redis_") and name not in theirs and ours[name][1]]
    assert not unknown, f"names that the exporter does not have: {unknown}"


def main() -> int:
    promtool, exporter = program("promtool"), program("prometheus-redis-exporter")
    if promtool is None and exporter is None:
        print("skipped: neither promtool nor prometheus-redis-exporter is there")
        return SKIPPED
    for i in range(10):
        command("SET", f"stays:{i}", "v", "EX", "1000")
    command("SET", "stays:for-good", "v")
    for i in range(10):
        command("SET", f"goes:{i}", "v", "PX", "1")
    time.sleep(0.05)
    command("FLUSHEXPIREKEYS")
    command("GET", "stays:1")
    command("GET", "none")
    command("NOSUCH", 'quo"te\\')
    text = command("METRICS")
    assert families(text.decode())["redis_db_keys"][1]['{db="db0"}'] == 11
    if promtool is None:
        print("without promtool: only the exporter is tried")
    else:
        check_with_promtool(promtool, text)
    if exporter is None:
        print("without prometheus-redis-exporter: only promtool is tried")
    else:
        check_with_exporter(exporter)
    return 0


if __name__ == "__main__":
    sys.exit(main())
