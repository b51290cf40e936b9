"""What is made and tried, by family: each gives an input by its number, the same for the same seed."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from augkit.cli._app import ORDER, app, load_commands, run
from augkit.core.errors import AugkitError
from augkit.core.presets import preset_folders
from augkit.data.importers import IMPORTERS
from augkit.settings import Settings
from augkit.shards.seal import BLANK, sealed
from tests.fuzz.damage import VALUES, YAML, damage
from tests.fuzz.trial import Act

TINY = (
    "--config", "smoke", "--set", "data.size=32", "--set", "mask.steps=2", "--set", "image.steps=2",
    "--set", "mask.size=32", "--set", "image.size=32", "--set", "gate.checks=[]", "--set", "balance.shard_size=4",
)  # fmt: skip

Make = Callable[[random.Random, Path], Act]
"""From chances and the undamaged workspace to what is tried."""


def build_base(folder: Path) -> int:
    """The undamaged workspace: eight cars, both stages, shards, a report, silhouettes."""
    ws = ("-w", str(folder))
    commands = (
        ("render", "--class", "front-left-5=5", "--class", "back-right-3=4", *TINY, *ws),
        ("audit", *ws), ("silhouettes", "--method", "grabcut", *ws),
        ("balance", "--executor", "local", "--target-per-class", "5", "--only", "front-left-5", *TINY, *ws),
        ("report", *ws),
    )  # fmt: skip
    for command in commands:
        code = run(list(command))
        if code not in (0, 4):  # two steps teach little: part of the target may be missing
            return code
    return 0


def importers(chances: random.Random, base: Path) -> Act:
    """A data set of one importer with one or two damaged files, or names that the importer is given."""
    del base
    name, seed = chances.choice(sorted(IMPORTERS)), chances.random()

    def act(folder: Path) -> int:
        own = random.Random(seed)
        source = import_module(f"tests.data.importers.makers.{name.replace('-', '_')}").make(folder / "set", 2)
        files = sorted(path for path in source.rglob("*") if path.is_file())
        for path in own.sample(files, min(len(files), own.randint(1, 2))):
            damage(path, own)
        return run(["import", name, str(source), "-w", "ws", "--config", "smoke", "--size", "32"])

    return act


def settings(chances: random.Random, base: Path) -> Act:
    """A hostile value for a setting, on the command line or in a file."""
    del base
    key, value = chances.choice(_keys()), chances.choice((*YAML, *map(str, VALUES)))
    in_file = chances.random() < 0.4

    def act(folder: Path) -> int:
        if not in_file:
            return run(["config", "show", "--set", f"{key}={value}"])
        text = json.dumps({}) if not key else "".join(f"{'  ' * n}{k}:\n" for n, k in enumerate(key.split(".")))
        (folder / "own.yaml").write_text(f"{text.rstrip()} {value}\n", errors="replace")
        return run(["config", "show", "--config", "own.yaml"])

    return act


def workspace(chances: random.Random, base: Path) -> Act:
    """A damaged file of a workspace, and a verb that reads it."""
    files = ["catalogue.parquet", "parts.json", "augkit.yaml", "silhouettes.parquet", "reports/audit.json",
             "pairs/*.jpg", "pairs/*.mask.png", "silhouettes/*.png", "catalogue.parquet", "parts.json"]  # fmt: skip
    verbs = (
        ["classes"], ["audit"], ["silhouettes", "--method", "grabcut"], ["report"], ["verify"],
        ["balance", "--dry-run", "--executor", "local"], ["augment", "--per-class", "6", "--dry-run"],
    )  # fmt: skip
    return _damaged(base, chances, files, verbs)


def shards(chances: random.Random, base: Path) -> Act:
    """A damaged file of the shards, whose checksums are made again, and who reads it."""
    files = ["shards/index.parquet", "shards/manifest.json", "shards/plan.json", "shards/*.tar",
             "shards/commits/*.parquet", "shards/index.parquet", "shards/manifest.json"]  # fmt: skip
    verbs = (["verify"], ["report"], ["balance", "--dry-run", "--executor", "local"], ["read"], ["view", "--json"])
    return _damaged(base, chances, files, verbs)


def checkpoints(chances: random.Random, base: Path) -> Act:
    """A damaged file of a model, and who loads it."""
    files = [f"models/*/all/{name}" for name in ("config.json", "model.safetensors", "checkpoint.safetensors",
                                                 "config.json", "metrics.jsonl")]  # fmt: skip
    verbs = (
        ["balance", "--dry-run", "--executor", "local"], ["report"], ["train", "mask", "--resume", *TINY],
        ["evaluate", "masks", *TINY],
    )  # fmt: skip
    return _damaged(base, chances, files, verbs)


def arguments(chances: random.Random, base: Path) -> Act:
    """A command line with words that nobody would write."""
    words, command = chances.choice(sorted(_commands().items()))
    hostile = [str(value).replace("\0", "") for value in VALUES] + [
        "--",
        "-w",
        "~nobody/x",
        "file:///x",
        "\x1b[0m",
    ]
    line = list(words)
    for parameter in chances.sample(command.params, min(len(command.params), chances.randint(1, 3))):
        named = [option for option in parameter.opts if option.startswith("-")]
        line += [*named[:1], chances.choice(hostile)]
    refused = {"demo", "render", "compare"} & set(words)  # they would set to work on what is fine by chance
    line = [*line, "--no-such-option"] if refused else line
    return lambda folder: run([*line, "-w", str(shutil.copytree(base, folder / "ws"))])


def presets(chances: random.Random, base: Path) -> Act:
    """A damaged augmentation preset."""
    files = sorted(path for folder in preset_folders() for path in (folder / "augment").glob("*.yaml"))
    preset, seed = chances.choice(files), chances.random()

    def act(folder: Path) -> int:
        shutil.copy(preset, folder / "own.yaml")
        damage(folder / "own.yaml", random.Random(seed))
        ws = str(shutil.copytree(base, folder / "ws"))
        return run(["augment", "--preset", "own.yaml", "--per-class", "6", "--dry-run", "-w", ws])

    return act


FAMILIES: dict[str, tuple[Make, int]] = {
    "importers": (importers, 340), "settings": (settings, 240), "workspace": (workspace, 160), "shards": (shards, 110),
    "checkpoints": (checkpoints, 70), "arguments": (arguments, 60), "presets": (presets, 40),
}  # fmt: skip
"""With how many of a thousand inputs (and twenty more) are of each."""


def _damaged(base: Path, chances: random.Random, files: Sequence[str], verbs: Sequence[list[str]]) -> Act:
    pattern, verb, seed = chances.choice(files), chances.choice(verbs), chances.random()

    def act(folder: Path) -> int:
        own, root = random.Random(seed), shutil.copytree(base, folder / "ws")
        found = sorted(root.glob(pattern))
        if found:
            damage(own.choice(found), own)
        _seal_index(root / "shards")
        return _read(root) if verb == ["read"] else run([*verb, "-w", str(root)])

    return act


def _seal_index(folder: Path) -> None:
    """The manifest names the index as it is now: else its checksum alone would be tried."""
    index, manifest = folder / "index.parquet", folder / "manifest.json"
    if not index.is_file() or not manifest.is_file() or index.stat().st_size > 2**20:
        return
    try:
        tree = json.loads(manifest.read_bytes())
        tree["index_sha256"] = hashlib.sha256(index.read_bytes()).hexdigest()
        text = re.sub(r"augkit-sha256:[0-9a-f]{64}", BLANK, json.dumps(tree, indent=1)).encode()
        manifest.write_bytes(sealed(text))
    except (ValueError, TypeError, AssertionError):
        return


def _read(root: Path) -> int:
    """A training script reads every pair."""
    from augkit import ShardDataset

    try:
        data = ShardDataset(root / "shards")
        for number in range(len(data)):
            data[number]
    except AugkitError as error:
        return error.exit_code
    return 0


@cache
def _keys() -> list[str]:
    def walk(tree: Any, path: str) -> list[str]:
        if not isinstance(tree, dict) or not tree:
            return [path]
        return [key for name, inner in tree.items() for key in (path, *walk(inner, f"{path}.{name}".strip(".")))]

    return sorted({*walk(Settings().model_dump(mode="json"), ""), "no.such", "mask..steps", ".".join("a" * 99)} - {""})


@cache
def _commands() -> dict[tuple[str, ...], Any]:
    import typer.main

    load_commands("augkit.cli", ORDER)
    verbs = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    groups = {name: verb.commands for name, verb in verbs.items() if hasattr(verb, "commands")}
    single: dict[tuple[str, ...], Any] = {(name,): verb for name, verb in verbs.items() if name not in groups}
    return single | {(name, sub): own for name, subs in groups.items() for sub, own in subs.items()}
