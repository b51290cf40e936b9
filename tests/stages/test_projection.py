"""Latents of given pictures: the encoder, the refinement, the blends."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from augkit.core.classes import CarClass
from augkit.core.errors import AugkitError, CheckpointError, ConfigError, DataError, TrainingError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.pair import Pair
from augkit.gan.batch import Batch
from augkit.gan.image_tensors import palette_of, photos
from augkit.gan.latents import NormalPrior, UniformPrior
from augkit.gan.players import StepOutputs
from augkit.gan.samplers import PictureSampler
from augkit.models import latent_encoder
from augkit.models.latent_encoder import LatentEncoder
from augkit.stages.model_store import ModelStore
from augkit.stages.projection import encoder as encoding
from augkit.stages.projection.encoder import TrainedEncoder, latent_term, latents, require_encoder
from augkit.stages.projection.forms import ColourForm, PartForm, ProjectionTarget, target_of
from augkit.stages.projection.latent_model import LatentModel, open_model
from augkit.stages.projection.mixing import blend, find_pair, mix
from augkit.stages.projection.projections import Projection, load_projection, save_projection
from augkit.stages.projection.projector import ProjectionBudget, Projector
from augkit.stages.projection.refine import ReconstructionError, refine
from augkit.stages.projection.targets import read_source
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import is_finished

from .runs import KilledError, killed_at, run, tiny

FRONT, BACK = CarClass("A", "5"), CarClass("B", "5")
SCHEMA = PartSchema.from_names(["hood", "wheel"])
LATENT = 4


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ResNet18 of few channels: its checkpoints are written in no time."""
    thin = SimpleNamespace(create_model=partial(timm.create_model, channels=(4, 4, 8, 8)))
    monkeypatch.setattr(latent_encoder, "timm", thin)
    monkeypatch.setattr(encoding, "BATCH", 4)
    monkeypatch.setattr(encoding, "STEPS", 2)


class Linear(nn.Module):
    """z -> (N, 3, 8, 8), linear."""

    def __init__(self) -> None:
        super().__init__()
        weights = torch.randn(LATENT, 192, generator=torch.Generator().manual_seed(0)) * 0.2
        self.weights = nn.Parameter(weights)

    def forward(self, z: Tensor, classes: Tensor) -> Tensor:
        return (z @ self.weights).view(-1, 3, 8, 8)


def linear_model(prior: NormalPrior | UniformPrior | None = None) -> LatentModel:
    sampler = PictureSampler(Linear().requires_grad_(False), prior or NormalPrior(LATENT))
    return LatentModel("image-unconditional", "all", "0" * 64, sampler, ColourForm(photos), 8, (FRONT, BACK), False)


# refinement


@pytest.mark.parametrize("box", [False, True])
def test_refinement_finds_a_known_optimum(box: bool) -> None:
    scales, optimum = torch.tensor([1.0, 2.0, 0.5]), torch.tensor([[0.3, -0.6, 1.8]])
    clip = (lambda z: z.clamp(-1, 1)) if box else (lambda z: z)
    found = refine(torch.zeros(1, 3), lambda z: ((z - optimum) * scales).square().sum(), 400, 0.05, clip)
    assert torch.allclose(found.z, clip(optimum), atol=1e-2)
    assert found.before == pytest.approx(0.3**2 + 1.2**2 + 0.9**2) and found.error < 0.2 * found.before
    assert found.error == pytest.approx(float(((found.z - optimum) * scales).square().sum()))


def test_refinement_of_a_linear_generator_comes_to_its_solution() -> None:
    model = linear_model()
    truth = torch.tensor([[0.5, -1.0, 0.2, 0.8]])
    colours = model.raw(truth, FRONT).tanh()
    target = ProjectionTarget(colours, colours, torch.zeros(1, 8, 8, dtype=torch.long))
    misfit = ReconstructionError(model, FRONT, target, nn.Identity(), 0.0)
    before = model.generator.state_dict()["weights"].clone()
    found = refine(torch.zeros(1, LATENT), lambda z: misfit.total(misfit.parts(z)), 300, 0.05, model.clip)
    assert torch.allclose(found.z, truth, atol=0.02) and found.error < 0.05 * found.before
    assert torch.equal(model.generator.state_dict()["weights"], before)
    assert model.generator.weights.grad is None


