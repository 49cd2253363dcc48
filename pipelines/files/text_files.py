"""The user's own files as text data: CSV, TSV, JSON lines, Parquet, fastText lines, folders of classes, archives."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines.errors import DataError, errors_of_data
from pipelines.files import encodings, labels
from pipelines.files.data_names import CARVED, data_name
from pipelines.files.reading import FileSplit, suggested_sequence_length
from pipelines.files.splits import read_splits
from pipelines.splitting import FRACTIONS
from pipelines.text_data import TextData, from_splits, target_spec

# Handing over one text at a time costs more than reading it.
_BATCH = 1000
_VOCABULARY_SIZE = 20_000


def load(
    path: str,
    /,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    label_separator: str | None = None,
    test_file: str | None = None,
    validation_file: str | None = None,
    unlabeled_file: str | None = None,
    encoding: str | None = None,
    on_bad_rows: str = "skip",
    split_seed: int = 0,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
) -> TextData:
    """Load files of texts with labels, whatever their format.

    Everything is read once from beginning to end, to count rows and to find what is broken; texts are not kept, and
    are read again from the files whenever the splits are.

    Args:
        path: a file, a folder or an archive.
        text_column: name of the column that holds the text, or its number from 1; several with commas between.
        label_column: name of the column that holds the label, or its number from 1.
        label_separator: what stands between several labels of one text.
        test_file, validation_file, unlabeled_file: paths of given splits; a test that is not given is carved.
        encoding: of all texts that say nothing of their own; else they must be UTF-8 or UTF-16.
        on_bad_rows: "skip" to count them, "error" to stop at the first.
        split_seed: seed of carved splits.
        validation_fraction: share of train to carve where no validation is given, between 0 and 1; 0.1 where None.
        test_fraction: share of everything to carve where no test is given, between 0 and 1; 0.2 where None.

    Raises:
        DataError: whatever cannot be read, with the file, the line and how to mend it.
    """
    if on_bad_rows not in ("skip", "error"):
        raise DataError(f"on_bad_rows is {on_bad_rows!r}; expected 'skip' or 'error'.")
    if label_separator == "":
        raise DataError("the label separator is empty; expected what stands between labels, such as '|'.")
    given = {"test": test_file, "validation": validation_file, "unlabeled": unlabeled_file}
    found = read_splits(
        path,
        {split: file for split, file in given.items() if file is not None},
        text_column=text_column,
        label_column=label_column,
        label_separator=label_separator,
        encoding=encodings.checked(encoding),
        on_bad_rows=on_bad_rows,
    )
    name = data_name(path)
    names, kind = found.class_names, found.target_kind
    datasets = {
        split.name: _labelled(split, labels.targets(split.counts, names, kind), target_spec(kind, len(names)))
        for split in found.splits.values()
        if split.labelled
    }
    unlabeled = found.splits.get("unlabeled")
    lengths = found.splits["train"].lengths
    notes = list(found.notes)
    if "test" not in datasets:
        share = test_fraction or FRACTIONS["test"]
        notes.append(CARVED.format(share=share, noun="texts", seed=split_seed))
    # The files are read again there, within tf.data.
    with errors_of_data():
        return from_splits(
            name,
            datasets["train"],
            datasets.get("test"),
            names,
            target_kind=kind,
            validation=datasets.get("validation"),
            validation_fraction=validation_fraction,
            test_fraction=test_fraction,
            split_seed=split_seed,
            unlabeled=_unlabeled(unlabeled) if unlabeled is not None else None,
            unlabeled_size=unlabeled.tally.read if unlabeled is not None else None,
            suggested_sequence_length=lambda staying: suggested_sequence_length(
                lengths[number] for number in staying.tolist() if number in lengths
            ),
            suggested_vocabulary_size=_VOCABULARY_SIZE,
            notes=notes,
            reading=found.reading,
        )


def _labelled(split: FileSplit, targets: dict[Any, Any], spec: tf.TensorSpec) -> tf.data.Dataset:
    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for batch in _batches(split.texts()):
            found = [targets[said] for _, said in batch]
            yield _strings(text for text, _ in batch), np.array(found, spec.dtype.as_numpy_dtype)

    return _dataset(batches, (tf.TensorSpec((None,), tf.string), tf.TensorSpec((None, *spec.shape), spec.dtype)))


def _unlabeled(split: FileSplit) -> tf.data.Dataset:
    def batches() -> Iterator[np.ndarray]:
        for batch in _batches(split.texts()):
            yield _strings(text for text, _ in batch)

    return _dataset(batches, tf.TensorSpec((None,), tf.string))


def _dataset(batches: Callable[[], Iterator[Any]], spec: Any) -> tf.data.Dataset:
    return tf.data.Dataset.from_generator(batches, output_signature=spec).unbatch()


def _batches(texts: Iterator[tuple[bytes, Any]]) -> Iterator[Sequence[tuple[bytes, Any]]]:
    batch = []
    for each in texts:
        batch.append(each)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _strings(texts: Iterable[bytes]) -> np.ndarray:
    # Of objects: NumPy's own strings lose NULs at their end, and are all as long as the longest.
    return np.array(list(texts), dtype=object)
