"""Texts as input: a vectorizer, word vectors, and a signature that takes strings.

Nothing slow is imported until a function is called. What the functions take and give, `kseq.inputs.Input` says.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kseq.normalizations import NORMALIZATIONS
from kseq.pretrainings import NONE
from kseq.text_options import BOTH, CHARACTER, READ_FROM

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

    from kseq.vectorizer import Vectorizer
    from pipelines.text_data import TextData

# Vectors of n-grams are narrow: there are many of them, and a step's time goes with their width. What 16 hold is enough
# for a linear classifier (Joulin et al. 2017 take 10).
_CHARACTER_DIM = 32
_NGRAM_DIM = 16
# Enough to know a text again; with whole reviews, the table would be several times the size of the model.
_SHOWN_SIGNS = 500


def adapt(
    data: "TextData",
    read: Sequence[str],
    needs: Collection[str],
    *,
    vocabulary_size: int | None,
    sequence_length: int | None,
    truncation: str,
    min_count: int,
    tokens: str,
    character_buckets: int,
    ngrams: int,
    ngram_buckets: int,
    cache: str,
    cache_dir: str | None,
) -> tuple["Vectorizer", dict[str, Any], dict[str, Any]]:
    """Adapt the vectorizer on train, and vectorize every split once."""
    from kseq.text_tokens import suggested_length, token_batches
    from kseq.vectorizer import Vectorizer
    from kseq.vocabulary import count_tokens, frequent_tokens
    from pipelines.unlabeled import UNLABELED, as_pairs
    from pipelines.vectorized_split import vectorize_split

    vocabulary = frequent_tokens(
        count_tokens(found for found, _ in token_batches(data.train, tokens)),
        vocabulary_size or data.suggested_vocabulary_size,
        min_count,
    )
    vectorizer = Vectorizer(
        vocabulary,
        sequence_length or suggested_length(data.suggested_sequence_length, tokens),
        truncation,
        tokens,
        character_buckets=character_buckets,
        ngrams=ngrams,
        ngram_buckets=ngram_buckets,
        needs=needs,
    )
    splits = {
        name: vectorize_split(
            as_pairs(data.unlabeled, data.target_spec) if name == UNLABELED else getattr(data, name),
            vectorizer,
            cache,
            size=data.sizes[name],
            key=f"{data.fingerprints[name]} {vectorizer.key}",
            cache_dir=cache_dir,
        )
        for name in read
    }
    return vectorizer, splits, {"vocabulary_size": len(vocabulary), "sequence_length": vectorizer.sequence_length}


def learned_from(data: "TextData", *, pretraining: str) -> tuple[str, ...]:
    """Name the unlabeled texts where there are some, and something learns from them."""
    from pipelines.unlabeled import UNLABELED

    return (UNLABELED,) if pretraining != NONE and data.unlabeled is not None else ()


def embed(
    inputs: Mapping[str, Any],
    *,
    options: Any,
    vocabulary_size: int,
    embedding_dim: int,
    character_buckets: int,
    word_dropout: float,
    normalization: str,
    embedding_dropout: float,
) -> tuple[Any, Any]:
    """Look up the vectors of the tokens, to which those of their characters are added where there are such inputs."""
    import keras

    from kseq.layers.mean_embedding import MeanEmbedding
    from kseq.layers.padding_mask import PaddingMask
    from kseq.layers.word_dropout import WordDropout

    token_ids = inputs["token_ids"]  # (B, T)
    mask = PaddingMask(name="mask")(token_ids)  # (B, T)
    words = WordDropout(word_dropout, name="word_dropout")(token_ids)  # (B, T)
    vectors = keras.layers.Embedding(vocabulary_size, embedding_dim, name="embedding")(words)  # (B, T, E)
    if "character_ids" in inputs:
        grams = MeanEmbedding(character_buckets + 1, _CHARACTER_DIM, name="character_ngrams")
        widened = keras.layers.Dense(embedding_dim, use_bias=False, name="character_projection")
        vectors = keras.layers.Add(name="word_vectors")([vectors, widened(grams(inputs["character_ids"]))])  # (B, T, E)
    vectors = NORMALIZATIONS[normalization](vectors, mask, options=options)  # (B, T, E)
    return keras.layers.Dropout(embedding_dropout, name="embedding_dropout")(vectors), mask


def beside(inputs: Mapping[str, Any], *, ngram_buckets: int) -> list[Any]:
    """Average the vectors of the word n-grams, where there are such inputs."""
    from kseq.layers.mean_embedding import MeanEmbedding

    if "ngram_ids" not in inputs:
        return []
    return [MeanEmbedding(ngram_buckets + 1, _NGRAM_DIM, name="word_ngrams")(inputs["ngram_ids"])]  # (B, 16)


def signature(vectorizer: "Vectorizer") -> dict[str, "tf.TensorSpec"]:
    """Take strings."""
    import tensorflow as tf

    return {"text": tf.TensorSpec((None,), tf.string)}


def assets(vectorizer: "Vectorizer") -> dict[str, Sequence[str]]:
    """Give the vocabulary to whoever wants to read it."""
    return {"vocabulary.txt": vectorizer.vocabulary}


def facts(vectorizer: "Vectorizer") -> dict[str, Any]:
    """Say nothing that the options do not."""
    return {}


def examples(split: "tf.data.Dataset", positions: "np.ndarray") -> list[bytes]:
    """Give some texts of a split."""
    wanted = set(positions.tolist())
    return [text for position, text in enumerate(_texts(split)) if position in wanted]


def tensors(texts: Sequence[str | bytes]) -> dict[str, Any]:
    """Put texts into one tensor."""
    import tensorflow as tf

    return {"text": tf.constant(list(texts), tf.string, shape=(len(texts),))}


def cells(split: "tf.data.Dataset", *, predictions_text: bool) -> Iterator[str] | None:
    """Give the beginning of every text, without holding more than one."""
    return map(_beginning, _texts(split)) if predictions_text else None


def tell(prepared: Any) -> tuple[str, str]:
    """Say which words are read, and how much of a text."""
    from kseq.vocabulary import UNKNOWN_ID

    options = prepared.options
    what = "characters" if options.tokens == CHARACTER else "words"
    with_ngrams = f"; word n-grams up to {options.ngrams} are added up" if options.ngrams > 1 else ""
    unknown = "unknown" + (", and read by their characters" if options.tokens == BOTH else "")
    share = prepared.splits["validation"].share_of(UNKNOWN_ID)
    return "text", (
        f"{options.vocabulary_size:,} {what}; {share:.1%} of validation's are {unknown}; at most "
        f"{options.sequence_length} {what} of a text are read, from {READ_FROM[options.truncation]}{with_ngrams}"
    )


def sample(vectorizer: "Vectorizer") -> list[str]:
    """Classify a text."""
    return ['print(classify(text=tf.constant(["a text of yours"])))']


def report(data: "TextData", options: Any) -> dict[str, Any]:
    """Look at every text of train and test once."""
    from kseq.text_report import text_report

    return text_report(data, options)


def report_lines(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Say what the report found, a topic and a line each."""
    from kseq.text_report import text_report_lines

    return text_report_lines(found)


def suggestions(found: Mapping[str, Any]) -> str:
    """Write the options that the report suggests as flags."""
    from kseq.text_report import text_suggestions

    return text_suggestions(found)


def shown(split: "tf.data.Dataset", chosen: "np.ndarray") -> list[str]:
    """Give some texts of a split, cut where they are long."""
    from kseq.text_report import shown_texts

    return shown_texts(split, chosen)


def _texts(split: "tf.data.Dataset") -> Iterator[bytes]:
    return iter(split.map(lambda text, _: text).as_numpy_iterator())


def _beginning(text: bytes) -> str:
    decoded = text.decode("utf-8", "replace")
    return decoded if len(decoded) <= _SHOWN_SIGNS else decoded[:_SHOWN_SIGNS] + "…"
