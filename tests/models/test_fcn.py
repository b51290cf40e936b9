"""FCNs: what is in a file of weights is taken over, whatever classes it was trained for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from augkit.core.errors import CheckpointError
from augkit.models.fcn import FCNResNet50, build_fcn_lite0, build_fcn_resnet50


def test_weights_of_other_classes_and_of_the_backbone_alone_are_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    other = FCNResNet50(3, None).network
    torch.save(other.state_dict(), file)
    network = build_fcn_resnet50(5, weights=str(file))
    assert isinstance(network, FCNResNet50)
    own, theirs = network.network.state_dict(), other.state_dict()
    assert all(own[name].equal(theirs[name]) for name in own if not name.startswith("classifier.4"))
    assert own["classifier.4.weight"].shape[0] == 5
    torch.save(other.backbone.state_dict(), file)
    again = build_fcn_resnet50(5, weights=str(file)).network.state_dict()  # type: ignore[union-attr]
    assert again["backbone.conv1.weight"].equal(theirs["backbone.conv1.weight"])
    torch.save({"conv1.weight": torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match="weights of the backbone"):
        build_fcn_resnet50(5, weights=str(file))
    file.write_bytes(b"none")
    with pytest.raises(CheckpointError, match="cannot be read"):
        build_fcn_resnet50(5, weights=str(file))
    with pytest.raises(CheckpointError, match="a folder, no regular file"):
        build_fcn_resnet50(5, weights=str(tmp_path))


def test_scores_of_all_strides_count() -> None:
    torch.manual_seed(0)
    network = build_fcn_lite0(2, pretrained=False).eval()
    photo = torch.randn(1, 3, 64, 64)
    before = network(photo)
    for score in network.scores:  # type: ignore[union-attr]
        assert isinstance(score, torch.nn.Conv2d)
        kept = score.bias.detach().clone()  # type: ignore[union-attr]
        torch.nn.init.constant_(score.bias, 3.0)  # type: ignore[arg-type]
        assert not network(photo).equal(before)
        score.bias.data.copy_(kept)  # type: ignore[union-attr]
