"""The door: what a name on the command line means, found without TensorFlow."""

import logging
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import tensorflow_datasets as tfds

from pipelines import DataError, datasets, find
from tests.conftest import ROOT

MODULE = """\"\"\"Tickets of the help desk.\"\"\"

import tensorflow as tf

from pipelines.text_data import from_splits


def load(*, split_seed=0, flavour="plain"):
    rows = tf.data.Dataset.from_tensor_slices(([f"{flavour} {number}" for number in range(40)], [0, 1] * 20))
    return from_splits(
        "tickets", rows, None, ("no", "yes"), split_seed=split_seed, suggested_sequence_length=4,
        suggested_vocabulary_size=50,
    )
"""


@pytest.fixture
def users_folder(tmp_path, monkeypatch):
    """The working folder of somebody with modules of her own."""
    (tmp_path / "mycompany").mkdir()
    (tmp_path / "mycompany" / "__init__.py").write_text("")
    (tmp_path / "mycompany" / "tickets.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "mycompany"]:
        del sys.modules[name]


def test_a_dataset_is_found_by_its_name_even_beside_a_file_of_that_name(users_folder):
    (users_folder / "reviews").write_text("")
    assert find("reviews") == datasets()["reviews"]
    assert find("reviews").parameters == ("split_seed", "validation_fraction", "size", "distance")


def test_a_module_of_the_users_is_found_and_loaded(users_folder):
    source = find("mycompany.tickets")
    assert (source.summary, source.parameters) == ("Tickets of the help desk.", ("split_seed", "flavour"))
    assert "mycompany.tickets" not in sys.modules
    given = source.given(SimpleNamespace(split_seed=3, distance=2, flavour=None))
    assert given == {"split_seed": 3}
    data = source.load(**given)
    assert data.name == "tickets"
    assert data.sizes == {"train": 28, "validation": 4, "test": 8}


@pytest.mark.parametrize(
    "name", ["nothing", "no.such.module", "json", "tickets.csv", "kseq.run", "pipelines.batching", ""]
)
def test_what_is_nothing_is_none(name, users_folder):
    assert find(name) is None


@pytest.mark.parametrize("script", ["train.py", "train/__init__.py"])
def test_a_name_that_is_looked_for_runs_nothing_of_the_users(script, users_folder):
    (users_folder / script).parent.mkdir(exist_ok=True)
    (users_folder / script).write_text("open('ran', 'w')\nraise SystemExit(5)\ndef load(): ...\n")
    for name in ("train.csv", "train.csv.gz", "train.tickets"):
        assert find(name) is None
    assert not (users_folder / "ran").exists()
    assert "train" not in sys.modules


def test_a_package_that_cannot_be_imported_is_told_and_not_called_absent(users_folder):
    (users_folder / "mycompany" / "__init__.py").write_text("import nosuchdep")
    with pytest.raises(DataError, match=r"mycompany\.tickets cannot be imported \(ModuleNotFoundError: .*'nosuchdep'"):
        find("mycompany.tickets").load()


def test_a_module_that_leaves_the_program_is_told(users_folder):
    (users_folder / "mycompany" / "tickets.py").write_text("raise SystemExit(0)\ndef load(): ...")
    with pytest.raises(DataError, match=r"cannot be imported \(SystemExit: 0\)"):
        find("mycompany.tickets").load()


def test_a_module_in_a_folder_without_init_is_found(users_folder):
    (users_folder / "mycompany" / "__init__.py").unlink()
    assert find("mycompany.tickets").parameters == ("split_seed", "flavour")
    assert find("mycompany.tickets").load().name == "tickets"


@pytest.mark.parametrize("line", ["from .tickets import load", "from mycompany.tickets import load as load"])
def test_a_load_that_is_imported_is_read_where_it_stands(line, users_folder):
    (users_folder / "mycompany" / "more.py").write_text(line)
    source = find("mycompany.more")
    assert (source.module, source.parameters) == ("mycompany.more", ("split_seed", "flavour"))
    assert source.load(flavour="sour").name == "tickets"


def test_modules_that_import_their_load_from_each_other_are_told(users_folder):
    (users_folder / "mycompany" / "tickets.py").write_text("from .more import load")
    (users_folder / "mycompany" / "more.py").write_text("from .tickets import load")
    with pytest.raises(DataError, match="where no `def load` was found"):
        find("mycompany.more").load()


@pytest.mark.parametrize(
    "lines",
    ["TFDS_NAME = NAME\nARCHIVES = [place for place in ()]", "TFDS_NAME = 3\nARCHIVES = 'https://data.example/a.zip'"],
)
def test_what_a_module_computes_is_not_taken_for_a_download(lines, users_folder):
    (users_folder / "mycompany" / "tickets.py").write_text(f"{MODULE}\n\nNAME = 'x'\n{lines}\n")
    source = find("mycompany.tickets")
    assert source.download is None
    source.check({})


def test_a_file_beside_a_dataset_of_its_name_is_told(users_folder, caplog):
    caplog.set_level(logging.INFO, "pipelines")
    datasets()["reviews"].load(size=200)
    assert caplog.text == ""
    (users_folder / "reviews").mkdir()
    find("reviews").load(size=200)
    assert "reviews is the dataset of that name; what lies here under it is ./reviews" in caplog.text


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("load = print", "tickets.py) defines no function `load`"),
        ("def load(path, /): ...", "tickets.py) takes path by place"),
        ("def load(*, path): ...", r"load\(\) cannot be called \(missing a required argument: 'path'\)"),
        ("from .nothing import load", "imports its `load` from mycompany.nothing, where no"),
        ("x = 1", "tickets.py) defines no function `load`"),
        ("def load(:", "tickets.py line 1: is no Python"),
        ("raise RuntimeError('wrong') \n\ndef load(): ...", r"cannot be imported \(RuntimeError: wrong\)"),
        ("def load():\n    return open('/nowhere')", "failed: FileNotFoundError: .*tickets.py line 2"),
        ("def load():\n    return 3", r"load\(\) returned int; expected a TextData"),
    ],
)
def test_a_module_that_cannot_be_used_is_named(text, received, users_folder):
    (users_folder / "mycompany" / "tickets.py").write_text(text)
    with pytest.raises(DataError, match=received.replace("py) ", r"py\) ")):
        find("mycompany.tickets").load()


