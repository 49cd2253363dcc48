"""The Keras layers of our own, one concept a file; they import keras and each other, and nothing else of ours."""
