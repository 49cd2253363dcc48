"""What several test files need: the README, and one real run of its first command."""

import dataclasses
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclasses.dataclass(frozen=True)
class QuickStart:
    """The README's first command, run as it stands there."""

    folder: Path
    output: str

    @property
    def saved_model(self) -> Path:
        return self.folder / "saved_models" / "reviews-gru-max_mean" / "1"


@pytest.fixture(scope="session", autouse=True)
def _own_cache_folder(tmp_path_factory):
    """Keep what runs keep apart from what the user's runs have kept."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        # Its list of fonts takes seconds to make.
        patch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR", str(usual / "matplotlib")))
        yield


def readme_blocks(language: str) -> list[str]:
    """The README's fenced blocks of one language."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="session")
def quick_start(tmp_path_factory) -> QuickStart:
    install, command = readme_blocks("console")[0].removeprefix("$ ").strip().split(" && ")
    assert install == "pip install -e ."  # Done: the tests run in that installation.
    program, *arguments = shlex.split(command)
    assert program == "python"
    folder = tmp_path_factory.mktemp("quick-start")
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return QuickStart(folder, done.stdout)
