"""Write, verify, publish, move and load SavedModels; damage them, fill the disk, publish at once."""

import concurrent.futures
import errno
import json
import os
import resource
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from kseq import saved_model_writer
from kseq.errors import ExportError, UsageError, VerificationError
from kseq.saved_model import LABELS, LoadError, escape_line, load, unescape_line
from kseq.saved_model_check import forbidden_ops, verify
from kseq.saved_model_writer import check_writable, export_saved_model, publish, staging_folder, write_saved_model

CLASS_NAMES = ["two\nlines, a \\n and a \x85", "<script>alert('1')</script>", "电影 \u2028 🎬"]
WORDS = ["good", "bad", "film", "élan", "die"]
TEXTS = ["good film", "BAD film", "Élan die die", "", "good " * 50, "nothing known", "film\u2028good", "die"]
REPOSITORY = Path(__file__).resolve().parents[1]


class TinyVectorizer(tf.Module):
    """Splits at blanks and looks words up; at most 20 tokens."""

    def __init__(self):
        super().__init__()
        self.vocabulary = ("[PAD]", "[UNK]", *WORDS)
        self.spec = {"token_ids": tf.TensorSpec((None, None), tf.int32)}
        ids = tf.range(2, len(self.vocabulary), dtype=tf.int64)
        self._ids = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant(WORDS), ids), 1)

    def __call__(self, texts):
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        words = tf.strings.split(tf.strings.lower(texts, encoding="utf-8"))[:, :20]
        ids = words.with_values(self._ids.lookup(words.values)).to_tensor(0)
        ids = tf.pad(ids, [[0, 0], [0, tf.maximum(1 - tf.shape(ids)[1], 0)]])
        return {"token_ids": tf.cast(tf.concat([tf.maximum(ids[:, :1], 1), ids[:, 1:]], axis=1), tf.int32)}


def make_model():
    keras.utils.set_random_seed(5)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    # Large weights give probabilities far from uniform, so that wrong weights or ids show.
    large = keras.initializers.RandomUniform(-2, 2, seed=3)
    vectors = keras.layers.Embedding(len(WORDS) + 2, 8, mask_zero=True, embeddings_initializer=large)(token_ids)
    summary = keras.layers.Bidirectional(keras.layers.GRU(6, use_cudnn=False))(vectors)
    probabilities = keras.layers.Dense(3, activation="softmax", kernel_initializer=large)(summary)
    return keras.Model({"token_ids": token_ids}, probabilities)


@pytest.fixture(scope="module")
def parts():
    vectorizer, model = TinyVectorizer(), make_model()
    expected = model.predict_on_batch(vectorizer(tf.constant(TEXTS)))
    return vectorizer, model, np.asarray(expected)


@pytest.fixture(scope="module")
def published(parts, tmp_path_factory):
    """The one full export: written, verified in a fresh process, published, and moved."""
    vectorizer, model, expected = parts
    output_dir = tmp_path_factory.mktemp("exports")

    def write_extras(extra, version):
        assert json.loads((extra / "verification.json").read_text())["greatest_difference"] <= 1e-5
        (extra / "run.json").write_text("{}\n")

    version = export_saved_model(
        output_dir,
        "tiny",
        preprocessor=vectorizer,
        model=model,
        class_names=CLASS_NAMES,
        examples=TEXTS,
        expected_probabilities=expected,
        write_extras=write_extras,
    )
    assert version == output_dir / "tiny" / "1"
    assert [path.name for path in version.parent.iterdir()] == ["1"]
    moved = tmp_path_factory.mktemp("elsewhere") / "tiny" / "1"
    shutil.copytree(version, moved)
    shutil.rmtree(output_dir)
    return moved


@pytest.fixture(scope="module")
def classifier(published):
    return load(published)


def written(parts, folder, class_names=CLASS_NAMES):
    vectorizer, model, _ = parts
    write_saved_model(folder, preprocessor=vectorizer, model=model, class_names=class_names)


def stage_and_publish(output_dir, content="content"):
    with staging_folder(output_dir, "tiny") as folder:
        (folder / "file").write_text(content)
        return publish(folder)


