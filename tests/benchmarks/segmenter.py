"""What a segmenter costs in training and what it reaches, network beside network, in processor seconds.

    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/segmenter.py [--steps 6] [--rounds 2]
    OMP_NUM_THREADS=1 taskset -c 0 python tests/benchmarks/segmenter.py --workspace ws --seconds 90 [--seeds 2] ...

Without a workspace: seconds of a training step of each network (128 px, batch 16) in augkit's own loop, and how many
times as fast as the first it is. Each measurement is a process of its own; the networks take turns, and the ratios are
those of the medians.

With a workspace: each network is trained on the real training photos with every seed, for as many steps as it manages
in the given seconds by a probe of its own speed (or for ``--train-steps``), with the rest of ``segmenter.*`` as it is
by default; then the mean IoU over the held-out photos.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

NETWORKS = {
    "unet": [
        "segmenter.model=unet",
        "segmenter.batch=16",
        "segmenter.encoder_lr=1e-3",
        "segmenter.optim.lr=1e-3",
        "segmenter.ema=0.999",
    ],
    "fpn": ["segmenter.model=fpn"],
}
WARMUP = 2


def main() -> None:
    """Prints a line a network, or a line a training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=list(NETWORKS), action="append", help="all unless given")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=6, help="timed steps of a round")
    parser.add_argument("--workspace", type=Path, help="train to the end on its photos")
    parser.add_argument("--seconds", type=float, default=90.0, help="processor time of a training")
    parser.add_argument("--train-steps", type=int, help="steps of a training in place of seconds")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="as augkit takes it")
    parser.add_argument("--measure", nargs=2, metavar=("NETWORK", "WORKSPACE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    networks = args.network or list(NETWORKS)
    if args.measure:
        print(step_seconds(args.measure[0], Path(args.measure[1]), args.steps, ["segmenter.batch=16", *args.set]))
    elif args.workspace:
        for seed in range(args.seeds):
            for network in networks:
                print(train(network, args.workspace, seed, args), flush=True)
    else:
        compare(networks, args)


def compare(networks: list[str], args: argparse.Namespace) -> None:
    """Seconds of a step on rendered cars, in turns."""
    from step import draw_cars

    found: dict[str, list[float]] = {network: [] for network in networks}
    with tempfile.TemporaryDirectory() as folder:
        draw_cars(Path(folder))
        for _ in range(args.rounds):
            for network, seconds in found.items():
                changes = [word for change in args.set for word in ("--set", change)]
                command = [sys.executable, __file__, "--steps", str(args.steps), *changes]
                output = subprocess.run(
                    [*command, "--measure", network, folder], check=True, capture_output=True, text=True
                )
                seconds.append(float(output.stdout))
    first = statistics.median(found[networks[0]])
    for network, seconds in found.items():
        own = statistics.median(seconds)
        print(f"{network}: {own:.3f} s a step, {first / own:.2f} times as fast as {networks[0]}", flush=True)


def step_seconds(network: str, workspace: Path, steps: int, changes: list[str]) -> float:
    """Median processor seconds of a training step after the warm-up; batches are read beforehand."""
    from augkit.train.loop import fit
    from augkit.train.machine import accelerator

    backend = accelerator("auto")
    task, settings, _ = task_of(network, workspace, 0, changes)
    batches = list(batches_of(task, settings, 0, WARMUP + steps))
    taken = []
    for step, batch in batches:
        began = time.process_time()
        fit(task.game, [(step, batch)], [], backend)
        taken.append(time.process_time() - began)
    return statistics.median(taken[WARMUP:])


def train(network: str, workspace: Path, seed: int, args: argparse.Namespace) -> str:
    """One training and its figure, as a line."""
    from augkit.stages.segmenter import iou_by_part
    from augkit.train.hooks import Average
    from augkit.train.loop import fit
    from augkit.train.machine import accelerator

    backend = accelerator("auto")
    steps = args.train_steps
    if steps is None:
        task, settings, _ = task_of(network, workspace, seed, args.set)
        began = time.process_time()
        fit(task.game, batches_of(task, settings, seed, 8), [Average(task.learner, settings.ema)], backend)
        steps = max(1, round(args.seconds / (time.process_time() - began) * 8))
    task, settings, held = task_of(network, workspace, seed, [*args.set, f"segmenter.steps={steps}"])
    average = Average(task.learner, settings.ema)
    began = time.process_time()
    fit(task.game, batches_of(task, settings, seed, steps), [average], backend)
    seconds = time.process_time() - began
    figure = iou_by_part(average.network, *held)["mean"]
    return (
        f"{network}, seed {seed}: {steps} steps of {settings.batch}, {seconds:.0f} s, {seconds / steps:.3f} s a step, "
        f"mean IoU {100 * figure:.1f}"
    )


def task_of(network: str, workspace: Path, seed: int, changes: list[str]) -> Any:
    """The training, its settings, and the held-out pairs with their parts."""
    import torch
    from accelerate.utils import set_seed

    from augkit.core.parts import PartSchema
    from augkit.core.workspace import Workspace
    from augkit.data.catalogue import read_catalogue
    from augkit.settings import load_settings
    from augkit.stages.catalogue_pairs import CataloguePairs
    from augkit.stages.segmenter import ShardPairs, segmenter_task

    place = Workspace(workspace)
    settings = load_settings(None, ["segmenter.source=real", *NETWORKS[network], *changes]).segmenter
    rows, schema = read_catalogue(place.catalogue), PartSchema.load(place.schema)
    training, held = ([row for row in rows if (row.split == "train") is side] for side in (True, False))
    set_seed(seed)
    task = segmenter_task(place, CataloguePairs(place, training, schema), settings, torch.device("cpu"))
    pairs = ShardPairs(CataloguePairs(place, held, schema), settings.size, "none")
    for index in range(len(task.pairs)):
        task.pairs.plain(index)  # decoded before the clock runs
    return task, settings, ([pairs.plain(index) for index in range(len(held))], schema)


def batches_of(task: Any, settings: Any, seed: int, steps: int) -> Any:
    """The run's steps with their batches."""
    import torch

    from augkit.train.stream import ProcessShare, StreamPlan, stream

    plan = StreamPlan(steps, settings.batch, seed)
    return stream(task.pairs, plan, ProcessShare(), 1, 0, torch.device("cpu"), task.sampling)


if __name__ == "__main__":
    main()
