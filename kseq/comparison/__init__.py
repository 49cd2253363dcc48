"""Comparing models on equal terms: rows, their trainings, the folder that keeps them, and what is told of them."""
