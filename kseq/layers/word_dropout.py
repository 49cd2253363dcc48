"""Dropout of whole words."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class WordDropout(keras.layers.Layer):
    r"""Replace words by the unknown word, at random and in training only.

    \(y_t = u\) where \(m_t r_t = 1\), and \(y_t = i_t\) elsewhere, with \(r_t \sim \mathrm{Bernoulli}(p)\) drawn for
    each word, the unknown word's id u, and \(m_t = [i_t \ne 0]\).

    The model learns not to lean on single words, and learns a vector for the unknown word, which stands for every word
    of a later text that the vocabulary lacks.

    Source: Iyyer et al. 2015, section 3.2, with the unknown word in place of removal, so that lengths stay.

    Shapes: integer (B, T) → integer (B, T).

    Masking: none needed; padding stays padding.

    Args:
        rate: p, the fraction of the words to replace.
        unknown_id: id of the unknown word.
        seed: of the choice.
    """

    def __init__(self, rate: float, unknown_id: int = 1, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.unknown_id = unknown_id
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, ids: KerasTensor, training: bool = False) -> KerasTensor:
        if not training or self.rate == 0:
            return ids
        dropped = keras.random.uniform(ops.shape(ids), seed=self.seed_generator) < self.rate  # (B, T)
        unknown = ops.full_like(ids, self.unknown_id)
        return ops.where(ops.logical_and(dropped, ops.not_equal(ids, 0)), unknown, ids)  # (B, T)

    def compute_output_spec(self, ids, training=False):
        return KerasTensor(ids.shape, dtype=ids.dtype)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "unknown_id": self.unknown_id, "seed": self.seed}
