"""Seconds of a D+G training step, augkit's loop against a plain fp32 loop over the same networks and batches.

    python tests/benchmarks/step.py [--rounds 3] [--steps 10] [--case ...] [--busy]

Cases: stage I (deconvolution DCGAN, 128 px, batch 16) and stage II (pix2pixHD's global generator with 32 channels,
two-scale PatchGAN, LSGAN and feature matching, 256 px, batch 1). Each measurement is a process of its own, since
malloc settings hold for a process; the loops take turns, and the ratio is that of the medians. Run it on an idle
machine, or with ``--busy`` (processor time: not on a GPU, which all loops use where there is one). Target: at least 2.2
at 256 px on a CPU with AMX or AVX512-BF16.

``--peers`` has another loop beside augkit's: the step of the DCGAN tutorial, and that of pix2pixHD as published
(``peers.py``).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CASES = {
    "stage I, DCGAN 128 px, batch 16": ["mask.model=dcgan-deconvolution", "mask.size=128", "mask.batch=16"],
    "stage II, pix2pixHD 256 px, batch 1": [
        "image.model=pix2pixhd-global",
        "image.options={base: 32}",
        "image.discriminator={base: 64, norm: instance}",
        "image.adversarial=lsgan",
        "image.size=256",
        "image.batch=1",
        "image.perceptual=0",
        "image.l1=0",
        "image.feature_matching=10",
        "image.adversarial_weight=1",
    ],
    "photos, DCGAN 128 px, batch 16": [
        "unconditional.model=dcgan-deconvolution", "unconditional.size=128", "unconditional.batch=16",
        "unconditional.condition=none",
    ],
    "photos, pix2pixHD 256 px, batch 1": [
        "image.model=pix2pixhd-global", "image.options={base: 32}",
        "image.discriminator={base: 64, scales: 2, norm: instance}", "image.adversarial=lsgan", "image.size=256",
        "image.batch=1", "image.conditioning=[]", "image.repair=false", "image.perceptual=5", "image.l1=0",
        "image.feature_matching=20", "image.adversarial_weight=1",
    ],
}  # fmt: skip
PEERS = {
    "photos, DCGAN 128 px, batch 16": "DCGAN tutorial",
    "photos, pix2pixHD 256 px, batch 1": "pix2pixHD as published",
}
WARMUP = 4


def main() -> None:
    """Prints a line a case: seconds of both loops and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--case", choices=list(CASES), action="append", help="both unless given")
    parser.add_argument("--peers", action="store_true", help="beside what others publish")
    parser.add_argument("--busy", action="store_true", help="count CPU seconds: the machine works for others, too")
    parser.add_argument("--measure", nargs=3, metavar=("LOOP", "CASE", "WORKSPACE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        clock = time.process_time if args.busy else time.perf_counter
        print(measure(args.measure[0], args.measure[1], Path(args.measure[2]), args.steps, clock))
        return
    with tempfile.TemporaryDirectory() as folder:
        draw_cars(Path(folder))
        for case in args.case or (PEERS if args.peers else CASES):
            report(case, Path(folder), args)


def report(case: str, workspace: Path, args: argparse.Namespace) -> None:
    """Measures both loops in turns and prints the result."""
    other = "peer" if args.peers else "plain"
    seconds: dict[str, list[float]] = {other: [], "augkit": []}
    options = ["--steps", str(args.steps), *["--busy"] * args.busy]
    for _ in range(args.rounds):
        for loop, found in seconds.items():
            command = [sys.executable, __file__, *options, "--measure", loop, case, str(workspace)]
            found.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    print(seconds, file=sys.stderr)
    theirs, own = (statistics.median(found) for found in seconds.values())
    name = PEERS[case] if args.peers else "plain fp32"
    print(f"{case}: {name} {theirs:.3f} s, augkit {own:.3f} s, {theirs / own:.2f} times as fast", flush=True)


def draw_cars(folder: Path) -> None:
    """A workspace of 16 rendered cars at 256 px."""
    from augkit.core.workspace import Workspace
    from augkit.data.ingest.ingest_options import IngestOptions
    from augkit.data.ingest.ingestion import ingest
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import even_counts, rendered_samples

    samples, options = rendered_samples(even_counts(16), 256, 0), IngestOptions(val_share=0)
    ingest(samples, render_schema(), Workspace(folder), options, importer="render", settings="")


def measure(loop: str, case: str, workspace: Path, steps: int, clock: Callable[[], float]) -> float:
    """Median seconds of a step after the warm-up."""
    import torch

    if torch.cuda.is_available():
        torch.set_default_device("cuda")  # what a tutorial's loop and a peer's make, too
    step = {"plain": plain_step, "augkit": augkit_step, "peer": peer_step}[loop](case, workspace)
    taken = []
    for _ in range(WARMUP + steps):
        began = clock()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(clock() - began)
    return statistics.median(taken[WARMUP:])


def augkit_step(case: str, workspace: Path) -> Callable[[], None]:
    """The product's own loop, one step a call, in the precision it chooses itself."""
    from augkit.train.loop import fit
    from augkit.train.machine import accelerator

    backend = accelerator("auto")
    game, batch = _game(case, workspace, backend.device)
    return lambda: fit(game, [(1, batch)], [], backend)


def peer_step(case: str, workspace: Path) -> Callable[[], None]:
    """What others publish, on as many photos of the same size."""
    del workspace
    sys.path.insert(0, str(Path(__file__).parent))
    import peers

    return {"DCGAN": peers.dcgan_step, "pix2pixHD": peers.pix2pixhd_step}[PEERS[case].split()[0]]()


def plain_step(case: str, workspace: Path) -> Callable[[], None]:
    """The loop that a tutorial shows: fp32, contiguous tensors, torch's defaults, the same losses."""
    import torch

    game, batch = _game(case, workspace, torch.get_default_device())
    optimisers = {}
    for player in game.players:
        player.module.to(memory_format=torch.contiguous_format)
        optimisers[player.name] = torch.optim.Adam(player.parameters, 2e-4, (0.5, 0.999))

    def step() -> None:
        for player in game.players:
            with game.turn(player):
                losses = player.evaluate(game.forward(player, batch), 1)
                optimisers[player.name].zero_grad()
                sum(losses.values()).backward()
                optimisers[player.name].step()

    return step


def _game(case: str, workspace: Path, device):  # type: ignore[no-untyped-def]
    """The case's game and one batch."""
    from augkit.core.parts import PartSchema
    from augkit.core.workspace import Workspace
    from augkit.data.catalogue import TrainingRows, read_catalogue
    from augkit.settings import load_settings
    from augkit.stages.image import image_task
    from augkit.stages.mask import mask_task
    from augkit.stages.unconditional import unconditional_task
    from augkit.train.stream import ProcessShare, StreamPlan, stream

    place = Workspace(workspace)
    settings = load_settings(None, CASES[case])
    rows, schema = TrainingRows.of(read_catalogue(place.catalogue)), PartSchema.load(place.schema)
    if "photos, DCGAN" in case:
        own = settings.unconditional
        task = unconditional_task("bench", place, rows, schema, own, device)
    elif "DCGAN" in case:
        task, own = mask_task("bench", place, rows, schema, settings.mask, device), settings.mask
    else:
        task, own = image_task("bench", place, rows, schema, settings.image, device), settings.image
    _, batch = next(stream(task.pairs, StreamPlan(1, own.batch, 0), ProcessShare(), 1, 0, device))
    return task.game, batch


if __name__ == "__main__":
    main()
