#!/usr/bin/env bash
# Compiles base, runtime, platform and kernels for aarch64 with Debian's cross compiler. With --run,
# for whoever has the packages qemu-user and googletest: builds the tests of kernels/scalar and
# kernels/cpu as well, and runs them in the emulator.
set -euo pipefail
cd "$(dirname "$0")/.."
export CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++
command -v $CXX >/dev/null || { echo "check_aarch64: no $CXX (package g++-aarch64-linux-gnu)" >&2; exit 1; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
gtest=/usr/src/googletest/googletest
common="-O1 -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Iinclude -Isrc"
places=(-DWEIR_VERSION='""' -DWEIR_SOURCE_DATA_DIR='""' -DWEIR_INSTALL_DATA_DIR='""')

compile() {  # FOLDER ISA FILE
  # shellcheck disable=SC2086
  $CXX -std=c++20 $common -Werror -Wno-restrict -isystem $gtest/include "${places[@]}" \
    -DWEIR_ISA="$2" -c "$3" -o "$out/$1/${3//\//_}.o" ||
    { echo "check_aarch64: $3 fails" >&2; return 1; }
}
compile_all() {  # FOLDER ISA FILE...
  local folder=$1 isa=$2 file running=0
  shift 2
  mkdir -p "$out/$folder"
  for file; do
    compile "$folder" "$isa" "$file" &
    running=$((running + 1))
    [ "$running" -lt 2 ] || { wait -n; running=$((running - 1)); }
  done
  while [ "$running" -gt 0 ]; do wait -n; running=$((running - 1)); done
}
sources() { find "$@" -name '*.cpp' ! -name '*_test.cpp' ! -name '*_for_test.cpp' ! -name 'fake_*' | sort; }

# shellcheck disable=SC2046
compile_all rooms baseline $(sources src/base src/runtime src/platform src/kernels/cpu)
# shellcheck disable=SC2046
compile_all rooms ref $(sources src/kernels/ref)
compile_all select none src/kernels/select.cpp
echo "check_aarch64: $(find "$out" -name '*.o' | wc -l) objects"
[ "${1:-}" = --run ] || exit 0

run() {  # NAME ISA FILE...
  compile_all "$@"
  $CXX "$out/$1"/*.o "$out"/rooms/*.o "$out"/gtest/*.o -pthread -ldl -o "$out/$1.bin"
  qemu-aarch64 -L /usr/aarch64-linux-gnu "$out/$1.bin" --gtest_brief=1
}
mkdir "$out/gtest"
for file in gtest-all gtest_main; do
  $CXX -std=c++20 -O1 -I$gtest/include -I$gtest -c $gtest/src/$file.cc -o "$out/gtest/$file.o"
done
mkdir "$out/scalar"
# shellcheck disable=SC2086
$CC -std=c99 $common -c src/kernels/scalar/c99_test.c -o "$out/scalar/c99.o"
run scalar baseline src/kernels/scalar/*_test.cpp
run cpu baseline src/kernels/cpu/*_test.cpp
