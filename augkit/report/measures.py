"""What other verbs measured and wrote to ``reports/``, as far as a report shows it. Every document is optional."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEANS = ("overall", "tail parts", "tail classes")


@dataclass(frozen=True)
class MeasuredTable:
    """Rows of texts under a head; the first column names the row."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Range:
    """A figure in points (per cent of IoU), the ends of its 95 % interval (the figure itself where there is none), and
    the figure of each seed."""

    value: float
    low: float
    high: float
    seeds: Sequence[float]


@dataclass(frozen=True)
class ArmSummary:
    """What a segmenter was trained on, and how well it does over all."""

    name: str
    pairs: str
    overall: Range


@dataclass(frozen=True)
class PartGain:
    """The IoU of a part in points without and with augkit's pairs, and the difference with its interval in words."""

    name: str
    before: float
    after: float
    gain: str


@dataclass(frozen=True)
class Utility:
    """``augkit evaluate utility``: the verdict in one word and in a sentence, how it was measured, the arms, the parts
    of the two arms that the verdict is about (none where there is no verdict), and the tables by title. ``ends`` are
    those of the arms' common scale."""

    word: str
    verdict: str
    about: str
    arms: Sequence[ArmSummary]
    parts: Sequence[PartGain]
    tables: Mapping[str, MeasuredTable]

    @property
    def ends(self) -> tuple[float, float]:
        """Around every interval and every seed."""
        values = [end for a in self.arms for end in (a.overall.low, a.overall.high, *a.overall.seeds)]
        return min(values) - 1, max(values) + 1


@dataclass(frozen=True)
class Judging:
    """``augkit gate``: where its bounds come from, what is left after each check, and the bounds of the scores."""

    about: str
    steps: MeasuredTable
    bounds: MeasuredTable


@dataclass(frozen=True)
class Distances:
    """What ``augkit evaluate masks`` or ``photos`` measured: the figures, and what goes with them in words."""

    about: str
    table: MeasuredTable


@dataclass(frozen=True)
class Measures:
    """Each is None where nobody measured it; ``strange`` names documents of another form than expected.

    Utility, the gate, what it catches of planted faults, how far masks and photos of the stages are from held-out
    ones, and the table of ``augkit compare``.
    """

    utility: Utility | None
    gate: Judging | None
    planted: MeasuredTable | None
    masks: Distances | None
    photos: Distances | None
    benchmark: MeasuredTable | None
    strange: Sequence[str]


def read_measures(documents: Mapping[str, Any]) -> Measures:
    """From the JSON documents by name."""
    found: dict[str, Any] = {}
    strange = []
    readers: dict[str, Callable[[Any], Any]] = {
        "utility": _utility, "gate": _judging, "planted": _planted, "masks": _masks, "photos": _photos,
        "compare": _benchmark,
    }  # fmt: skip
    for name, read in readers.items():
        try:
            found[name] = read(documents[name]) if name in documents else None
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            found[name] = None
            strange.append(name)
    return Measures(
        found["utility"], found["gate"], found["planted"], found["masks"], found["photos"],
        found["compare"], strange,
    )  # fmt: skip


def _utility(tree: Mapping[str, Any]) -> Utility:
    held, runs = tree["held_out"], f"{tree['seeds']} seeds of {tree['steps']} steps each"
    arms = [
        ArmSummary(a["arm"], f"{a['real']} real, {a['made']} made", _range(a["figures"]["overall"]))
        for a in tree["arms"]
    ]
    head = [arm.name for arm in arms]
    figures = [a["figures"] for a in tree["arms"]]
    tail = {f"part {name}" for name in tree["tail"]["parts"]} | {f"class {name}" for name in tree["tail"]["classes"]}
    detail = [
        [name + (" (tail)" if name in tail else ""), str(photos), *(_points(own.get(name)) for own in figures)]
        for name, photos in held["photos"].items()
        if name not in MEANS
    ]
    means = [[arm.name, *(_interval(own.get(name)) for name in MEANS)] for arm, own in zip(arms, figures, strict=True)]
    deltas = [
        [c["arm"], c["against"], *(_interval(c["deltas"].get(name), "+") for name in MEANS)]
        for c in tree["comparisons"]
    ]
    tables = {
        "Mean IoU in points": MeasuredTable(("trained on", *MEANS), means),
        "Differences in points, paired by seed and photo": MeasuredTable(("trained on", "against", *MEANS), deltas),
        "IoU in points by part and class": MeasuredTable(("part or class", "photos", *head), detail),
    }
    about = f"{held['photos']['overall']} held-out photos ({held['split']}), {runs}; 95 % intervals."
    return Utility(tree["verdict"]["word"], tree["verdict"]["sentence"], about, arms, _part_gains(tree), tables)


