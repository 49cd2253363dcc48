"""Texts in ten scripts through the whole model: what is exported answers as what was built, through both loaders."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kseq.applies import needed_tensors
from kseq.model import build_model, serving_model
from kseq.options import Options
from kseq.saved_model import VOCABULARY, load, read_lines
from kseq.saved_model_writer import export_saved_model
from kseq.vectorizer import Vectorizer, split_tokens
from kseq.vocabulary import count_tokens, frequent_tokens
from tests.test_word_rules import TEN_SCRIPTS

TEXTS = [*TEN_SCRIPTS, "x@y.de &mdash; http://z.org/&amp; 1,000.5", "a\\b\tc", "", "unheard of " * 40]
CLASS_NAMES = ("schlecht", "好", "جيد")


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"tokens": "character"},
        {"tokens": "word+character", "ngrams": 2, "character_buckets": 50, "ngram_buckets": 60},
        {"head": "attention", "attention": "hierarchical"},
    ],
    ids=["word", "character", "word+character-ngrams", "sentences"],
)
def test_an_export_answers_in_every_script(chosen, tmp_path):
    options = Options(
        "languages",
        dropout=0.3,
        embedding_dropout=0.3,
        embedding_dim=6,
        units=5,
        vocabulary_size=60,
        sequence_length=20,
        **chosen,
    )
    counted = count_tokens([split_tokens(tf.constant(TEXTS[:12]), options.tokens).flat_values.numpy()])
    vocabulary = frequent_tokens(counted, options.vocabulary_size, 1)
    vectorizer = Vectorizer(
        vocabulary,
        options.sequence_length,
        options.truncation,
        options.tokens,
        character_buckets=options.character_buckets,
        ngrams=options.ngrams,
        ngram_buckets=options.ngram_buckets,
        needs=needed_tensors(options),
    )
    keras.utils.set_random_seed(0)
    model = build_model(options, vectorizer.spec, len(CLASS_NAMES))
    # Initial weights give answers near 1/3 each, in which a fault would be small.
    model.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in model.get_weights()])
    server = serving_model(model, options, vectorizer.spec, len(CLASS_NAMES))
    expected = np.array(server(vectorizer(tf.constant(TEXTS))))
    assert len(np.unique(expected.round(3), axis=0)) > 12
    # It is verified in a process of its own, beside odd texts, in batches and alone; an error fails this test.
    folder = export_saved_model(
        tmp_path, "ten", preprocessor=vectorizer, model=server, class_names=CLASS_NAMES, examples=TEXTS,
        expected_probabilities=expected,
    )  # fmt: skip
    np.testing.assert_allclose(load(folder)(TEXTS).probabilities, expected, atol=1e-5)
    assert read_lines(folder, VOCABULARY) == vocabulary
