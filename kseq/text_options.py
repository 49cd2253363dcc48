"""Names of the text settings; apart from the vectorizer, so that listing them loads no TensorFlow."""

# What stays of a longer text or sequence, and from where that is.
READ_FROM = {"head": "its beginning", "tail": "its end", "head_tail": "both ends"}
TRUNCATIONS = tuple(READ_FROM)
# As `pipelines.vectorized_split.CACHES`, which loads TensorFlow.
CACHES = ("memory", "disk", "none")

WORD, CHARACTER, BOTH = "word", "character", "word+character"
TOKENS = (WORD, CHARACTER, BOTH)
