from __future__ import annotations

import inspect
import pickle

import pytest

from augkit.core import errors
from augkit.core.errors import AugkitError

TREE = {
    "ConfigError": ("AugkitError", 2),
    "RegistryError": ("ConfigError", 2),
    "DataError": ("AugkitError", 3),
    "SchemaError": ("DataError", 3),
    "ShardError": ("DataError", 3),
    "StoreError": ("ShardError", 3),
    "CheckpointError": ("DataError", 3),
    "TrainingError": ("AugkitError", 3),
    "BusyError": ("AugkitError", 3),
    "PartialError": ("AugkitError", 4),
}

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AugkitError)]


def test_the_tree_is_as_drawn() -> None:
    found = {kind.__name__: (kind.__base__.__name__, kind.exit_code) for kind in KINDS if kind is not AugkitError}
    assert found == TREE
    drawn = [line.split("── ")[1].split() for line in (errors.__doc__ or "").splitlines() if "── " in line]
    assert {words[0]: int(words[1]) for words in drawn} == {name: code for name, (_, code) in TREE.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_survives_pickling(kind: type[AugkitError]) -> None:
    """They cross from Ray's processes and DataLoader workers."""
    error = kind("a found", "an expected", "a remedy")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (again.found, again.expected, again.remedy, str(again)) == ("a found", "an expected", "a remedy", str(error))


def test_a_message_says_what_was_found_expected_and_to_be_done() -> None:
    assert str(AugkitError("a cat", "a dog", "bark")) == "a cat\nexpected: a dog\nremedy: bark"
    assert str(AugkitError("a cat")) == "a cat"
