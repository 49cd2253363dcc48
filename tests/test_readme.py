"""What the README says is what happens."""

import re
import subprocess
import sys

import pytest

import pipelines
from kseq import compare, predict, tune
from kseq.__main__ import COMMANDS
from kseq.options import FIELDS
from tests.conftest import ROOT, readme_blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = readme_blocks("python")


def shape_of(output):
    """The lines of an output without their numbers and places, which differ by machine and version."""
    lines = [re.sub(r"\S*/saved_models", "saved_models", line) for line in output.strip().splitlines()]
    lines = [re.sub(r"[\d.,]*\d", "N", line) for line in lines]
    # Early stopping may come an epoch sooner or later elsewhere.
    kept = []
    for line in lines:
        if not (line.startswith("epoch") and kept and kept[-1].startswith("epoch")):
            kept.append(re.sub(r" +", " ", line))
    return kept


def test_the_capture_is_what_the_first_command_prints(quick_start):
    (capture,) = [block for block in readme_blocks("text") if block.startswith("data ")]
    assert shape_of(capture) == shape_of(quick_start.output)


def test_there_are_snippets():
    assert len(SNIPPETS) >= 2


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_snippets_run_as_written(snippet, quick_start):
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=quick_start.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "positive" in done.stdout or "negative" in done.stdout


def test_the_loading_lines_that_the_command_prints_run(quick_start):
    lines = quick_start.output.split("Load it anywhere that has TensorFlow:")[1].strip("\n").splitlines()
    code = "\n".join(line.strip() for line in lines)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "probabilities" in done.stdout


def test_every_flag_dataset_and_file_that_is_named_exists():
    known = {f"--{name.replace('_', '-')}" for name in FIELDS} | {
        alias for field in FIELDS.values() for alias in field.metadata.get("aliases", ())
    }
    known |= {"--json", "--config", "--preset", "--help", *predict._parser()._option_string_actions}
    known |= {*compare._parser()._option_string_actions, *tune._parser()._option_string_actions}
    chinese = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    named = {flag.replace("--no-", "--") for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", README + chinese)}
    assert named
    assert named <= known
    for name in pipelines.datasets():
        assert f"`{name}`" in README
    for command in COMMANDS:
        assert f"kseq.{command}" in README or f"kseq {command}" in README
    links = re.findall(r"\]\((?!#|http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_chinese_example_runs_as_written(tmp_path):
    """Write the file, look at it, train on it, load what came of it."""
    text = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    writing, loading = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (commands,) = [
        block for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if "评论" in block
    ]
    lines = [line.removeprefix("$ python ").split() for line in commands.strip().splitlines()]
    assert [line[:2] for line in lines] == [["-m", "kseq.data"], ["-m", "kseq.run"]]
    outputs = []
    for arguments in (["-c", writing], *lines, ["-c", loading]):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
        )
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    assert "Han 100.0%" in outputs[1]
    assert "好评" in outputs[3] or "差评" in outputs[3]


def test_the_table_of_artifacts_names_what_lies_there(quick_start):
    names = {path.name for path in (quick_start.saved_model / "assets.extra").iterdir()}
    table = README.split("in `assets.extra/`:")[1].split("\n\n")[1]
    assert set(re.findall(r"`([a-z_]+\.\w+|README\.md)`", table.replace("`kseq run --config run.json`", ""))) == names
