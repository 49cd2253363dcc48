"""The folder of a comparison: what is found again, and what is refused."""

import json

import numpy as np
import pytest

from kseq.comparison.folder import Folder, load_training, open_folder
from kseq.comparison.trainings import Training
from kseq.errors import ExportError, UsageError
from kseq.options import Options

TERMS = {"data": {"train": "a1", "test": "b2"}, "first_row": {"epochs": None, "cell": "gru"}, "versions": {"kseq": "1"}}
OPTIONS = Options("toy")


def training(share=0.5):
    rng = np.random.default_rng(0)
    return Training(
        {"seed": 3, "name": "模型", "test": {"macro_f1": share}},
        rng.random((6, 2)).astype(np.float32),
        rng.integers(0, 2, 6),
        rng.random(6) < share,
    )


def changed(group, **values):
    return {**TERMS, group: {**TERMS[group], **values}}


def test_what_is_kept_is_found_again_to_the_bit(tmp_path):
    folder = open_folder(tmp_path / "a" / "b", TERMS)
    assert folder.find(OPTIONS, 3) is None
    kept = training()
    folder.keep(kept, OPTIONS, 3)
    found = open_folder(tmp_path / "a" / "b", TERMS).find(OPTIONS, 3)
    assert found.record == kept.record
    for name in ("probabilities", "targets", "right"):
        assert (getattr(found, name) == getattr(kept, name)).all()
        assert getattr(found, name).dtype == getattr(kept, name).dtype


@pytest.mark.parametrize(
    ("terms", "options", "seed"),
    [
        (TERMS, OPTIONS, 4),
        (TERMS, OPTIONS.replace(units=5), 3),
        (TERMS, OPTIONS.replace(min_count=5), 3),
        (TERMS, OPTIONS.replace(learning_rate=0.5), 3),
        (changed("data", test="c3"), OPTIONS, 3),
        (changed("versions", kseq="2"), OPTIONS, 3),
    ],
)
def test_another_seed_option_text_or_version_is_another_training(terms, options, seed, tmp_path):
    open_folder(tmp_path, TERMS).keep(training(), OPTIONS, 3)
    assert Folder(tmp_path, terms).find(options, seed) is None


def test_where_tokens_are_kept_and_where_files_lie_makes_no_other_training(tmp_path):
    folder = open_folder(tmp_path, TERMS)
    folder.keep(training(), OPTIONS, 3)
    other = OPTIONS.replace(cache="none", data_dir="elsewhere", output_dir="there", seed=9)
    assert folder.find(other, 3) is not None


def test_a_file_that_is_not_whole_is_no_training(tmp_path):
    folder = open_folder(tmp_path, TERMS)
    folder.keep(training(), OPTIONS, 3)
    (path,) = (tmp_path / "trainings").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert folder.find(OPTIONS, 3) is None
    with pytest.raises(ValueError, match="cannot be read as a training"):
        load_training(path)


def test_a_training_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    folder = open_folder(tmp_path, TERMS)

    def full(*arguments, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(ExportError, match=r"Cannot write a comparison into .*: No space left on device\. Mend"):
        folder.keep(training(), OPTIONS, 3)
    assert list((tmp_path / "trainings").iterdir()) == []


@pytest.mark.parametrize(
    ("terms", "part"),
    [
        (changed("data", train="z9"), "the texts or labels of train are others"),
        (changed("first_row", epochs=3), "--epochs of the first row is None there and 3 here"),
        (changed("first_row", new_option=7), "--new-option of the first row is None there and 7 here"),
        (changed("versions", kseq="2"), "kseq is 1 there and 2 here"),
    ],
)
def test_other_terms_are_refused_by_name(terms, part, tmp_path):
    # Nothing was trained there: nothing can be mixed up.
    open_folder(tmp_path, changed("first_row", epochs=77))
    open_folder(tmp_path, TERMS).keep(training(), OPTIONS, 3)
    with pytest.raises(UsageError) as error:
        open_folder(tmp_path, terms)
    assert part in str(error.value)
    assert str(error.value).count(" there") == (0 if "texts" in part else 1) + 1
    assert open_folder(tmp_path, TERMS).find(OPTIONS, 3) is not None
    anew = open_folder(tmp_path, terms, overwrite=True)
    assert anew.find(OPTIONS, 3) is None
    assert json.loads((tmp_path / "terms.json").read_text(encoding="utf-8")) == terms


def test_terms_that_are_not_there_are_refused(tmp_path):
    open_folder(tmp_path, TERMS).keep(training(), OPTIONS, 3)
    for damage in (lambda path: path.write_text("[]"), lambda path: path.write_text("{"), lambda path: path.unlink()):
        damage(tmp_path / "terms.json")
        with pytest.raises(UsageError, match=r"terms\.json cannot be read"):
            open_folder(tmp_path, TERMS)
    (tmp_path / "mine.txt").write_text("keep")
    open_folder(tmp_path, TERMS, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "keep"
