"""A sample of the study of kills; the whole is a command (see ``tests/kills.py``)."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests import kills


@pytest.mark.slow
def test_commands_that_are_killed_end_with_the_same_bytes() -> None:
    command = [sys.executable, "-m", "tests.kills", "--kills", "8", "--only", "import", "train", "gate", "report"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_kill_is_a_kill(tmp_path: object) -> None:
    """The test of the test: whoever is to be killed is, and nobody else."""
    sleeper = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    for victim, ended in (("worker", False), ("group", True)):
        with subprocess.Popen([sys.executable, "-c", sleeper]) as process:
            while not kills.family(process.pid):
                assert process.poll() is None
            kills.kill(process.pid, victim, np.random.default_rng(0))
            assert process.wait(60) == (-9 if ended else 0)