def test_a_dataset_of_tensorflow_datasets_is_found_by_its_prefix():
    source = find("tfds:glue/sst2")
    assert source.of == ("glue/sst2",)
    assert {"data_dir", "text_column", "label_column", "test_fraction"} <= set(source.parameters)


@pytest.mark.parametrize(
    ("name", "options", "received"),
    [
        ("no_such_thing", {}, "TensorFlow Datasets has no dataset 'no_such_thing'"),
        (
            "glue/mnli",
            {},
            "glue/mnli has 2 features that may hold the text: premise, hypothesis. Choose with --text-col",
        ),
        (
            "glue/sst2",
            {"label_column": "labels"},
            "'labels' is none of the features of glue/sst2 that hold a label: la",
        ),
        ("mnist", {}, "mnist has 0 features that may hold the text: it has none"),
    ],
)
def test_what_is_not_clear_about_a_dataset_of_tensorflow_datasets_is_asked(name, options, received, monkeypatch):
    monkeypatch.setattr("pipelines.tensorflow_datasets_source._is_prepared", lambda builder: True)
    with tfds.testing.mock_data(num_examples=5), pytest.raises(DataError, match=received):
        find(f"tfds:{name}").load(data_dir=None, **options)


def test_data_that_cannot_be_had_is_told_before_tensorflow_is_imported(tmp_path):
    program = (
        "import sys\n"
        "from kseq.run import main\n"
        "code = main(['imdb', '--cell', 'gru'])\n"
        "print(code, 'tensorflow' in sys.modules, 'keras' in sys.modules)\n"
    )
    # Port 9 of this machine: nobody listens there, as nobody answers where there is no network.
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:9", "no_proxy": "", "TFDS_DATA_DIR": str(tmp_path)}
    environment.pop("KSEQ_DATA_DIR", None)
    environment["HOME"] = str(tmp_path)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment, cwd=ROOT
    )
    seconds = time.monotonic() - start
    assert done.stdout == "3 False False\n"
    assert "imdb_reviews/plain_text is not prepared" in done.stderr
    assert "127.0.0.1:9" in done.stderr
    for way in ("--data-dir", "--manual-dir", "reviews"):
        assert way in done.stderr
    assert seconds < 5
