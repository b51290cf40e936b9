"""What a machine offers, and what follows from it for augkit."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.opened import Place, open_workspace
from augkit.api.shown import Shown
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from rich.console import RenderableType

FEATURES = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")
"""Of a processor: flags of /proc/cpuinfo that decide what is fast."""
PACKAGES = ("torch", "torchvision", "accelerate", "ray", "numpy", "pyarrow", "albumentations", "pydantic", "typer")
_GB = 1 << 30
_MEMORY, _SHARED, _DISK = 4 * _GB, _GB, 5 * _GB
"""Below these there is advice."""


@dataclass(frozen=True)
class MachineFact:
    """One thing that was looked at: what was found, and what to do about it; empty where all is well."""

    name: str
    found: str
    advice: str = ""


@dataclass(frozen=True)
class MachineReport(Shown):
    """All of them."""

    facts: Sequence[MachineFact]

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {fact.name: asdict(fact) for fact in self.facts}

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from rich.table import Table

        table = Table("what", "found", show_lines=False)
        for fact in self.facts:
            table.add_row(fact.name, fact.found + (f"\n[yellow]{fact.advice}[/yellow]" if fact.advice else ""))
        return table


@remote_workspaces()
def machine_report(workspace: Place) -> MachineReport:
    """Looks at this machine; ``workspace`` is the place whose disk is asked."""
    found = (_processor, _gpu, _memory, _shared_memory, _packages, _ray, _weights)
    return MachineReport([*(look() for look in found), _disk(open_workspace(workspace).root)])


def _processor() -> MachineFact:
    from augkit.balance.precision import choose
    from augkit.settings import default_preset

    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in lines.items()}
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    has = [feature for feature in FEATURES if feature in flags]
    name = facts.get("model name") or platform.processor() or platform.machine()
    threads = os.environ.get("OMP_NUM_THREADS")
    cores = f"{_cores()} cores" + (f", OMP_NUM_THREADS={threads}" if threads else "")
    precision = choose("auto", None)
    return MachineFact("processor", f"{name}, {cores}; {' '.join(has)}; {precision}; preset {default_preset()}")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpu() -> MachineFact:
    import torch

    if torch.cuda.is_available():
        found = [_describe_gpu(torch.cuda.get_device_properties(number)) for number in range(torch.cuda.device_count())]
        bf16 = "bf16" if torch.cuda.is_bf16_supported() else "fp32, no bf16"
        return MachineFact("GPU", f"{', '.join(found)}; trains in {bf16}")
    if Path("/proc/driver/nvidia/version").exists():
        build = torch.version.cuda or "without CUDA"
        return MachineFact("GPU", "there is a driver, but torch sees none", f"torch is built {build}: install another")
    return MachineFact("GPU", "none: the CPU computes")


def _describe_gpu(properties: Any) -> str:
    return f"{properties.name}, {properties.total_memory / _GB:.0f} GB"


def _memory() -> MachineFact:
    import psutil

    memory = psutil.virtual_memory()
    limit = min([memory.total, *_limits()])
    found = f"{limit / _GB:.1f} GB, {min(memory.available, limit) / _GB:.1f} GB free"
    return MachineFact("memory", found, "" if limit >= _MEMORY else "little: --config quick, balance.workers=1")


def _limits() -> Iterator[int]:
    """What a container may use, where it is limited."""
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if Path(file).is_file() and (text := Path(file).read_text().strip()).isdigit():
            yield int(text)


def _shared_memory() -> MachineFact:
    place = Path("/dev/shm")
    if not place.is_dir():
        return MachineFact("/dev/shm", "none")
    advice = "small for Ray and for loading processes: docker run --shm-size=2g, or --executor local"
    usage = shutil.disk_usage(place)
    return MachineFact("/dev/shm", f"{usage.free / _GB:.1f} GB free", "" if usage.free >= _SHARED else advice)


def _disk(root: Path) -> MachineFact:
    place = next(folder for folder in (root.absolute(), *root.absolute().parents) if folder.exists())
    usage = shutil.disk_usage(place)
    advice = "" if usage.free >= _DISK else "little: models, samples and shards take a few GB"
    if not os.access(place, os.W_OK):
        advice = "it cannot be written: choose another --workspace"
    return MachineFact("disk", f"{usage.free / _GB:.0f} GB free at {place}", advice)


def _packages() -> MachineFact:
    found, lacking = _versions()
    listed = ", ".join(f"{name} {version}" for name, version in found.items())
    advice = f"pip install {' '.join(lacking)}" if lacking else ""
    return MachineFact("packages", f"Python {platform.python_version()}, {listed}", advice)


def _versions() -> tuple[Mapping[str, str], Sequence[str]]:
    """Those that are installed, and those that are not."""
    found, lacking = {}, []
    for name in ("augkit", *PACKAGES):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            lacking.append(name)
    return found, [name for name in lacking if name != "augkit"]  # which runs from its folder, too


def _ray() -> MachineFact:
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        return MachineFact("Ray", "a cluster of this machine alone for each run, with a token of its own")
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", Path.home() / ".ray" / "auth_token"))
    token = bool(os.environ.get("RAY_AUTH_TOKEN")) or file.is_file()
    mode = os.environ.get("RAY_AUTH_MODE") or "not set"
    told = f"the cluster at {address}; RAY_AUTH_MODE {mode}, {'a' if token else 'no'} token here"
    lacks = "a token is asked for and there is none: RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH"
    unused = "there is a token, but nobody is asked for it: RAY_AUTH_MODE=token"
    advice = lacks if mode == "token" and not token else unused if token and mode != "token" else ""
    return MachineFact("Ray", told, advice)


def _weights() -> MachineFact:
    import torch

    from augkit.models.extractors import INCEPTION_FILE
    from augkit.models.vgg import WEIGHTS_FILE

    folder = Path(torch.hub.get_dir()) / "checkpoints"
    files = {"vgg19": WEIGHTS_FILE, "inception": INCEPTION_FILE, "Mask R-CNN": "maskrcnn_resnet50_fpn_v2_coco-*.pth"}
    here = ["lite0 (in its package)", *(name for name, file in files.items() if any(folder.glob(file)))]
    absent = [name for name in files if name not in here]
    return MachineFact("weights", f"{', '.join(here)}; downloaded when first used: {', '.join(absent) or 'none'}")
