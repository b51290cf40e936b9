"""What the figures are asked of: features gathered from pictures, judged against the real-vs-real floor; copies."""

from augkit.evaluation.compare import Figure, Floor, judge
from augkit.evaluation.copies import Copies, find_copies
from augkit.evaluation.gather import gather_masks, gather_photos
from augkit.evaluation.traits import Traits

__all__ = ["Copies", "Figure", "Floor", "Traits", "find_copies", "gather_masks", "gather_photos", "judge"]
