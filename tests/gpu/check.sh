#!/usr/bin/env bash
# Does generation run on a GPU, how fast is it, and do two workers share one: at most 8 minutes.
#
#     tests/gpu/check.sh [OUT]
#     TINY=1 tests/gpu/check.sh             # on any processor: whether it runs at all
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${1:-${OUT:-gpu-check}} python=${PYTHON:-.venv/bin/python}
if [[ -n ${TINY:-} ]]; then
    device=cpu config=smoke count=40 target=8 changes=() generation=(--rounds 1 --calls 1 --batch 2)
else
    device=cuda config=gpu count=160 target=60 changes=(--set mask.steps=300 --set image.steps=100)
    generation=(--rounds 2 --calls 8 --batch 8)
    nvidia-smi
fi
mkdir -p "$out"
"$python" -m augkit doctor | tee "$out/doctor.txt"
"$python" tests/benchmarks/generation.py "${generation[@]}" | tee "$out/generation.txt"
[[ -f $out/ws/catalogue.parquet ]] || "$python" -m augkit render --count "$count" --lopsided --workspace "$out/ws" --config "$config"
balance=("$python" -m augkit balance --workspace "$out/ws" --config "$config" --target-per-class "$target"
    --set balance.device="$device" "${changes[@]}")
time "${balance[@]}" --executor local
cp -r "$out/ws/shards" "$out/alone"
[[ $device == cpu ]] || changes+=(--set balance.gpus_per_worker=0.5)
time "${balance[@]}" --executor ray --set balance.workers=2 --fresh "${changes[@]}"
cmp "$out"/alone/shard-000000.tar "$out"/ws/shards/shard-000000.tar && echo "two workers wrote the bytes of one process"
"$python" -m augkit verify --workspace "$out/ws"
