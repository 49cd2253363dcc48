"""The report on a dataset, against counts by hand."""

import json
import unicodedata
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from kseq import data
from kseq.console import Console
from kseq.data_report import data_report
from kseq.options import Options
from kseq.text_statistics import percentiles, text_statistics, unknown_share
from pipelines.text_data import from_splits

GERMAN = "Der Film war leider sehr langweilig und die Schauspieler konnten mich nicht überzeugen"
CHINESE = "我们昨天晚上很晚才到这家酒店前台的服务员非常热情房间也很干净下次还会再来"


def _split(rows):
    texts, labels = zip(*rows, strict=True)
    return tf.data.Dataset.from_tensor_slices((list(texts), np.array(labels)))


def test_text_statistics_count_scripts_languages_and_forms():
    texts = [GERMAN, unicodedata.normalize("NFD", "süß"), CHINESE, "ab 12", "bell \x07 \ufffd", "ＡＢ"]
    found = text_statistics(texts, language_every=2)
    assert found.texts == 6
    # Letters alone: ab, s u ß (the diaeresis is a mark), bell, AB.
    han = len(CHINESE)
    latin = sum(map(str.isalpha, GERMAN)) + 2 + 3 + 4 + 2
    assert found.scripts == pytest.approx({"Latin": latin / (latin + han), "Han": han / (latin + han)})
    assert found.languages == {"de": 1, "zh": 1, "unclear": 1}
    assert (found.not_normalised, found.replaced_characters, found.controls) == (1, 1, 1)


def test_text_statistics_of_no_letters():
    found = text_statistics(["12", "?!"], language_every=1)
    assert found.scripts == {}
    assert found.languages == {"unclear": 2}


def test_percentiles_are_lengths_that_occur():
    lengths = np.array([*range(1, 100), 1000])
    assert percentiles(lengths) == {5: 5, 25: 25, 50: 50, 75: 75, 95: 95, 99: 99}


def test_unknown_share_is_of_the_tokens_not_of_the_different_ones():
    assert unknown_share(Counter(a=6, b=3, c=1), ["[PAD]", "[UNK]", "a"]) == pytest.approx(0.4)
    assert unknown_share(Counter(), ["[PAD]", "[UNK]", "a"]) == 1


@pytest.fixture
def toy():
    # 20 texts of train: "same" stands three times, "both" twice with two labels.
    train = [(f"good words number {number}", 1) for number in range(9)] + [
        ("bad " * number, 0) for number in range(3, 9)
    ]
    train += [("same", 0)] * 3 + [("both of them", 0), ("both of them", 1)]
    return from_splits(
        "toy",
        _split(train),
        _split([("good words", 1), ("strange bad", 0)]),
        ("no", "yes"),
        validation=_split([("good", 1), ("bad", 0)]),
        suggested_sequence_length=4,
        suggested_vocabulary_size=5,
        notes=["text from 'a'"],
        reading={"rows": 20},
    )


def test_data_report_counts(toy):
    found = data_report(toy, Options("toy"))
    assert found["sizes"] == {"train": 20, "validation": 2, "test": 2}
    assert found["classes"] == [
        {"name": "no", "train": 10, "validation": 1, "test": 1, "share": 0.5},
        {"name": "yes", "train": 10, "validation": 1, "test": 1, "share": 0.5},
    ]
    # Lengths: nine of 4, 3 to 8, three of 1, two of 3.
    assert found["lengths"]["longest"] == 8
    assert found["lengths"]["mean"] == pytest.approx((36 + 33 + 3 + 6) / 20)
    assert found["lengths"]["percentiles"][50] == 4
    assert found["tokens"] == {"all": 78, "different": 3 + 9 + 1 + 1 + 3, "kind": "word"}
    assert found["repeated"] == 3
    assert found["conflicting"] == {"texts": 1, "examples": ["both of them"]}
    # The vocabulary has bad (33), good, number, words (9 each): three of them find room, by the order of the alphabet.
    assert found["suggested"] == {
        "sequence_length": 4,
        "longer_share": 0.2,
        "vocabulary_size": 5,
        "min_count": 2,
        "uneven": False,
    }
    assert found["unknown_share"] == pytest.approx(2 / 4)
    assert found["notes"] == ["text from 'a'"]
    assert found["reading"] == {"rows": 20}
    assert json.loads(json.dumps(found)) == {**found, "lengths": json.loads(json.dumps(found["lengths"]))}


def test_data_report_cuts_long_examples(toy):
    train = _split([("long  text\n" * 30, 0), ("long  text\n" * 30, 1), ("a", 0), ("b", 1)])
    held_out = _split([("c", 0), ("d", 1)])
    texts = from_splits(
        "toy", train, held_out, ("no", "yes"), validation=held_out, suggested_sequence_length=4,
        suggested_vocabulary_size=5,
    )  # fmt: skip
    (example,) = data_report(texts, Options("toy", min_count=1))["conflicting"]["examples"]
    assert example == ("long text " * 30)[:80] + "…"


def test_the_command_writes_one_object_and_lines(capfd):
    assert data.main(["reviews", "--size", "200"]) == 2  # the built-in dataset's size is no flag
    assert "unknown argument '--size'" in capfd.readouterr().err
    assert data.main(["reviews", "--json"]) == 0
    captured = capfd.readouterr()
    found = json.loads(captured.out)
    assert found["name"] == "reviews"
    assert found["sizes"] == {"train": 18_000, "validation": 2_000, "test": 3_000}
    assert found["scripts"] == {"Latin": 1.0}
    assert found["languages"].keys() <= {"en", "unclear"}
    assert found["languages"]["en"] > 900
    assert "suggested" in captured.err
    assert "--sequence-length 114" in captured.err
    assert data.main(["reviews", "--epochs", "3"]) == 2
    assert "--epochs" in capfd.readouterr().err


def test_data_report_of_words_that_come_once_suggests_to_count_once(toy, capsys):
    rows = _split([(f"word{number}", number % 2) for number in range(20)])
    texts = from_splits(
        "toy", rows, None, ("no", "yes"), suggested_sequence_length=4, suggested_vocabulary_size=50
    )  # fmt: skip
    found = data_report(texts, Options("toy"))
    assert found["suggested"]["min_count"] == 1
    data.show_report(Console(False), found)
    assert "--min-count 1" in capsys.readouterr().out


def test_data_report_suggests_as_many_characters_as_a_run_reads(toy):
    found = data_report(toy, Options("toy", tokens="character"))
    assert found["suggested"]["sequence_length"] == 20
