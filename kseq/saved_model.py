r"""Load a SavedModel that kseq wrote, and answer texts or numeric sequences with it.

This file needs TensorFlow and the standard library and nothing of ours, so that it can be copied beside a SavedModel
and used alone; TensorFlow is imported by the first `load`. What writer and loader must agree on is therefore here too:

- `assets.extra/labels.txt`, `vocabulary.txt` and `channels.txt` hold one name a line, in the order of the ids. A
  backslash is written `\\`, and a character that ends a line or controls a terminal as `\u` and four hexadecimal digits
  (`\u000a`).
- `assets.extra/manifest.json` holds the size in bytes and the SHA-256 of every other file of the version folder.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

EXTRA = "assets.extra"
LABELS = f"{EXTRA}/labels.txt"
VOCABULARY = f"{EXTRA}/vocabulary.txt"
CHANNELS = f"{EXTRA}/channels.txt"
MANIFEST = f"{EXTRA}/manifest.json"
GRAPH = "saved_model.pb"
SIGNATURE = "serving_default"

# Large enough to fill two cores; small enough that one long text does not pad thousands of short ones.
_BATCH = 128
_SHOWN = 5
# The line ends of str.splitlines are all here, so that any reader finds the same lines.
_ESCAPED = re.compile("[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE = re.compile(r"\\(\\|u[0-9a-f]{4})")


class LoadError(Exception):
    """A SavedModel folder that cannot be loaded, or is not the one that was written."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """What a classifier says of n texts or sequences, in their order.

    Attributes:
        labels: the class name of each: the most probable one or, of two, what the model's threshold gives.
        label_ids: int64 (n,), places of the labels in `class_names`.
        confidences: float32 (n,), the probability of each label.
        probabilities: float32 (n, C); each row sums to 1.
    """

    labels: list[str]
    label_ids: "np.ndarray"
    confidences: "np.ndarray"
    probabilities: "np.ndarray"

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        pairs = zip(self.labels[:_SHOWN], self.confidences, strict=False)
        shown = [f"{label!r} {confidence:.3f}" for label, confidence in pairs]
        if len(self) > _SHOWN:
            shown.append(f"… {len(self) - _SHOWN} more")
        return f"Answer({', '.join(shown)})"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LabelsAnswer:
    """What a classifier of several labels a text says of n texts, in the order of the texts.

    Attributes:
        labels: the names of the labels of each text, the most probable first; a text can have none.
        label_ids: int64 arrays, places of these labels in `class_names`.
        confidences: float32 arrays, the probabilities of these labels.
        probabilities: float32 (n, C), of all labels, each for itself; a label is given from its own threshold on.
    """

    labels: list[list[str]]
    label_ids: "list[np.ndarray]"
    confidences: "list[np.ndarray]"
    probabilities: "np.ndarray"

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shown = [
            "{" + ", ".join(f"{label!r} {number:.3f}" for label, number in zip(labels, confidences, strict=True)) + "}"
            for labels, confidences in zip(self.labels[:_SHOWN], self.confidences, strict=False)
        ]
        if len(self) > _SHOWN:
            shown.append(f"… {len(self) - _SHOWN} more")
        return f"LabelsAnswer({', '.join(shown)})"


class Classifier:
    """Labels texts, or numeric sequences; made by `load`.

    Attributes:
        path: the version folder that was loaded.
        class_names: the C names a label can have; a name's place is its id.
        channel_names: the F names of the numbers at a time step, in their order; none where it labels texts.
    """

    def __init__(self, path: Path, class_names: Sequence[str], module: Any, channel_names: Sequence[str] = ()):
        self.path = path
        self.class_names = tuple(class_names)
        self.channel_names = tuple(channel_names)
        # The signature alone does not keep alive the module, which holds its variables.
        self._module = module
        self._signature = module.signatures[SIGNATURE]

    @property
    def several(self) -> bool:
        """Whether a text can have several labels, or none."""
        return "labels" in self._signature.structured_outputs

    def __call__(self, examples: "Iterable[str] | Iterable[Any]") -> "Answer | LabelsAnswer":
        """Label texts or sequences.

        Args:
            examples: a list of str, of any number and length; `""` is a text too. Of a model of numeric sequences, a
                list of arrays (T, F) of any lengths of at least 1, or (T,) where F is 1; or one array (n, T, F).

        Returns:
            An `Answer`, one label a text; of a model that gives several labels, a `LabelsAnswer`.

        Raises:
            TypeError: `examples` is one str, or an entry is no str, or not of numbers.
            ValueError: a sequence has another number of channels, no time step, or what is no finite number.
        """
        import numpy as np

        channels = self.channel_names
        encoded: Sequence[Any] = _as_sequences(examples, channels) if channels else _encode(examples)
        # Neighbours in length share a batch, so that little of it is padding.
        order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
        # An empty list is one empty batch: its answer has the right shapes and types.
        starts = range(0, len(order), _BATCH) or [0]
        batches = [[encoded[place] for place in order[start : start + _BATCH]] for start in starts]
        answers = [self._signature(**self._tensors(batch)) for batch in batches]
        places = np.argsort(np.array(order, np.int64))

        def column(name: str) -> "np.ndarray":
            return np.concatenate([answer[name].numpy() for answer in answers])[places]

        if self.several:
            counts = column("label_count").tolist()
            return LabelsAnswer(
                labels=[
                    [label.decode("utf-8") for label in row[:count]]
                    for row, count in zip(column("labels"), counts, strict=True)
                ],
                label_ids=[row[:count] for row, count in zip(column("label_ids"), counts, strict=True)],
                confidences=[row[:count] for row, count in zip(column("confidences"), counts, strict=True)],
                probabilities=column("probabilities"),
            )
        return Answer(
            labels=[label.decode("utf-8") for label in column("label")],
            label_ids=column("label_id"),
            confidences=column("confidence"),
            probabilities=column("probabilities"),
        )

    def _tensors(self, batch: Sequence[Any]) -> dict[str, Any]:
        """Put a batch into what the signature takes; sequences are padded on the right."""
        import numpy as np
        import tensorflow as tf

        if not self.channel_names:
            return {"text": tf.constant(batch, tf.string, shape=(len(batch),))}
        lengths = np.array([len(values) for values in batch], np.int32)
        padded = np.zeros((len(batch), lengths.max(initial=0), len(self.channel_names)), np.float32)
        for row, values in zip(padded, batch, strict=True):
            row[: len(values)] = values
        return {"values": tf.constant(padded), "lengths": tf.constant(lengths)}

    def __repr__(self) -> str:
        channels = f", {len(self.channel_names)} channels" if self.channel_names else ""
        return f"Classifier({str(self.path)!r}, {len(self.class_names)} classes{channels})"


def load(path: str | os.PathLike[str], verify: bool = True) -> Classifier:
    """Load a classifier from the folder that a run exported.

    Args:
        path: a version folder, `saved_models/<name>/<version>`, or `saved_models/<name>` for its greatest version.
        verify: compare every file with the manifest first. This finds damage and mixed-up files; it is no protection
            against somebody who rewrites the manifest too. A SavedModel is a program: load only what you trust.

    Returns:
        A callable that labels lists of texts, or of numeric sequences.

    Raises:
        LoadError: there is no such SavedModel, or its files are not the ones that were written.
    """
    folder = find_version(Path(path))
    if verify:
        check_files(folder)
    class_names = read_lines(folder, LABELS)

    import tensorflow as tf

    try:
        module = tf.saved_model.load(str(folder))
        width = module.signatures[SIGNATURE].structured_outputs["probabilities"].shape[-1]
    except Exception as error:
        raise LoadError(
            f"{folder} cannot be loaded as a SavedModel of kseq: {type(error).__name__}: {error}. "
            "Copy the folder again from where it was exported."
        ) from error
    if width != len(class_names):
        raise LoadError(f"{folder / LABELS} names {len(class_names)} classes; the SavedModel answers with {width}.")
    takes_numbers = "values" in module.signatures[SIGNATURE].structured_input_signature[1]
    return Classifier(folder, class_names, module, read_lines(folder, CHANNELS) if takes_numbers else ())


def find_version(path: Path) -> Path:
    """Find the version folder that a path means: itself, or the greatest version in it.

    Raises:
        LoadError: neither the path nor a folder in it is a SavedModel.
    """
    if not path.exists():
        raise LoadError(f"{path} does not exist. Give the folder of a SavedModel, such as saved_models/<name>.")
    if not path.is_dir():
        raise LoadError(f"{path} is a file. Give the folder of a SavedModel, such as saved_models/<name>.")
    if (path / GRAPH).exists() or (path / MANIFEST).exists():
        return path
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}.") from error
    versions = {version_number(entry.name): entry for entry in entries if entry.is_dir()}
    numbers = [number for number in versions if number is not None]
    if not numbers:
        names = ", ".join(entry.name for entry in entries[:_SHOWN]) or "nothing"
        raise LoadError(
            f"{path} is not a SavedModel: it holds {names}. Expected {GRAPH}, or folders named by version: 1, 2, …"
        )
    return versions[max(numbers)]


def version_number(name: str) -> int | None:
    """Return the version that a folder's name means, or None where it means none."""
    return int(name) if name.isascii() and name.isdigit() else None


