#!/usr/bin/env bash
# The lab's short form: every expiry workload in one engine, then servers compared over the wire.
# About three minutes; `./dev bench` runs it after the micro-benchmarks.
#
#   bench/run.sh [directory of lapse-lab]      results go to build/lab-results
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lab="${1:-build/release}/lapse-lab"
out="build/lab-results"
[[ -x $lab ]] || { echo "bench/run.sh: $lab is not built" >&2; exit 1; }

failed=0
"$lab" all --quick --runs 2 --out "$out" || failed=1
if command -v redis-server >/dev/null; then
  "$lab" wire all --quick --out "$out" || failed=1
else
  echo "bench/run.sh: without redis-server, Lapse is compared with the wire limit alone" >&2
  "$lab" wire throughput --quick --out "$out" --server lapse --server limit-asio \
    --server limit-epoll || failed=1
  "$lab" wire expiry --quick --out "$out" --server lapse || failed=1
fi
exit "$failed"
