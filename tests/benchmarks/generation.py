"""Photos a second of stage II on a CPU, augkit's path against plain fp32 code; and whether its memory grows.

    python tests/benchmarks/generation.py [--rounds 3] [--calls 6] [--case ...] [--batch 8] [--threads 1] [--compile]
    python tests/benchmarks/generation.py --growth 2000 [--size 64]

Cases: pix2pixHD's global generator (32 channels, 256 px) and the translator that is the default (128 px). Each
measurement is a process of its own, since malloc settings hold for a process; the two paths take turns, and the ratio
is that of the medians over all calls. Networks have random weights, cars are rendered. Target: at least 5 at batch 8
on a CPU with AMX. Workers of ``augkit balance`` paint one photo at a time: batch 1.

``--compile`` has augkit's path beside the same with G under ``torch.compile``, its weights frozen, and says what the
first call costs, compiled afresh and from the cache of an earlier process, and after how many photos that is won back.

``--growth`` paints so many photos as a worker does (exemplar drawn and laid, G, JPEG) and prints the process's
resident memory on the way. Target: none after the first quarter.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CASES = {
    "pix2pixhd": ["image.model=pix2pixhd-global", "image.options={base: 32}", "image.size=256"],
    "translator": ["image.model=translator", "image.size=128"],
}
CARS = 16
WARMUP = 2
POINTS = 8


def main() -> None:
    """Prints the processor, the choice, and a line for each case and batch; or the memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=6, help="timed calls of a round")
    parser.add_argument("--case", choices=list(CASES), action="append", help="both unless given")
    parser.add_argument("--batch", type=int, action="append", help="8 and 1 unless given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--busy", action="store_true", help="count CPU seconds: the machine works for others, too")
    parser.add_argument("--compile", action="store_true", help="augkit's own path beside the same compiled")
    parser.add_argument("--growth", type=int, metavar="PHOTOS")
    parser.add_argument("--size", type=int, default=128, help="of the photos of --growth, px")
    parser.add_argument("--measure", nargs=3, metavar=("PATH", "CASE", "BATCH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        from step import processor_seconds

        print(*measure(args.measure, args.calls, args.threads, processor_seconds if args.busy else time.perf_counter))
        return
    print(processor())
    if args.growth:
        growth(args.growth, args.size, args.threads)
        return
    for case in args.case or CASES:
        for batch in args.batch or (8, 1):
            (report_compiled if args.compile else report)(case, batch, args)


def processor() -> str:
    """The CPU, what of its features matters here, and what augkit chooses for it."""
    from augkit.balance.precision import choose

    known = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in known.items()}
    wanted = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
    features = [name for name in wanted if name in facts.get("flags", "").split()]
    return f"{facts.get('model name', 'unknown processor')} ({' '.join(features)}); {choose('auto', None)}"


def report(case: str, batch: int, args: argparse.Namespace) -> None:
    """Measures both paths in turns and prints the result."""
    seconds: dict[str, list[float]] = {"plain": [], "augkit": []}
    for _ in range(args.rounds):
        for path, found in seconds.items():
            found.extend(_measured(path, case, batch, args)[1:])
    plain, own = (batch / statistics.median(found) for found in seconds.values())
    print(f"{case}, batch {batch}: plain fp32 {plain:.2f}/s, augkit {own:.2f}/s, {own / plain:.2f} times", flush=True)


def report_compiled(case: str, batch: int, args: argparse.Namespace) -> None:
    """Measures the path as it is and compiled, first without a cache, and prints the result."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = cache
        found = {
            path: [_measured(path, case, batch, args) for _ in range(max(2, args.rounds))]
            for path in ("augkit", "compiled")
        }
    timed = ([call for calls in rounds for call in calls[1:]] for rounds in found.values())
    own, compiled = (statistics.median(calls) / batch for calls in timed)
    eager, firsts = found["augkit"][0][0], [calls[0] for calls in found["compiled"]]
    waits = [first - eager for first in (firsts[0], min(firsts[1:]))]
    needed = [f"{math.ceil(wait / (own - compiled)):,}" if own > compiled else "no number of" for wait in waits]
    print(
        f"{case}, batch {batch}: augkit {1 / own:.2f}/s, compiled {1 / compiled:.2f}/s, {own / compiled:.2f} times; "
        f"compiling takes {waits[0]:.0f} s ({waits[1]:.0f} s from a cache), won back after {needed[0]} ({needed[1]}) "
        "photos",
        flush=True,
    )


def _measured(path: str, case: str, batch: int, args: argparse.Namespace) -> list[float]:
    """What ``measure`` gives in a process of its own."""
    options = ["--calls", str(args.calls), "--threads", str(args.threads), *["--busy"] * args.busy]
    command = [sys.executable, __file__, *options, "--measure", path, case, str(batch)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in output.split()]


def measure(what: list[str], calls: int, threads: int, clock: Callable[[], float]) -> list[float]:
    """Seconds of the first call, and of those after the warm-up; ``what`` is the path, the case and the batch."""
    import torch

    torch.set_num_threads(threads)
    paths = {"plain": plain_call, "augkit": augkit_call, "compiled": compiled_call}
    call = paths[what[0]](what[1], int(what[2]))
    taken = []
    for _ in range(WARMUP + calls):
        began = clock()
        call()
        taken.append(clock() - began)
    return [taken[0], *taken[WARMUP:]]


def augkit_call(case: str, batch: int, compiled: bool = False) -> Callable[[], object]:
    """A worker's own path, from laid sources to photos, in the precision it chooses itself."""
    from augkit.balance.precision import choose
    from augkit.core.memory import keep_freed_memory

    keep_freed_memory()
    sampler, cars = sampler_of(CASES[case])
    sampler = sampler.ready(choose("auto", None).precision)
    if compiled:
        sampler.requires_grad_(False).painter.generator.compile(dynamic=False, options={"freezing": True})
    masks, warped = _inputs(cars, batch)
    return lambda: sampler.repaint(masks, warped, list(range(batch)))


def compiled_call(case: str, batch: int) -> Callable[[], object]:
    """The same with G compiled, its weights taken for constants."""
    return augkit_call(case, batch, compiled=True)


def plain_call(case: str, batch: int) -> Callable[[], object]:
    """What a tutorial shows: fp32, contiguous tensors, torch's layers and defaults, the same network and inputs."""
    import torch
    from step import lay_plainly

    from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
    from augkit.gan.label_map import label_map
    from augkit.gan.samplers import to_pixels

    sampler, cars = sampler_of(CASES[case])
    painter = sampler.painter.eval()
    lay_plainly(painter)
    masks, warped = _inputs(cars, batch)

    def call() -> object:
        with torch.no_grad():
            conditioning = Conditioning(
                torch.from_numpy(masks).long(),
                WarpedExemplars.stack(warped),
                lambda name, *shape: torch.randn(batch, *shape),
            )
            conditioners = [conditioner(conditioning) for conditioner in painter.guides]
            photos = painter.generator(
                torch.cat([label_map(conditioning.masks, painter.parts), *conditioners], 1).contiguous()
            )
            return to_pixels((conditioning.exemplars.photos + photos).clamp(-1, 1) if painter.repair else photos)

    return call


def growth(photos: int, size: int, threads: int) -> None:
    """Paints as a worker does; prints resident memory at ``POINTS`` points."""
    import psutil
    import torch

    from augkit.balance.precision import choose
    from augkit.core.memory import keep_freed_memory
    from augkit.shards.codec import encode_photo

    torch.set_num_threads(threads)
    keep_freed_memory()
    sampler, cars = sampler_of([f"image.size={size}"])
    sampler, process, began = sampler.ready(choose("auto", None).precision), psutil.Process(), time.perf_counter()
    resident = []
    for number in range(photos):
        car = cars[number % len(cars)]
        encode_photo(sampler.paint(car.mask[None], car.car_class, [number]).photos[0])
        if (number + 1) * POINTS % photos < POINTS:
            gc.collect()
            resident.append(process.memory_info().rss / 2**20)
            print(f"{number + 1} photos of {size} px: {resident[-1]:.1f} MiB", flush=True)
    quarter = resident[len(resident) // 4 - 1]
    seconds = time.perf_counter() - began
    print(f"growth over the last three quarters: {resident[-1] - quarter:+.1f} MiB, in {seconds:.0f} s")


def sampler_of(changes: list[str]):  # type: ignore[no-untyped-def]
    """A painter with random weights and its bank of rendered cars, and these cars."""
    import torch

    from augkit.data.pair import Pair
    from augkit.gan.exemplars import ExemplarBank
    from augkit.gan.photo_sampler import PhotoSampler
    from augkit.settings import load_settings
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import even_counts, rendered_sample
    from augkit.stages.image import build_painter

    settings, schema = load_settings(None, changes).image, render_schema()
    torch.manual_seed(0)
    painter = build_painter(settings.description(), schema.channels)
    cars = []
    for car_class, count in even_counts(CARS).items():
        for number in range(count):
            sample = rendered_sample(car_class, number, settings.size, 0)
            cars.append(Pair(sample.photo, sample.mask, car_class).resize(settings.size))
    return PhotoSampler(painter, ExemplarBank.of(cars, [f"car-{n}" for n in range(len(cars))], schema)), cars


def _inputs(cars, batch: int):  # type: ignore[no-untyped-def]
    """Masks of the first cars, each with its own photo lying on it."""
    import numpy as np

    from augkit.data.warp.part_warp import WarpedPhoto

    chosen = cars[:batch]
    masks = np.stack([car.mask for car in chosen])
    sure = np.ones(masks[0].shape, np.float32)
    return masks, [WarpedPhoto(car.photo, sure > 0, sure) for car in chosen]


if __name__ == "__main__":
    main()
