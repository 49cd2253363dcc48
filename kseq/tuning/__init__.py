"""A search for the options that do best on validation, with the engines of keras-tuner: what `kseq tune` is made of."""
