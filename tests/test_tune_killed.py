"""A search whose process is killed again and again. Real processes: `pytest -m slow tests/test_tune_killed.py`."""

import random
import signal
import subprocess
import sys
import time

import pytest

from tests.test_tune import SPACE, TOY, search, told, toy, toys  # noqa: F401

KILLS = 20
ARGUMENTS = [*SPACE, "--search", "word_dropout=0..0.5", "--tuner", "hyperband", "--trials", "26"]


def kill_once(draw, early):
    """Kill the command some time after it began, or some time after a trial of its own has ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "kseq.tune", *TOY, *ARGUMENTS],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        begun, lines = time.monotonic(), []
        if early:
            # Within the start, the reading of the state, or the first trial.
            time.sleep(draw.uniform(0.5, 15))
        else:
            for line in process.stdout:
                lines.append(line)
                if "; best " in line:
                    break
            # Then within the trial that follows, or the writing between two.
            time.sleep(draw.uniform(0, 3))
        process.kill()
        rest, _ = process.communicate()
    return process.returncode, "".join(lines) + rest, time.monotonic() - begun


@pytest.mark.slow
def test_kill_9_at_twenty_random_moments_loses_nothing(toy):  # noqa: F811
    expected = told(search(*ARGUMENTS, "--name", "whole"))
    assert len(expected) == 26
    draw = random.Random(8)
    for number in range(KILLS):
        # Never twice early: a trial whose process dies three times counts as failed.
        code, said, _ = kill_once(draw, early=number % 4 == 3)
        assert code == -signal.SIGKILL, said
        assert "Traceback" not in said
        assert "cannot be read" not in said
    found = told(search(*ARGUMENTS))
    assert found == expected
