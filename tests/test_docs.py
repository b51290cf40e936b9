"""What the documents name is there: pages, files, commands with their options, settings, registered features."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from augkit.cli._app import ORDER, app, load_commands
from augkit.core.presets import augment_presets
from augkit.data.audit.audit_check import CHECKS as AUDIT_CHECKS
from augkit.data.importers import IMPORTERS
from augkit.gan.techniques import TECHNIQUES
from augkit.gate.gate_check import CHECKS as GATE_CHECKS
from augkit.settings import Settings
from tests.test_house import FILES as MODULES
from tests.test_house import imports_of

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(ROOT.glob("docs/*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES, ROOT / "deploy/README.md"]
OF_OTHERS = {"--no-build-isolation", "--cpu", "--num_processes", "--multi_gpu", "--machine_rank"}
"""Options of pip and of accelerate that stand by themselves."""
FILES = {"md", "json", "jsonl", "yaml", "png", "jpg", "html", "parquet", "py", "pt"}

load_commands("augkit.cli", ORDER)
each = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))


@pytest.mark.parametrize("page", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_readme_lists_every_page() -> None:
    links = set(re.findall(r"\]\((docs/\w[\w-]*\.md)\)", (ROOT / "README.md").read_text()))
    assert links == {str(page.relative_to(ROOT)) for page in PAGES}


@each
def test_files_that_are_named_are_there(page: Path) -> None:
    named = set(re.findall(r"`((?:augkit|tests|configs|examples|docs|deploy)/[\w./-]*)`", page.read_text()))
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def commands(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The words behind ``augkit`` (or ``augkit.train``) and the options of every command in the text."""
    text = text.replace("\\\n", " ").replace("augkit.train ", "augkit train ")
    for line in re.findall(r"\baugkit ([a-z][^\n`|#]*)", text):
        words = line.split()
        yield words, [word for word in words if word.startswith("--")]


def options_of(words: list[str]) -> tuple[str, set[str]]:
    """The command that the words name, and the options that it takes."""
    command: Any = get_command(app)
    name = []
    for word in words:
        if word not in getattr(command, "commands", {}):
            break
        command = command.commands[word]
        name.append(word)
    return " ".join(name), {option for parameter in command.params for option in parameter.opts}


@each
def test_options_of_commands_exist(page: Path) -> None:
    found = [(options_of(words), options) for words, options in commands(page.read_text())]
    wrong = [f"augkit {name} {o}" for (name, known), options in found for o in options if name and o not in known]
    assert wrong == []


@each
def test_options_that_stand_alone_are_some_commands(page: Path) -> None:
    everything = {"--help", *OF_OTHERS}
    walk = [get_command(app)]
    while walk:
        command: Any = walk.pop()
        walk += getattr(command, "commands", {}).values()
        everything |= {option for parameter in command.params for option in parameter.opts}
    alone = set(re.findall(r"`(--[a-z][a-z_-]*)", page.read_text()))
    assert alone <= everything, alone - everything


def is_setting(path: list[str]) -> bool:
    node: Any = Settings
    for key in path:
        fields = getattr(node, "model_fields", {})
        if fields and key not in fields:
            return False
        kinds = [fields[key].annotation, *getattr(fields[key].annotation, "__args__", ())] if fields else []
        node = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
        if node is None:
            return True  # plain data, or an option of a network, from here on
    return True


@each
def test_settings_that_are_named_exist(page: Path) -> None:
    sections = "|".join(name for name in Settings.model_fields)
    paths = re.findall(rf"(?<![\w./-])((?:{sections})(?:\.[a-z_0-9]+)+)", page.read_text())
    wrong = {path for path in paths if path.split(".")[1] not in FILES and not is_setting(path.split("."))}
    assert wrong == set()


def test_a_wrong_word_is_found() -> None:
    """The test of the tests."""
    assert (
        not is_setting(["image", "stepz"]) and is_setting(["image", "steps"]) and is_setting(["image", "options", "x"])
    )
    assert not is_setting(["mask", "selection", "x"]) and is_setting(["mask", "selection", "every"])
    (words, options), *_ = commands("augkit evaluate gate --pears 3")
    name, known = options_of(words)
    assert name == "evaluate gate" and options == ["--pears"] and "--pears" not in known and "--pairs" in known


def keys_of(*sections: str) -> list[str]:
    """Settings of the techniques of these sections."""
    kinds = [TECHNIQUES[name] for name in TECHNIQUES]
    return [key for kind in kinds if kind.section in sections for key in kind.model_fields]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("data", IMPORTERS),
        ("data", AUDIT_CHECKS),
        ("gate", GATE_CHECKS),
        ("augmentation", augment_presets()),
        ("training", keys_of("start", "latent", "image")),
        ("latents-and-paint", keys_of("paint")),
    ],
    ids=[
        "importers",
        "audit checks",
        "checks of the gate",
        "augmentation presets",
        "techniques",
        "those of single photos",
    ],
)
def test_every_feature_is_described(page: str, names: Any) -> None:
    text = (ROOT / f"docs/{page}.md").read_text()
    found = [name for name in names if not re.search(rf"`{name}(: [^`]*)?`|\n### {name}\n", text)]
    assert found == []


def test_every_package_is_in_both_tables_of_folders() -> None:
    packages = {path.name for path in (ROOT / "augkit").iterdir() if (path / "__init__.py").is_file()}
    layout = (ROOT / "CONTRIBUTING.md").read_text()
    table = (ROOT / "README.md").read_text()
    assert {name for name in packages if not re.search(rf"(^|\s){name}/", layout)} == set()
    assert {name for name in packages if f"`augkit/{name}/`" not in table} == set()


def names_of(requirements: list[str]) -> list[str]:
    """``ray>=2.50`` -> ``ray``."""
    return [re.split(r"[^\w.-]", text)[0].lower() for text in requirements]


def test_the_table_of_dependencies_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    always, asked = (ROOT / "docs/dependencies.md").read_text().split("## What is asked for")
    rows = re.compile(r"^\| `([\w.-]+)` \| [^|]+ \| [^|]+ \|", re.M)  # licence and reason are never empty
    extras = project["optional-dependencies"]
    assert rows.findall(always) == names_of(project["dependencies"])
    assert rows.findall(asked) == names_of([one for name, own in extras.items() if name != "test" for one in own])
    assert [name for name in names_of(extras["test"]) if name != "augkit" and f"`{name}`" not in asked.lower()] == []


BY_OTHERS = {"tensorboard"}
"""What is imported through another package: by ``torch.utils.tensorboard``."""
NOWHERE = "detectron2"
"""No package index has it."""


def test_every_dependency_is_imported_and_every_import_is_a_dependency() -> None:
    imported = {name.split(".")[0] for file in MODULES for name in imports_of(ast.parse(file.read_text()))}
    foreign = imported - set(sys.stdlib_module_names) - {"augkit", NOWHERE}
    packages = packages_distributions()
    found = {re.sub(r"[._]", "-", package.lower()) for name in foreign for package in packages.get(name, [f"?{name}"])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [one for name, own in project["optional-dependencies"].items() if name != "test" for one in own]
    assert found - {*names_of(project["dependencies"]), *names_of(extras)} == set()
    assert set(names_of(project["dependencies"])) - found == BY_OTHERS
