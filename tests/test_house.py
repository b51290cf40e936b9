"""The house in numbers: layers, import chains, names, pages. What the package is made of is read, not imported."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import augkit

PACKAGE = Path(augkit.__file__).parent
DOCS = Path(__file__).parents[1] / "docs"
ORDER: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("models", "losses", "metrics", "shards", "export"),
    ("data",),
    ("sources",),
    ("gan",),
    ("train",),
    ("settings",),
    ("stages", "gate"),
    ("balance",),
    ("evaluate",),
    ("report",),
    ("api",),
    ("cli",),
)
"""From the bottom to the top. Packages of one line do not import each other."""
LEVELS = {name: level for level, names in enumerate(ORDER) for name in names}
BUILDERS = ("settings", "stages", "balance", "evaluate", "api", "cli")
"""What reads settings and hands plain arguments down."""
DROP_INS = (
    "cli", "cli/evaluate", "api", "settings", "export", "models", "losses", "metrics", "gan/conditioning",
    "gan/techniques", "gate/checks", "data/audit/checks", "data/importers", "balance/executors", "sources/silhouettes",
)  # fmt: skip
"""Folders whose files have the names that users know: of verbs, sections and registered features."""
HEAVY = {"torch", "ray", "accelerate", "torchvision", "matplotlib", "cv2", "pyarrow", "numpy"}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Absolute names of what is imported anywhere below a node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used here"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_module_level(tree: ast.Module) -> ast.Module:
    """The module without its functions and without what type checkers alone read."""

    def kept(node: ast.stmt) -> bool:
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        return not typing_only and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)

    return ast.Module([node for node in tree.body if kept(node)], [])


def place_of(module: str) -> str | None:
    """``augkit.gan.game`` -> ``gan``; None for what is not of this package, and for the package itself."""
    words = module.split(".")
    return words[1] if words[0] == "augkit" and len(words) > 1 and words[1] in LEVELS else None


def faults_of(place: str, imported: Iterator[str]) -> list[str]:
    found = []
    for name in imported:
        other = place_of(name)
        if other is not None and other != place and LEVELS[other] >= LEVELS[place]:
            found.append(f"{place} imports {name}")
    return found


def modules() -> list[Path]:
    # An entry point stands above everything, and the package's own __init__ only passes names on.
    return [file for file in FILES if file.name != "__main__.py" and file != PACKAGE / "__init__.py"]


def place_of_file(file: Path) -> str:
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def test_every_module_has_a_layer() -> None:
    assert {place_of_file(file) for file in modules()} <= set(LEVELS)


@pytest.mark.parametrize("file", modules(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_go_downward(file: Path) -> None:
    assert faults_of(place_of_file(file), imports_of(ast.parse(file.read_text()))) == []


@pytest.mark.parametrize(
    "file", sorted((PACKAGE / "cli").rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE))
)
def test_the_command_line_imports_nothing_heavy_before_it_is_needed(file: Path) -> None:
    imported = {name.split(".")[0] for name in imports_of(at_module_level(ast.parse(file.read_text())))}
    assert imported & HEAVY == set()


def test_a_fault_is_found() -> None:
    """The test of the test."""
    assert faults_of("models", imports_of(ast.parse("from augkit.losses import adversarial"))) != []
    assert faults_of("gan", imports_of(ast.parse("def f():\n    import augkit.train.loop"))) != []
    assert faults_of("gate", imports_of(ast.parse("from augkit import balance"))) != []
    assert faults_of("core", imports_of(ast.parse("from augkit.shards import codec"))) != []
    assert faults_of("train", imports_of(ast.parse("from augkit.gan.game import Game"))) == []
    lazy = ast.parse("import json\nif TYPE_CHECKING:\n    import torch\ndef f():\n    import ray")
    assert set(imports_of(at_module_level(lazy))) == {"json"}


LONGEST_CHAIN = 18
BALANCE_PULLS_IN = 166


def module_of(file: Path) -> str:
    """``augkit/gan/game.py`` -> ``augkit.gan.game``; a folder's ``__init__`` is the folder."""
    words = ("augkit", *file.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(words[:-1] if words[-1] == "__init__" else words)


def imports_by_module(trees: Mapping[str, ast.AST]) -> dict[str, set[str]]:
    """Which of the modules each of them imports."""
    return {module: {name for name in imports_of(tree) if name in trees} - {module} for module, tree in trees.items()}


def longest_chain(imports: Mapping[str, set[str]]) -> list[str]:
    """The most modules of which each imports the next one."""

    @cache
    def chain_from(module: str) -> tuple[str, ...]:
        return (module, *max((chain_from(other) for other in sorted(imports[module])), key=len, default=()))

    return list(max(map(chain_from, imports), key=len))


def pulled_in(imports: Mapping[str, set[str]], module: str) -> set[str]:
    """The module and all that it imports, directly or through others."""
    found, new = set[str](), {module}
    while new:
        found |= new
        new = {other for one in new for other in imports[one]} - found
    return found


def test_chains_of_imports_are_short() -> None:
    """What is imported when a module is; what type checkers alone read does not count."""
    trees = {module_of(file): at_module_level(ast.parse(file.read_text())) for file in FILES}
    chain = longest_chain(imports_by_module(trees))
    assert len(chain) <= LONGEST_CHAIN, " -> ".join(chain)


def test_the_main_verb_needs_a_part_of_the_package() -> None:
    """Anything that ``augkit balance`` can reach by imports, in functions and for type checkers, too.

    What registries open by its name is no part of it: the verb works with whatever stages, checks and executors
    there are.
    """
    imports = imports_by_module({module_of(file): ast.parse(file.read_text()) for file in FILES})
    found = pulled_in(imports, "augkit.cli.balance")
    assert len(found) <= BALANCE_PULLS_IN, "\n".join(sorted(found))


def test_chains_are_measured() -> None:
    """The test of the test."""
    imports = {"a": {"b", "d"}, "b": {"c"}, "c": {"d"}, "d": set[str](), "e": {"d"}}
    assert longest_chain(imports) == ["a", "b", "c", "d"]
    assert pulled_in(imports, "b") == {"b", "c", "d"}
    trees = {"augkit.a": ast.parse("from augkit.b import B"), "augkit.b": ast.parse("import torch")}
    assert imports_by_module(trees) == {"augkit.a": {"augkit.b"}, "augkit.b": set()}


def settings_in(text: str) -> list[str]:
    """What of the settings is imported anywhere: in functions and for type checkers, too."""
    return [name for name in imports_of(ast.parse(text)) if place_of(name) == "settings"]


def test_settings_stop_at_the_builders() -> None:
    """All others are handed plain arguments."""
    below = [file for file in modules() if place_of_file(file) not in BUILDERS]
    assert {str(file.relative_to(PACKAGE)) for file in below if settings_in(file.read_text())} == set()


@pytest.mark.parametrize("text", ["if TYPE_CHECKING:\n    from augkit.settings import Settings",
                                  "def f():\n    from augkit import settings"])  # fmt: skip
def test_an_import_of_settings_is_found(text: str) -> None:
    assert settings_in(text) != []


def test_the_documents_are_few_and_short() -> None:
    pages = {page.stem: page.read_text() for page in DOCS.glob("*.md")}
    assert len(pages.keys() - {"glossary"}) <= 14 and "glossary" in pages
    prose = [re.sub(r"```.*?```|^    .*?$", "", text, flags=re.DOTALL | re.MULTILINE) for text in pages.values()]
    assert sum(any(sign.isalpha() for sign in word) for text in prose for word in text.split()) <= 12700


def test_no_file_is_a_bag_of_odds_and_ends() -> None:
    assert [file for file in FILES if file.stem in ("utils", "util", "helpers", "common", "misc")] == []


def twice(names: Iterable[tuple[str, Path]]) -> dict[str, list[str]]:
    """The names that several files use, with these files."""
    places: dict[str, list[str]] = {}
    for name, file in names:
        places.setdefault(name, []).append(str(file.relative_to(PACKAGE)))
    return {name: files for name, files in places.items() if len(files) > 1}


def test_no_class_name_is_used_twice() -> None:
    nodes = ((node, file) for file in FILES for node in ast.walk(ast.parse(file.read_text())))
    assert twice((node.name, file) for node, file in nodes if isinstance(node, ast.ClassDef)) == {}


def test_no_file_name_is_used_twice() -> None:
    own = [file for file in modules() if file.name != "__init__.py"]
    apart = [file for file in own if str(file.parent.relative_to(PACKAGE)) not in DROP_INS]
    assert twice((file.stem, file) for file in apart) == {}


def test_an_editable_install_leaves_no_folder_of_the_package_behind() -> None:
    """What hatch is forced to include it copies into site-packages, where it hides the package of other checkouts."""
    wheel = tomllib.loads((DOCS.parent / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert "force-include" not in wheel and wheel["sources"] == {"configs": "augkit/configs"}
    assert wheel["only-include"] == ["augkit", "configs"]


def writes_of_its_own(tree: ast.AST) -> list[str]:
    """Renames, temporary names, and texts or bytes put into a file: what is for the one atomic writer to do."""
    found = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and ".tmp" in str(node.value)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, owner = node.func.attr, ast.unparse(node.func.value)
        moved = name == "replace" and (owner == "os" or (len(node.args) == 1 and not node.keywords))
        if moved or name in ("rename", "renames", "write_text", "write_bytes"):
            found.append(ast.unparse(node))
    return found


def test_files_are_written_in_one_place() -> None:
    # An import writes its pairs into a folder that nobody sees before it is put in place as a whole.
    own = {PACKAGE / "core" / "atomic_file.py", PACKAGE / "data" / "ingest" / "rows.py"}
    found = {file: writes_of_its_own(ast.parse(file.read_text())) for file in FILES}
    assert {file for file, writes in found.items() if writes} == own


@pytest.mark.parametrize(
    "text",
    ["os.replace(a, b)", "a.replace(b)", "a.rename(b)", "a.write_text(t)", "a.write_bytes(b)", "f'{a}.tmp'"],
)
def test_a_write_is_found(text: str) -> None:
    """The test of the test."""
    assert writes_of_its_own(ast.parse(text)) != []


def test_other_replacements_are_not_taken_for_renames() -> None:
    assert writes_of_its_own(ast.parse("a.replace('b', 'c'); replace(row, id=1); when.replace(hour=0)")) == []


def files_with(pattern: str) -> list[str]:
    """The files of the package in which a line matches."""
    return [str(file.relative_to(PACKAGE)) for file in FILES if re.search(pattern, file.read_text())]


def test_files_from_outside_are_opened_in_one_place() -> None:
    """There pictures' kinds and sizes are looked at."""
    assert files_with(r"Image\.open\(") == ["data/photo_decoding.py"]
    assert files_with(r"cv2\.(imdecode|imread)") == ["core/decoding.py"]


def test_bytes_are_scaled_for_networks_in_one_place() -> None:
    assert files_with(r"127\.5") == ["core/pixels.py"]


def test_part_ids_are_counted_in_one_place() -> None:
    assert files_with(r"calcHist|bincount\((?!.*weights=).*minlength=256\)") == ["core/parts.py"]


def test_photos_are_flipped_in_one_place() -> None:
    """Masks are flipped by their schema, since left and right parts change places."""
    flips = r"(photo|picture|image|painted|mask)s?\[(\.\.\., )?:, ::-1\]"
    assert files_with(flips) == ["core/parts.py", "data/pair.py"]


ARRAYS = re.compile(r"\b(Photo|Mask|NDArray\[np\.uint8\])")
KINDS = {"photo": ("photo", "picture", "image"), "mask": ("mask",)}


def array_fields(node: ast.ClassDef) -> set[str]:
    """Which of photo and mask a class holds as arrays, told by its fields' names and types.

    What a function gives later is no array yet, and what a batch holds are tensors.
    """
    fields = {ast.unparse(n.target): ast.unparse(n.annotation) for n in node.body if isinstance(n, ast.AnnAssign)}
    held = {name for name, kind in fields.items() if ARRAYS.search(kind) and "Callable" not in kind}
    return {kind for kind, words in KINDS.items() if any(word in name for name in held for word in words)}


def test_nothing_but_a_pair_holds_a_photo_and_its_mask() -> None:
    nodes = ((node, file) for file in FILES for node in ast.walk(ast.parse(file.read_text())))
    classes = [node for node, _ in nodes if isinstance(node, ast.ClassDef)]
    assert [node.name for node in classes if array_fields(node) == {"photo", "mask"}] == ["Pair"]
    planted = ast.parse("class Both:\n    photo: Photo | None\n    drawn_mask: Mask").body[0]
    assert isinstance(planted, ast.ClassDef) and array_fields(planted) == {"photo", "mask"}


COUNTING = {"Callable[[str, int, int], None]", "Callable[[int, int], None]", "Callable[[str, int], None]"}
"""What a ``Progress`` of one's own would look like."""


def does_nothing(node: ast.AST) -> bool:
    """Whether a function only takes its arguments, or gives nothing back: a null callback."""
    if isinstance(node, ast.Lambda):
        return ast.unparse(node.body) == "None"
    if not isinstance(node, ast.FunctionDef) or ast.unparse(node.returns or node) != "None":
        return False
    return all(isinstance(stmt, ast.Pass | ast.Delete) or is_constant(stmt) for stmt in node.body)


def is_constant(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def progress_of_its_own(tree: ast.Module) -> list[str]:
    """Other types of progress than the one there is, and other null callbacks: module-level ones and lambdas."""
    nodes = [*tree.body, *(node for node in ast.walk(tree) if isinstance(node, ast.Lambda))]
    null = [ast.unparse(node) for node in nodes if does_nothing(node)]
    types = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    return null + [text for text in types if text in COUNTING]


def test_there_is_one_progress_and_one_that_is_silent() -> None:
    # The second answers: None is a mask that cannot be made again.
    own = {PACKAGE / "core" / "progress.py", PACKAGE / "report" / "image_cache.py"}
    found = {file: progress_of_its_own(ast.parse(file.read_text())) for file in FILES}
    assert {file for file, callbacks in found.items() if callbacks} == own


@pytest.mark.parametrize(
    "text",
    [
        "Report = Callable[[str, int, int], None]", "def f(told: Callable[[int, int], None]): ...",
        "f(lambda *_: None)", "def never(row: Row) -> None:\n    del row", "def f() -> None:\n    'Text.'",
    ],
)  # fmt: skip
def test_a_progress_is_found(text: str) -> None:
    """The test of the test."""
    assert progress_of_its_own(ast.parse(text)) != []


TECHNIQUES = [file for file in sorted((PACKAGE / "gan/techniques").glob("*.py")) if file.name != "__init__.py"]
GAME_BUILDERS = ("gan/technique_set.py", "stages/latent_generator.py", "stages/image.py", "stages/singan/scale.py")


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda file: file.stem)
def test_a_technique_is_one_file(technique: Path) -> None:
    """Nobody imports it, and none of those who build games names it."""
    module = f"augkit.gan.techniques.{technique.stem}"
    importers = [file for file in FILES if module in imports_of(ast.parse(file.read_text()))]
    assert importers == []
    for builder in GAME_BUILDERS:
        nodes = list(ast.walk(ast.parse((PACKAGE / builder).read_text())))
        named = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        named |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert technique.stem not in named, builder
