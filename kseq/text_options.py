"""Names of the text settings; apart from the vectorizer, so that listing them loads no TensorFlow."""

TRUNCATIONS = ("head", "tail", "head_tail")

WORD, CHARACTER, BOTH = "word", "character", "word+character"
TOKENS = (WORD, CHARACTER, BOTH)
