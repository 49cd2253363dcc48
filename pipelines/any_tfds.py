"""Any text dataset of TensorFlow Datasets, by its name there: the columns are found, or named by the user."""

import tensorflow as tf
import tensorflow_datasets as tfds

from pipelines import tensorflow_datasets_source as source
from pipelines.errors import DataError
from pipelines.text_data import TextData, from_splits

_SUGGESTED_LENGTH = 400
_SUGGESTED_VOCABULARY = 20_000
_LOOKED_AT = 1000


def load(
    name: str,
    /,
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    split_seed: int = 0,
    validation_fraction: float = 0.1,
    test_fraction: float = 0.2,
) -> TextData:
    """Load a dataset by its feature of text and its feature of labels.

    The splits are those of the dataset: "train"; "test" where it has labels, else "validation" is the test, else a test
    is carved; "validation", else one is carved; "unsupervised" or "unlabeled" as the unlabeled split.

    Args:
        name: as TensorFlow Datasets names it, such as "imdb_reviews" or "glue/cola".
        data_dir: folder of prepared datasets.
        manual_dir: folder that holds the original archives.
        text_column: feature that holds the text; several joined by commas are joined by line breaks.
        label_column: feature that holds the label, a `ClassLabel`.
        split_seed: seed of whatever is carved.
        validation_fraction: share of train to carve, between 0 and 1.
        test_fraction: share of train to carve, between 0 and 1.

    Raises:
        DataError: no such dataset, its data cannot be had, or it is not clear which feature is text or label.
    """
    builder = source.prepared(name, source.archives_of(name), data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        texts, label, class_names = _columns(name, builder.info.features, text_column, label_column)

        def pairs(split: str) -> tf.data.Dataset:
            return source.read(builder, split).map(lambda example: (_joined(example, texts), example[label]))

        splits = dict.fromkeys(builder.info.splits)
        if "train" not in splits:
            raise DataError(f"{name} has no split 'train'; it has {', '.join(splits)}.")
        labelled = {split: pairs(split) for split in ("train", "test", "validation") if split in splits}
        test_split = next((split for split in ("test", "validation") if _has_labels(labelled.get(split))), None)
        unlabeled = next((split for split in ("unsupervised", "unlabeled") if split in splits), None)
        notes = [f"text from {', '.join(texts)!r}, label from {label!r}; splits of {name}: {', '.join(splits)}"]
        if test_split == "validation":
            notes.append("its test split has no labels: its validation split is the test, and validation is carved")
        return from_splits(
            name.replace("/", "-").replace(":", "-"),
            labelled["train"],
            labelled[test_split] if test_split else None,
            class_names,
            validation=labelled.get("validation") if test_split == "test" else None,
            validation_fraction=validation_fraction,
            test_fraction=test_fraction,
            split_seed=split_seed,
            unlabeled=(
                source.read(builder, unlabeled).map(lambda example: _joined(example, texts)) if unlabeled else None
            ),
            unlabeled_size=source.size(builder, unlabeled) if unlabeled else None,
            suggested_sequence_length=_SUGGESTED_LENGTH,
            suggested_vocabulary_size=_SUGGESTED_VOCABULARY,
            notes=notes,
            reading={"text_column": ",".join(texts), "label_column": label},
        )


def _columns(
    name: str, features: tfds.features.FeaturesDict, text_column: str | None, label_column: str | None
) -> tuple[list[str], str, tuple[str, ...]]:
    """Find the features that hold the text and the label, and the names of the classes."""
    texts = [key for key, feature in features.items() if isinstance(feature, tfds.features.Text)]
    labels = [key for key, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    chosen_texts = [_chosen(name, "text", texts, column) for column in (text_column or "").split(",")]
    chosen_label = _chosen(name, "label", labels, label_column or "")
    return chosen_texts, chosen_label, tuple(features[chosen_label].names)


def _chosen(name: str, what: str, candidates: list[str], column: str) -> str:
    column = column.strip()
    if column in candidates:
        return column
    if not column and len(candidates) == 1:
        return candidates[0]
    arrived = (
        f"{column!r} is none of the features of {name} that hold a {what}"
        if column
        else (f"{name} has {len(candidates)} features that may hold the {what}")
    )
    if not candidates:
        raise DataError(f"{arrived}: it has none. kseq classifies texts by a label that is a ClassLabel.")
    raise DataError(f"{arrived}: {', '.join(candidates)}. Choose with --{what}-column {candidates[0]}.")


def _joined(example: dict[str, tf.Tensor], texts: list[str]) -> tf.Tensor:
    return tf.strings.join([example[key] for key in texts], separator="\n")


def _has_labels(split: tf.data.Dataset | None) -> bool:
    """Whether a split has labels; where they are kept secret, they are all -1."""
    if split is None:
        return False
    return any(label >= 0 for label in split.map(lambda _, label: label).take(_LOOKED_AT).as_numpy_iterator())
