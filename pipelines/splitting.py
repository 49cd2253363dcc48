"""Choose some texts of a split, stratified: the carving of held-out splits, and samples."""

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from pipelines.errors import DataError
from pipelines.survey import Survey

# Of what then is train, where nothing is asked for; test is carved first.
FRACTIONS = {"test": 0.2, "validation": 0.1}


def check_fractions(name: str, fractions: Mapping[str, float | None], given: Collection[str]) -> None:
    """Refuse shares that leave one side empty, or that would do nothing.

    Args:
        name: of the dataset.
        fractions: shares by split; None where nobody asked for one.
        given: the splits that are not carved.

    Raises:
        DataError: naming the share.
    """
    for split, fraction in fractions.items():
        if fraction is not None and not 0 < fraction < 1:
            raise DataError(
                f"the {split} fraction is {fraction}; it must lie between 0 and 1, such as 0.1 for a tenth of the "
                "training split."
            )
        if fraction is not None and split in given:
            raise DataError(
                f"{name!r} has a {split} split of its own, so that none is carved; the {split} fraction of {fraction} "
                f"would do nothing. Leave --{split}-fraction out, or take the {split} split out of the data."
            )


def carve_missing(
    name: str, given: Mapping[str, Survey], fractions: Mapping[str, float | None], seed: int
) -> tuple[dict[str, Survey], dict[str, np.ndarray]]:
    """Carve the splits that were not given out of train, one after the other.

    Args:
        name: of the dataset.
        given: surveys by split; train is there.
        fractions: share of what then is train to carve, by split, in the order of carving; None for `FRACTIONS`.
        seed: of the carving.

    Returns:
        The surveys of all splits; and, of train and the carved ones, the positions in the given train, int, in order.

    Raises:
        DataError: nothing can be carved out of train.
    """
    surveys, places = dict(given), {"train": np.arange(len(given["train"]))}
    for split, fraction in fractions.items():
        if split not in given:
            whole = surveys["train"]
            chosen = carve(whole, fraction or FRACTIONS[split], seed)
            if not chosen.any():
                raise DataError(
                    f"no {split} split can be carved out of {name!r}: of its {len(whole)} {whole.noun}s, "
                    f"{len(np.unique(whole.hashes))} are different, and at least two different ones of a class "
                    f"are needed, one to learn from and one to hold out. Add {whole.noun}s."
                )
            places |= {split: places["train"][chosen], "train": places["train"][~chosen]}
            surveys |= {split: whole[chosen], "train": whole[~chosen]}
    # In one order, whatever was given.
    return {split: surveys[split] for split in ("train", "validation", "test")}, places


def carve(found: Survey, fraction: float, seed: int) -> np.ndarray:
    """Choose a stratified part of a split, the same one for the same seed.

    Equal texts stay together, so that no text stands on both sides. The order of the split does not matter.

    Args:
        found: the survey of the split, N texts.
        fraction: share of each class to choose, between 0 and 1.
        seed: of the choice; it is the split's own seed, not the run's.

    Returns:
        bool (N,), True for the chosen texts. Every class with two different texts keeps at least one on each side; of
        a class with one nothing is chosen. A text with several labels counts for the rarest of them.
    """
    # Rarest class first: otherwise a rare class whose text also has a common label could be chosen away whole.
    _, stratum, sizes = np.unique(found.strata, return_inverse=True, return_counts=True)
    order = np.lexsort((stratum, sizes[stratum]))
    _, first, group_of_ordered = np.unique(found.hashes[order], return_index=True, return_inverse=True)
    group_strata = stratum[order][first]
    group = np.empty(len(found), np.int64)
    group[order] = group_of_ordered
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(first), bool)
    for each in np.unique(group_strata):
        # Groups are numbered by hash; ordering them by first appearance would tie the choice to the file's order.
        members = random.permutation(np.flatnonzero(group_strata == each))
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        chosen[members[:count]] = True
    _keep_a_text_of_each_class(found, group, chosen)
    return chosen[group]


def _keep_a_text_of_each_class(found: Survey, group: np.ndarray, chosen: np.ndarray) -> None:
    """Give back a group for each class that the choice would take whole, in place.

    A class can go with the texts of another one: where equal texts have two labels, or a text several.

    Args:
        found: the survey, N texts.
        group: int (N,), the group of each text.
        chosen: bool (groups,).
    """
    for of_class in _members(found):
        groups = np.unique(group[of_class])
        if chosen[groups].all() and len(groups) > 1:
            chosen[groups[0]] = False


def _members(found: Survey) -> Iterator[np.ndarray]:
    """Give the places of each class's texts."""
    if found.targets.ndim == 1:
        for label in np.unique(found.targets):
            yield np.flatnonzero(found.targets == label)
    else:
        for column in found.targets.T:
            if column.any():
                yield np.flatnonzero(column)


def sample(found: Survey, count: int, seed: int) -> np.ndarray:
    """Choose `count` texts, stratified, the same ones for the same seed.

    Args:
        found: the survey of the split, N texts.
        count: at least the number of strata and at most N.
        seed: of the choice; a larger count keeps what a smaller one does, but for the rounding of the shares.

    Returns:
        bool (N,), True for the chosen texts; every stratum has at least one.
    """
    strata, sizes = np.unique(found.strata, return_counts=True)
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(found), bool)
    for stratum, kept in zip(strata, _allot(sizes, count), strict=True):
        chosen[random.permutation(np.flatnonzero(found.strata == stratum))[:kept]] = True
    return chosen


def _allot(sizes: np.ndarray, count: int) -> np.ndarray:
    """Share `count` out in proportion to `sizes`, int (C,): at least one to each and no more than its size."""
    allotted = np.maximum(count * sizes // sizes.sum(), 1)
    lacking = count * sizes / sizes.sum() - allotted
    while allotted.sum() != count:
        step = 1 if allotted.sum() < count else -1
        place = np.argmax(np.where(allotted + step > 0, step * lacking, -np.inf))
        allotted[place] += step
        lacking[place] -= step
    return allotted
