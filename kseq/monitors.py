"""What a run can be judged by on validation. No TensorFlow here."""

# Keras' names, and whether the least or the greatest is the best.
MONITORS = {"val_loss": "min", "val_accuracy": "max", "val_macro_f1": "max"}
