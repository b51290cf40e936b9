"""What every technique must do: settings, slots, terms, state, needs. A new file is tested without another line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from augkit.core.errors import ConfigError
from augkit.core.needs import match
from augkit.core.technique_settings import TechniqueSection
from augkit.gan.players import StepOutputs, Term
from augkit.gan.technique_set import TechniqueSet
from augkit.gan.techniques import TECHNIQUES, Technique
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.registries import PICTURE_MODELS
from augkit.settings import Settings, load_settings
from augkit.stages.unconditional import check_unconditional
from tests.gan.outputs import step_outputs

KINDS = [TECHNIQUES[name] for name in TECHNIQUES]
PAIR = ADVERSARIAL["hinge"]

every = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


class OneProcess:
    """A backend that reduces nothing."""

    num_processes = 1
    device = torch.device("cpu")

    def backward(self, loss: torch.Tensor) -> None:
        raise AssertionError

    def reduce(self, tensor: torch.Tensor, reduction: str) -> torch.Tensor:
        raise AssertionError


def _network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 3))


def _terms(technique: Technique, player: str, network: nn.Module) -> list[Term]:
    own = technique.adversarial_term(player, PAIR)
    return [*([own] if own else []), *technique.terms(player, network)]


def _contributions(technique: Technique) -> set[str]:
    """The slots that it fills."""
    blocks = list(_network())
    technique.freeze([blocks])
    filled = {
        "terms": any(_terms(technique, player, _network()) for player in "DG"),
        "head": technique.head(8, 4, False) is not None,
        "refiner": technique.refiner() is not None,
        "view": technique.view(torch.zeros(3)) is not None,
        "freeze": not all(p.requires_grad for block in blocks for p in block.parameters()),
        "embedding": technique.embedding is not None,
        "joint": technique.joint,
    }
    return {slot for slot, used in filled.items() if used}


def _sections(kind: type[Technique]) -> Iterator[str]:
    """The settings that have its keys."""
    for name, section in Settings():
        if isinstance(section, TechniqueSection) and kind in section.kinds:
            yield name


@every
def test_settings_go_round_and_refuse_what_they_do_not_know(kind: type[Technique]) -> None:
    technique = kind(**kind.example)
    assert kind.model_validate(technique.model_dump(mode="json")) == technique
    with pytest.raises(ValidationError, match="stranger"):
        kind(**kind.example, stranger=1)


@every
def test_it_is_off_unless_its_example_turns_it_on(kind: type[Technique]) -> None:
    assert not kind().on and kind(**kind.example).on
    assert not [*kind().faults(), *kind(**kind.example).faults()]
    assert _contributions(kind(**kind.example))


@every
def test_its_keys_are_in_the_settings_and_turn_it_on(kind: type[Technique]) -> None:
    sections = list(_sections(kind))
    assert sections
    for name in sections:
        asked = [f"{name}.{key}={value}" for key, value in kind.example.items()]
        section = getattr(load_settings("cpu", asked), name)
        [technique] = [one for one in TechniqueSet.of(section, name).chosen if isinstance(one, kind)]
        assert {key: getattr(technique, key) for key in kind.example} == {
            key: getattr(kind(**kind.example), key) for key in kind.example
        }
        assert f"{name}.{technique.asked}" in TechniqueSet.of(section, name).needs()


@every
@pytest.mark.parametrize("player", ["D", "G"])
def test_a_player_has_at_most_one_term_of_it_finite_and_differentiable(kind: type[Technique], player: str) -> None:
    network, outputs = _network(), step_outputs()
    terms = _terms(kind(**kind.example), player, network)
    assert len(terms) <= 1
    for term in terms:
        term.scaled(outputs)
        term.state.settle(OneProcess())  # what knows no earlier step may have nothing to say yet
        loss = term.scaled(outputs)
        assert loss.shape == () and loss.isfinite() and term.name and term.weight > 0
        leaves = [leaf for leaf in (*_tensors(outputs), *network.parameters()) if leaf.requires_grad]
        found = torch.autograd.grad(loss, leaves, allow_unused=True)
        gradients = [gradient for gradient in found if gradient is not None]
        assert gradients and all(gradient.isfinite().all() for gradient in gradients)


def _tensors(outputs: StepOutputs) -> list[torch.Tensor]:
    layers = [layer for side in (outputs.real_features, outputs.fake_features) for scale in side for layer in scale]
    own = [value for value in vars(outputs).values() if isinstance(value, torch.Tensor)]
    assert isinstance(outputs.score, nn.Module)
    return [*own, *layers, *outputs.score.parameters()]


@every
@pytest.mark.parametrize("player", ["D", "G"])
def test_what_a_term_remembers_is_taken_up_bit_by_bit(kind: type[Technique], player: str) -> None:
    before, after = (_terms(kind(**kind.example), player, _network()) for _ in range(2))
    for old, new in zip(before, after, strict=True):
        for _ in range(2):
            old.scaled(step_outputs())
            old.state.settle(OneProcess())
        new.state.load_state_dict(old.state.state_dict())
        assert torch.equal(old.scaled(step_outputs()), new.scaled(step_outputs()))


@every
def test_a_need_that_is_not_met_is_refused_with_both_names(kind: type[Technique]) -> None:
    technique = kind(**kind.example)
    needs = {f"mask.{technique.asked}": technique.needs}
    match(needs, technique.needs, "a network")
    for missing in technique.needs:
        given = [need for need in technique.needs if need is not missing]
        with pytest.raises(ConfigError) as caught:
            match(needs, given, "the network x")
        assert f"mask.{technique.asked} set, but the network x gives no {missing.what}" in str(caught.value)
        assert missing.remedy in str(caught.value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.section == "latent"], ids=lambda kind: kind.__name__)
def test_some_network_serves_it_and_one_that_does_not_is_named(kind: type[Technique]) -> None:
    technique, verdicts = kind(**kind.example), dict[str, str]()
    for model in sorted(PICTURE_MODELS, key=lambda name: "sngan" in name):  # spectral norm takes seconds on no device
        asked = [f"unconditional.{key}={value}" for key, value in kind.example.items()]
        settings = load_settings("smoke", [f"unconditional.model={model}", "unconditional.size=32", *asked])
        try:
            check_unconditional(settings.unconditional)
            verdicts[model] = ""
        except ConfigError as error:
            verdicts[model] = str(error)
            assert f"unconditional.{technique.asked} set, but {model} gives no " in verdicts[model]
        if "" in verdicts.values() and (any(verdicts.values()) or not technique.needs):
            return
    raise AssertionError(f"all networks alike: {verdicts}")
