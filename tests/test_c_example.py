"""`examples/c`: compiled here, it labels texts as Python does, and notices every damage that the manifest can show."""

import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.model import build_model, serving_model
from kseq.options import Options
from kseq.saved_model import MANIFEST, LoadError, load
from kseq.saved_model_writer import publish, staging_folder, write_saved_model
from kseq.vectorizer import Vectorizer
from kseq.vocabulary import RESERVED_TOKENS
from tests.conftest import ROOT

C = ROOT / "examples" / "c"
TEXTS = ["a film", "好 film, été", "", "tab\there", "dull " * 300]
# A backslash, a quote, a line end and a character beyond the first plane, as JSON and labels.txt escape them.
CLASS_NAMES = ["sehr schön", 'a "b" \\ c', "好\U0001f600"]

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not here")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    vectorizer = Vectorizer((*RESERVED_TOKENS, "film", "dull", "a", "été", "好"), 12, "head_tail")
    options = Options("toy", vocabulary_size=7, embedding_dim=4, units=3, dropout=0.3, embedding_dropout=0.3)
    keras.utils.set_random_seed(3)
    trained = build_model(options, vectorizer.spec, 3)
    trained.set_weights([2 * np.random.default_rng(1).normal(size=weight.shape) for weight in trained.get_weights()])
    server = serving_model(trained, options, vectorizer.spec, 3)
    with staging_folder(tmp_path_factory.mktemp("exports"), "tïny") as folder:
        write_saved_model(folder, preprocessor=vectorizer, model=server, class_names=CLASS_NAMES)
        return publish(folder)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Built by the commands of its README."""
    text = (C / "README.md").read_text(encoding="utf-8")
    where, build, _ = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    folder = tmp_path_factory.mktemp("c")
    for path in C.iterdir():
        shutil.copy(path, folder)
    script = f"set -e\n{where.replace('python ', f'{sys.executable} ', 1)}\n{build} -Wall -Wextra -Werror"
    subprocess.run(["bash", "-c", script], cwd=folder, check=True, capture_output=True)
    return folder / "classify"


def run(program, *arguments, **more):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, check=False, timeout=120, **more)


def answers(done):
    # TensorFlow's own lines go to standard error, whatever the level of its log.
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.decode("utf-8").splitlines()]


def test_it_answers_as_python_does(program, model):
    expected = load(model)(TEXTS)
    found = answers(run(program, model, *TEXTS))
    assert [label for label, _ in found] == expected.labels
    np.testing.assert_allclose([float(number) for _, number in found], expected.confidences, atol=1e-6)
    lines = "".join(f"{text}\n" for text in TEXTS).encode()
    assert answers(run(program, model, input=lines)) == [
        row for text in TEXTS for row in answers(run(program, model, text))
    ]


def test_signature_json_names_the_tensors_of_the_graph(model):
    found = json.loads((model / "assets.extra" / "signature.json").read_text())
    assert list(found) == ["serving_default"]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        graph = tf.compat.v1.saved_model.load(session, ["serve"], str(model))
        signature = graph.signature_def["serving_default"]
        for side, tensors in (("inputs", signature.inputs), ("outputs", signature.outputs)):
            assert {name: each["tensor"] for name, each in found["serving_default"][side].items()} == {
                name: tensor.name for name, tensor in tensors.items()
            }
            for each in found["serving_default"][side].values():
                tensor = session.graph.get_tensor_by_name(each["tensor"])
                assert each["dtype"] == tensor.dtype.name
                assert each["shape"] == [-1 if size is None else size for size in tensor.shape]


def damages(folder):
    """Every file of the folder, shortened and with one bit turned, and what can be missing or too much."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert len(names) >= 7
    for name in names:
        content = (folder / name).read_bytes()
        yield name, lambda path, content=content: path.write_bytes(content[: len(content) // 2])
        turned = bytearray(content)
        turned[len(content) // 2] ^= 4
        yield name, lambda path, turned=turned: path.write_bytes(turned)
        yield name, lambda path: path.unlink()
    yield "variables/more", lambda path: path.write_bytes(b"")


def loading_error(folder):
    try:
        load(folder)
    except LoadError as error:
        return str(error)
    return ""


def test_every_damaged_file_is_noticed_or_harmless(program, model, tmp_path):
    """Of the manifest itself a damage may be harmless: a blank, or the name of a field that nobody reads."""
    expected = answers(run(program, model, "a film"))
    refused = 0
    for number, (name, damage) in enumerate(damages(model)):
        copy = tmp_path / str(number)
        shutil.copytree(model, copy)
        damage(copy / name)
        done = run(program, copy, "a film")
        said = loading_error(copy)
        assert name in said or name == MANIFEST
        if done.returncode == 0:
            assert answers(done) == expected
            assert name == MANIFEST
        else:
            refused += 1
            assert done.returncode == 3
            assert done.stdout == b""
            # A wrong digest in the manifest is told of the file that it is of.
            assert name in done.stderr.decode() or (name == MANIFEST and said), done.stderr
    assert refused >= 20


@pytest.mark.parametrize(
    ("arguments", "code", "message"), [((), 2, "usage: "), (("nowhere",), 3, "nowhere: assets.extra")]
)
def test_wrong_calls_are_told(program, arguments, code, message):
    done = run(program, *arguments)
    assert done.returncode == code
    assert message in done.stderr.decode()
