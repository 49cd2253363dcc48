"""Loops over the steps of a sequence, written in TensorFlow itself for the sake of speed."""
