"""What a job of ``augkit balance`` comes to, before it and after it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from augkit.balance.job import Balance
from augkit.balance.plain_options import fan_out
from augkit.balance.plan_summary import ClassPlan, PartPlan, PlanSummary, RunSummary
from augkit.balance.planner import ClassProgress
from augkit.balance.run_plan import RunOutcome
from augkit.balance.shard_job import ShardReport
from augkit.balance.worker import Worker
from augkit.core.seeds import derive
from augkit.gate.fit import is_ready


def summarize_plan(job: Balance) -> PlanSummary:
    """The plan as far as it was done when the job was opened."""
    pairs = sum(row.want for row in job.plan.rows)
    return PlanSummary(
        target=job.request.target,
        precision=job.computed,
        device=job.device,
        classes=class_plans(job),
        parts=part_plans(job, job.reports),
        untrained=job.untrained(),
        shards=len(job.plan.rows),
        megabytes=pairs * bytes_per_pair(job) / 2**20,
        seconds=generation_seconds(job),
    )


def summarize_run(job: Balance, outcome: RunOutcome) -> RunSummary:
    """What a run of the job made."""
    training = {c.name: job.training.get(c, 0) for c in job.real}
    return RunSummary(
        job.request.target, job.computed, job.device, training, part_plans(job, outcome.reports), outcome
    )  # fmt: skip


def class_plans(job: Balance) -> list[ClassPlan]:
    """The plan by class."""
    progress, model = job.planner.progress(job.reports, job.begun), job.store.model
    bystander = ClassProgress(0)
    return [
        ClassPlan(
            c, count, job.training.get(c, 0), progress.get(c.name, bystander), model("mask", c), model("image", c)
        )
        for c, count in job.real.items()
    ]


def part_plans(job: Balance, reports: Sequence[ShardReport]) -> list[PartPlan]:
    """The part targets after the reports."""
    planner, progress = job.planner, job.planner.progress(reports)
    now, expected = planner.total(progress), planner.expected(progress)
    return [
        PartPlan(
            target.name, target.share, target.of(planner.profiles.total), target.of(now), target.of(expected),
            target.holds(now), [c.name for c in target.classes],
        )
        for target in planner.targets
    ]  # fmt: skip


def bytes_per_pair(job: Balance) -> float:
    """Mean size of the real pairs' files, scaled to the output's area: what a pair will take, roughly."""
    some = job.rows[:: max(1, len(job.rows) // 50)]
    paths = [path for row in some for path in (job.workspace.photo(row.id), job.workspace.mask(row.id))]
    mean = sum(path.stat().st_size for path in paths) / len(some)
    return mean * (job.settings.image.size / some[0].size) ** 2 + 3 * 1024  # three tar headers with padding


def generation_seconds(job: Balance) -> float | None:
    """Of all candidates, from some made with the models at hand; None where these or the gate are not ready.

    Counts the candidates that the accept rates seen so far lead to expect, and as many photos for each pair as so far.
    """
    progress = job.planner.progress(job.reports, job.begun).values()
    if not job.generated() or not sum(own.candidates for own in progress):
        return 0.0
    if job.untrained() or not is_ready(job.references):
        return None
    draw, paint = _pace(job)
    painted, accepted = sum(own.painted for own in progress), sum(own.accepted - own.pseudo for own in progress)
    photos = sum(own.todo for own in progress) * (painted / accepted if accepted else 1.0)
    return (sum(own.candidates for own in progress) * draw + photos * paint) / at_once(job)


def at_once(job: Balance) -> int:
    """Workers of a run on this machine."""
    return fan_out(job.settings.balance).at_once if job.request.executor != "local" else 1


def _pace(job: Balance) -> tuple[float, float]:
    """Seconds that a candidate's mask takes, and its photo."""
    worker, car_class = Worker(job.shard_job()), job.generated()[0]
    kind = job.planner.kind_of(car_class.name) or "generated"
    batch = job.device.batch
    for number in range(2):  # the first call allocates
        seeds, began = [derive(job.settings.seed, "pace", number, n) for n in range(batch)], time.monotonic()
        masks = [mask for mask, _ in worker.draw(car_class, seeds, kind)]
        drawn = time.monotonic()
        worker.paint(car_class, seeds, masks)
    return (drawn - began) / batch, (time.monotonic() - drawn) / batch
