"""Attention to the words of each sentence."""

import keras
from keras import KerasTensor, ops

from kseq.layers.additive_attention import AdditiveAttention
from kseq.layers.masked_softmax import masked_softmax


@keras.saving.register_keras_serializable(package="kseq")
class SentenceAttention(AdditiveAttention):
    r"""Weigh the words of each sentence by additive attention, and sum them: one vector a sentence.

    \(u_t = \tanh(W x_t + b)\), \(a_{s,t} = \mathrm{softmax}_{t: i_t = s}(q^\top u_t)\), \(y_s = \sum_t a_{s,t} x_t\),
    where \(i_t\) is the number of the sentence of word t.

    Source: Yang et al. 2016, section 2.2, equations 5 to 7, of vectors whose encoder has read the whole text: the
    paper's word encoder starts anew in each sentence.

    Shapes: (B, T, D) and integer (B, T) → (B, S, D) and bool (B, S); S is the most sentences of a row, at least 1.

    Masking: sentence number 0 is padding. The second output tells the sentences that a row has from those that only
    others have, which are 0.

    Args:
        units: width of the hidden layer that scores a word.
    """

    def weights_of(self, sequence: KerasTensor, sentence_ids: KerasTensor) -> KerasTensor:
        """Compute the attention weights, float32 (B, T): 0 at padding, 1 in sum over a sentence."""
        return ops.sum(self._weights(sequence, sentence_ids), axis=1)  # (B, T)

    def call(self, sequence: KerasTensor, sentence_ids: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        weights = ops.cast(self._weights(sequence, sentence_ids), sequence.dtype)  # (B, S, T)
        is_sentence = ops.any(_members(sentence_ids), axis=2)  # (B, S)
        return ops.matmul(weights, sequence), is_sentence  # (B, S, D)

    def _weights(self, sequence: KerasTensor, sentence_ids: KerasTensor) -> KerasTensor:
        """Compute the weight of each word in each sentence, float32 (B, S, T): 0 where it is in another."""
        return masked_softmax(self.scores_of(sequence)[:, None, :], _members(sentence_ids))

    def compute_output_spec(self, sequence, sentence_ids):
        batch, _, width = sequence.shape
        return KerasTensor((batch, None, width), dtype=self.compute_dtype), KerasTensor((batch, None), dtype="bool")


def _members(sentence_ids: KerasTensor) -> KerasTensor:
    """Tell which word is in which sentence, bool (B, S, T)."""
    # A batch without texts has no largest number; one sentence keeps the layers above from rows of none.
    count = ops.max(sentence_ids, initial=1)
    numbers = ops.arange(1, count + 1, dtype="int32")  # (S,)
    return sentence_ids[:, None, :] == numbers[None, :, None]  # (B, S, T)
