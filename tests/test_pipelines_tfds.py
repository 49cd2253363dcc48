"""The datasets that come from TensorFlow Datasets: found, prepared, refused, and split."""

import importlib
import inspect
import logging
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import checksums, downloader
from tensorflow_datasets.core.utils import gcs_utils

from pipelines import availability, datasets, find
from pipelines import tensorflow_datasets_source as source
from pipelines.errors import DataError
from pipelines.yelp_polarity import unescape

# Ours, theirs, the split that is our test.
SOURCES = {
    "imdb": ("imdb_reviews/plain_text", "test"),
    "trec": ("trec", "test"),
    "ag_news": ("ag_news_subset", "test"),
    "yelp_polarity": ("yelp_polarity_reviews", "test"),
    "sst2": ("glue/sst2", "validation"),
}
CLASSES = {"imdb": 2, "trec": 6, "ag_news": 4, "yelp_polarity": 2, "sst2": 2}
KNOWN = ("data_dir", "manual_dir", "split_seed", "validation_fraction")

TINY_URL = "https://data.example/tiny.txt"
TINY_TEXT = "".join(f"{number % 2} text {number}\n" for number in range(12))


class KseqTiny(tfds.core.GeneratorBasedBuilder):
    """Twelve texts from one file, as small as a dataset that must be downloaded can be."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos = {}  # noqa: RUF012 - the attribute of TensorFlow Datasets, filled by the test below
    preparations = 0

    def _info(self):
        features = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(dl_manager.download(TINY_URL))}

    def _generate_examples(self, path):
        type(self).preparations += 1
        for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines()):
            label, _, text = line.partition(" ")
            time.sleep(0.02)  # wide enough for a second preparation to run into this one
            yield number, {"text": text, "label": int(label)}


@pytest.fixture
def no_network(monkeypatch):
    """Refuse every connection and return the hosts that were asked for."""
    asked = []

    def refuse(host, *_, **__):
        asked.append(host)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: refuse(address))
    monkeypatch.setattr(gcs_utils, "exists", lambda path: refuse(str(path)))
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    return asked


@pytest.fixture
def tiny_archive(tmp_path, monkeypatch):
    """A folder with the tiny dataset's original file, known by its checksum but not by its name."""
    folder = tmp_path / "manual"
    folder.mkdir()
    (folder / "tiny.txt").write_text(TINY_TEXT, encoding="utf-8")
    found = checksums.compute_url_info(folder / "tiny.txt")
    monkeypatch.setattr(KseqTiny, "url_infos", {TINY_URL: checksums.UrlInfo(found.size, found.checksum, None)})
    monkeypatch.setattr(KseqTiny, "preparations", 0)
    return folder


def _texts_and_labels(dataset):
    batches = dataset.batch(1024).as_numpy_iterator()
    return [(text.decode(), int(label)) for texts, labels in batches for text, label in zip(texts, labels, strict=True)]


# Contract


def _module(name):
    return importlib.import_module(f"pipelines.{name}")


def test_every_module_declares_the_options_the_command_knows():
    assert sorted(name for name in datasets() if name in SOURCES) == sorted(SOURCES)
    assert "tensorflow_datasets_source" not in datasets()
    for name in SOURCES:
        extra = ("fine_labels",) if name == "trec" else ()
        assert datasets()[name].parameters == KNOWN + extra
        assert datasets()[name].summary.endswith(".")
        signature = inspect.signature(_module(name).load).parameters
        assert signature["split_seed"].default == 0
        assert signature["validation_fraction"].default == 0.1


@pytest.mark.parametrize("name", SOURCES)
def test_declared_archives_are_the_ones_tensorflow_datasets_checks(name):
    tfds_name, archives = datasets()[name].download
    assert tfds_name == SOURCES[name][0]
    known = tfds.builder(SOURCES[name][0], data_dir="/nowhere").url_infos
    assert archives
    for url in archives:
        assert known[url].filename in (availability.file_name(url), None)
        assert availability.file_name(url) in inspect.getdoc(_module(name).load)


