"""The one loop: short, and blind to what it trains."""

from __future__ import annotations

import ast
import inspect
import re

from augkit.train import loop

TECHNIQUES = (
    "gan", "vae", "discriminator", "generator", "encoder", "ema", "average", "logan", "latent", "hinge", "bce", "kl",
    "lecam", "freeze", "ada", "perceptual", "segment", "mask", "photo", "image", "sample", "checkpoint", "metric",
)  # fmt: skip


def _fit() -> ast.FunctionDef:
    tree = ast.parse(inspect.getsource(loop))
    (found,) = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "fit")
    return found


def test_the_loop_has_at_most_30_lines() -> None:
    function = _fit()
    assert function.end_lineno is not None
    assert function.end_lineno - function.body[1].lineno + 1 <= 30


def test_the_loop_names_no_technique_and_decides_nothing() -> None:
    words = set()
    for node in ast.walk(_fit()):
        if isinstance(node, ast.Name):
            words |= set(re.split(r"[_\W]+", node.id.lower()))
        if isinstance(node, ast.Attribute):
            words |= set(re.split(r"[_\W]+", node.attr.lower()))
        assert not isinstance(node, ast.If | ast.IfExp | ast.Match), "a technique has a slot, not a branch of the loop"
    assert words.isdisjoint(TECHNIQUES), words & set(TECHNIQUES)


def test_the_loop_knows_games_only() -> None:
    tree = ast.parse(inspect.getsource(loop))
    ours = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("augkit")
    }
    assert ours == {"augkit.gan.batch", "augkit.gan.game"}
