#!/usr/bin/env bash
# Compiles src/base and src/runtime (tests excepted) freestanding, without exceptions and RTTI, for
# wasm32 and for a Cortex-M: what a browser and a microcontroller need of them. Every header is
# compiled alone as well. Both targets use libc++'s headers from the wasm package; its configuration
# names musl, so Cortex-M, whose C library is newlib, gets a copy that does not.
set -euo pipefail
cd "$(dirname "$0")/.."
libcxx=/usr/lib/llvm-19/include/wasm32-wasi/c++/v1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir "$out/site"
sed '/_LIBCPP_HAS_MUSL_LIBC/d' "$libcxx/__config_site" >"$out/site/__config_site"

flags="-std=c++20 -Os -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffp-contract=off
  -Wall -Wextra -Werror -nostdinc++ -Iinclude -Isrc"
wasm32="--target=wasm32-wasi -isystem $libcxx -isystem /usr/include/wasm32-wasi"
thumbv7em="--target=thumbv7em-none-eabi -mcpu=cortex-m7 -isystem $out/site -isystem $libcxx
  -isystem /usr/include/newlib"

compile() {  # TARGET FILE
  local mode="-c -o $out/$1-${2//\//_}.o"
  [[ $2 != *.h ]] || mode="-x c++ -fsyntax-only -Wno-pragma-once-outside-header"
  # shellcheck disable=SC2086
  clang++-19 ${!1} $flags $mode "$2" || { echo "check_freestanding: $2 fails for $1" >&2; return 1; }
}

rooms=src/base
[ ! -d src/runtime ] || rooms="$rooms src/runtime"
# shellcheck disable=SC2086
files=$(find $rooms \( -name '*.h' -o -name '*.cpp' \) ! -name '*_test*' | sort)
for target in wasm32 thumbv7em; do
  running=0
  for file in $files; do
    compile "$target" "$file" &
    running=$((running + 1))
    [ "$running" -lt 2 ] || { wait -n; running=$((running - 1)); }
  done
  while [ "$running" -gt 0 ]; do wait -n; running=$((running - 1)); done
  echo "check_freestanding: $target: $(wc -w <<<"$files") files, objects of $(cat "$out/$target"-*.o | wc -c) bytes"
done
