"""The Keras layers of our own, one concept a file; they import keras and one another."""
