"""Pretraining: what a model learns from the texts alone, before it sees a label.

`build(corpus, *, options it reads)` takes a `Corpus` and returns what it `Learned`. What is set for the model itself,
such as its directions, it takes from `options`, which is all of them.

Nothing slow is imported until a part is used, so that the registry can be listed without TensorFlow.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kseq.errors import UsageError
from kseq.registry import Part

if TYPE_CHECKING:
    import numpy as np

NONE = "none"
# As with labels: few texts need as many optimizer steps, not as few passes, and would be learned by heart long before.
_STEPS, _FEWEST_EPOCHS, _MOST_EPOCHS = 3000, 3, 20
# Every prediction is over the whole vocabulary there; memory goes with it.
_HELD_OUT_BATCH = 64
_COUNTING_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Texts to learn from, as an encoder reads them.

    Attributes:
        encoder: makes the encoder, untrained: from named tensors to the sequence (B, T, D).
        size: number of texts.
        batches: `(batch size, seed, epochs)` → `tf.data` of `(inputs, target, sample_weight)` for all epochs.
        held_out: batch size → the same of texts that are not among them, each once.
        on_epoch: called after each epoch with its number, from 1, and its metrics.
        verbose: 1 for Keras' progress bar.
    """

    encoder: Callable[[], Any]
    size: int
    batches: Callable[[int, int, int], Any]
    held_out: Callable[[int], Any]
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None
    verbose: int = 0

    def epochs(self, batch_size: int, epochs: int | None) -> int:
        """Give the number of passes: what is set, or as many as make 3,000 steps."""
        steps = math.ceil(self.size / batch_size)
        return epochs or min(max(math.ceil(_STEPS / steps), _FEWEST_EPOCHS), _MOST_EPOCHS)


@dataclasses.dataclass(frozen=True)
class Learned:
    """What a pretraining gives.

    Attributes:
        weights: the arrays of a layer by its name, in the order of its `get_weights`.
        history: one list a metric, one number an epoch.
        best_epoch: the epoch that was kept, from 1; 0 where there are none.
        interrupted: whether the user stopped it.
    """

    weights: Mapping[str, list["np.ndarray"]]
    history: Mapping[str, list[float]] = dataclasses.field(default_factory=dict)
    best_epoch: int = 0
    interrupted: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pretraining(Part):
    """A part that learns from texts.

    Attributes:
        of_encoder: whether it trains the encoder too, and so depends on what that is.
    """

    of_encoder: bool = True


def no_pretraining(corpus: Corpus) -> Learned:
    """Learn nothing."""
    return Learned({})


def language_model(
    corpus: Corpus,
    *,
    options: Any,
    sampled_words: int,
    pretraining_epochs: int | None,
    pretraining_learning_rate: float,
    pretraining_seed: int,
) -> Learned:
    """Train the encoder to predict the next word, in each of its directions."""
    from kseq.word_prediction import NextWords

    def predictor(encoder: Any) -> Any:
        return NextWords(encoder, sampled_words, options.bidirectional)

    return _predict_words(
        predictor, corpus, options.batch_size, pretraining_epochs, pretraining_learning_rate, pretraining_seed
    )


def _check_one_way(*, encoder: str, bidirectional: bool, num_layers: int) -> None:
    """Refuse encoders that see the next word when they are to predict it."""
    other = "Choose --pretraining masked_language_model, which hides words, or word_vectors"
    if encoder != "recurrent":
        raise UsageError(
            f"pretraining is 'language_model' and encoder is {encoder!r}; to predict the next word, expected the "
            f"encoder 'recurrent', which has not seen it. {other}, or --encoder recurrent."
        )
    if bidirectional and num_layers > 1:
        raise UsageError(
            f"pretraining is 'language_model' and num_layers is {num_layers} in both directions; expected one layer: "
            "the second reads both directions of the first, and so has seen the word to predict. "
            f"{other}, --num-layers 1, or --no-bidirectional."
        )


def masked_language_model(
    corpus: Corpus,
    *,
    options: Any,
    hidden_fraction: float,
    sampled_words: int,
    pretraining_epochs: int | None,
    pretraining_learning_rate: float,
    pretraining_seed: int,
) -> Learned:
    """Train the encoder to predict words that are hidden from it."""
    from kseq.word_prediction import HiddenWords

    def predictor(encoder: Any) -> Any:
        return HiddenWords(encoder, sampled_words, hidden_fraction, pretraining_seed)

    return _predict_words(
        predictor, corpus, options.batch_size, pretraining_epochs, pretraining_learning_rate, pretraining_seed
    )


def _check_neighbours(*, encoder: str) -> None:
    """Refuse the encoder that sees nothing around a word."""
    if encoder == "bag":
        raise UsageError(
            "pretraining is 'masked_language_model' and encoder is 'bag'; a hidden word can be predicted by an encoder "
            "that sees its neighbours alone. Choose --pretraining word_vectors, or another --encoder."
        )


def word_vectors(
    corpus: Corpus,
    *,
    options: Any,
    context_window: int,
    vector_deviation: float,
    pretraining_seed: int,
) -> Learned:
    """Make word vectors of which words stand near each other."""
    from kseq.word_vectors import count_pairs, leading_vectors, positive_mutual_information, scaled

    batches = corpus.batches(_COUNTING_BATCH, pretraining_seed, 1).as_numpy_iterator()
    counts = count_pairs((inputs["token_ids"] for inputs, _, _ in batches), options.vocabulary_size, context_window)
    vectors = leading_vectors(positive_mutual_information(counts), options.embedding_dim, pretraining_seed)
    return Learned({"embedding": [scaled(vectors, vector_deviation)]})


def _predict_words(
    predictor: Callable[[Any], Any],
    corpus: Corpus,
    batch_size: int,
    epochs: int | None,
    learning_rate: float,
    seed: int,
) -> Learned:
    """Train an encoder by predicting words.

    Args:
        predictor: from the encoder to the model that predicts.
        corpus: the texts.
        batch_size: texts in a step.
        epochs: most passes.
        learning_rate: at its peak.
        seed: of weights and order.
    """
    import keras

    from kseq.word_prediction import train_word_prediction

    keras.utils.set_random_seed(seed)
    encoder = corpus.encoder()
    epochs = corpus.epochs(batch_size, epochs)
    history, best_epoch, interrupted = train_word_prediction(
        predictor(encoder),
        corpus.batches(batch_size, seed, epochs),
        corpus.held_out(_HELD_OUT_BATCH),
        steps=math.ceil(corpus.size / batch_size),
        epochs=epochs,
        learning_rate=learning_rate,
        on_epoch=corpus.on_epoch,
        verbose=corpus.verbose,
    )
    weights = {layer.name: layer.get_weights() for layer in encoder.layers if layer.weights}
    return Learned(weights, history, best_epoch, interrupted)


PRETRAININGS: dict[str, Pretraining] = {
    NONE: Pretraining(no_pretraining, "random weights", of_encoder=False),
    "language_model": Pretraining(
        language_model,
        "predict the next word, in each direction",
        "Dai & Le 2015; Miyato et al. 2017",
        check=_check_one_way,
    ),
    "masked_language_model": Pretraining(
        masked_language_model,
        "predict words that are hidden, whatever the encoder",
        "Devlin et al. 2019",
        check=_check_neighbours,
    ),
    "word_vectors": Pretraining(
        word_vectors,
        "vectors from which words stand near each other, by a matrix factorization",
        "Levy & Goldberg 2014",
        of_encoder=False,
    ),
}
