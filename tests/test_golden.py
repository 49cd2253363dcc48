"""A SavedModel that an earlier version wrote loads, verifies and answers as it did then."""

import json
from pathlib import Path

import numpy as np

import kseq

GOLDEN = Path(__file__).parent / "golden"


def test_the_golden_saved_model_answers_as_on_the_day_it_was_made():
    expected = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))
    classify = kseq.load(GOLDEN / "tiny")
    assert list(classify.class_names) == expected["class_names"]
    answer = classify(expected["texts"])
    probabilities = np.array(expected["probabilities"])
    # Another processor adds in another order.
    np.testing.assert_allclose(answer.probabilities, probabilities, atol=1e-5)
    assert answer.labels == [expected["class_names"][number] for number in probabilities.argmax(axis=1)]
    assert len(set(answer.labels)) > 1
