#!/usr/bin/env bash
# Training steps on a GPU beside the plain fp32 loop and beside the peers' published steps: at most 5 minutes.
#
#     tests/gpu/step.sh [OUT]
#     TINY=1 tests/gpu/step.sh              # on any processor: whether it runs at all
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-${OUT:-gpu-step}} python=${PYTHON:-.venv/bin/python}
length=(--rounds 3 --steps 20)
[[ -z ${TINY:-} ]] || length=(--rounds 1 --steps 1 --busy)
mkdir -p "$out"
"$python" tests/benchmarks/step.py "${length[@]}" | tee "$out/step.txt"
"$python" tests/benchmarks/step.py "${length[@]}" --peers | tee "$out/peers.txt"
