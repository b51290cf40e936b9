"""The gate: what a generated pair has to pass, learnt from real pairs. Every score is a column of the index.

- ``topology``: the rule of parts, areas and views (no fit); ``checks``: one fitted check a file.
- ``fit``: fits the judges and their bounds once a data set; ``gate``: judges a candidate.
- ``duplicates`` and ``rescore``: passes over finished shards; ``planted``: what the gate itself is worth.
"""

from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.fit import load_gate, ready_gate
from augkit.gate.judge import Gate
from augkit.gate.mask_rule import ENOUGH, MaskRule, reference
from augkit.gate.reference import ReferenceSet

__all__ = ["ENOUGH", "ReferenceSet", "Gate", "MaskRule", "Candidate", "Verdict", "load_gate", "ready_gate", "reference"]
