from __future__ import annotations

from augkit.core.nearest import nearest, one_of


def test_a_misspelt_name_is_told_what_it_may_have_meant() -> None:
    assert nearest("imge", ["mask", "image"]) == "image" and nearest("xyz", ["mask", "image"]) is None
    assert one_of("imge", ["mask", "image"]) == "one of mask, image; did you mean image?"
    assert one_of("xyz", iter(["mask", "image"])) == "one of mask, image"
