"""The projected discriminator."""

from __future__ import annotations

import torch

from augkit.models.projected import ProjectedDiscriminator, ProjectedHead


def test_a_head_by_hand() -> None:
    head = ProjectedHead(2, 1, 1)
    for weight in head.parameters():
        torch.nn.init.constant_(weight, 0.0)
    torch.nn.init.constant_(head.mix.weight, 1.0)
    torch.nn.init.constant_(head.told.weight, 10.0)
    torch.nn.init.constant_(head.score.weight, -2.0)
    with torch.no_grad():
        head.look[1].weight[0, 0, 1, 1] = 3.0  # type: ignore[union-attr, index, operator]
    features = torch.tensor([[[[3.0]], [[4.0]]]])  # their quadratic mean is 12.5 ** .5
    hidden, scores = head(features, torch.tensor([[[[0.5]]]]))
    expected = 3 * (7 / 12.5**0.5 + 5)
    torch.testing.assert_close(hidden, torch.tensor([[[[expected]]]]))
    torch.testing.assert_close(scores, torch.tensor([[[[-2 * expected]]]]))
    brighter, _ = head(2 * features, torch.tensor([[[[0.5]]]]))
    torch.testing.assert_close(brighter, hidden)


def test_it_scores_places_at_three_strides_and_trains_its_heads_alone() -> None:
    torch.manual_seed(0)
    network = ProjectedDiscriminator(3 + 1 + 3, width=8)
    x = torch.rand(2, 7, 64, 64, requires_grad=True)
    scales = network(x)
    assert [tuple(scale[-1].shape) for scale in scales] == [(2, 1, 8, 8), (2, 1, 4, 4), (2, 1, 2, 2)]
    sum(scale[-1].sum() for scale in scales).backward()  # type: ignore[union-attr]
    assert x.grad is not None and x.grad[:, -3:].abs().sum() > 0
    learnt = {name.split(".")[0] for name, own in network.named_parameters() if own.requires_grad}
    assert learnt == {"heads"} and all(own.grad is None for own in network.network.parameters())
    torch.testing.assert_close(network(x[:1])[0][-1], scales[0][-1][:1])  # no picture tells of another
    assert len(network.stacks) == 3 and all(len(blocks) == 3 for blocks in network.stacks)
