"""Any text dataset of TensorFlow Datasets, by its name there: the columns are found, or named by the user."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from pipelines import tensorflow_datasets_source as source
from pipelines.errors import DataError
from pipelines.text_data import TextData, from_splits

_SUGGESTED_LENGTH = 400
_SUGGESTED_VOCABULARY = 20_000
_LOOKED_AT = 1000
_LABELS_READ_AT_ONCE = 1000
# Beyond, it is rather a number that is measured, or an id.
_MOST_CLASSES = 1000
# A whole number or a text so called is the label without being asked for; any other may be an id.
_LABELS = ("label", "labels", "class", "category", "target", "sentiment", "topic", "intent")


def load(
    name: str,
    /,
    *,
    data_dir: str | None = None,
    manual_dir: str | None = None,
    text_column: str | None = None,
    label_column: str | None = None,
    split_seed: int = 0,
    validation_fraction: float | None = None,
    test_fraction: float | None = None,
) -> TextData:
    """Load a dataset by its feature of text and its feature of labels.

    A label is a `ClassLabel`, a whole number or a text. Of the latter two, the classes are what train has, in the order
    of the numbers or of the code points; what only other splits have is no label, as is -1 where labels are secret.

    The splits are those of the dataset: "train"; "test" where it has labels, else "validation" is the test, else a test
    is carved; "validation", else one is carved; "unsupervised" or "unlabeled" as the unlabeled split.

    Args:
        name: as TensorFlow Datasets names it, such as "imdb_reviews" or "glue/cola".
        data_dir: folder of prepared datasets.
        manual_dir: folder that holds the original archives.
        text_column: feature that holds the text; several joined by commas are joined by line breaks.
        label_column: feature that holds the label; needed where it is no `ClassLabel` and has no usual name.
        split_seed: seed of whatever is carved.
        validation_fraction: share of train to carve where there is no validation, between 0 and 1; 0.1 where None.
        test_fraction: share of train to carve where there is no test, between 0 and 1; 0.2 where None.

    Raises:
        DataError: no such dataset, its data cannot be had, or it is not clear which feature is text or label.
    """
    builder = source.prepared(name, source.archives_of(name), data_dir=data_dir, manual_dir=manual_dir)
    with source.reading(builder):
        texts, label = _columns(name, builder.info.features, text_column, label_column)
        splits = dict.fromkeys(builder.info.splits)
        if "train" not in splits:
            raise DataError(f"{name} has no split 'train'; it has {', '.join(splits)}.")
        class_names, to_class = _classes(name, builder, label)

        def pairs(split: str) -> tf.data.Dataset:
            examples = source.read(builder, split)
            return examples.map(lambda example: (_joined(example, texts), to_class(example[label])))

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
) -> tuple[list[str], str]:
    """Find the features that hold the text and the label."""
    texts = [key for key, feature in features.items() if isinstance(feature, tfds.features.Text)]
    typed_texts = [column.strip() for column in (text_column or "").split(",")]
    classes = [key for key, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    scalars = [key for key, feature in features.items() if _is_whole_number(feature)]
    # A label may be a text where another one is left to be the text.
    others = [key for key in texts if key not in typed_texts] if len(texts) > 1 else []
    labels = [*classes, *scalars, *others]
    named = [key for key in labels if key.lower() in _LABELS]
    if label_column:
        label = _chosen(name, "label", labels, label_column)
    else:
        # Where there are several, all are named, and none is chosen.
        label = _chosen(name, "label", classes or (named if len(named) == 1 else labels), "", bool(classes or named))
    texts = [key for key in texts if key != label]
    return [_chosen(name, "text", texts, column) for column in typed_texts], label


def _is_whole_number(feature: tfds.features.FeatureConnector) -> bool:
    # Features of other kinds derive from Tensor too: pictures, sound.
    if type(feature) not in (tfds.features.Tensor, tfds.features.Scalar) or feature.shape != ():
        return False
    return np.issubdtype(feature.np_dtype, np.integer) or np.issubdtype(feature.np_dtype, np.bool_)


def _chosen(name: str, what: str, candidates: list[str], column: str, clear: bool = True) -> str:
    column = column.strip()
    if column in candidates:
        return column
    if not column and len(candidates) == 1 and clear:
        return candidates[0]
    arrived = (
        f"{column!r} is none of the features of {name} that hold a {what}"
        if column
        else (f"{name} has {len(candidates)} features that may hold the {what}")
    )
    if not candidates:
        wanted = "a Text" if what == "text" else "a ClassLabel, a whole number or a text"
        raise DataError(
            f"{arrived}: it has none. kseq classifies texts by one label each; expected a feature at the top level "
            f"that is {wanted}. Other datasets can be written to a file, and that be named."
        )
    raise DataError(f"{arrived}: {', '.join(candidates)}. Choose with --{what}-column {candidates[0]}.")


def _classes(
    name: str, builder: tfds.core.DatasetBuilder, label: str
) -> tuple[tuple[str, ...], Callable[[tf.Tensor], tf.Tensor]]:
    """Name the classes, and give what makes the number of a class of a label: -1 of what is none."""
    feature = builder.info.features[label]
    if isinstance(feature, tfds.features.ClassLabel):
        return tuple(feature.names), lambda said: said
    found: set[int | bytes] = set()
    labels = source.read(builder, "train").map(lambda example: example[label])
    for batch in labels.batch(_LABELS_READ_AT_ONCE).as_numpy_iterator():
        found.update(batch.tolist())
        if len(found) > _MOST_CLASSES:
            raise DataError(
                f"the feature {label!r} of {name} holds more than {_MOST_CLASSES:,} different values in train, too "
                "many for a label. Choose another with --label-column."
            )
    # The order of the bytes of UTF-8 is that of the code points.
    ordered = sorted(found)
    names = tuple(each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in ordered)
    values = tf.constant(ordered, dtype=feature.tf_dtype)

    def to_class(said: tf.Tensor) -> tf.Tensor:
        same = tf.equal(values, said)  # (C,)
        return tf.where(tf.reduce_any(same), tf.argmax(same), -1)

    return names, to_class


def _joined(example: dict[str, tf.Tensor], texts: list[str]) -> tf.Tensor:
    return tf.strings.join([example[key] for key in texts], separator="\n")


def _has_labels(split: tf.data.Dataset | None) -> bool:
    """Whether a split has labels; where they are kept secret, they are all -1."""
    if split is None:
        return False
    return any(label >= 0 for label in split.map(lambda _, label: label).take(_LOOKED_AT).as_numpy_iterator())
