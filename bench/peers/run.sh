#!/usr/bin/env bash
# The comparison with other frameworks, in a virtual environment outside the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${WEIR_PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/weir/peers}
build=${WEIR_BUILD:-build}
if ! cmp -s bench/peers/requirements.txt "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q -r bench/peers/requirements.txt
  cp bench/peers/requirements.txt "$venv/requirements.txt"
fi

worker() {  # NAME, then how to compile against the framework
  local source=bench/peers/$1_worker.cpp program=$build/peers/$1_worker
  if [ ! "$program" -nt "$source" ]; then
    mkdir -p "$build/peers"
    ${CXX:-g++} -O2 -std=c++20 "$source" -o "$program" "${@:2}"
  fi
}
packages=$(echo "$venv"/lib/python3*/site-packages)
torch=$packages/torch
worker libtorch -I"$torch/include" -I"$torch/include/torch/csrc/api/include" \
  -L"$torch/lib" -Wl,-rpath,"$torch/lib" -Wl,--as-needed -ltorch_cpu -ltorch -lc10
worker tensorflow_c -I"$packages/tensorflow/include" -L"$packages/tensorflow" \
  -Wl,-rpath,"$packages/tensorflow" -l:libtensorflow_cc.so.2 -l:libtensorflow_framework.so.2
exec "$venv/bin/python" bench/peers/run.py "$@"
