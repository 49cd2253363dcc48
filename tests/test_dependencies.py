"""What the packages import is declared, and what others forget to declare is there."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DECLARED = {re.match(r"[\w-]+", requirement)[0].lower() for requirement in PROJECT["dependencies"]}
DISTRIBUTIONS = {"sklearn": "scikit-learn"}


def test_every_import_of_the_packages_is_declared():
    imported = set()
    for package in ("kseq", "pipelines"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    imported.add(node.module.partition(".")[0])
    third_party = imported - set(sys.stdlib_module_names) - {"kseq", "pipelines"}
    assert {"tensorflow", "keras"} <= third_party
    assert {DISTRIBUTIONS.get(name, name).replace("_", "-") for name in third_party} <= DECLARED


@pytest.mark.parametrize(
    "module",
    [
        # Imports importlib_resources on Python 3.11 without declaring it.
        "tensorflow_datasets",
    ],
)
def test_what_others_forget_to_declare_is_there(module):
    done = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
