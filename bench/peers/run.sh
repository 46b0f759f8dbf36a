#!/usr/bin/env bash
# The comparison with other frameworks, in a virtual environment outside the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${WEIR_PEERS_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/weir/peers}
if ! cmp -s bench/peers/requirements.txt "$venv/requirements.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q -r bench/peers/requirements.txt
  cp bench/peers/requirements.txt "$venv/requirements.txt"
fi
exec "$venv/bin/python" bench/peers/run.py "$@"
