"""How a training went, in words: from what the run itself noted, and from the curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from augkit.losses.adversarial import ADVERSARIAL
from augkit.report.curves import DISTANCE, Curve, Training
from augkit.train.health import LONG, SHORTEST, one_sided
from augkit.train.hooks import METRICS_EVERY

FEWEST = 12
"""Records of a loss below which nothing is said about its way."""

LEAST_FALL, ERRORS = 0.03, 2.0
"""A loss still falls where its last quarter lies lower by this share, and by as many standard errors."""


def notes_on(training: Training) -> list[str]:
    """Sentences: of the run (``health`` in config.json), on the losses, and on the distance to held-out pairs."""
    told = training.about.get("health", _on_guessing(training))
    notes = [str(sentence) for sentence in told] if isinstance(told, list) else []
    losses = [curve for curve in training.curves if "/" in curve.name and not _is_a_game(curve)]
    return [_whole(note) for note in (*notes, *_on_losses(losses), *_on_distance(training.curves))]


def _on_guessing(training: Training) -> list[str]:
    """What ``health`` would say, for models of versions that noted none."""
    settings = training.about.get("settings")
    name = settings.get("adversarial") if isinstance(settings, dict) else None
    curves = [curve for curve in training.curves if curve.name == "D/adversarial"]
    if not isinstance(name, str) or name not in ADVERSARIAL or not ADVERSARIAL[name].guess or not curves:
        return []
    shares = [value / ADVERSARIAL[name].guess for value in curves[0].values]
    width = max(SHORTEST, round(LONG * curves[0].steps[-1])) // METRICS_EVERY
    return [str(stretch) for stretch in one_sided("D", curves[0].steps, shares, width)]


def fall(values: Sequence[float]) -> float:
    """By what share the mean of the last quarter is lower than that of the quarter before; 0 where that is noise."""
    quarter = len(values) // 4
    before, last = np.array(values[-2 * quarter : -quarter]), np.array(values[-quarter:])
    error = np.sqrt((before.var(ddof=1) + last.var(ddof=1)) / quarter)
    gap = float(before.mean() - last.mean())
    share = gap / max(abs(float(before.mean())), 1e-12)
    return share if share > LEAST_FALL and gap > ERRORS * error else 0.0


def _is_a_game(curve: Curve) -> bool:
    """Whether a loss has an opponent, so that neither falling nor rising is good."""
    return curve.name.startswith("D") or curve.name.endswith(("/adversarial", "/feature_matching"))


def _on_losses(curves: Sequence[Curve]) -> list[str]:
    long = [curve for curve in curves if len(curve.values) >= FEWEST]
    if not long:
        return ["too little was recorded to tell whether the losses were still falling"] if curves else []
    falling = [f"{curve.name} by {share:.0%}" for curve in long if (share := fall(curve.values))]
    if falling:
        return [f"still falling in the last quarter of the steps: {', '.join(falling)}; more steps would lower it"]
    return ["the losses had levelled off in the last quarter of the steps"]


def _on_distance(curves: Sequence[Curve]) -> list[str]:
    found = [curve for curve in curves if curve.name == DISTANCE and len(curve.values) > 1]
    if not found:
        return []
    curve = found[0]
    best, last = curve.steps[int(np.argmin(curve.values))], curve.steps[-1]
    if best == last:
        return [f"the distance to held-out pairs was least at the last look, step {last}: more steps may lower it"]
    return [f"the distance to held-out pairs was least at step {best} of {last}; later looks found none better"]


def _whole(note: str) -> str:
    """With a capital, and a full stop."""
    return note[:1].upper() + note[1:].rstrip(".") + "."