@pytest.mark.parametrize(("name", "options"), [*((name, {}) for name in SOURCES), ("trec", {"fine_labels": True})])
def test_every_dataset_keeps_the_contract_on_mock_data(name, options, monkeypatch):
    monkeypatch.setattr(source, "_is_prepared", lambda builder: True)
    theirs, test_split = SOURCES[name]
    with tfds.testing.mock_data(num_examples=200):
        data = datasets()[name].load(split_seed=1, **options)
        examples = list(tfds.as_numpy(tfds.load(theirs, split=test_split)))
        splits = {split: _texts_and_labels(getattr(data, split)) for split in ("train", "validation", "test")}
        other = datasets()[name].load(split_seed=2, validation_fraction=0.8, **options)
        unlabeled = list(data.unlabeled.as_numpy_iterator()) if data.unlabeled else None
    texts = {
        "ag_news": lambda example: example["title"] + b"\n" + example["description"],
        "sst2": lambda example: example["sentence"],
    }.get(name, lambda example: example["text"])
    assert [text for text, _ in splits["test"]] == [texts(example).decode() for example in examples]
    if not options:
        label = "label-coarse" if name == "trec" else "label"
        assert [label for _, label in splits["test"]] == [int(example[label]) for example in examples]
        assert len(data.class_names) == CLASSES[name]
    assert {split: len(pairs) for split, pairs in splits.items()} == {split: data.sizes[split] for split in splits}
    assert len(splits["train"]) + len(splits["validation"]) == 200
    assert {label for _, label in splits["train"]} == set(range(len(data.class_names)))
    for pairs in splits.values():
        assert all(0 <= label < len(data.class_names) for _, label in pairs)
    assert not {text for text, _ in splits["train"]} & {text for text, _ in splits["validation"]}
    assert other.fingerprints["validation"] != data.fingerprints["validation"]
    assert other.sizes["validation"] > data.sizes["validation"]
    # The mock texts are the same ones in every split, so those of test leave no unlabeled one.
    assert unlabeled == ([] if name == "imdb" else None)


def test_sst2_tests_on_the_official_validation_split(monkeypatch):
    def as_dataset(self, split, **_):
        labels = {"train": [0, 1] * 10, "validation": [1, 0], "test": [-1] * 5}[split]
        sentences = [f"{split} {number}" for number in range(len(labels))]
        examples = {"sentence": sentences, "label": labels, "idx": list(range(len(labels)))}
        return tf.data.Dataset.from_tensor_slices(examples)

    monkeypatch.setattr(source, "_is_prepared", lambda builder: True)
    with tfds.testing.mock_data(as_dataset_fn=as_dataset):
        data = datasets()["sst2"].load()
        assert _texts_and_labels(data.test) == [("validation 0", 1), ("validation 1", 0)]
        carved = _texts_and_labels(data.train) + _texts_and_labels(data.validation)
    assert sorted(carved) == sorted((f"train {number}", number % 2) for number in range(20))
    assert data.sizes["validation"] == 2


def test_fine_label_that_only_test_has_is_refused_and_named(monkeypatch):
    def as_dataset(self, split, **_):
        fine = {"train": [0, 1] * 10, "test": [0, 1, 2]}[split]
        examples = {"text": [f"{split} {n}" for n in range(len(fine))], "label-coarse": [1] * len(fine)}
        return tf.data.Dataset.from_tensor_slices({**examples, "label-fine": fine})

    monkeypatch.setattr(source, "_is_prepared", lambda builder: True)
    with (
        tfds.testing.mock_data(as_dataset_fn=as_dataset),
        pytest.raises(DataError, match=r"1 test questions of 'trec'.*\(ENTY:animal\)"),
    ):
        datasets()["trec"].load(fine_labels=True)


def test_yelp_escapes_are_undone():
    escaped = tf.constant(['said ""no""\\nand left', 'a \\""quoted\\"" word', "plain"])
    assert unescape(escaped).numpy().tolist() == [b'said "no"\nand left', b'a "quoted" word', b"plain"]


