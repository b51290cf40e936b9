from __future__ import annotations

from augkit.evaluate.utility.arms import Arm
from augkit.evaluate.utility.figures import OVERALL
from augkit.evaluate.utility.study import ArmResult, Comparison, Study
from augkit.evaluate.utility.verdict import Question, UtilityVerdict
from augkit.metrics.intervals import Estimate
from augkit.report.part_chart import part_rows

BEFORE = {OVERALL: 0.5, "part hood": 0.6, "part wheel": 0.4, "class front-left-5": 0.3}
AFTER = {OVERALL: 0.55, "part hood": 0.58, "part wheel": 0.5, "class front-left-5": 0.9}


def estimates(values: dict[str, float]) -> dict[str, Estimate]:
    return {name: Estimate(value, (value,), 0.01, 5.0) for name, value in values.items()}


def test_rows_are_of_the_verdicts_arms_the_greatest_gain_first() -> None:
    ours, opponent, other = Arm("all", 0.5), Arm("real+classical"), Arm("real")
    deltas = {name: AFTER[name] - value for name, value in BEFORE.items()}
    study = Study(
        1, 1, "test", {}, (), (),
        arms=tuple(
            ArmResult(arm, estimates(figures), 1, 1)
            for arm, figures in ((other, dict.fromkeys(BEFORE, 0.1)), (opponent, BEFORE), (ours, AFTER))
        ),
        comparisons=(
            Comparison(opponent, other, estimates(dict.fromkeys(BEFORE, 0.2))),
            Comparison(ours, opponent, estimates(deltas)),
        ),
        verdict=UtilityVerdict("helps", ""),
    )  # fmt: skip
    rows = part_rows(study, Question(ours, opponent, apart=True))
    assert [(name, round(before), round(after), round(100 * delta.value)) for name, before, after, delta in rows] == [
        ("all parts", 50, 55, 5), ("wheel", 40, 50, 10), ("hood", 60, 58, -2),
    ]  # fmt: skip
