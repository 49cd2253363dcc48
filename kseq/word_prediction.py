"""Training an encoder to predict the words of texts: the next one, or those that are hidden from it."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf

from kseq.best_epoch import BestEpoch
from kseq.interruption import Interruption
from kseq.training_watch import TrainingWatch
from kseq.vocabulary import UNKNOWN_ID
from kseq.word_softmax import cross_entropy, draw_sample, sampled_cross_entropy, summed_cross_entropy, zipf_logits

_WARMUP_FRACTION = 0.05
_CLIP_NORM = 1.0
_PATIENCE = 2
_ADVICE = "Try a lower --pretraining-learning-rate."
# On held-out texts, every seventh word is hidden: near the usual share, and the same ones at each epoch.
_HELD_OUT_STRIDE = 7


class WordPrediction(keras.Model):
    r"""An encoder with a softmax over words on top, which is left away after the training.

    A state h of the encoder predicts the word w with \(p(w) \propto \exp(e_w \cdot W h + b_w)\), e being the very word
    vectors that the encoder reads: they learn from both sides, and there is no second table (Press & Wolf 2017; Inan et
    al. 2017). The bias b starts at the logarithm of Zipf's law, near what the frequencies of words will make of it.

    Args:
        encoder: from named tensors, `token_ids` among them, to the sequence (B, T, D), with a layer "embedding" (V, E).
        sampled_words: words that stand for the vocabulary in a training step; where it has no more, all of them do.
    """

    def __init__(self, encoder: keras.Model, sampled_words: int):
        super().__init__(name="word_prediction")
        self.encoder = encoder
        self.sampled_words = sampled_words
        self.vocabulary_size, self.width = encoder.get_layer("embedding").embeddings.shape
        self.word_bias = self.add_weight(
            name="word_bias",
            shape=(self.vocabulary_size,),
            initializer=lambda shape, dtype: zipf_logits(self.vocabulary_size),
        )
        # Over predictions, of which batches have different numbers.
        self.mean_loss = keras.metrics.Mean(name="loss")

    def predictions(self, inputs: Mapping[str, tf.Tensor], training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Give what each prediction is made from, (N, E), and its word, int32 (N,)."""
        raise NotImplementedError

    @property
    def metrics(self) -> list[Any]:
        """The mean cross-entropy of a word, in nats."""
        return [self.mean_loss]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take a step on one batch of `(inputs, target, sample_weight)`; targets and weights do nothing."""
        with tf.GradientTape() as tape:
            states, words = self.predictions(data[0], training=True)
            table, bias = self._word_weights()
            if self.sampled_words < self.vocabulary_size - UNKNOWN_ID:
                sample = draw_sample(words, self.vocabulary_size, self.sampled_words)
                losses = sampled_cross_entropy(states, words, table, bias, sample)  # (N,)
            else:
                losses = cross_entropy(states, words, table, bias)  # (N,)
            count = tf.cast(tf.size(losses), tf.float32)
            loss = tf.math.divide_no_nan(tf.reduce_sum(losses), count)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        self.mean_loss.update_state(loss, sample_weight=count)
        return {"loss": self.mean_loss.result()}

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure one batch, over the whole vocabulary."""
        states, words = self.predictions(data[0], training=False)
        count = tf.cast(tf.size(words), tf.float32)
        total = summed_cross_entropy(states, words, *self._word_weights())
        self.mean_loss.update_state(tf.math.divide_no_nan(total, count), sample_weight=count)
        return {"loss": self.mean_loss.result()}

    def _word_weights(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Give the vectors (V, E) and the bias (V,) of all words."""
        # The product makes the gradient one dense table: as rows of single look-ups, the optimizer would sort them.
        table = tf.multiply(tf.convert_to_tensor(self.encoder.get_layer("embedding").embeddings), 1.0)
        return table, tf.convert_to_tensor(self.word_bias)


class NextWords(WordPrediction):
    """Predicts the word after each; a half that reads backward, the word before each.

    Each half is read only where it has not seen the answer: the first of D at every word but the last, the second at
    every word but the first. Padding is neither read from nor predicted.

    Source: Dai & Le 2015; with a model for each direction, as Miyato, Dai & Goodfellow 2017 have for classification.

    Args:
        encoder: as above; a recurrence whose step sees no later word, in each of its halves.
        sampled_words: as above.
        bidirectional: whether the second half of D was read backward.
    """

    def __init__(self, encoder: keras.Model, sampled_words: int, bidirectional: bool):
        super().__init__(encoder, sampled_words)
        self.bidirectional = bidirectional
        half = encoder.output.shape[-1] // (2 if bidirectional else 1)
        self.forward_projection = _projection(self.width, half, "forward_projection")
        self.backward_projection = _projection(self.width, half, "backward_projection") if bidirectional else None

    def predictions(self, inputs: Mapping[str, tf.Tensor], training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Give what each prediction is made from, (N, E), and its word, int32 (N,): forward first, then backward."""
        ids = inputs["token_ids"]  # (B, T)
        sequence = self.encoder(inputs, training=training)  # (B, T, D)
        pairs = tf.not_equal(ids[:, 1:], 0)  # (B, T - 1)
        if self.backward_projection is None:
            states = self.forward_projection(tf.boolean_mask(sequence[:, :-1], pairs))  # (N, E)
            return states, tf.boolean_mask(ids[:, 1:], pairs)
        half = sequence.shape[-1] // 2
        forward = self.forward_projection(tf.boolean_mask(sequence[:, :-1, :half], pairs))  # (N / 2, E)
        backward = self.backward_projection(tf.boolean_mask(sequence[:, 1:, half:], pairs))  # (N / 2, E)
        words = [tf.boolean_mask(ids[:, 1:], pairs), tf.boolean_mask(ids[:, :-1], pairs)]
        return tf.concat([forward, backward], axis=0), tf.concat(words, axis=0)


class HiddenWords(WordPrediction):
    """Predicts words that are replaced by the unknown word, whatever the encoder sees around them.

    Source: Devlin et al. 2019, section 3.1, with the unknown word in place of a mark of its own, which later texts
    would not have.

    Args:
        encoder: as above.
        sampled_words: as above.
        hidden_fraction: fraction of the words to hide.
        seed: of their choice.
    """

    def __init__(self, encoder: keras.Model, sampled_words: int, hidden_fraction: float, seed: int):
        super().__init__(encoder, sampled_words)
        self.hidden_fraction = hidden_fraction
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.projection = _projection(self.width, encoder.output.shape[-1], "projection")

    def predictions(self, inputs: Mapping[str, tf.Tensor], training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Give what each prediction is made from, (N, E), and its word, int32 (N,)."""
        ids = inputs["token_ids"]  # (B, T)
        if training:
            chosen = keras.random.uniform(tf.shape(ids), seed=self.seed_generator) < self.hidden_fraction  # (B, T)
        else:
            rows, steps = tf.range(tf.shape(ids)[0])[:, tf.newaxis], tf.range(tf.shape(ids)[1])
            chosen = tf.equal((rows + steps) % _HELD_OUT_STRIDE, 0)  # (B, T)
        hidden = tf.logical_and(chosen, tf.not_equal(ids, 0))  # (B, T)
        sequence = self.encoder(hide_words(inputs, hidden), training=training)  # (B, T, D)
        return self.projection(tf.boolean_mask(sequence, hidden)), tf.boolean_mask(ids, hidden)


def hide_words(inputs: Mapping[str, tf.Tensor], hidden: tf.Tensor) -> dict[str, tf.Tensor]:
    """Put the unknown word where `hidden`, bool (B, T), is True, and take the character n-grams away there."""
    found = {**inputs, "token_ids": tf.where(hidden, UNKNOWN_ID, inputs["token_ids"])}
    if "character_ids" in inputs:
        found["character_ids"] = tf.where(hidden[:, :, tf.newaxis], 0, inputs["character_ids"])
    return found


def train_word_prediction(
    model: WordPrediction,
    batches: tf.data.Dataset,
    held_out: tf.data.Dataset,
    *,
    steps: int,
    epochs: int,
    learning_rate: float,
    on_epoch: Callable[[int, Mapping[str, float]], None] | None = None,
    verbose: int = 0,
) -> tuple[Mapping[str, list[float]], int, bool]:
    """Train on some texts, and keep the epoch that predicts others best.

    The learning rate rises for a twentieth of the steps and falls along half a cosine. SIGINT ends the training after
    the step in flight; what was best until then is kept.

    Args:
        model: untrained.
        batches: `tf.data` of `(inputs, target, sample_weight)` for all epochs.
        held_out: the same, each text once.
        steps: batches of an epoch.
        epochs: most passes.
        learning_rate: at its peak.
        on_epoch: called after each epoch with its number, from 1, and its metrics.
        verbose: 1 for Keras' progress bar.

    Returns:
        The history, one number an epoch by name; the epoch that was kept; and whether the user stopped it.

    Raises:
        TrainingError: the loss is not a number any more.
    """
    warmup = round(_WARMUP_FRACTION * steps * epochs)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        decay_steps=max(steps * epochs - warmup, 1),
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    # Compiled by XLA, each length of a batch would be a program of its own.
    model.compile(optimizer=keras.optimizers.Adam(schedule, global_clipnorm=_CLIP_NORM), jit_compile=False)
    keeper = BestEpoch("val_loss", _PATIENCE)
    with Interruption() as interruption:
        watch = TrainingWatch(on_epoch, interruption.asked, _ADVICE)
        model.fit(
            batches,
            steps_per_epoch=steps,
            epochs=epochs,
            validation_data=held_out,
            verbose=verbose,
            shuffle=False,
            callbacks=[watch, keeper],
        )
    keeper.restore(model)
    return watch.history, keeper.best_epoch, interruption.asked()


def _projection(width: int, read: int, name: str) -> keras.layers.Layer:
    """Make the layer that takes a state (…, read) to the width of a word vector."""
    layer = keras.layers.Dense(width, use_bias=False, name=name)
    layer.build((None, read))
    return layer
