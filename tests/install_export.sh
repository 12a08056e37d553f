#!/usr/bin/env bash
# Installs a finished build into a scratch prefix, then builds and runs each example against it as
# an outside project would: find_package(lapse), #include <lapse/lapse.h>, link lapse::lapse.
#
# usage: install_export.sh <build directory>
set -euo pipefail

build="$(cd "$1" && pwd)"
source="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
scratch="$build/install_export"
prefix="$scratch/prefix"

rm -rf "$scratch"
cmake --install "$build" --prefix "$prefix" >/dev/null
test -x "$prefix/bin/lapse-server"
test -x "$prefix/bin/lapse-flush"

for example in "$source"/examples/*/; do
  [[ -f $example/main.cc ]] || continue
  name="$(basename "$example")"
  echo "example: $name"
  # Nothing but the prefix may supply Lapse's headers, so the example is copied out of the tree.
  cp -r "$example" "$scratch/$name"
  cmake -S "$scratch/$name" -B "$scratch/$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$prefix"
  cmake --build "$scratch/$name/build"
  timeout 60 "$scratch/$name/build/$name"
done
