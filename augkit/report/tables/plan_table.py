"""Tables of a plan, and of what became of it."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table

from augkit.balance.plan_summary import ClassPlan, PartPlan, PlanSummary, RunSummary

SHOWN_REASONS = 8


def plan_table(plan: PlanSummary) -> Table:
    """A row a class; below, what is to be trained, how long it takes, and the part targets."""
    # Without lines between the columns it fits into 80: there the names of models wrap, and nothing is cut.
    table = Table(title=f"Plan: {plan.target} pairs for training in every class", box=box.SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("class", no_wrap=True)
    for column in ("real", "train", "lacking", "to do", "read", "rate", "candidates"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("models", overflow="fold")
    for line in plan.classes:
        own = line.progress
        rate = f"{own.rate.mean:.0%}" + ("" if own.tried else "?")
        models = " + ".join(dict.fromkeys((line.mask_model, line.image_model)))
        table.add_row(
            line.car_class.name, *map(str, line.counts), str(len(own.offered)), rate, str(own.candidates), models
        )
    table.add_section()
    offered = str(sum(len(line.progress.offered) for line in plan.classes))
    sums = [sum(counts) for counts in zip(*(line.counts for line in plan.classes), strict=True)]
    table.add_row("all", *map(str, sums), offered, "", str(plan.candidates))
    given_up = [_given_up(line) for line in plan.classes if line.progress.given_up]
    how = [_effort(plan), str(plan.device), str(plan.precision)]
    table.caption = "\n".join([*how, *given_up, *map(_part_line, plan.parts)])
    return table


def _effort(plan: PlanSummary) -> str:
    untrained = ", ".join(f"{stage} {name}" for stage, name in plan.untrained) or "nothing"
    duration = "after that" if plan.seconds is None else f"about {plan.seconds / 60:.1f} min"
    size = f"{plan.shards} shards, about {plan.megabytes:.1f} MB"
    return f"{size}; to train first: {untrained}; generation {duration}"


def _given_up(line: ClassPlan) -> str:
    own = line.progress
    return f"{line.car_class.name} was given up: {own.accepted} of {own.need} pairs after {own.tried} candidates"


def _part_line(part: PartPlan) -> str:
    return (
        f"{part.name}: {part.real:.2%} of the cars' pixels in real pairs, {part.now:.2%} now, {part.expected:.2%} with "
        f"what is to be made; target {part.share:.2%}, by {', '.join(part.classes)}"
    )


def run_table(run: RunSummary, places: Mapping[str, str]) -> Table:
    """A row a class; below, what was rejected, the part targets, and where everything is."""
    table = Table("class", "real for training", "pseudo", "generated", "sum", title="Balanced")
    result = run.to_dict()
    for name, counts in result["classes"].items():
        each = (counts["training"], counts["pseudo"], counts["generated"])
        table.add_row(name, *map(str, each), str(sum(each)))
    reasons = list(result["reasons"].items())[:SHOWN_REASONS]
    rejected = ", ".join(f"{reason} {count}" for reason, count in reasons) or "none"
    parts = [
        f"{part.name}: {part.real:.2%} of the cars' pixels before, {part.now:.2%} after, target {part.share:.2%}"
        for part in run.parts
    ]
    tried = f"tried {result['tried']} in {result['rounds']} rounds; rejected for: {rejected}"
    table.caption = "\n".join([tried, *parts, *(f"{name.replace('_', ' ')} {place}" for name, place in places.items())])
    return table
