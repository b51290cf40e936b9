"""``accelerate launch -m augkit.train mask ...``: the verb ``train``, in every process."""

from __future__ import annotations

import sys

from augkit.cli._app import run

if __name__ == "__main__":
    sys.exit(run(["train", *sys.argv[1:]]))
