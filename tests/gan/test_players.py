"""Turns, terms, microbatches and steps of players."""

from __future__ import annotations

import copy
import itertools
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn

from augkit.core.errors import TrainingError
from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.players import Player, StepOutputs, Term, turn
from augkit.train.loop import fit
from augkit.train.optim import adam_in_turns
from augkit.train.run_options import AdamOptions


class OneProcess:
    """A backend of one process."""

    num_processes = 1
    autocast = staticmethod(nullcontext)

    def backward(self, loss: Tensor) -> None:
        loss.backward()  # type: ignore[no-untyped-call]

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        raise AssertionError("nothing to reduce over")


class TwoProcesses(OneProcess):
    """A backend that pretends another process has gradients of ``other``."""

    num_processes = 2

    def __init__(self, other: float) -> None:
        self.other, self.reduced = other, 0

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        assert reduction == "mean"
        self.reduced += 1
        return (tensor + self.other) / 2


def _player(name: str, module: nn.Module, terms: list[Term] | None = None, lr: float = 0.1, **more: float) -> Player:
    owned = [p for p in module.parameters() if p.requires_grad]
    return Player(name, module, terms or [], torch.optim.SGD(owned, lr), lambda step: 1.0, **more)  # type: ignore[arg-type]


def _batch(rows: int) -> Batch:
    generator = torch.Generator().manual_seed(3)
    masks = torch.randint(0, 3, (rows, 8, 8), generator=generator)
    return Batch(torch.randn(rows, 3, 8, 8, generator=generator), masks, torch.arange(rows), 1, 0, rows)


def _flags(*modules: nn.Module) -> list[bool]:
    return [p.requires_grad for module in modules for p in module.parameters()]


def test_a_turn_lets_only_the_player_learn_and_never_thaws_a_frozen_layer() -> None:
    g, d = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    d[0].requires_grad_(False)  # FreezeD: not in D's list of parameters
    players = _player("D", d), _player("G", g)
    before = _flags(g, d)
    with turn(players[0], players):
        assert _flags(g) == [False] * 4 and _flags(d) == [False, False, True, True]
    assert _flags(g, d) == before
    with turn(players[1], players):
        assert _flags(g) == [True] * 4 and _flags(d) == [False] * 4
    assert _flags(g, d) == before


def test_a_turn_is_undone_after_an_error() -> None:
    players = _player("D", nn.Linear(1, 1)), _player("G", nn.Linear(1, 1))
    with pytest.raises(RuntimeError), turn(players[0], players):
        raise RuntimeError
    assert _flags(players[0].module, players[1].module) == [True] * 4


def test_a_player_that_moves_twice_a_step_keeps_its_gradients() -> None:
    d, g = _player("D", nn.Linear(1, 1)), _player("G", nn.Linear(1, 1))
    game = Game((d, d, g), {})
    with game.turn(d):
        assert _flags(d.module) == [True, True] and _flags(g.module) == [False, False]


def test_a_players_move_leaves_no_gradient_with_the_others() -> None:
    d, g = nn.Linear(3, 1), nn.Linear(3, 3)
    term = Term("t", 1.0, lambda outputs: outputs.fake.mean())
    players = _player("D", d, [term]), _player("G", g, [term])
    game = Game(players, {name: lambda batch: StepOutputs(fake=d(g(batch.photos.mean((2, 3))))) for name in "DG"})
    backend = OneProcess()
    with game.turn(players[1]):
        players[1].backward(players[1].evaluate(game.forward(players[1], _batch(2)), 1), 1, backend)
        assert all(p.grad is not None for p in g.parameters()) and all(p.grad is None for p in d.parameters())


def _late(asleep_for: int) -> tuple[nn.Sequential, Player]:
    """A G of two layers, of which the first sleeps."""
    g = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    optimiser = adam_in_turns(g[0].parameters(), g[1].parameters(), asleep_for, AdamOptions(lr=0.1))
    return g, Player("G", g, [Term("t", 1.0, lambda outputs: outputs.fake.mean())], optimiser, lambda step: 1.0)


def _moves(g: nn.Sequential, game: Game) -> list[bool]:
    """Which layers one step moves."""
    before = [layer.weight.detach().clone() for layer in g]  # type: ignore[union-attr]
    fit(game, [(1, _batch(1))], [], OneProcess())  # type: ignore[arg-type]
    return [not torch.equal(layer.weight, old) for layer, old in zip(g, before, strict=True)]  # type: ignore[union-attr]


