"""The templates fit the tools that read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERAY: dict[str, list[str]] = yaml.safe_load((Path(__file__).parent / "kuberay.yaml").read_text())


def load(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def strange(kind: str, fields: dict[str, Any]) -> set[str]:
    return set(fields) - set(KUBERAY[kind])


def test_the_job_has_fields_that_kuberay_knows() -> None:
    job = load("ray-job.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    assert strange("RayJobSpec", job["spec"]) == strange("RayClusterSpec", cluster) == set()
    assert strange("AuthOptions", cluster["authOptions"]) == set() and cluster["authOptions"]["mode"] == "token"
    assert strange("AutoscalerOptions", cluster["autoscalerOptions"]) == set()
    assert strange("HeadGroupSpec", cluster["headGroupSpec"]) == set()
    for group in cluster["workerGroupSpecs"]:
        assert strange("WorkerGroupSpec", group) == set()
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    assert strange("RayJobSpec", {"ttlSeconds": 1}) == {"ttlSeconds"}  # the test of the test


def test_every_container_finds_its_volumes() -> None:
    cluster = load("ray-job.yaml")["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        names = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} == names
            assert container["resources"]["limits"] == container["resources"]["requests"]


def test_the_cluster_fits_rays_own_schema() -> None:
    import jsonschema
    import ray.autoscaler

    schema = Path(ray.autoscaler.__file__).parent / "ray-schema.json"
    config = load("ray-cluster.yaml")
    jsonschema.validate(config, json.loads(schema.read_text()))
    assert all(
        "RAY_AUTH_MODE=token ray start" in config[f"{kind}_start_ray_commands"][-1] for kind in ("head", "worker")
    )


@pytest.mark.parametrize("path", sorted((DEPLOY / "accelerate").glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_its_files(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    assert config.num_processes >= config.num_machines >= 1
    assert (config.distributed_type.value == "MULTI_GPU") == (config.num_processes > 1)


def test_the_scripts_parse() -> None:
    for script in DEPLOY.glob("*.sh"):
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_what_the_image_is_built_from_is_there() -> None:
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    kept = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] == "!"}
    assert set(copied) == kept and all((ROOT / name).exists() for name in copied)


def test_the_templates_run_verbs_that_there_are() -> None:
    from tests.test_docs import commands, options_of

    for name in ("ray-job.yaml", "slurm.sh"):
        found = [
            (words, options) for words, options in commands((DEPLOY / name).read_text()) if "--workspace" in options
        ]
        assert found
        for words, options in found:
            command, known = options_of(words)
            assert command == "balance" and set(options) <= known
