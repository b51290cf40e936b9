"""Techniques in the settings and side by side; a file that is dropped in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

from augkit.core import technique_settings
from augkit.core.errors import ConfigError, RegistryError
from augkit.core.needs import Need, match
from augkit.core.registry import Registry
from augkit.core.technique_settings import TechniqueSection, with_techniques
from augkit.gan.slots import Unrefined
from augkit.gan.technique_set import TechniqueSet
from augkit.gan.techniques import Technique
from augkit.gan.techniques.auxiliary import Auxiliary
from augkit.gan.techniques.bidirectional import Bidirectional
from augkit.gan.techniques.latent_optimisation import Logan
from augkit.settings import load_settings


def test_two_heads_of_d_are_refused_with_both_names() -> None:
    both = TechniqueSet("mask", (Auxiliary(condition="auxiliary"), Bidirectional(bidirectional=True)))
    with pytest.raises(ConfigError, match=r"mask\.condition=auxiliary and mask\.bidirectional set: each brings a head"):
        both.head(8, 4, False)


def test_two_that_move_latents_are_refused() -> None:
    twice = TechniqueSet("mask", (Logan(latent_optimisation={}),) * 2)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="moves of the latents"):
        twice.refiner()


def test_without_techniques_a_game_is_as_it_is() -> None:
    none = TechniqueSet("mask")
    assert none.head(8, 4, False) is None and isinstance(none.refiner(), Unrefined) and none.embedding == 1
    assert not none.joint and none.terms("D", torch.nn.Identity()) == [] and none.view(torch.zeros(3)).views == ()


def test_techniques_come_in_their_order_in_the_settings_and_among_the_terms() -> None:
    settings = load_settings("smoke", ["mask.orthogonal=1", "mask.r1=1", "mask.gradient_penalty=1", "mask.lecam=1"])
    terms = TechniqueSet.of(settings.mask, "mask").terms("D", torch.nn.Conv2d(1, 1, 1))
    assert [term.name for term in terms] == ["lecam", "r1", "gradient_penalty", "orthogonal"]
    keys = [*settings.mask.model_dump()]
    assert [key for key in keys if key in ("lecam", "r1", "gradient_penalty", "orthogonal")] == [t.name for t in terms]


def test_the_faults_of_techniques_and_of_the_section_are_told_at_once() -> None:
    asked = ["mask.r1_every=4", "mask.diffaugment=[cutout, cutout]", "mask.init_from=x", "mask.initialise=normal"]
    with pytest.raises(ConfigError) as caught:
        load_settings("smoke", asked)
    for fault in ("r1 is 0", "names a policy twice", "init_from replaces"):
        assert fault in str(caught.value)


class WarmTechnique(Technique):
    section: ClassVar[str] = "here"
    example: ClassVar[Mapping[str, Any]] = {"warmth": 1}

    warmth: int = 0


class WarmerTechnique(WarmTechnique):
    pass


def test_a_key_that_two_techniques_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    registry: Registry[type[Technique]] = Registry("technique", "augkit.gan.techniques")
    monkeypatch.setattr(technique_settings, "TECHNIQUES", registry)
    monkeypatch.setattr(registry, "_loaded", True)
    registry.register("warm")(WarmTechnique)
    registry.register("warmer")(WarmerTechnique)
    with pytest.raises(RegistryError, match="another technique has the key warmth"):
        with_techniques("here")(TechniqueSection)


def test_the_most_basic_need_is_said_of_all_askers_at_once() -> None:
    first, second = Need("bread", "bake some"), Need("butter", "churn some")
    with pytest.raises(ConfigError) as caught:
        match({"a": (first, second), "b": (second,), "c": ()}, set(), "the larder")
    assert "a set, but the larder gives no bread; b set, but the larder gives no butter\n" in str(caught.value)
    assert str(caught.value).endswith("bake some; churn some")


DROPPED = '''
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from torch import nn

from augkit.core.needs import OWN_SCORE, Need
from augkit.core.section import Weight
from augkit.gan.players import Term
from augkit.gan.techniques import TECHNIQUES, Technique


@TECHNIQUES.register("calm")
class Calm(Technique):
    """Scores near 0."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"calm": 0.5}

    calm: Weight = 0.0

    @property
    def needs(self) -> tuple[Need, ...]:
        return (OWN_SCORE,)

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        return [Term("calm", self.calm, lambda outputs: outputs.real_features[0][-1].square().mean())] * (player == "D")
'''
USER = """
import json, sys

import torch

import augkit.gan.techniques

augkit.gan.techniques.__path__.append(sys.argv[1])

from augkit.core.errors import ConfigError
from augkit.gan.image_tensors import colours, photos
from augkit.gan.terms import squared_error_term
from augkit.settings import load_settings
from augkit.stages.latent_generator import PictureKind, generative_game

kind = PictureKind(3, colours, photos, torch.zeros(3), squared_error_term())


def game(*more):
    settings = load_settings("smoke", ["unconditional.size=16", "unconditional.calm=0.5", *more])
    return generative_game(settings.unconditional, kind, "unconditional", torch.device("cpu"))[0]


def verdict():
    try:
        game()
    except ConfigError as error:
        return str(error)


layered = game("unconditional.options={norm: layer}")
players = {player.name: [term.name for term in player.terms] for player in layered.players}
keys = [*load_settings("smoke").mask.model_dump()]
print(json.dumps({"keys": keys, "players": players, "refused": verdict()}))
"""


def test_a_file_that_is_dropped_in_is_in_the_settings_and_in_the_game(tmp_path: Path) -> None:
    (tmp_path / "techniques").mkdir()
    (tmp_path / "techniques" / "calm.py").write_text(DROPPED)
    command = [sys.executable, "-c", USER, str(tmp_path / "techniques")]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert found["players"] == {"D": ["adversarial", "calm"], "G": ["adversarial"]}
    assert found["keys"][-4:] == ["orthogonal", "calm", "selection", "output"]  # what there was keeps its order
    assert "unconditional.calm set, but dcgan gives no score of a picture that is its own" in found["refused"]
