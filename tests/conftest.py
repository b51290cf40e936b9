"""What the tests share: a small workspace of rendered cars, and the settings of the smoke preset."""

from __future__ import annotations

import logging
import os
import shutil
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings as hypothesis_settings

from augkit.core.workspace import Workspace
from augkit.settings import Settings, load_settings
from tests.importing import import_samples

hypothesis_settings.register_profile("augkit", deadline=None)  # the first example pays for imports
hypothesis_settings.load_profile("augkit")

CARS = 40
SIZE = 64


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files go to one process each, so that what a file's tests share is made once; so does all that needs a gate."""
    for item in items:
        place = item.path.relative_to(Path(__file__).parent)
        item.add_marker(pytest.mark.xdist_group("balance" if place.parts[0] in ("balance", "gate") else str(place)))


@pytest.fixture(scope="session")
def rendered_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """40 cars at 64 px, five of each class with known doors, one of them held out.

    Shared: a test that writes takes ``copied_workspace``.
    """
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import even_counts, rendered_samples

    settings = load_settings("smoke", [f"data.size={SIZE}"])
    workspace = Workspace(tmp_path_factory.mktemp("rendered") / "workspace")
    samples = rendered_samples(even_counts(CARS), SIZE, settings.seed)
    import_samples(samples, render_schema(), workspace, settings, settings.seed)
    return workspace


@pytest.fixture
def copied_workspace(rendered_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy of ``rendered_workspace`` to write into."""
    return Workspace(shutil.copytree(rendered_workspace.root, tmp_path / "copy"))


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A server that answers as S3 does, on the loopback address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket, which this process and its children can reach."""
    given = {"ENDPOINT_URL": s3_endpoint, "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "REGION": "us-east-1"}
    for name, value in given.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    urllib.request.urlopen(urllib.request.Request(f"{s3_endpoint}/{name}", method="PUT")).close()
    return f"s3://{name}"


@pytest.fixture
def smoke() -> Callable[..., Settings]:
    """``smoke("mask.steps=2", ...)``: the smoke preset with these changes."""
    return lambda *overrides: load_settings("smoke", list(overrides))
