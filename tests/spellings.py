"""One car's parts under many spellings of their names, for tests that all of them mean the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

PARTS = (
    "front_bumper", "hood", "wheel", "trunk", "front_left_door", "front_right_door", "back_left_door",
    "back_right_door", "front_left_light", "front_right_light", "left_mirror", "right_mirror",
)  # fmt: skip
"""The canonical names."""

LETTERS = {"left": "l", "right": "r"}
HANDS = {"left": "lh", "right": "rh"}
CASES: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "capital": str.capitalize}
SEPARATORS = ("_", "-", ".", "/", " ", "__")


@dataclass(frozen=True)
class Spelling:
    """``sides`` are words, letters, hands, or corners (an end and a side in two letters, where a name has both);
    ``order`` is where side and end go; ``between`` of "" glues words together."""

    sides: str = "words"
    rear: str = "back"
    order: str = "first"
    between: str = "_"
    case: str = "lower"
    plural: bool = False

    def __call__(self, name: str) -> str:
        *rest, kind = name.split("_")
        end = next((word for word in rest if word in ("front", "back")), "")
        side = next((word for word in rest if word in LETTERS), "")
        spelled_end = self.rear if end == "back" else end
        words = [spelled_end, {"letters": LETTERS, "hands": HANDS}.get(self.sides, {}).get(side, side)]
        if self.sides == "corners" and side:
            words = [spelled_end[:1] + side[0]] if end else [side[0]]
        about = [word for word in words if word]
        kinds = [kind + "s" if self.plural else kind]
        ordered = {"first": about + kinds, "last": kinds + about, "around": about[:1] + kinds + about[1:]}[self.order]
        return self.between.join(CASES[self.case](word) for word in ordered)


def _unambiguous(spelling: Spelling) -> bool:
    """Letters in the middle of glued words say nothing, unless capitals tell them apart."""
    return spelling.between != "" or spelling.sides == "words" or spelling.case == "capital"


SPELLINGS = st.builds(
    Spelling,
    sides=st.sampled_from(("words", "letters", "hands", "corners")),
    rear=st.sampled_from(("back", "rear")),
    order=st.sampled_from(("first", "last", "around")),
    between=st.sampled_from(("", *SEPARATORS)),
    case=st.sampled_from(tuple(CASES)),
    plural=st.booleans(),
).filter(_unambiguous)

EXAMPLES = {
    "FrontLeftDoor": Spelling(between="", case="capital"),
    "Front_Left_Door": Spelling(case="capital"),
    "FRONT_LEFT_DOOR": Spelling(case="upper"),
    "front door lh": Spelling("hands", order="around", between=" "),
    "front_l_door": Spelling("letters"),
    "door_fl": Spelling("corners", "rear", order="last"),
    "frontleftdoor": Spelling(between=""),
}
"""By what they make of ``front_left_door``."""
