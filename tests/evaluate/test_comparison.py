"""Figures beside their floor: sizes, draws, intervals, refusals."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augkit.core.errors import ConfigError, DataError
from augkit.evaluate.comparison import DEFAULT, Figure, compare, enough, label, size_of
from augkit.evaluate.features import PictureFeatures
from augkit.metrics import METRICS, Metric
from augkit.metrics.kernel import unbiased_mmd


def pictures(seed: int, count: int, mean: float = 0.0, width: int = 8, **changes: object) -> PictureFeatures:
    features = np.random.default_rng(seed).normal(mean, 1, (count, width)).astype(np.float32)
    made = PictureFeatures("lite0", "photos", (64, 64), {"features": features}, np.zeros(count, bool))
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


def one(real: PictureFeatures, made: PictureFeatures, name: str = "frechet", **options: object) -> Figure:
    (figure,) = compare(real, made, [name], **options)  # type: ignore[arg-type]
    return figure


def test_made_pictures_like_real_ones_have_a_ratio_of_one() -> None:
    """Against halves and against a reference, which give floors at different sizes."""
    real, made, reference = (pictures(seed, 200, width=40) for seed in (0, 1, 2))
    for figure, size in ((one(real, made), 100), (one(real, made, reference=reference), 200)):
        assert figure.size == size
        assert figure.ratio == pytest.approx(1, abs=0.1)


def test_both_sides_of_a_ratio_see_as_many_pictures() -> None:
    """A Frechet distance of few pictures is far above that of many: comparing different sizes would show here."""
    real, reference = pictures(0, 40, width=30), pictures(2, 400, width=30)
    for count in (40, 80, 400):
        assert one(real, pictures(1, count, width=30), reference=reference).ratio == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("name", enough(DEFAULT["photos"], 50))
def test_pictures_far_from_real_ones_are_worse(name: str) -> None:
    figure = one(pictures(0, 100), pictures(1, 100, mean=3), name, reference=pictures(2, 150))
    assert figure.worse_by is not None and figure.worse_by > 3
    assert figure.ratio is None or (figure.ratio > 1) == figure.lower_is_better


def test_an_unbiased_figure_has_no_ratio() -> None:
    assert one(pictures(0, 40), pictures(1, 40), "kernel").ratio is None


def test_value_and_floor_are_what_they_say() -> None:
    """With a reference and sets of one size, every draw holds all pictures: plain figures of the whole sets."""
    real, made, reference = (pictures(seed, 30) for seed in (0, 1, 2))
    compare = METRICS["frechet"].compare
    figure = one(real, made, reference=reference)
    assert figure.value == pytest.approx(compare(real.tables["features"], made.tables["features"]))
    assert figure.floor.mean == pytest.approx(compare(real.tables["features"], reference.tables["features"]))
    assert figure.floor.std == pytest.approx(0, abs=1e-9)
    assert figure.worse_by is None  # no deviation to measure by
    assert figure.floor.kind == "against"


def test_halves_do_not_overlap() -> None:
    """Every picture twice as a far outlier: were a half compared with itself, its distance would be 0."""
    real = pictures(0, 20)
    seen: list[set[float]] = []

    def spy(a: np.ndarray, b: np.ndarray) -> float:  # type: ignore[type-arg]
        seen.append(set(a[:, 0].tolist()) & set(b[:, 0].tolist()))
        return float(len(seen[-1]))

    METRICS._load()
    original = METRICS["frechet"]
    METRICS._entries["frechet"] = Metric("FD", spy, "features", True, 2)
    try:
        figure = one(real, pictures(1, 20))
    finally:
        METRICS._entries["frechet"] = original
    assert not any(seen)
    assert figure.floor == dataclasses.replace(figure.floor, mean=0.0, std=0.0)
    assert figure.ratio is None and figure.worse_by is None  # a floor of 0 says nothing


def test_the_interval_is_as_wide_as_the_spread_over_new_pictures() -> None:
    found = [one(pictures(n, 60), pictures(1000 + n, 60, 1.0), reference=pictures(5, 60), draws=2) for n in range(40)]
    spread = np.std([figure.value for figure in found])
    widths = [f.interval[1] - f.interval[0] for f in found if f.interval is not None]
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(spread, rel=0.3)
    assert all(f.interval is not None and f.interval[0] <= f.value <= f.interval[1] for f in found)


def test_a_function_of_the_seed() -> None:
    real, made = pictures(0, 40), pictures(1, 60)
    assert compare(real, made, seed=3) == compare(real, made, seed=3)
    assert one(real, made, seed=3).value != one(real, made, seed=4).value


@settings(max_examples=20)
@given(st.integers(2, 40), st.integers(2, 40), st.one_of(st.none(), st.integers(2, 40)))
def test_any_sizes_give_finite_figures_or_a_refusal(n_real: int, n_made: int, n_reference: int | None) -> None:
    reference = None if n_reference is None else pictures(2, n_reference)
    size = size_of(n_real, n_made, n_reference)
    if size < 2:
        with pytest.raises(DataError, match="a side"):
            compare(pictures(0, n_real), pictures(1, n_made), reference=reference, resamples=4)
        return
    for figure in compare(pictures(0, n_real), pictures(1, n_made), reference=reference, resamples=4):
        assert np.isfinite([figure.value, figure.floor.mean, figure.floor.std]).all()
        assert figure.size == size and figure.n_real == n_real and figure.n_made == n_made


def test_few_pictures_are_said_to_be_few() -> None:
    figure = one(pictures(0, 8), pictures(1, 8), draws=2)
    assert any("only 4 pictures a side" in text for text in figure.warnings)
    assert any("span at most 3 of 8 dimensions" in text for text in figure.warnings)
    assert not one(pictures(0, 200), pictures(1, 200)).warnings


def test_the_kernel_distance_has_its_standard_error() -> None:
    """By resampling halves as by the jackknife, and in keeping with the interval."""
    real, made = pictures(0, 120, width=4), pictures(1, 120, mean=1.0, width=4)
    figure = one(real, made, "kernel", reference=pictures(2, 120, width=4))
    a, b = real.tables["features"], made.tables["features"]
    without = [[unbiased_mmd(np.delete(a, n, 0), b), unbiased_mmd(a, np.delete(b, n, 0))] for n in range(120)]
    assert figure.error == pytest.approx(np.sqrt(np.var(without, 0).sum() * 119), rel=0.35)
    assert figure.interval is not None and figure.error is not None
    assert (figure.interval[1] - figure.interval[0]) / figure.error == pytest.approx(2 * 1.96, rel=0.2)


def test_too_few_for_an_interval() -> None:
    figure = one(pictures(0, 6), pictures(1, 6))
    assert figure.interval is None and figure.error is None


def test_too_few_for_a_figure() -> None:
    with pytest.raises(DataError, match=r"precision of 4 pictures a side(.|\n)*at least 6"):
        compare(pictures(0, 8), pictures(1, 8), ["precision"])
    names = [figure.name for figure in compare(pictures(0, 8), pictures(1, 8))]
    assert names == ["FD-lite0", "KD-lite0"]  # of those asked for by default, what can be had


def test_blank_and_equal_pictures() -> None:
    blank = pictures(0, 10, blank=np.ones(10, bool))
    equal = pictures(0, 10, tables={"features": np.ones((10, 8), np.float32)})
    good = pictures(1, 10)
    with pytest.raises(DataError, match="all 10 real pictures are of a single colour"):
        compare(blank, good)
    with pytest.raises(DataError, match="all 10 real pictures have the same features"):
        compare(equal, good)
    assert any("10 of 10 made pictures are of a single colour" in text for text in one(good, blank).warnings)
    collapsed = one(good, equal)
    assert any("all 10 made pictures have the same features" in text for text in collapsed.warnings)
    assert collapsed.ratio is not None and collapsed.ratio > 1


def test_sets_that_must_not_be_compared() -> None:
    real = pictures(0, 10)
    with pytest.raises(DataError, match="photos through lite0 against photos through inception"):
        compare(real, pictures(1, 10, extractor="inception"))
    with pytest.raises(DataError, match="against masks"):
        compare(real, pictures(1, 10, kind="masks"))
    with pytest.raises(DataError, match="64 x 64 px against pictures of 128 x 96 px"):
        compare(real, pictures(1, 10), reference=pictures(1, 10, size=(96, 128)))


def test_options_that_cannot_be() -> None:
    real, made = pictures(0, 10), pictures(1, 10)
    with pytest.raises(ConfigError, match="part shares reads shares, which photos do not have"):
        compare(real, made, ["part-shares"])
    with pytest.raises(ConfigError, match="no metric named 'fid'"):
        compare(real, made, ["fid"])
    with pytest.raises(ConfigError, match="1 draws"):
        compare(real, made, draws=1)


def test_only_the_official_inception_earns_the_names_fid_and_kid() -> None:
    names = [label(METRICS[name], extractor) for extractor in ("inception", "lite0") for name in ("frechet", "kernel")]
    assert names == ["FID", "KID", "FD-lite0", "KD-lite0"]
    assert label(METRICS["part-shares"], "lite0") == "part shares"


def test_plain_data() -> None:
    data = one(pictures(0, 40), pictures(1, 40)).to_dict()
    assert data["name"] == "FD-lite0" and data["floor"]["kind"] == "halves"


def test_features_that_are_not_finite_are_refused_with_their_number() -> None:
    features = np.ones((4, 2))
    features[1, 0] = np.nan
    with pytest.raises(DataError, match="features of 1 of 4 pictures are not finite"):
        pictures(0, 4, tables={"features": features})
    with pytest.raises(DataError, match="rows"):
        pictures(0, 4, tables={"features": features[:3]})


def test_picking_and_joining() -> None:
    both = pictures(0, 4).join(pictures(1, 3))
    assert len(both) == 7
    assert len(both.pick(np.arange(7) > 4)) == 2
    assert (both.pick(np.array([6])).tables["features"] == pictures(1, 3).tables["features"][2]).all()
    with pytest.raises(DataError, match="inception"):
        both.join(pictures(1, 3, extractor="inception"))