# Not prepared


@pytest.mark.parametrize("name", SOURCES)
def test_offline_names_the_three_ways_within_five_seconds(name, tmp_path, no_network):
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        datasets()[name].load(data_dir=str(tmp_path))
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert SOURCES[name][0] in message
    assert str(tmp_path) in message
    for way in ("--data-dir", "KSEQ_DATA_DIR", "--manual-dir", "'reviews'", "Temporary failure in name resolution"):
        assert way in message
    assert len(no_network) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_silent_name_server_is_not_waited_for(tmp_path, monkeypatch):
    answer = threading.Event()

    def silent(*_, **__):
        answer.wait(60)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silent)
    try:
        start = time.monotonic()
        with pytest.raises(DataError, match=r"ai\.stanford\.edu:80 \(no answer in 2 seconds\)"):
            datasets()["imdb"].load(data_dir=str(tmp_path))
        assert time.monotonic() - start < 4
    finally:
        answer.set()


def test_all_hosts_are_probed_at_once_within_one_deadline(monkeypatch):
    answer = threading.Event()
    asked = []

    def reply(address, **_):
        asked.append(address[0])
        if address[0].startswith("silent"):
            answer.wait(60)
        if address[0].startswith("closed"):
            raise ConnectionRefusedError(111, "Connection refused")
        return socket.socket()

    def failure(*hosts):
        asked.clear()
        start = time.monotonic()
        found = availability._connection_failure([(host, 443) for host in hosts])
        assert sorted(asked) == sorted(hosts)
        return found, time.monotonic() - start

    monkeypatch.setattr(socket, "create_connection", reply)
    monkeypatch.setattr(availability, "_PROBE_SECONDS", 0.5)
    try:
        found, seconds = failure("silent-a", "silent-b", "open", "silent-c")
        assert found == "silent-a:443 (no answer in 0.5 seconds)"
        assert seconds < 1
        # A refusal needs no waiting for the others.
        found, seconds = failure("silent-a", "open", "closed")
        assert found == "closed:443 ([Errno 111] Connection refused)"
        assert seconds < 0.4
        assert failure("open", "open-too")[0] is None
    finally:
        answer.set()


def test_the_probe_goes_to_the_proxy_where_one_is_set(monkeypatch):
    for variable in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(variable)
    assert availability._first_hop("https://data.example/file") == ("data.example", 443)
    assert availability._first_hop("http://data.example:8080/file") == ("data.example", 8080)
    monkeypatch.setenv("http_proxy", "http://user:word@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example")
    assert availability._first_hop("http://data.example/file") == ("proxy.example", 3128)
    assert availability._first_hop("https://data.example/file") == ("data.example", 443)
    assert availability._first_hop("http://near.example/file") == ("near.example", 80)


def test_the_data_folder_comes_from_the_argument_then_the_environment(tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("KSEQ_DATA_DIR", str(tmp_path / "environment"))
    with pytest.raises(DataError, match=str(tmp_path / "environment" / "trec")):
        datasets()["trec"].load()
    with pytest.raises(DataError, match=str(tmp_path / "trec")):
        datasets()["trec"].load(data_dir=str(tmp_path))
    with pytest.raises(DataError, match=f"the data folder {tmp_path / 'nowhere'} does not exist"):
        datasets()["trec"].load(data_dir=str(tmp_path / "nowhere"))
    monkeypatch.delenv("KSEQ_DATA_DIR")
    assert availability.data_folder(None) is None


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch, tiny_archive):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    monkeypatch.setenv("KSEQ_DATA_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(DataError, match=f"{tmp_path / 'file' / 'below'} cannot be written"):
        source.prepared("kseq_tiny", [TINY_URL], manual_dir=str(tiny_archive))


def test_a_failing_download_is_an_error_with_its_cause(tmp_path, monkeypatch, tiny_archive, no_network):
    monkeypatch.setattr(availability, "_connection_failure", lambda hops: None)
    monkeypatch.setattr(source, "_DOWNLOAD_TRIES", 0)
    tries = downloader.MAX_RETRIES
    with pytest.raises(DataError, match=r"could not be prepared .*data\.example.*--manual-dir"):
        source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path))
    assert tries == downloader.MAX_RETRIES