def test_what_sleeps_stays_as_it_is_and_then_learns() -> None:
    g, player = _late(asleep_for=2)
    d = _player("D", nn.Linear(1, 1), [Term("t", 1.0, lambda outputs: outputs.fake.mean())])
    game = Game((d, player), {name: lambda batch: StepOutputs(fake=d.module(g(torch.ones(1, 1)))) for name in "DG"})
    assert [p.requires_grad for p in g[0].parameters()] == [False, False]
    assert [_moves(g, game) for _ in range(4)] == [[False, True], [False, True], [True, True], [True, True]]


def test_a_resumed_player_sleeps_as_long_as_one_that_never_stopped() -> None:
    g, player = _late(asleep_for=2)
    game = Game((player,), {"G": lambda batch: StepOutputs(fake=g(torch.ones(1, 1)))})
    for _ in range(2):
        _moves(g, game)
    again, other = _late(asleep_for=2)
    other.load_state_dict(copy.deepcopy(player.state_dict()))  # its tensors are the player's own
    twin = Game((other,), {"G": lambda batch: StepOutputs(fake=again(torch.ones(1, 1)))})
    assert _moves(again, twin) == [True, True] == _moves(g, game)
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), g.parameters(), strict=True))


def test_gradients_of_what_sleeps_are_not_averaged() -> None:
    _, player = _late(asleep_for=1)
    backend = TwoProcesses(1.0)
    player.step(backend)
    assert all(p.grad is None for p in player.module[0].parameters())  # type: ignore[index]
    assert len(player.parameters) == 4


def test_terms_are_weighted_and_due_at_their_interval() -> None:
    term = Term("r1", 0.5, lambda outputs: outputs.fake.sum(), every=4)
    assert [step for step in range(1, 13) if term.due(step)] == [4, 8, 12]
    assert term.scaled(StepOutputs(fake=torch.tensor([2.0, 4.0]))) == 3
    player = _player("D", nn.Linear(1, 1), [term, Term("x", 1.0, lambda outputs: outputs.fake.mean())])
    outputs = StepOutputs(fake=torch.tensor([2.0, 4.0]))
    assert list(player.evaluate(outputs, 3)) == ["x"]
    assert {name: float(v) for name, v in player.evaluate(outputs, 4).items()} == {"r1": 3, "x": 3}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_not_finite_names_step_player_and_term(value: float) -> None:
    module = nn.Linear(1, 1)
    bad = Term("adversarial", 1.0, lambda outputs: outputs.fake.mean() * value)
    player = _player("G", module, [Term("l1", 1.0, lambda outputs: outputs.fake.mean()), bad])
    losses = player.evaluate(StepOutputs(fake=module(torch.ones(1, 1))), 7)
    with pytest.raises(TrainingError, match=rf"step 7, player G, term adversarial: loss is -?{str(value).strip('-')}"):
        player.backward(losses, 7, OneProcess())
    assert all(p.grad is None for p in module.parameters())


@pytest.mark.parametrize("clip", [float("inf"), 1.0])
def test_a_gradient_that_is_not_finite_stops_before_anything_moves(clip: float) -> None:
    module = nn.Linear(1, 1)
    root = Term("root", 1.0, lambda outputs: (outputs.fake * 0).sqrt().mean())  # 0, with a gradient of 0 * infinity
    player = _player("G", module, [root], clip=clip)
    before = [p.detach().clone() for p in module.parameters()]
    player.backward(player.evaluate(StepOutputs(fake=module(torch.ones(1, 1))), 7), 7, OneProcess())
    assert player.losses["root"] == 0
    with pytest.raises(TrainingError, match=r"step 7, player G, terms root: .* \(that of weight\)"):
        player.step(OneProcess())
    assert all(torch.equal(p, old) for p, old in zip(module.parameters(), before, strict=True))


def _network(norm: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), norm, nn.ReLU(), nn.Conv2d(8, 4, 3, 2, 1))


@pytest.mark.parametrize("norm", [nn.InstanceNorm2d(8), nn.GroupNorm(2, 8)], ids=["instance", "group"])
def test_microbatches_give_the_gradients_of_the_whole_batch(norm: nn.Module) -> None:
    gradients = []
    for microbatches in (1, 4):
        network = _network(norm)
        term = Term("t", 2.0, lambda outputs: outputs.fake.square().mean())
        player = _player("G", network, [term], microbatches=microbatches)
        for part in _batch(8).split(microbatches):
            noise = part.noise("n", 3, 8, 8)
            player.backward(player.evaluate(StepOutputs(fake=network(part.photos + noise)), 1), 1, OneProcess())
        gradients.append([p.grad for p in player.parameters])
    for whole, added in zip(*gradients, strict=True):
        torch.testing.assert_close(added, whole, rtol=1e-4, atol=1e-6)
        assert whole is not None and whole.any()


