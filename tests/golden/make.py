"""Make the golden SavedModel anew: `python -m tests.golden.make`.

It is committed so that every later version is held to loading what this one wrote. Make it anew only together with a
note in the changelog that says why older exports no longer load.
"""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kseq.model import build_model, serving_model
from kseq.options import Options
from kseq.saved_model_writer import export_saved_model
from kseq.vectorizer import Vectorizer
from kseq.vocabulary import RESERVED_TOKENS

HERE = Path(__file__).parent
CLASS_NAMES = ("negative", "mixed, at best", "sehr schön", "好")
WORDS = ("film", "the", "a", "dull", "dazzling", "isn't", "not", "yet", "!", "été", "好")
TEXTS = ["The film isn't dull!", "A DAZZLING été <br /> not a dull film", "好 film", "unheard of", "", "dull " * 30]


def main() -> None:
    """Write `tests/golden/tiny/1` and the answers that it gives."""
    shutil.rmtree(HERE / "tiny", ignore_errors=True)
    keras.utils.set_random_seed(0)
    vectorizer = Vectorizer((*RESERVED_TOKENS, *WORDS), 12, "head_tail")
    options = Options(
        "golden",
        dropout=0.3,
        embedding_dropout=0.3,
        vocabulary_size=13,
        embedding_dim=4,
        units=3,
        bidirectional=True,
        cell="lstm",
    )
    model = build_model(options, vectorizer.spec, len(CLASS_NAMES))
    # Initial weights give answers near 1/4 each, in which a fault would be small.
    model.set_weights([2 * np.random.default_rng(1).normal(size=weight.shape) for weight in model.get_weights()])
    server = serving_model(model, options, vectorizer.spec, len(CLASS_NAMES))
    answers = np.array(server(vectorizer(tf.constant(TEXTS))))
    export_saved_model(
        HERE,
        "tiny",
        preprocessor=vectorizer,
        model=server,
        class_names=CLASS_NAMES,
        examples=TEXTS,
        expected_probabilities=answers,
    )
    content = {"class_names": CLASS_NAMES, "texts": TEXTS, "probabilities": answers.tolist()}
    (HERE / "expected.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
