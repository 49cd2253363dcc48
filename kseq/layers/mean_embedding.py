"""The mean of the vectors of a set of ids."""

import keras
from keras import KerasTensor, ops


@keras.saving.register_keras_serializable(package="kseq")
class MeanEmbedding(keras.layers.Layer):
    r"""Look up a vector for each of some ids, and take the mean: \(y = \sum_{g: i_g > 0} v_{i_g} / |\{g: i_g > 0\}|\).

    Source: over the character n-grams of a word, Bojanowski, Grave, Joulin and Mikolov 2017, section 3.2, with the mean
    in place of the sum, so that long words are no louder; over the word n-grams of a text, Joulin, Grave, Bojanowski
    and Mikolov 2017, section 2.

    Shapes: integer (..., G) → (..., E). Where all G ids are 0, the result is 0.

    Masking: the id 0 is padding and is left out.

    Args:
        input_dim: number of ids, 0 included.
        output_dim: E.
    """

    def __init__(self, input_dim: int, output_dim: int, **kwargs):
        super().__init__(**kwargs)
        self.input_dim = input_dim
        self.output_dim = output_dim

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            name="embeddings", shape=(self.input_dim, self.output_dim), initializer="uniform"
        )

    def call(self, ids: KerasTensor) -> KerasTensor:
        # The product makes the gradient one dense table. Left as it comes, as a row for each of the many lookups, the
        # optimizer sorts and adds up these rows several times over: a step takes half as long again.
        table = ops.multiply(self.embeddings, 1.0)
        real = ops.cast(ops.not_equal(ids, 0), table.dtype)  # (..., G)
        weights = real / ops.maximum(ops.sum(real, axis=-1, keepdims=True), 1)  # (..., G)
        vectors = ops.take(table, ids, axis=0)  # (..., G, E)
        return ops.squeeze(ops.matmul(ops.expand_dims(weights, -2), vectors), -2)  # (..., E)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.output_dim)

    def compute_output_spec(self, ids):
        return KerasTensor(self.compute_output_shape(ids.shape), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "input_dim": self.input_dim, "output_dim": self.output_dim}