def test_refinement_is_never_worse_than_its_start() -> None:
    found = refine(torch.zeros(1, 2), lambda z: z.square().sum() + z.sum() * 0, 5, 100.0, lambda z: z + 1)
    assert found.step == 0 and found.error == found.before == 0 and torch.equal(found.z, torch.zeros(1, 2))


def test_an_error_that_is_not_finite_ends_the_refinement() -> None:
    with pytest.raises(TrainingError, match="refinement step 0: error is nan"):
        refine(torch.zeros(1, 2), lambda z: z.sum() * float("nan"), 5, 0.1, lambda z: z)


def test_the_perceptual_error_is_weighted_and_left_out_at_0() -> None:
    class Maps(nn.Module):
        weights, relative = (1.0,), True

        def forward(self, colours: Tensor) -> list[Tensor]:
            return [colours + 3]

    model = linear_model()
    colours = torch.zeros(1, 3, 8, 8)
    target = ProjectionTarget(colours, colours, torch.zeros(1, 8, 8, dtype=torch.long))
    z = torch.ones(1, LATENT)
    parts = ReconstructionError(model, FRONT, target, Maps(), 2.0).parts(z)
    l1 = model.raw(z, FRONT).tanh().abs().mean()
    assert torch.allclose(parts["l1"], l1) and torch.allclose(parts["perceptual"], l1 / 3)
    assert torch.allclose(ReconstructionError(model, FRONT, target, Maps(), 2.0).total(parts), l1 + 2 * l1 / 3)
    assert set(ReconstructionError(model, FRONT, target, Maps(), 0.0).parts(z)) == {"l1"}


# forms


def test_a_pixel_costs_its_parts_negative_log_likelihood_and_ignored_ones_nothing() -> None:
    form = PartForm(SCHEMA)
    raw = torch.randn(1, 3, 2, 2, generator=torch.Generator().manual_seed(1))
    masks = torch.tensor([[[0, 1], [2, IGNORE]]])
    logs = raw.log_softmax(1)[0]
    expected = -(logs[0, 0, 0] + logs[1, 0, 1] + logs[2, 1, 0]) / 3
    shown = torch.zeros(1, 3, 2, 2)
    assert torch.allclose(form.distance(raw, ProjectionTarget(shown, shown, masks)), expected)


def test_parts_are_painted_in_the_schemas_colours() -> None:
    form = PartForm(SCHEMA)
    mask = torch.tensor([[[0, 1], [2, 1]]])
    sure = torch.nn.functional.one_hot(mask, 3).permute(0, 3, 1, 2).float() * 50
    wanted = torch.from_numpy(SCHEMA.colourise(mask[0].numpy().astype(np.uint8))).permute(2, 0, 1)[None] / 127.5 - 1
    assert torch.allclose(form.paint(sure), wanted, atol=1e-5) and torch.equal(form.seen(sure), sure / 50)


def test_colours_of_ignored_pixels_do_not_count() -> None:
    form = ColourForm(palette_of(SCHEMA))
    item = Pair(np.zeros((2, 2, 3), np.uint8), np.array([[1, IGNORE], [1, 1]], np.uint8), FRONT)
    target = target_of(form, item)
    assert target.known.flatten().tolist() == [True, False, True, True]
    assert torch.equal(target.shown[0, :, 0, 1], torch.full((3,), -1.0))  # what networks see there is background
    raw = torch.atanh(target.colours.clamp(-0.9, 0.9))
    raw[0, :, 0, 1] = 7
    assert torch.allclose(
        form.distance(raw, target), (target.colours - raw.tanh()).abs()[target.known.expand(1, 3, 2, 2)].mean()
    )
    photo = target_of(ColourForm(photos), Pair(np.full((2, 2, 3), 255, np.uint8), np.zeros((2, 2), np.uint8), FRONT))
    assert torch.equal(photo.colours, torch.ones(1, 3, 2, 2)) and bool(photo.known.all())


