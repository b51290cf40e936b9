from __future__ import annotations

import time

import pytest
import yaml

from augkit.core.plain_yaml import LONGEST, PlainYamlError, dump_plain, load_plain
from augkit.core.presets import preset_folders

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


def test_presets_mean_what_yaml_says() -> None:
    files = [path for folder in preset_folders() for path in folder.rglob("*.yaml")]
    assert len(files) > 20
    for file in files:
        assert load_plain(file.read_text()) == yaml.safe_load(file.read_text()), file


def test_words_mean_what_they_do_elsewhere_but_for_dates() -> None:
    text = "{a: 1, b: 1e-2, c: 1.5, d: yes, e: null, f: 0x10, g: '1', 5: x, h: 2024-13-45, i: =, j: [], k: !!str 3}"
    assert load_plain(text) == {
        "a": 1, "b": "1e-2", "c": 1.5, "d": True, "e": None, "f": 16, "g": "1", 5: "x", "h": "2024-13-45", "i": "=",
        "j": [], "k": "3",
    }  # fmt: skip
    assert load_plain("# nothing") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, r"line 2: an alias \(\*a\)"), ("a: {b: !!int x}", r"a\.b: 'x' is no int \(line 1\)"),
        ("- 1\n- {c: !!bool x}", r"1\.c: 'x' is no bool \(line 2\)"), ("[" * 3000, "depth|levels"),
        ("a: [" * 40 + "]" * 40, "more than 32 levels"), ("a: " + "9" * 5000, "a: a number of 5000 characters"),
        ("a: 0x" + "f" * 5000, "a: a number"), ("a: !!timestamp 2024-99-99", "the tag"), ("a: 0b_", "is no int"),
        ("a: !!python/object:os.system x", "the tag"), ("a: !!binary x", "the tag"), ("? [1]\n: 2", "no word"),
        ("a\n---\nb", "2 documents"), ("a: [", "expected"), ("a: \0", "control"), ("x" * (LONGEST + 1), "the most"),
    ],
)  # fmt: skip
def test_all_else_is_refused_at_once(text: str, words: str) -> None:
    began = time.process_time()
    with pytest.raises(PlainYamlError, match=words):
        load_plain(text)
    assert time.process_time() - began < 2


def test_a_fault_is_told_with_its_line_and_no_name_of_the_parser_s_own() -> None:
    with pytest.raises(PlainYamlError, match=r"line 2, column 10") as caught:
        load_plain("mask:\n  steps: [1\n")
    assert "<" not in str(caught.value) and "  " not in str(caught.value)


def test_what_is_written_is_read_back_without_aliases() -> None:
    twice = [1, 2.5, "no", None, "2024-01-01"]
    assert load_plain(dump_plain({"b": twice, "a": twice})) == {"b": twice, "a": twice}