# Prepared here


def test_the_original_archive_is_prepared_without_a_network(tmp_path, tiny_archive, no_network, caplog, capsys):
    caplog.set_level(logging.INFO, "pipelines")
    builder = source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path), manual_dir=str(tiny_archive))
    pairs = [
        (example["text"].decode(), int(example["label"])) for example in tfds.as_numpy(source.read(builder, "train"))
    ]
    assert sorted(pairs) == sorted((f"text {number}", number % 2) for number in range(12))
    assert source.size(builder, "train") == 12
    assert source.size(builder, "no such split") is None
    assert str(tiny_archive) in caplog.text
    assert capsys.readouterr().out == ""
    assert no_network == []
    assert source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path)).is_prepared()
    assert KseqTiny.preparations == 1


def test_an_archive_that_is_not_the_original_is_refused(tmp_path, tiny_archive):
    (tiny_archive / "tiny.txt").write_text("0 changed\n", encoding="utf-8")
    with pytest.raises(DataError, match="has wrong checksum"):
        source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path), manual_dir=str(tiny_archive))


def test_a_manual_folder_without_the_archive_is_refused(tmp_path, no_network):
    with pytest.raises(DataError, match=r"prepared from aclImdb_v1\.tar\.gz, which .* does not hold"):
        datasets()["imdb"].load(data_dir=str(tmp_path), manual_dir=str(tmp_path))
    with pytest.raises(DataError, match=r"/nowhere given as --manual-dir does not exist"):
        datasets()["imdb"].load(data_dir=str(tmp_path), manual_dir="/nowhere")
    assert no_network == []


def test_of_two_at_once_one_prepares_and_the_other_waits(tmp_path, tiny_archive, caplog):
    caplog.set_level(logging.INFO, "pipelines")
    found, errors = [], []

    def prepare():
        try:
            builder = source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path), manual_dir=str(tiny_archive))
            found.append(len(list(source.read(builder, "train"))))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=prepare) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert found == [12, 12]
    assert KseqTiny.preparations == 1
    assert "prepared by another process; waiting" in caplog.text


def test_another_process_holds_the_lock(tmp_path):
    holder = (
        "import sys, time, filelock\n"
        "with filelock.FileLock(sys.argv[1]):\n"
        "    print('held', flush=True); sys.stdin.readline(); open(sys.argv[2], 'w').close()\n"
    )
    command = [sys.executable, "-c", holder, str(tmp_path / ".glue-sst2.lock"), str(tmp_path / "done")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        threading.Timer(0.3, lambda: (process.stdin.write("\n"), process.stdin.flush())).start()
        with source._only_one_process("glue/sst2", tmp_path):
            assert (tmp_path / "done").exists()


def test_another_prepared_version_is_read_and_said(tmp_path, tiny_archive, caplog):
    builder = source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path), manual_dir=str(tiny_archive))
    folder = Path(builder.data_path)
    for version in ("0.9.0", "0.10.0"):
        shutil.copytree(folder, folder.parent / version)
        info = folder.parent / version / "dataset_info.json"
        info.write_text(info.read_text(encoding="utf-8").replace("1.0.0", version), encoding="utf-8")
    shutil.rmtree(folder)
    caplog.set_level(logging.INFO, "pipelines")
    older = source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path))
    assert str(older.version) == "0.10.0"
    assert len(list(source.read(older, "train"))) == 12
    assert "reading version 0.10.0" in caplog.text