# the encoder


def test_latents_are_the_priors_whoever_has_the_row() -> None:
    model, classes = linear_model(), torch.tensor([FRONT.number, BACK.number] * 3)
    batch = Batch(torch.zeros(6, 3, 1, 1), torch.zeros(6, 1, 1, dtype=torch.long), classes, 5, 0, 6)
    whole = latents(model, batch)
    assert torch.equal(whole, torch.cat([latents(model, part) for part in batch.split(3)]))
    assert len(torch.unique(whole)) == 6 * LATENT and not torch.equal(whole, latents(model, replace(batch, seed=6)))


def test_guessing_the_mean_scores_one() -> None:
    network = LatentEncoder(3, torch.full((LATENT,), 2.0), 3.0)
    z = 2 + 3 * torch.randn(5000, LATENT, generator=torch.Generator().manual_seed(0))
    term = latent_term(network)
    assert float(term.loss(StepOutputs(real=z, fake=torch.full_like(z, 2.0)))) == pytest.approx(1, abs=0.05)
    assert float(term.loss(StepOutputs(real=z, fake=z))) == 0


@pytest.fixture(scope="module")
def models(sharded_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage I of two steps, trained once; to copy."""
    root = tmp_path_factory.mktemp("models") / "workspace"
    root.mkdir()
    for path in sharded_workspace.root.iterdir():
        (root / path.name).symlink_to(path)
    run("mask-vae", Workspace(root), tiny("mask-vae", 2))
    return root / "models"


@pytest.fixture
def store(workspace: Workspace, models: Path) -> ModelStore:
    """A workspace with that model."""
    shutil.copytree(models, workspace.root / "models")
    return ModelStore.open(workspace, tiny("mask-vae", 2))


def trained(store: ModelStore, **more: Any) -> TrainedEncoder:
    return require_encoder(store.workspace, open_model(store, "mask", "all"), store.settings, **more)


def test_an_encoder_is_kept_and_can_become_longer(store: ModelStore) -> None:
    first = trained(store)
    assert first.now and first.steps == 2 and is_finished(first.folder)
    assert first.folder == store.workspace.model("encoder-mask", "all")
    assert (first.folder / "samples" / "step-000002.png").is_file()
    assert not trained(store).now and not trained(store, steps=1).now
    longer = trained(store, steps=3)
    assert longer.now and longer.steps == 3 and trained(store).steps == 3
    assert trained(store, steps=2, fresh=True).steps == 2


def test_a_killed_encoder_goes_on_bit_exactly(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "SAVE_EVERY", 2)
    whole = trained(store, steps=4).folder.rename(tmp_path / "whole")
    with pytest.raises(KilledError):
        trained(store, steps=4, progress=killed_at(3))
    told: list[int] = []
    again = trained(store, steps=4, progress=lambda _, step, __: told.append(step))
    assert told == [3, 4]
    for name in ("model.safetensors", "checkpoint.safetensors"):
        assert (again.folder / name).read_bytes() == (whole / name).read_bytes()


def test_an_encoder_of_another_generator_is_replaced(store: ModelStore) -> None:
    before = trained(store).folder / "model.safetensors"
    old = before.read_bytes()
    other = tiny("mask-vae", 2, "seed=1")
    ModelStore.open(store.workspace, other).train("mask", "all", False, fresh=True)
    told: list[int] = []
    assert trained(store, progress=lambda _, step, __: told.append(step)).now
    assert told == [1, 2] and before.read_bytes() != old


def test_the_generator_is_no_part_of_the_run(store: ModelStore) -> None:
    path = store.folder("mask", "all") / "model.safetensors"
    weights = path.read_bytes()
    model = open_model(store, "mask", "all")
    before = {name: value.clone() for name, value in model.sampler.state_dict().items()}
    found = require_encoder(store.workspace, model, store.settings)
    state, _ = load_state(found.folder / "checkpoint.safetensors")
    assert set(state["game"]) == {"encoder"}
    assert path.read_bytes() == weights
    assert all(torch.equal(value, before[name]) for name, value in model.sampler.state_dict().items())


# projection

QUICK = ProjectionBudget(refine_steps=6)


def photo_studio(workspace: Workspace) -> ModelStore:
    small = ["model=sngan", "size=32", "options={latent: 4, ch: 8}", "latent_optimisation={}"]
    settings = tiny("dcgan", 2, *(f"unconditional.{change}" for change in small))
    run("dcgan", workspace, settings)
    return ModelStore.open(workspace, settings)


def test_a_projection_is_better_than_the_guess_and_g_stays_as_it_is(store: ModelStore) -> None:
    id = store.rows.rows[0].id
    projector = Projector(store, QUICK)
    model = projector.model("mask", "all")
    before = {name: value.clone() for name, value in model.sampler.state_dict().items()}
    [found] = projector.project_all([read_source(store, id, None, None)])
    assert found.errors["refined"]["total"] < found.errors["guess"]["total"] and found.step > 0
    assert set(found.errors["guess"]) == {"total", "cross_entropy", "perceptual"}
    assert all(torch.equal(value, before[name]) for name, value in model.sampler.state_dict().items())
    assert all(parameter.grad is None for parameter in model.sampler.parameters())
    stored = load_projection(projector.folder / f"{id}.safetensors")
    assert torch.equal(stored.z, found.z) and replace(stored, z=found.z, guess=found.guess) == found
    with Image.open(projector.folder / f"{id}.png") as strip:
        assert strip.width > 3 * 128
    assert not list(projector.folder.glob("*.tmp"))
    again = Projector(store, QUICK).project(read_source(store, id, None, None))
    assert torch.equal(again.z, found.z)


def test_photos_and_latents_within_the_cube(workspace: Workspace) -> None:
    store = photo_studio(workspace)
    row = store.rows.rows[0]
    projector = Projector(store, QUICK)
    sources = [
        read_source(store, row.id, "image-unconditional", None),
        read_source(store, str(workspace.photo(row.id)), None, row.car_class),
    ]
    by_id, by_file = (projector.project(source) for source in sources)
    assert torch.equal(by_id.z, by_file.z) and float(by_id.z.abs().max()) <= 1
    assert by_id.errors["refined"]["total"] < by_id.errors["guess"]["total"] and "l1" in by_id.errors["guess"]
    assert projector.model("image-unconditional", "all").clip(torch.tensor([2.0, -3, 0.5])).tolist() == [1, -1, 0.5]


def test_masks_as_pictures(workspace: Workspace) -> None:
    settings = tiny("sngan", 2, "mask.output=rgb")
    run("sngan", workspace, settings)
    store = ModelStore.open(workspace, settings)
    [found] = Projector(store, QUICK).project_all([read_source(store, store.rows.rows[0].id, None, None)])
    assert found.errors["refined"]["total"] < found.errors["guess"]["total"] and "l1" in found.errors["guess"]


def test_two_pictures_of_one_name_are_refused(store: ModelStore) -> None:
    source = read_source(store, store.rows.rows[0].id, None, None)
    with pytest.raises(ConfigError, match="of one name"):
        Projector(store).project_all([source, source])


def test_a_class_that_the_generator_never_saw_is_refused(store: ModelStore) -> None:
    source = read_source(store, store.rows.rows[0].id, None, CarClass("A", "unknown"))
    with pytest.raises(DataError, match=r"not trained on the class front-left-unknown(.|\n)*front-left-5"):
        Projector(store).project_all([source])
    assert not store.workspace.model("encoder-mask", "all").exists()


def test_a_generator_of_other_parts_is_refused(store: ModelStore) -> None:
    other = replace(store, schema=PartSchema.from_names(["hood"]))
    with pytest.raises(CheckpointError, match="the workspace's parts: hood"):
        open_model(other, "mask", "all")


def test_the_class_of_a_mask_file_is_found_by_the_rule(store: ModelStore) -> None:
    row = store.rows.rows[0]
    found = read_source(store, str(store.workspace.mask(row.id)), None, None)
    assert (found.stage, found.car_class) == ("mask", row.car_class) and found.name == f"{row.id}.mask"
    assert read_source(store, str(store.workspace.mask(row.id)), None, BACK).car_class == BACK


def _save(path: Path, picture: Any, mode: str | None = None) -> Path:
    image = Image.fromarray(np.asarray(picture, np.uint8))
    (image.convert(mode) if mode else image).save(path)
    return path


BAD: dict[str, tuple[Any, str | None, type[AugkitError], str]] = {
    "none": (lambda p: p / "none.png", None, DataError, "no such file, and no pair"),
    "folder": (lambda p: p, None, DataError, "no such file, and no pair"),
    "text": (lambda p: (p / "a.png").write_text("x") and p / "a.png", None, DataError, "not a readable picture"),
    "oblong": (lambda p: _save(p / "a.png", np.ones((8, 9))), None, DataError, "9 x 8 px(.|\n)*square(.|\n)*import"),
    "high id": (lambda p: _save(p / "a.png", np.full((8, 8), 250)), None, DataError, "part ids .250.(.|\n)*0.."),
    "empty": (lambda p: _save(p / "a.png", np.zeros((8, 8))), None, DataError, "shows no part"),
    "palette": (lambda p: _save(p / "a.png", np.ones((8, 8)), "P"), None, DataError, "of mode P"),
    "no class": (lambda p: _save(p / "a.jpg", np.ones((8, 8, 3))), None, ConfigError, "does not say its class"),
    "photo": (lambda p: _save(p / "a.jpg", np.ones((8, 8, 3))), "mask", DataError, "a photo, for --stage mask"),
    "mask": (lambda p: _save(p / "a.png", np.ones((8, 8))), "image-unconditional", DataError, "a mask .* for --stage"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BAD))
def test_pictures_that_cannot_be_projected(case: str, rendered_workspace: Workspace, tmp_path: Path) -> None:
    make, stage, error, text = BAD[case]
    store = ModelStore.open(rendered_workspace, tiny("mask-vae", 2))
    with pytest.raises(error, match=text) as caught:
        read_source(store, str(make(tmp_path)), stage, None)
    assert caught.value.expected and caught.value.remedy


def test_half_a_file_is_no_picture(rendered_workspace: Workspace, tmp_path: Path) -> None:
    store = ModelStore.open(rendered_workspace, tiny("mask-vae", 2))
    whole = rendered_workspace.mask(store.rows.rows[0].id).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"not a readable picture(.|\n)*name another file"):
        read_source(store, str(tmp_path / "half.png"), None, None)


def test_a_pair_with_a_problem_is_refused(copied_workspace: Workspace) -> None:
    rows = read_catalogue(copied_workspace.catalogue)
    write_catalogue(copied_workspace.catalogue, [replace(rows[0], problem="too dark"), *rows[1:]])
    with pytest.raises(DataError, match="too dark"):
        read_source(ModelStore.open(copied_workspace, tiny("mask-vae", 2)), rows[0].id, None, None)


def test_a_perceptual_weight_below_0_is_refused() -> None:
    for weight in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="--perceptual"):
            ProjectionBudget(perceptual=weight)


@pytest.mark.parametrize("damage", [{}, {"stage": "image"}, {"class": "blue"}, {"extra": 1}])
def test_a_file_that_is_no_projection_is_refused(damage: dict[str, Any], tmp_path: Path) -> None:
    from augkit.train.checkpoint import save_state

    good = stored("a", torch.zeros(LATENT))
    about = good.to_dict() | damage if damage else {}
    save_state({"z": good.z, "guess": good.guess}, tmp_path / "a.safetensors", {"projection": about})
    with pytest.raises(CheckpointError, match=r"a\.safetensors(.|\n)*augkit project"):
        load_projection(tmp_path / "a.safetensors")


# mixing

latent_values = st.lists(st.floats(-10, 10, width=32), min_size=LATENT, max_size=LATENT)


@given(latent_values, latent_values, st.floats(0, 1))
def test_a_blend_ends_exactly_at_both_latents(a: list[float], b: list[float], weight: float) -> None:
    one, other = torch.tensor(a), torch.tensor(b)
    assert torch.equal(blend(one, other, 0), one) and torch.equal(blend(one, other, 1), other)
    wanted = np.array(a) * (1 - weight) + np.array(b) * weight
    assert np.allclose(blend(one, other, weight).numpy(), wanted, atol=1e-4)


def stored(name: str, z: Tensor, **changes: Any) -> Projection:
    own = Projection(name, name, "mask", "all", "0" * 64, FRONT, z, z, {"guess": {"total": 1.0}}, 3)
    return replace(own, **changes)


def of_studio(store: ModelStore, name: str, seed: int, **changes: Any) -> Projection:
    model = open_model(store, "mask", "all")
    return stored(name, model.prior.draw(FRONT, seed), generator=model.digest, **changes)


def test_a_mix_shows_both_ends_and_writes_a_mask(store: ModelStore) -> None:
    projector = Projector(store)
    a, b = (of_studio(store, name, seed) for name, seed in (("a", 1), ("b", 2)))
    model = projector.model("mask", "all")
    for weight, end in ((0.0, a), (1.0, b)):
        made = mix(projector, a, b, weight)
        assert np.array_equal(np.asarray(Image.open(made.picture)), model.mask(end.z, FRONT))
    made = mix(projector, a, b, 0.3)
    assert made.weights == (0, 0.25, 0.3, 0.5, 0.75, 1) and made.picture.name == "a+b-0.3.png"
    half = mix(projector, a, b, 0.5)
    assert half.weights == (0, 0.25, 0.5, 0.75, 1) and half.strip == made.strip
    assert read_source(store, str(half.picture), None, FRONT).picture.max() < store.schema.channels


def test_projections_made_before_are_found_by_name_and_by_file(store: ModelStore, tmp_path: Path) -> None:
    projector = Projector(store, QUICK)
    save_projection(of_studio(store, "a", 1), projector.folder)
    other = save_projection(of_studio(store, "b", 2), tmp_path)
    assert [p.name for p in find_pair(projector, ("a", str(other)), None)] == ["a", "b"]
    assert not projector.encoders  # nothing was projected
    with pytest.raises(ConfigError, match="--class front-left-5 with projections"):
        find_pair(projector, ("a", str(other)), FRONT)
    id = store.rows.rows[0].id
    assert [p.name for p in find_pair(projector, ("a", id), None)] == ["a", id]
    assert (projector.folder / f"{id}.safetensors").is_file()
    with pytest.raises(CheckpointError, match=r"none\.safetensors"):
        find_pair(projector, ("a", "none.safetensors"), None)


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"model": "front-5"}, ConfigError, "b of mask front-5"),
        ({"stage": "image-unconditional"}, ConfigError, "b of image-unconditional all"),
        ({"generator": "f" * 64}, CheckpointError, "b: a latent of another mask all .f{12}.(.|\n)*augkit project"),
        ({"car_class": BACK}, ConfigError, "b of back-left-5(.|\n)*augkit project b --class front-left-5"),
    ],
)
def test_latents_that_do_not_mix(
    changes: dict[str, Any], error: type[AugkitError], text: str, store: ModelStore
) -> None:
    a = of_studio(store, "a", 1)
    b = replace(of_studio(store, "b", 2), **changes)
    with pytest.raises(error, match=text):
        mix(Projector(store), a, b, 0.5)
    assert not (store.workspace.reports / "mixes").exists()


def test_where_g_is_not_told_the_class_that_of_a_is_kept(workspace: Workspace) -> None:
    settings = tiny("mask-vae", 2, "mask.condition=none")
    run("mask-vae", workspace, settings)
    store = ModelStore.open(workspace, settings)
    a, b = of_studio(store, "a", 1), of_studio(store, "b", 2, car_class=BACK)
    made = mix(Projector(store), a, b, 0.5)
    assert (made.car_class, made.other_class) == (FRONT, BACK)


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan"), float("inf")])
def test_weights_beyond_the_ends_are_refused(weight: float, rendered_workspace: Workspace) -> None:
    store = ModelStore.open(rendered_workspace, tiny("mask-vae", 2))
    with pytest.raises(ConfigError, match="--weight"):
        mix(Projector(store), stored("a", torch.zeros(2)), stored("b", torch.zeros(2)), weight)