def _part_gains(tree: Mapping[str, Any]) -> list[PartGain]:
    """Of the arms of the verdict, the greatest gain first; documents of earlier versions do not name these arms."""
    asked = tree["verdict"].get("arm"), tree["verdict"].get("against")
    after, before = ({a["arm"]: a["figures"] for a in tree["arms"]}.get(name, {}) for name in asked)
    deltas: Mapping[str, Any] = next(
        (c["deltas"] for c in tree["comparisons"] if (c["arm"], c["against"]) == asked), {}
    )
    names = [name for name in deltas if name.startswith("part ") and deltas[name]["value"] is not None]
    names.sort(key=lambda name: -deltas[name]["value"])
    return [
        PartGain(
            name.removeprefix("part "), 100 * before[name]["value"], 100 * after[name]["value"],
            _interval(deltas[name], "+"),
        )
        for name in names
    ]  # fmt: skip


def _judging(tree: Mapping[str, Any]) -> Judging:
    about = (
        f"Bounds lie at the {100 * tree['quantile']:.2g} % quantile of the scores of real pairs; together they reject "
        f"{100 * tree['rejected_real']:.1f} % of the real ones."
    )
    every = tree["classes"].get("all", {"steps": []})
    steps = [[step["check"], str(step["rejected"]), str(step["left"])] for step in every["steps"]]
    ends = [[name.replace("_", " "), *(_text(end) for end in both)] for name, both in tree["bounds"].items()]
    return Judging(
        about,
        MeasuredTable(("first check to reject", "rejected", "left"), steps),
        MeasuredTable(("score", "from", "to"), ends),
    )


def _planted(tree: Mapping[str, Any]) -> MeasuredTable:
    rows = [[line["name"], str(line["pairs"]), f"{line['caught']:.0%}", line["by"]] for line in tree["faults"]]
    return MeasuredTable(("fault planted in real pairs", "pairs", "rejected", "by"), rows)


def _masks(tree: Mapping[str, Any]) -> Distances:
    every, passing = [*tree["classes"], tree["all"]], ("passing", "passing_real")
    rows = [
        [own["name"], str(own["photos"]), *_distance(own["figures"][0]), *(f"{own[key]:.0%}" for key in passing)]
        for own in every
    ]
    head = ("class", "held out", tree["all"]["figures"][0]["name"], "95 %", "floor", "pass the rule", "real ones")
    return Distances(_copies(tree, "masks"), MeasuredTable(head, rows))


def _photos(tree: Mapping[str, Any]) -> Distances:
    kinds = (("held-out masks", tree["held_out_masks"]), ("made masks", tree["made_masks"]))
    rows = [[f"{own['name']}, {kind}", *_distance(own)] for kind, figures in kinds for own in figures]
    about = [_copies(tree, "photos")]
    if tree["variety"] is not None:
        about.append(f"Photos of one mask differ by {tree['variety']:.0%} of what held-out photos of a class do.")
    return Distances(" ".join(about), MeasuredTable(("figure", "value", "95 %", "floor"), rows))


def _distance(figure: Mapping[str, Any]) -> list[str]:
    ends = figure["interval"]
    return [_text(figure["value"]), " to ".join(map(_text, ends)) if ends else "", _text(figure["floor"]["mean"])]


def _copies(tree: Mapping[str, Any], what: str) -> str:
    copies = tree["copies"]
    return (
        f"{copies['share']:.1%} of the made {what} are nearer to a training one than {copies['expected']:.0%} of the "
        "held-out ones are."
    )


def _benchmark(results: Sequence[Mapping[str, Any]]) -> MeasuredTable | None:
    head = ("generator", "steps", "distance", "floor", "ratio")
    names = ("name", "steps", "distance", "distance_floor", "ratio")
    rows = [[_text(result[name]) for name in names] for result in results]
    return MeasuredTable(head, rows) if rows else None


def _range(figure: Mapping[str, Any]) -> Range:
    value = 100 * float(figure["value"])
    low, high = (value if end is None else 100 * end for end in figure["interval"])
    return Range(value, low, high, [100 * own for own in figure["seeds"]])


def _interval(figure: Mapping[str, Any] | None, sign: str = "") -> str:
    if figure is None or figure["value"] is None:
        return ""
    found = _range(figure)
    return f"{found.value:{sign}.1f} ({found.low:{sign}.1f} to {found.high:{sign}.1f})"


def _points(figure: Mapping[str, Any] | None) -> str:
    return "" if figure is None or figure["value"] is None else f"{100 * figure['value']:.1f}"


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
