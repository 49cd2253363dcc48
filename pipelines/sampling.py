"""Samples of the training split, for smoke runs."""

import dataclasses

import numpy as np

from pipelines.errors import DataError
from pipelines.sequence_data import SequenceData
from pipelines.split_checks import warnings
from pipelines.splitting import sample
from pipelines.text_data import TextData

Data = TextData | SequenceData


def sample_train(data: Data, count: int, seed: int) -> Data:
    """Keep some texts or sequences of train, stratified, in their order; the same ones for the same seed.

    Args:
        data: left as it is; where it has no more than `count` of them in train, it is returned.
        count: how many to keep. Every class keeps at least one.
        seed: of the choice; a larger count keeps what a smaller one does, but for the rounding of the shares.

    Raises:
        DataError: fewer texts than classes.
    """
    if count >= data.sizes["train"]:
        return data
    whole = data.survey("train")
    strata = len(np.unique(whole.strata))
    if count < strata:
        raise DataError(
            f"{count} {whole.noun}s cannot be a sample of train of {data.name!r}, which has {whole.noun}s of {strata} "
            f"classes; take at least {strata}, one of each."
        )
    chosen = sample(whole, count, seed)
    kept = whole[chosen]
    held_out = {split: data.survey(split) for split in ("validation", "test")}
    of_whole = warnings({"train": whole, **held_out}, data.class_names)
    others = [sentence for sentence in data.warnings if sentence not in of_whole]
    return dataclasses.replace(
        data,
        train=data.select("train", chosen),
        sizes={**data.sizes, "train": count},
        fingerprints={**data.fingerprints, "train": kept.fingerprint},
        warnings=(*warnings({"train": kept, **held_out}, data.class_names), *others),
    )
