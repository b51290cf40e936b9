"""What averaging gradients over processes costs, beside the step that they come of.

    ACCELERATE_USE_CPU=true torchrun --standalone --nproc_per_node 2 tests/benchmarks/averaging.py [--steps 10]

Two processes on one machine: without a network between them, so a bound from below. Each model is a segmenter at 128 px
with ``--batch`` photos a process. Printed are the medians of forward and backward pass, of the averaging alone, and the
share of the averaging in both. The processes wait for each other before each averaging, so that it counts no waiting.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from augkit.gan.players import average_gradients
from augkit.stages.segmenter import build_segmenter
from augkit.train.machine import accelerator

CHANNELS, SIZE = 20, 128


def main() -> None:
    """Prints a line a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--models", nargs="+", default=["fpn", "unet", "fcn-resnet50"])
    asked = parser.parse_args()
    backend = accelerator("auto")
    if backend.num_processes < 2:
        parser.error("one process averages nothing: torchrun --standalone --nproc_per_node 2 ...")
    for model in asked.models:
        network = build_segmenter(model, {"pretrained": False}, CHANNELS, SIZE).to(backend.device)
        photos = torch.randn(asked.batch, 3, SIZE, SIZE, device=backend.device)
        parameters, passes, averagings = list(network.parameters()), list[float](), list[float]()
        for _ in range(asked.steps + 2):
            began = time.perf_counter()
            with backend.autocast():
                loss = network(photos).float().square().mean()
            backend.backward(loss)
            backend.wait_for_everyone()
            averaging = time.perf_counter()
            average_gradients(parameters, backend)
            averagings.append(time.perf_counter() - averaging)
            passes.append(averaging - began)
            network.zero_grad(set_to_none=True)
        step, own = (statistics.median(seconds[2:]) for seconds in (passes, averagings))  # the first two allocate
        count = sum(parameter.numel() for parameter in parameters) / 1e6
        backend.print(
            f"{model}, {count:.1f} M parameters, {backend.num_processes} processes: forward and backward {step:.3f} s, "
            f"averaging {own:.3f} s, {own / (step + own):.1%} of both"
        )


if __name__ == "__main__":
    main()