@pytest.mark.parametrize("damage", ["truncated", "missing", "no metadata", "no split"])
def test_damaged_files_are_an_error_that_names_them(damage, tmp_path, tiny_archive):
    folder = Path(
        source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path), manual_dir=str(tiny_archive)).data_path
    )
    (records,) = folder.glob("*.tfrecord*")
    if damage == "truncated":
        records.write_bytes(records.read_bytes()[:-20])
    elif damage == "missing":
        records.unlink()
    elif damage == "no metadata":
        (folder / "dataset_info.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"(damaged|cannot be read).*delete"):  # noqa: PT012 - any step may find it
        builder = source.prepared("kseq_tiny", [TINY_URL], data_dir=str(tmp_path))
        assert str(tmp_path) in str(builder.data_path)
        with source.reading(builder):
            list(source.read(builder, "test" if damage == "no split" else "train"))


# Real data, where KSEQ_DATA_DIR has it


@pytest.fixture(scope="module")
def real_folder():
    folder = os.environ.get("KSEQ_DATA_DIR")
    if not folder:
        pytest.skip("KSEQ_DATA_DIR names no folder of prepared datasets")
    return Path(folder)


def _official(path, *labels):
    """Read a record file with nothing of TensorFlow Datasets: texts, then the labels asked for."""
    data, position, rows = path.read_bytes(), 0, []
    while position < len(data):
        (length,) = struct.unpack_from("<Q", data, position)
        features = tf.train.Example.FromString(data[position + 12 : position + 12 + length]).features.feature
        text = features["text"].bytes_list.value[0].decode()
        rows.append((text, *(features[label].int64_list.value[0] for label in labels)))
        position += 12 + length + 4
    return rows


def test_any_dataset_is_loaded_by_its_features(tmp_path, tiny_archive):
    data = find("tfds:kseq_tiny").load(
        data_dir=str(tmp_path), manual_dir=str(tiny_archive), test_fraction=0.4, validation_fraction=0.3
    )
    # The one split it has is parted.
    assert data.sizes == {"train": 6, "validation": 2, "test": 4}
    assert (data.name, data.class_names) == ("kseq_tiny", ("0", "1"))
    pairs = [pair for split in data.sizes for pair in _texts_and_labels(getattr(data, split))]
    assert sorted(pairs) == sorted((f"text {number}", number % 2) for number in range(12))
    assert data.notes == ("text from 'text', label from 'label'; splits of kseq_tiny: train",)


def as_prepared(monkeypatch, features, splits, name="made"):
    """Stand in for a prepared dataset with these features, and these examples by split."""
    info = SimpleNamespace(features=tfds.features.FeaturesDict(features), splits=dict.fromkeys(splits), full_name=name)
    builder = SimpleNamespace(info=info, data_path="nowhere")
    monkeypatch.setattr(source, "archives_of", lambda name: [])
    monkeypatch.setattr(source, "prepared", lambda *_, **__: builder)
    monkeypatch.setattr(source, "read", lambda _, split: tf.data.Dataset.from_tensor_slices(splits[split]))
    monkeypatch.setattr(source, "size", lambda *_: None)


def _examples(labels, kind, column="label", words="text"):
    texts = [f"{words} {number}" for number in range(len(labels))]
    return {"text": texts, column: np.array(labels, kind)}


@pytest.mark.parametrize(
    ("feature", "kind", "given", "class_names"),
    [
        (tfds.features.Scalar(np.int64), np.int64, [10, -1, 9], ("-1", "9", "10")),
        (tfds.features.Tensor(shape=(), dtype=np.int32), np.int32, [-1, 1, 3], ("-1", "1", "3")),
        (tfds.features.Scalar(np.bool_), np.bool_, [True, False, True], ("False", "True")),
        (tfds.features.Text(), object, ["zoo", "Ärger", "帮助"], ("zoo", "Ärger", "帮助")),
    ],
)
def test_labels_may_be_whole_numbers_and_texts(feature, kind, given, class_names, monkeypatch):
    features = {"text": tfds.features.Text(), "label": feature, "idx": tfds.features.Scalar(np.int32)}
    train, test = given * 10, given[::-1] * 2
    splits = {"train": _examples(train, kind), "test": _examples(test, kind, words="test")}
    for examples in splits.values():
        examples["idx"] = np.arange(len(examples["text"]), dtype=np.int32)
    as_prepared(monkeypatch, features, splits)
    data = find("tfds:made").load()
    assert data.class_names == class_names
    assert [data.class_names[label] for _, label in _texts_and_labels(data.test)] == [str(each) for each in test]
    back = {text: data.class_names[label] for text, label in _texts_and_labels(data.train)}
    assert all(back[text] == str(train[int(text.split()[1])]) for text in back)
    assert data.reading == {"text_column": "text", "label_column": "label"}


def test_a_test_split_of_labels_that_train_lacks_has_none(monkeypatch):
    features = {"text": tfds.features.Text(), "label": tfds.features.Scalar(np.int64)}
    splits = {
        "train": _examples([3, 4] * 20, np.int64),
        "validation": _examples([3, 4] * 3, np.int64, words="validation"),
        "test": _examples([-1] * 5, np.int64, words="test"),
    }
    as_prepared(monkeypatch, features, splits)
    data = find("tfds:made").load()
    assert data.sizes["test"] == 6
    assert data.class_names == ("3", "4")
    assert any("its test split has no labels" in note for note in data.notes)


@pytest.mark.parametrize(
    ("column", "typed", "received"),
    [
        ("idx", {}, "made has 1 features that may hold the label: idx. Choose with --label-col"),
        ("idx", {"label_column": "idx"}, "the feature 'idx' of made holds more than 1,000 different values in train"),
        ("label", {"label_column": "score"}, "'score' is none of the features of made that hold a label: label."),
    ],
)
def test_whole_numbers_that_may_be_no_label_are_asked_about(column, typed, received, monkeypatch):
    features = {"text": tfds.features.Text(), column: tfds.features.Scalar(np.int64), "score": np.float32}
    examples = _examples(range(1100), np.int64, column)
    as_prepared(monkeypatch, features, {"train": {**examples, "score": np.zeros(1100, np.float32)}})
    with pytest.raises(DataError, match=re.escape(received)):
        find("tfds:made").load(**typed)


def test_a_dataset_without_anything_like_a_label_is_told_what_is_expected(monkeypatch):
    as_prepared(monkeypatch, {"text": tfds.features.Text(), "score": np.float32}, {"train": {}})
    for typed in ({}, {"text_column": "text"}):
        with pytest.raises(DataError, match=r"0 features .* it has none\..*a ClassLabel, a whole number or a text"):
            find("tfds:made").load(**typed)


def test_of_two_texts_the_label_is_the_one_of_that_name_or_is_asked_for(monkeypatch):
    examples = {"text": [f"text {number}" for number in range(40)], "topic": ["tea", "milk"] * 20}
    as_prepared(monkeypatch, dict.fromkeys(examples, tfds.features.Text()), {"train": examples})
    assert find("tfds:made").load().class_names == ("milk", "tea")
    other = {"text": examples["text"], "kind": examples["topic"]}
    as_prepared(monkeypatch, dict.fromkeys(other, tfds.features.Text()), {"train": other})
    with pytest.raises(DataError, match=r"2 features that may hold the label: (text, kind|kind, text)\. Choose with"):
        find("tfds:made").load()
    for typed in ({"text_column": "text", "label_column": "kind"}, {"label_column": "kind"}):
        assert find("tfds:made").load(**typed).class_names == ("milk", "tea")


def test_trec_by_its_features_is_trec(real_folder):
    if not (real_folder / "trec").is_dir():
        pytest.skip(f"{real_folder} has no trec")
    data = find("tfds:trec").load(data_dir=str(real_folder), label_column="label-coarse")
    named = datasets()["trec"].load(data_dir=str(real_folder))
    assert data.fingerprints == named.fingerprints
    assert data.class_names == named.class_names


def _check_against(data, official_train, official_test):
    """Compare a dataset with its official splits and count its leaks with Python's own sets."""
    splits = {split: _texts_and_labels(getattr(data, split)) for split in ("train", "validation", "test")}
    assert splits["test"] == official_test
    assert Counter(splits["train"] + splits["validation"]) == Counter(official_train)
    texts = {split: {text for text, _ in pairs} for split, pairs in splits.items()}
    assert [pair for pair in official_train if pair[0] in texts["train"]] == splits["train"]
    assert not texts["train"] & texts["validation"]
    expected = []
    for other in ("train", "validation"):
        count = sum(text in texts[other] for text, _ in splits["test"])
        if count:
            expected.append((count, "test", other))
    leaks = [sentence for sentence in data.warnings if "also stand" in sentence]
    for sentence, (count, held_out, other) in zip(leaks, expected, strict=True):
        assert sentence.startswith(f"{count} {held_out} text")
        assert f"in {other} (" in sentence
    for split, pairs in splits.items():
        labels = defaultdict(set)
        for text, label in pairs:
            labels[text].add(label)
        conflicts = sum(len(found) > 1 for found in labels.values())
        stated = [sentence for sentence in data.warnings if f"more than once in {split}" in sentence]
        assert [sentence.split()[0] for sentence in stated] == ([str(conflicts)] if conflicts else [])
    classes = set(range(len(data.class_names)))
    assert {label for _, label in splits["train"]} == {label for _, label in splits["validation"]} == classes
    assert {label for _, label in splits["test"]} <= classes
    return splits


def test_imdb_is_the_official_split(real_folder, no_network):
    folder = real_folder / "imdb_reviews" / "plain_text" / "1.0.0"
    if not folder.is_dir():
        pytest.skip(f"{real_folder} has no imdb_reviews")
    train, test, unlabeled = (
        _official(folder / f"imdb_reviews-{split}.tfrecord-00000-of-00001", "label")
        for split in ("train", "test", "unsupervised")
    )
    data = datasets()["imdb"].load()
    splits = _check_against(data, train, test)
    assert no_network == []
    assert (len(train), len(test)) == (25_000, 25_000)
    assert data.sizes["unlabeled"] == len(unlabeled) == 50_000
    assert data.sizes["validation"] == pytest.approx(2_500, abs=25)
    assert Counter(label for _, label in splits["validation"])[1] == pytest.approx(1_250, abs=15)
    assert data.unlabeled.element_spec == tf.TensorSpec((), tf.string)
    # The counts that the module's docstring states.
    shared = [
        len([1 for text, _ in test if text in others]) for others in ({t for t, _ in train}, {t for t, _ in unlabeled})
    ]
    assert shared == [123, 269]
    held_out = {text for split in ("validation", "test") for text, _ in splits[split]}
    kept = [text.decode() for texts in data.unlabeled.batch(1024).as_numpy_iterator() for text in texts]
    assert kept == [text for text, _ in unlabeled if text not in held_out]
    assert len(kept) == 49_697


@pytest.mark.parametrize("fine_labels", [False, True])
def test_trec_is_the_official_split(fine_labels, real_folder, no_network):
    folder = real_folder / "trec" / "1.0.0"
    if not folder.is_dir():
        pytest.skip(f"{real_folder} has no trec")
    train, test = (
        _official(folder / f"trec-{split}.tfrecord-00000-of-00001", "label-coarse", "label-fine")
        for split in ("train", "test")
    )
    assert (len(train), len(test)) == (5_452, 500)
    data = datasets()["trec"].load(fine_labels=fine_labels)
    coarse, fine = ((folder / f"label-{kind}.labels.txt").read_text().split() for kind in ("coarse", "fine"))
    names = {(c, f): f"{coarse[c]}:{fine[f]}" if fine_labels else coarse[c] for _, c, f in train + test}
    label = {name: number for number, name in enumerate(data.class_names)}
    assert len(label) == (50 if fine_labels else 6)
    official = [[(text, label[names[c, f]]) for text, c, f in rows] for rows in (train, test)]
    _check_against(data, *official)
    assert no_network == []
    again, other = (datasets()["trec"].load(fine_labels=fine_labels, split_seed=seed).fingerprints for seed in (0, 1))
    assert again == data.fingerprints
    assert again["validation"] != other["validation"]
    assert again["test"] == other["test"]
