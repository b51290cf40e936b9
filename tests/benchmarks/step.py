"""Seconds of a D+G training step, augkit's loop against a plain fp32 loop over the same networks and batches.

    python tests/benchmarks/step.py [--rounds 3] [--steps 10] [--case ...] [--busy] [--peers | --compile]

Cases: stage I (deconvolution DCGAN, 128 px, batch 16) and stage II (pix2pixHD's global generator with 32 channels,
two-scale PatchGAN, LSGAN and feature matching, 256 px, batch 1), and both as they are by default. Each measurement is a
process of its own, since malloc settings hold for a process; the loops take turns, and the ratio is that of the
medians. Run it on an idle machine, or with ``--busy`` (processor time: not on a GPU, which all loops use where there is
one). Target: at least 2.3 on a CPU with AMX, 1.3 with AVX2 alone.

``--peers`` has another loop beside augkit's: the step of the DCGAN tutorial, and that of pix2pixHD as published
(``peers.py``). ``--compile`` has augkit's own step beside the same with G and D under ``torch.compile``, and says what
the first step costs, compiled afresh and from the cache of an earlier process, and after how many steps that is won
back.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
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
    "stage I as it is, VAE 64 px, batch 32": [],
    "stage II as it is, translator 128 px, batch 4": [],
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
    """Prints a line a case: seconds of both loops and their ratio; or what compiling costs and gains."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--case", choices=list(CASES), action="append", help="all of the kind unless given")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--peers", action="store_true", help="beside what others publish")
    kind.add_argument("--compile", action="store_true", help="augkit's own step beside the same compiled")
    parser.add_argument("--busy", action="store_true", help="count CPU seconds: the machine works for others, too")
    parser.add_argument("--measure", nargs=3, metavar=("LOOP", "CASE", "WORKSPACE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        clock = processor_seconds if args.busy else time.perf_counter
        print(*measure(args.measure[0], args.measure[1], Path(args.measure[2]), args.steps, clock))
        return
    with tempfile.TemporaryDirectory() as folder:
        draw_cars(Path(folder))
        for case in args.case or (PEERS if args.peers else [case for case in CASES if case not in PEERS]):
            (report_compiled if args.compile else report)(case, Path(folder), args)


def processor_seconds() -> float:
    """Of this process and of the compilers that it has started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(own.ru_utime + own.ru_stime for own in used)


def report(case: str, workspace: Path, args: argparse.Namespace) -> None:
    """Measures both loops in turns and prints the result."""
    other = "peer" if args.peers else "plain"
    seconds: dict[str, list[float]] = {other: [], "augkit": []}
    for _ in range(args.rounds):
        for loop, found in seconds.items():
            found.append(_measured(loop, case, workspace, args)[1])
    print(seconds, file=sys.stderr)
    theirs, own = (statistics.median(found) for found in seconds.values())
    name = PEERS[case] if args.peers else "plain fp32"
    print(f"{case}: {name} {theirs:.3f} s, augkit {own:.3f} s, {theirs / own:.2f} times as fast", flush=True)


def report_compiled(case: str, workspace: Path, args: argparse.Namespace) -> None:
    """Measures the step as it is and compiled, first without a cache, and prints the result."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        found = {
            loop: [_measured(loop, case, workspace, args) for _ in range(max(2, args.rounds))]
            for loop in ("augkit", "compiled")
        }
    own, compiled = (statistics.median(step for _, step in rounds) for rounds in found.values())
    eager, firsts = found["augkit"][0][0], [first for first, _ in found["compiled"]]
    waits = [first - eager for first in (firsts[0], min(firsts[1:]))]
    needed = [f"{math.ceil(wait / (own - compiled)):,}" if own > compiled else "no number of" for wait in waits]
    print(
        f"{case}: augkit {own:.3f} s, compiled {compiled:.3f} s, {own / compiled:.2f} times as fast; compiling takes "
        f"{waits[0]:.0f} s ({waits[1]:.0f} s from a cache), won back after {needed[0]} ({needed[1]}) steps",
        flush=True,
    )


def _measured(loop: str, case: str, workspace: Path, args: argparse.Namespace) -> tuple[float, float]:
    """What ``measure`` gives in a process of its own."""
    options = ["--steps", str(args.steps), *["--busy"] * args.busy]
    command = [sys.executable, __file__, *options, "--measure", loop, case, str(workspace)]
    first, step = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(first), float(step)


def draw_cars(folder: Path) -> None:
    """A workspace of 16 rendered cars at 256 px."""
    from augkit.core.workspace import Workspace
    from augkit.data.ingest.ingest_options import IngestOptions
    from augkit.data.ingest.ingestion import ingest
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import even_counts, rendered_samples

    samples, options = rendered_samples(even_counts(16), 256, 0), IngestOptions(val_share=0)
    ingest(samples, render_schema(), Workspace(folder), options, importer="render", settings="")


def measure(loop: str, case: str, workspace: Path, steps: int, clock: Callable[[], float]) -> tuple[float, float]:
    """Seconds of the first step, and the median of those after the warm-up."""
    import torch

    if torch.cuda.is_available():
        torch.set_default_device("cuda")  # what a tutorial's loop and a peer's make, too
    loops = {"plain": plain_step, "augkit": augkit_step, "peer": peer_step, "compiled": compiled_step}
    step = loops[loop](case, workspace)
    taken = []
    for _ in range(WARMUP + steps):
        began = clock()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(clock() - began)
    return taken[0], statistics.median(taken[WARMUP:])


def augkit_step(case: str, workspace: Path, compiled: bool = False) -> Callable[[], None]:
    """The product's own loop, one step a call, in the precision it chooses itself."""
    from augkit.train.loop import fit
    from augkit.train.machine import accelerator

    backend = accelerator("auto")
    game, batch = _game(case, workspace, backend.device)
    if compiled:
        _compile(game)
    return lambda: fit(game, [(1, batch)], [], backend)


def compiled_step(case: str, workspace: Path) -> Callable[[], None]:
    """The same with compiled networks."""
    return augkit_step(case, workspace, compiled=True)


def _compile(game) -> None:  # type: ignore[no-untyped-def]
    """D as a whole, and what the other players consist of: a network is called in several ways in a step."""
    import torch._dynamo

    torch._dynamo.config.recompile_limit = 32
    for player in dict.fromkeys(game.players):
        for network in [player.module] if player.name == "D" else player.module.children():
            network.compile(dynamic=False)


def peer_step(case: str, workspace: Path) -> Callable[[], None]:
    """What others publish, on as many photos of the same size."""
    del workspace
    sys.path.insert(0, str(Path(__file__).parent))
    import peers

    return {"DCGAN": peers.dcgan_step, "pix2pixHD": peers.pix2pixhd_step}[PEERS[case].split()[0]]()


def plain_step(case: str, workspace: Path) -> Callable[[], None]:
    """The loop that a tutorial shows: fp32, contiguous tensors, torch's layers and defaults, the same losses."""
    import torch

    game, batch = _game(case, workspace, torch.get_default_device())
    optimisers = {}
    for player in game.players:
        lay_plainly(player.module)
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


def lay_plainly(network) -> None:  # type: ignore[no-untyped-def]
    """Torch's own layers in the place of augkit's faster ones, which hold the same parameters."""
    import torch
    from torch.nn import functional

    from augkit.models.convolution import Convolution, Deconvolution
    from augkit.models.group_norm import PictureNorm
    from augkit.models.lite0 import HALF, Lite0Features
    from augkit.models.upsampled import UpsampledConvolution, UpsampledJoin

    class Upsampled(torch.nn.Conv2d):
        def forward(self, maps, *finer):  # type: ignore[no-untyped-def]
            return super().forward(torch.cat([functional.interpolate(maps, scale_factor=2.0), *finer], 1))

    plain = {
        Convolution: torch.nn.Conv2d, Deconvolution: torch.nn.ConvTranspose2d, PictureNorm: torch.nn.GroupNorm,
        UpsampledConvolution: Upsampled, UpsampledJoin: Upsampled,
    }  # fmt: skip
    Lite0Features.forward = lambda self, photos: self.network(photos * (HALF / 128))  # looked at each time, unfolded
    for layer in network.modules():
        layer.__class__ = plain.get(type(layer), type(layer))


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
    elif case.startswith("stage I ") or "DCGAN" in case:
        task, own = mask_task("bench", place, rows, schema, settings.mask, device), settings.mask
    else:
        task, own = image_task("bench", place, rows, schema, settings.image, device), settings.image
    _, batch = next(stream(task.pairs, StreamPlan(1, own.batch, 0), ProcessShare(), 1, 0, device))
    return task.game, batch


if __name__ == "__main__":
    main()