def run_fresh(script, *arguments, cwd):
    """Run a script in a process that finds the repository, and return what it printed as JSON."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_moved_folder_answers_with_tensorflow_alone(published, parts, tmp_path):
    script = """
        import json, sys
        sys.modules.update(dict.fromkeys(["keras", "tf_keras", "kseq"]))
        import tensorflow as tf
        texts = json.loads(sys.argv[2])
        outputs = tf.saved_model.load(sys.argv[1]).signatures["serving_default"](text=tf.constant(texts))
        foreign = [name for name, module in sys.modules.items() if module and name.split(".")[0] in ("keras", "kseq")]
        labels = [label.decode() for label in outputs["label"].numpy()]
        ids, confidences = outputs["label_id"].numpy().tolist(), outputs["confidence"].numpy().tolist()
        print(json.dumps([foreign, labels, ids, confidences, outputs["probabilities"].numpy().tolist()]))
    """
    foreign, labels, ids, confidences, probabilities = run_fresh(script, published, json.dumps(TEXTS), cwd=tmp_path)
    expected = parts[2]
    assert foreign == []
    np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(confidences, expected.max(axis=1), rtol=0, atol=1e-5)
    assert ids == expected.argmax(axis=1).tolist()
    assert labels == [CLASS_NAMES[place] for place in ids]
    assert len(set(ids)) > 1


def test_load_imports_one_module_of_ours(published, parts):
    script = """
        import json, sys
        # TensorFlow imports Keras whenever it finds it; this process must do without.
        sys.modules.update(dict.fromkeys(["keras", "tf_keras"]))
        import kseq
        before = "tensorflow" in sys.modules
        answer = kseq.load(sys.argv[1])(["good film"])
        ours = ("keras", "tf_keras", "kseq", "pipelines")
        loaded = sorted(name for name, module in sys.modules.items() if module and name.split(".")[0] in ours)
        print(json.dumps([before, loaded, answer.labels, answer.probabilities.tolist()]))
    """
    before, loaded, labels, probabilities = run_fresh(script, published.parent, cwd=REPOSITORY)
    assert before is False
    assert loaded == ["kseq", "kseq.saved_model"]
    np.testing.assert_allclose(probabilities, parts[2][:1], rtol=0, atol=1e-5)
    assert labels == [CLASS_NAMES[parts[2][0].argmax()]]


def test_exported_folder_holds_what_readers_look_for(published):
    extra = published / "assets.extra"
    assert (extra / "labels.txt").read_text(encoding="utf-8").splitlines() == [
        "two\\u000alines, a \\\\n and a \\u0085",
        "<script>alert('1')</script>",
        "电影 \\u2028 🎬",
    ]
    assert (extra / "vocabulary.txt").read_text(encoding="utf-8").splitlines() == ["[PAD]", "[UNK]", *WORDS]
    manifest = json.loads((extra / "manifest.json").read_text())["files"]
    assert {"saved_model.pb", "variables/variables.index", "assets.extra/run.json"} <= manifest.keys()
    files = [path for path in published.rglob("*") if path.is_file()]
    assert len(manifest) == len(files) - 1
    # One copy of each weight: float32, plus names and shapes.
    weights = sum(variable.numpy().nbytes for variable in make_model().weights if "seed" not in variable.path)
    assert weights <= (published / "variables/variables.data-00000-of-00001").stat().st_size < 1.9 * weights


def test_classifier_answers_many_texts_in_their_order(classifier, parts):
    texts = TEXTS * 40
    answer = classifier(texts)
    expected = np.tile(parts[2], (40, 1))
    np.testing.assert_allclose(answer.probabilities, expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(answer.label_ids, expected.argmax(axis=1))
    np.testing.assert_array_equal(answer.confidences, answer.probabilities.max(axis=1))
    assert answer.labels == [CLASS_NAMES[place] for place in answer.label_ids]
    assert len(answer) == len(texts)
    assert f"… {len(texts) - 5} more" in repr(answer)


def test_classifier_answers_no_texts(classifier):
    answer = classifier([])
    assert answer.labels == []
    assert (answer.probabilities.shape, answer.probabilities.dtype) == ((0, 3), np.float32)
    assert (answer.label_ids.shape, answer.label_ids.dtype) == ((0,), np.int64)
    assert repr(answer) == "Answer()"
    assert classifier.class_names == tuple(CLASS_NAMES)


def test_classifier_answers_odd_texts(classifier):
    texts = ["", "\x00", "good\x00bad", "\ud800", "\udcff film", "x" * 100_000]
    answer = classifier(text for text in texts)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), np.ones(len(texts)), atol=1e-5)


@pytest.mark.parametrize(
    ("texts", "received"),
    [
        ("a text", "str 'a text'"),
        (b"a text", "bytes b'a text'"),
        (None, "NoneType None"),
        ({"text": "a"}, "dict {'text': 'a'}"),
        (["a", b"b"], r"texts\[1\] is bytes b'b'; expected str. Decode"),
        ([None], r"texts\[0\] is NoneType None"),
        ([["a"]], r"texts\[0\] is list \['a'\]"),
    ],
)
def test_classifier_refuses_what_is_no_list_of_str(classifier, texts, received):
    with pytest.raises(TypeError, match=received):
        classifier(texts)


@given(st.text())
def test_a_name_takes_one_line_and_comes_back(name):
    line = escape_line(name)
    assert len(f"{line}\n".splitlines()) == 1
    assert unescape_line(line) == name


def test_load_takes_the_greatest_version(published, tmp_path):
    for name in ("2", "10", "9"):
        shutil.copytree(published, tmp_path / "tiny" / name)
    (tmp_path / "tiny" / ".tmp-1-ab").mkdir()
    (tmp_path / "tiny" / "11").write_text("a file is no version")
    assert load(tmp_path / "tiny").path == tmp_path / "tiny" / "10"
    assert load(str(tmp_path / "tiny" / "9"), verify=False).path == tmp_path / "tiny" / "9"


def test_load_says_what_is_no_saved_model(tmp_path):
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(LoadError, match=r"nowhere does not exist"):
        load(tmp_path / "nowhere")
    with pytest.raises(LoadError, match=r"file\.txt is a file"):
        load(tmp_path / "file.txt")
    with pytest.raises(LoadError, match=r"is not a SavedModel: it holds file\.txt\. Expected saved_model\.pb"):
        load(tmp_path)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("name", "tamper", "said"),
    [
        ("saved_model.pb", flip, "saved_model.pb has the SHA-256"),
        ("saved_model.pb", truncate, "saved_model.pb has .* bytes; .* were written"),
        ("saved_model.pb", Path.unlink, "saved_model.pb is missing"),
        ("variables/variables.data-00000-of-00001", flip, "variables.data-00000-of-00001 has the SHA-256"),
        ("variables/variables.index", Path.unlink, "variables/variables.index is missing"),
        ("assets.extra/labels.txt", flip, "labels.txt has the SHA-256"),
        ("assets.extra/run.json", truncate, "run.json has 2 bytes; 3 were written"),
        ("assets.extra/manifest.json", Path.unlink, "manifest.json is missing"),
        ("assets.extra/manifest.json", truncate, None),
        (
            "assets.extra/manifest.json",
            lambda path: path.write_text("[]"),
            "manifest.json cannot be read as a manifest",
        ),
        ("variables/more", Path.touch, "variables/more is not in the manifest"),
        ("variables/link", lambda path: path.symlink_to("/etc"), "variables/link is not in the manifest"),
    ],
)
def test_load_names_what_was_tampered_with(published, tmp_path, name, tamper, said):
    folder = tmp_path / "1"
    shutil.copytree(published, folder)
    tamper(folder / name)
    if said is None:
        # Only the last line end went: still the same manifest.
        assert load(folder).class_names == tuple(CLASS_NAMES)
        return
    with pytest.raises(LoadError, match=said):
        load(folder)


def test_load_unchecked_still_says_what_does_not_fit(published, tmp_path):
    folder = tmp_path / "1"
    shutil.copytree(published, folder)
    (folder / LABELS).write_text("one\ntwo\n")
    with pytest.raises(LoadError, match="names 2 classes; the SavedModel answers with 3"):
        load(folder, verify=False)
    (folder / "saved_model.pb").write_bytes(b"no protocol buffer")
    with pytest.raises(LoadError, match="cannot be loaded as a SavedModel of kseq"):
        load(folder, verify=False)
    (folder / LABELS).unlink()
    with pytest.raises(LoadError, match=r"labels\.txt cannot be read"):
        load(folder, verify=False)


def test_an_export_that_answers_otherwise_is_not_published(parts, tmp_path):
    vectorizer, model, expected = parts
    with pytest.raises(
        VerificationError, match=r"(?s)tf\.saved_model\.load: .*'BAD film' are off by.*session loader: "
    ):
        export_saved_model(
            tmp_path,
            "tiny",
            preprocessor=vectorizer,
            model=model,
            class_names=CLASS_NAMES,
            examples=TEXTS,
            expected_probabilities=expected[::-1].copy(),
        )
    assert list(tmp_path.iterdir()) == []


def test_verification_finds_exchanged_labels(published, parts, tmp_path):
    folder = tmp_path / "1"
    shutil.copytree(published, folder)
    lines = (folder / LABELS).read_bytes().splitlines(keepends=True)
    (folder / LABELS).write_bytes(b"".join(reversed(lines)))
    with pytest.raises(VerificationError, match=r"the labels are \[.*labels.txt says \["):
        verify(folder, TEXTS, parts[2])
    with pytest.raises(VerificationError, match=r"not verified within 0\.01 seconds"):
        verify(folder, TEXTS, parts[2], timeout=0.01)
    with pytest.raises(ValueError, match=r"shape \(8, 2\) for 8 examples and 3 classes"):
        verify(folder, TEXTS, parts[2][:, :2])


def test_verification_finds_what_only_the_session_loader_refuses(parts, tmp_path):
    """`tf.saved_model.save` writes what TensorFlow Serving cannot read; `tf.saved_model.load` can."""
    vectorizer, model, expected = parts
    module = tf.Module()
    module.vectorizer, module.model = vectorizer, model

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="text")])
    def serve(text):
        probabilities = module.model(module.vectorizer(text), training=False)
        label_id = tf.argmax(probabilities, axis=1)
        label = tf.gather(tf.constant(CLASS_NAMES), label_id)
        confidence = tf.reduce_max(probabilities, axis=1)
        return {"probabilities": probabilities, "label": label, "label_id": label_id, "confidence": confidence}

    module.serve = serve
    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    (tmp_path / LABELS).parent.mkdir()
    (tmp_path / LABELS).write_text("".join(f"{escape_line(name)}\n" for name in CLASS_NAMES), encoding="utf-8")
    with pytest.raises(VerificationError, match=r"as it should: session loader: .*Could not find variable"):
        verify(tmp_path, TEXTS, expected)


def test_operations_that_touch_files_are_found(published, tmp_path):
    class Reads(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((), tf.bool)])
        def serve(self, wanted):
            return tf.cond(wanted, lambda: tf.io.read_file("/etc/hostname"), lambda: "")

    module = Reads()
    tf.saved_model.save(module, str(tmp_path / "reads"), signatures=module.serve)
    assert forbidden_ops(tmp_path / "reads") == ["operation ReadFile reads or writes files or runs Python"]
    assert forbidden_ops(published) == []


def test_operations_of_a_gpu_alone_are_found(published, tmp_path):
    from tensorflow.core.protobuf import saved_model_pb2

    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((published / "saved_model.pb").read_bytes())
    functions = saved_model.meta_graphs[0].graph_def.library.function
    while_bodies = [function for function in functions if "while_body" in function.signature.name]
    assert len(while_bodies) == 2
    while_bodies[0].node_def.add(name="recurrence", op="CudnnRNNV3")
    while_bodies[1].node_def.add(name="restore", op="RestoreV2")
    (tmp_path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    assert forbidden_ops(tmp_path) == [
        "operation CudnnRNNV3 has no CPU kernel",
        "operation RestoreV2 reads or writes files or runs Python",
    ]


def test_versions_count_up_from_the_greatest(tmp_path):
    for taken in ("3", "007", "notes", ".tmp-1-ab"):
        (tmp_path / "tiny" / taken).mkdir(parents=True)
    with staging_folder(tmp_path, "tiny") as folder:
        assert folder.parent == tmp_path / "tiny"
        assert folder.name.startswith(".tmp-")
        (folder / "file").write_text("content")
        assert publish(folder) == tmp_path / "tiny" / "8"
    assert (tmp_path / "tiny" / "8" / "file").read_text() == "content"
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == [".tmp-1-ab", "007", "3", "8", "notes"]


def test_runs_that_publish_at_once_get_versions_of_their_own(tmp_path):
    def run(number):
        return stage_and_publish(tmp_path, str(number))

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        versions = list(pool.map(run, range(40)))
    assert sorted(int(version.name) for version in versions) == list(range(1, 41))
    assert [int((version / "file").read_text()) for version in versions] == list(range(40))
    assert len(list((tmp_path / "tiny").iterdir())) == 40


@pytest.mark.parametrize("place", ["fsync", "rename"])
@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, r"No space left on device\. Free space on the disk"), (errno.EROFS, "Make the folder writable")],
)
def test_an_error_of_the_disk_leaves_no_version(tmp_path, monkeypatch, place, number, said):
    def fail(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, place, fail)
    with pytest.raises(ExportError, match=said):
        stage_and_publish(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_that_may_not_grow_leave_no_version(parts, tmp_path):
    """A limit on the size of files stops TensorFlow's own writes as a full disk does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, old[1]))
    try:
        with (
            pytest.raises(ExportError, match=r"Cannot write a SavedModel into .*tiny: .*File too large"),
            staging_folder(tmp_path, "tiny") as folder,
        ):
            written(parts, folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_version(parts, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "kseq-test", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with pytest.raises(ExportError, match="No space left"), staging_folder(disk, "tiny") as folder:
            written(parts, folder)
        assert list(disk.iterdir()) == []
        (disk / "filler").write_bytes(b"0" * 65_536)
        with pytest.raises(ExportError, match=r"No space left on device\. Free space on the disk"):
            check_writable(disk, "tiny")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_an_interrupt_leaves_nothing(parts, tmp_path, monkeypatch):
    vectorizer, model, expected = parts

    def write_extras(extra, version):
        (extra / "half").write_text("written")
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_model_writer, "verify", lambda *_, **__: {})
    with pytest.raises(KeyboardInterrupt):
        export_saved_model(
            tmp_path,
            "tiny",
            preprocessor=vectorizer,
            model=model,
            class_names=CLASS_NAMES,
            examples=TEXTS,
            expected_probabilities=expected,
            write_extras=write_extras,
        )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_found_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ExportError, match=r"Cannot write a SavedModel into .*file/tiny: .*choose another output folder"
    ):
        check_writable(tmp_path / "file", "tiny")
    with pytest.raises(ExportError, match=r"into /proc/exports/tiny: "):
        check_writable("/proc/exports", "tiny")
    check_writable(tmp_path / "new" / "deep", "tiny")
    assert not (tmp_path / "new" / "deep" / "tiny").exists()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "7", "/", "nul\0"])
def test_a_name_that_cannot_hold_versions_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="expected the name of one folder"):
        check_writable(tmp_path, name)


@pytest.mark.parametrize(
    ("class_names", "said"),
    [
        (["a", "b"], "2 class names; the model answers with 3"),
        (["a", "b", "a"], r"class_names\[2\] is 'a' a second time"),
        (["a", "b", 3], r"class_names\[2\] is 3; expected str"),
        (["a", "b", "\ud800"], r"class_names\[2\] .* UTF-8"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(parts, tmp_path, class_names, said):
    with pytest.raises(ValueError, match=said):
        written(parts, tmp_path / "folder", class_names)


def test_a_table_that_is_not_tracked_is_no_export(parts, tmp_path):
    """The reason why the vectorizer is a tf.Module: without tracking, its table would not be in the file."""
    vectorizer, model, _ = parts

    class Hides(tf.Module):
        def __init__(self):
            super().__init__()
            self.vocabulary = vectorizer.vocabulary

        def __call__(self, texts):
            return vectorizer(texts)

    with pytest.raises(AssertionError, match="untracked"):
        write_saved_model(tmp_path / "folder", preprocessor=Hides(), model=model, class_names=CLASS_NAMES)