def check_files(folder: Path) -> None:
    """Compare the files of a version folder with its manifest.

    Raises:
        LoadError: names every file that is missing, changed, or not in the manifest.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))["files"]
        expected = {str(name): (entry["bytes"], entry["sha256"]) for name, entry in manifest.items()}
    except FileNotFoundError as error:
        raise LoadError(
            f"{path} is missing, so that nothing says which files were written. Copy the whole folder again, or load "
            "it unchecked with verify=False if you trust it."
        ) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise LoadError(f"{path} cannot be read as a manifest ({error}). Copy the whole folder again.") from error
    try:
        found = file_digests(folder)
    except OSError as error:
        raise LoadError(f"{error.filename or folder} cannot be read: {error.strerror}.") from error
    problems = [f"{name} is missing" for name in sorted(expected.keys() - found.keys())]
    problems += [f"{name} is not in the manifest" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if found[name][0] != expected[name][0]:
            problems.append(f"{name} has {found[name][0]} bytes; {expected[name][0]} were written")
        elif found[name] != expected[name]:
            problems.append(f"{name} has the SHA-256 {found[name][1]}; {expected[name][1]} was written")
    if problems:
        raise LoadError(
            f"{folder} is not as it was written: {'; '.join(problems)}. Copy the whole folder again into an empty "
            "one, or load it unchecked with verify=False if you trust it."
        )


def file_digests(folder: Path) -> dict[str, tuple[int, str]]:
    """Return size in bytes and SHA-256 of every file under a folder except its manifest, by relative path.

    Raises:
        OSError: a file or a folder cannot be read.
    """
    digests = {}
    for root, names, files in os.walk(folder, onerror=_raise):
        # A link to a folder is not walked into, and would otherwise be overlooked.
        links = [name for name in names if Path(root, name).is_symlink()]
        for path in [Path(root, name) for name in files + links]:
            relative = path.relative_to(folder).as_posix()
            if relative == MANIFEST:
                continue
            if not path.is_file():
                digests[relative] = (0, "no regular file")
                continue
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                digests[relative] = (file.tell(), digest)
    return digests


def escape_line(name: str) -> str:
    """Write a name so that it takes one line: `"a\\nb"` becomes `a\\u000ab`."""
    return _ESCAPED.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", name)


def unescape_line(line: str) -> str:
    """Turn what `escape_line` wrote into the name."""
    return _ESCAPE.sub(lambda found: "\\" if found[1] == "\\" else chr(int(found[1][1:], 16)), line)


def read_lines(folder: Path, name: str) -> list[str]:
    """Read the names in a file of a version folder, one a line.

    Raises:
        LoadError: the file is missing or cannot be read.
    """
    try:
        text = (folder / name).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"{folder / name} cannot be read ({error}). Copy the whole folder again.") from error
    return [unescape_line(line) for line in text.split("\n")[:-1]]


def _encode(texts: Iterable[str]) -> list[bytes]:
    if isinstance(texts, str | bytes | Mapping) or not isinstance(texts, Iterable):
        raise TypeError(
            f"texts is {_described(texts)}; expected a list of str. For one text, pass a list of one: ['a text']."
        )
    encoded = []
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            hint = " Decode it first: text.decode('utf-8')." if isinstance(text, bytes) else ""
            raise TypeError(f"texts[{place}] is {_described(text)}; expected str.{hint}")
        # Half a surrogate pair is no UTF-8; the graph replaces the bytes as it does others that are none.
        encoded.append(text.encode("utf-8", "surrogatepass"))
    return encoded


def _as_sequences(examples: Any, channel_names: Sequence[str]) -> "list[np.ndarray]":
    """Give every sequence as float32 (T, F), or say which one is none."""
    import numpy as np

    width = len(channel_names)
    if isinstance(examples, str | bytes | Mapping) or not isinstance(examples, Iterable):
        raise TypeError(f"sequences is {_described(examples)}; expected a list of arrays (T, {width}).")
    found = []
    for place, example in enumerate(examples):
        if isinstance(example, str | bytes | Mapping):
            raise TypeError(f"sequences[{place}] is {_described(example)}; expected an array (T, {width}) of numbers.")
        try:
            with np.errstate(over="ignore"):
                values = np.asarray(example, np.float32)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"sequences[{place}] is {_described(example)}; expected an array (T, {width}) of numbers."
            ) from error
        if values.ndim == 1 and width == 1:
            values = values[:, np.newaxis]
        if values.ndim != 2 or values.shape[1] != width or not len(values):
            raise ValueError(
                f"sequences[{place}] has the shape {values.shape}; expected (T, {width}), at least one time step of "
                f"the channels {', '.join(channel_names[:_SHOWN])}{', …' * (width > _SHOWN)}. For one sequence, pass a "
                "list of one."
            )
        if not np.isfinite(values).all():
            step, channel = np.argwhere(~np.isfinite(values))[0].tolist()
            raise ValueError(
                f"sequences[{place}][{step}, {channel}], of the channel {channel_names[channel]!r}, is "
                f"{values[step, channel]}; expected finite numbers. Fill in what is missing."
            )
        found.append(values)
    return found


def _described(value: object) -> str:
    shown = repr(value)
    return f"{type(value).__name__} {shown if len(shown) <= 60 else shown[:60] + '…'}"


def _raise(error: OSError) -> None:
    raise error