def test_two_players_both_step_every_step_with_microbatches() -> None:
    """With two ``accelerator.accumulate`` contexts and accumulation 2, one of the models never steps."""
    g, d = nn.Linear(3, 3), nn.Linear(3, 1)
    term = Term("t", 1.0, lambda outputs: outputs.fake.square().mean())
    players = _player("D", d, [term], microbatches=2), _player("G", g, [term], microbatches=2)
    steps = {player.name: 0 for player in players}
    for player in players:

        def count(*_: object, name: str = player.name) -> None:
            steps[name] += 1

        player.optimiser.register_step_post_hook(count)
    game = Game(players, {name: lambda batch: StepOutputs(fake=d(g(batch.photos.mean((2, 3))))) for name in "DG"})
    moved = []

    class Watch:
        def after_step(self, step: int, game: Game) -> None:
            moved.append(torch.cat([p.detach().reshape(-1).clone() for q in game.players for p in q.parameters]))

    fit(game, [(step, _batch(4)) for step in (1, 2, 3)], [Watch()], OneProcess())  # type: ignore[arg-type]
    assert steps == {"D": 3, "G": 3}
    for before, after in itertools.pairwise(moved):
        assert (before != after).float().mean() > 0.9
    assert all(p.grad is None for player in players for p in player.parameters)


def test_a_step_averages_the_gradients_over_the_processes_in_one_call() -> None:
    module = nn.Linear(2, 1)
    player = _player("G", module, lr=1.0)
    before = [p.detach().clone() for p in module.parameters()]
    module.weight.grad = torch.tensor([[1.0, 3.0]])
    backend = TwoProcesses(other=5.0)
    player.step(backend)
    assert backend.reduced == 1
    torch.testing.assert_close(module.weight.detach(), before[0] - torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(module.bias.detach(), before[1] - 2.5)  # a head that no term used counts as zero


def test_averaged_gradients_lie_in_memory_as_their_parameters_do() -> None:
    """The fused optimiser walks parameter, gradient and moments by address: their layouts have to agree."""
    results = []
    for backend in (OneProcess(), TwoProcesses(other=0.0)):
        torch.manual_seed(0)
        module = nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.Adam(module.parameters(), 0.1, fused=True)
        player = Player("G", module, [], optimiser, lambda step: 1.0)
        for _ in range(2):
            backend.backward(module(torch.ones(1, 3, 5, 5) * torch.arange(3)[:, None, None]).square().mean())
            player.step(backend)
        results.append(module.weight.detach().clone())
    # Adam does not see the factor 1/2 of the pretended mean.
    torch.testing.assert_close(results[1], results[0], rtol=1e-3, atol=1e-4)


def test_gradients_are_clipped_to_their_norm() -> None:
    module = nn.Linear(2, 1, bias=False)
    player = _player("G", module, lr=1.0, clip=1.0)
    before = module.weight.detach().clone()
    module.weight.grad = torch.tensor([[30.0, 40.0]])
    player.step(OneProcess())
    torch.testing.assert_close(before - module.weight.detach(), torch.tensor([[0.6, 0.8]]), rtol=1e-4, atol=1e-5)


def test_state_round_trip_goes_on_exactly() -> None:
    def make() -> Player:
        torch.manual_seed(0)
        module = nn.Linear(2, 1)
        return Player("G", module, [], torch.optim.Adam(module.parameters(), 0.1), lambda step: 0.5**step)

    def move(player: Player, times: int) -> None:
        for number in range(times):
            player.module(torch.tensor([[1.0, number]])).sum().backward()
            player.step(OneProcess())

    whole, first, second = make(), make(), make()
    move(whole, 3), move(first, 3)
    nn.init.zeros_(second.module.weight)  # type: ignore[arg-type]
    second.load_state_dict(first.state_dict())
    move(whole, 2), move(second, 2)
    assert torch.equal(whole.module.weight, second.module.weight)  # type: ignore[arg-type]
    assert whole.optimiser.param_groups[0]["lr"] == second.optimiser.param_groups[0]["lr"] == 0.1 * 0.5**5


def test_each_of_ds_moves_has_rows_of_its_own() -> None:
    """Two moves of D: the first half of the step's batch, then the second; G moves on the first."""
    layers = {name: torch.nn.Linear(1, 1) for name in "DG"}
    d, g = (Player(n, m, [], torch.optim.SGD(m.parameters(), 0.1), lambda _: 1.0) for n, m in layers.items())
    batch = Batch(torch.zeros(4, 3, 2, 2), torch.zeros(4, 2, 2).long(), torch.arange(4), 1, 0, 4)
    seen = [[part.classes.tolist() for part in turn.batches(batch)] for turn in Game((d, d, g), {}).turns]
    assert seen == [[[0, 1]], [[2, 3]], [[0, 1]]]
