#!/usr/bin/env bash
# What labels are worth with rendered cars beside them, with many seeds: at most 10 minutes of one GPU.
#
#     tests/gpu/utility.sh SRC [OUT]        # SRC: COCO with part masks
#     TINY=1 tests/gpu/utility.sh           # rendered cars, a few steps, on any processor: whether it runs at all
#
# Trainings that are done are kept in OUT/ws: the same command goes on.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=${2:-${OUT:-gpu-utility}} python=${PYTHON:-.venv/bin/python}
arms=real+classical,real+classical+rendered
if [[ -n ${TINY:-} ]]; then
    seconds=600 seeds=1 jobs=2 labels=16 settings=(--config smoke --steps 2 --set segmenter.rendered_steps=2)
    import=(render --count 60 --config smoke --set data.test_share=0.2)
else
    seconds=570 seeds=8 jobs=16 labels=16,32,64,128,all settings=(--config gpu --steps 1200 --set segmenter.augment=strong)
    import=(import coco "$1" --config gpu --set data.test_share=0.25 --set data.val_share=0.1)
fi
[[ -f $out/ws/catalogue.parquet ]] || "$python" -m augkit "${import[@]}" --workspace "$out/ws"
timeout --foreground -s INT "$seconds" "$python" -m augkit evaluate utility --workspace "$out/ws" \
    --labels "$labels" --arms "$arms" --seeds "$seeds" --jobs "$jobs" "${settings[@]}"
cp "$out"/ws/reports/utility-labels.* "$out"
