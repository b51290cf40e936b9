"""``python -m tests.fuzz``: a thousand hostile inputs, tried one by one; prints how many passed, by family."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.sweep import INPUTS, sweep


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=INPUTS, help="how many in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other inputs")
    parser.add_argument("--family", help="this one only")
    chosen = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="augkit-fuzz-"))
    faults = sweep(place, chosen.inputs, chosen.seed, chosen.family)
    for verdict in faults:
        print(f"{verdict.name}: {verdict.fault}")
    print(f"what failed is kept in {place}" if faults else "all passed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
