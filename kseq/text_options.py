"""Names of the text settings; apart from the vectorizer, so that listing them loads no TensorFlow."""

TRUNCATIONS = ("head", "tail", "head_tail")
# As `pipelines.vectorized_split.CACHES`, which loads TensorFlow.
CACHES = ("memory", "disk", "none")

WORD, CHARACTER, BOTH = "word", "character", "word+character"
TOKENS = (WORD, CHARACTER, BOTH)
