"""Rendered cars with a fitted gate; no check that trains a network."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from augkit.balance.plain_options import open_references
from augkit.core.classes import CarClass
from augkit.core.workspace import Workspace
from augkit.gate.fit import ready_gate
from augkit.gate.judge import Gate
from augkit.gate.reference import ReferenceSet
from augkit.settings import Settings, load_settings
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import rendered_samples
from tests.balance.conftest import augkit, settings, trained, trained_workspace
from tests.importing import import_samples

__all__ = ["augkit", "settings", "trained", "trained_workspace"]

CHECKS = "gate.checks=[adjacency,view,palette,copied-mask,detail]"


@pytest.fixture(scope="session")
def gate_settings() -> Settings:
    return load_settings("smoke", ["data.size=64", "image.size=64", "data.val_share=0.25", CHECKS])


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory, gate_settings: Settings) -> Workspace:
    """30 cars of each of four classes and their gate. Shared: take ``workspace`` to write."""
    names = ("front-left-5", "front-right-5", "back-left-3", "back-right-3")
    workspace = Workspace(tmp_path_factory.mktemp("gate") / "workspace")
    samples = rendered_samples({CarClass.parse(name): 30 for name in names}, 64, 1)
    import_samples(samples, render_schema(), workspace, gate_settings, 1)
    ready_gate(open_references(workspace, gate_settings))
    return workspace


@pytest.fixture
def workspace(fitted: Workspace, tmp_path: Path) -> Workspace:
    """A copy to write into."""
    return Workspace(shutil.copytree(fitted.root, tmp_path / "workspace"))


@pytest.fixture(scope="session")
def references(fitted: Workspace, gate_settings: Settings) -> ReferenceSet:
    return open_references(fitted, gate_settings)


@pytest.fixture(scope="session")
def gate(references: ReferenceSet) -> Gate:
    return ready_gate(references)
