"""Write a SavedModel, have it verified, and put it under a version of its own, whole or not at all."""

import contextlib
import errno
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kseq.errors import ExportError, UsageError
from kseq.inputs import INPUTS
from kseq.outputs import OUTPUTS, Thresholds
from kseq.saved_model import EXTRA, LABELS, MANIFEST, SIGNATURE, escape_line, file_digests, version_number
from kseq.saved_model_check import verify
from kseq.signature_file import signatures

if TYPE_CHECKING:
    import keras
    import numpy as np

# Serving systems watch for folders whose names are numbers, and overlook this one.
STAGING_PREFIX = ".tmp-"
_ATTEMPTS = 100
_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


def export_saved_model(
    output_dir: str | os.PathLike[str],
    name: str,
    *,
    preprocessor: Any,
    model: "keras.Model",
    class_names: Sequence[str],
    examples: Sequence[Any],
    expected_probabilities: "np.ndarray",
    target_kind: str = "class",
    thresholds: Thresholds = None,
    input_kind: str = "text",
    write_extras: Callable[[Path, int], None] | None = None,
    timeout: float = 600,
) -> Path:
    """Write, verify and publish a SavedModel as the next version of a name.

    Args:
        output_dir: folder of all exports, such as `saved_models`; made where it is missing.
        name: folder of this model's versions.
        preprocessor: what `Input.adapt` gave: from what a client sends to a dict of named tensors.
        model: Keras model from those tensors to probabilities (n, C), without cuDNN operations.
        class_names: C different names; a name's place is its id.
        examples: held-out texts or sequences whose answers are compared, at least one.
        expected_probabilities: (len(examples), C), what the trained model says of them.
        target_kind: name in `OUTPUTS`; it settles the outputs of the signature.
        thresholds: from which probability on a label is given, as `Decision` has it.
        input_kind: name in `INPUTS`; it settles what the signature takes.
        write_extras: called with the `assets.extra` folder and the number of the version, to write further files there,
            once the SavedModel is verified; `verification.json` lies there by then.
        timeout: seconds that the verification may take.

    Returns:
        The version folder, `<output_dir>/<name>/<version>`.

    Raises:
        ExportError: the SavedModel could not be written; no version was added.
        VerificationError: the SavedModel does not answer as the model does; no version was added.
    """
    with staging_folder(output_dir, name) as folder:
        write_saved_model(
            folder,
            preprocessor=preprocessor,
            model=model,
            class_names=class_names,
            target_kind=target_kind,
            thresholds=thresholds,
            input_kind=input_kind,
        )
        verification = verify(
            folder,
            examples,
            expected_probabilities,
            target_kind=target_kind,
            thresholds=thresholds,
            input_kind=input_kind,
            timeout=timeout,
        )
        _write_json(folder / EXTRA / "verification.json", verification)
        return publish(folder, write_extras)


def check_writable(output_dir: str | os.PathLike[str], name: str) -> None:
    """Find out before training whether an export can be written afterwards.

    Raises:
        ExportError: the folder cannot be made or written to, or the disk is full.
        UsageError: the name cannot name a folder of versions.
    """
    with staging_folder(output_dir, name) as folder:
        (folder / "probe").write_bytes(b"\0" * 4096)


@contextlib.contextmanager
def staging_folder(output_dir: str | os.PathLike[str], name: str) -> Iterator[Path]:
    """Give a folder beside the versions of a name, and remove it at the end, however that comes.

    It lies in the same parent as the versions, so that `publish` is one rename within one file system.

    Raises:
        ExportError: whatever keeps files from being written, in one sentence.
        UsageError: the name cannot name a folder of versions.
    """
    _check_name(name)
    parent = Path(output_dir) / name
    folder = parent / f"{STAGING_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:12]}"
    made: list[Path] = []
    try:
        made = [place for place in (parent, Path(output_dir)) if not place.exists()]
        # Not tempfile.mkdtemp: its folder is for the owner alone, and a server often runs as somebody else.
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise ExportError(_sentence(parent, error.strerror or str(error), error.errno)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for place in made:
            # Stays where a version was published, or where another run is writing.
            with contextlib.suppress(OSError):
                place.rmdir()


def write_saved_model(
    folder: Path,
    *,
    preprocessor: Any,
    model: "keras.Model",
    class_names: Sequence[str],
    target_kind: str = "class",
    thresholds: Thresholds = None,
    input_kind: str = "text",
) -> None:
    """Write the SavedModel with its labels, the names of its tensors and whatever else people may want to read of it.

    The signature is `serving_default(text: string (n,))` or, of numeric sequences, `serving_default(values: float32
    (n, T, F), lengths: int32 (n,))`, padded on the right. Every output has the batch dimension, as row formats of
    serving systems require: `probabilities` float32 (n, C), and

    - where a text has one class: `label` string (n,), `label_id` int64 (n,) and `confidence` float32 (n,), the
      probability of that label;
    - where it can have several: `label_count` int64 (n,), and the labels given, the most probable first, in the first
      `label_count` of C columns: `labels` string (n, C), then "", `label_ids` int64 (n, C), then -1, and `confidences`
      float32 (n, C), then 0.

    Thresholds are constants of the graph.

    Args:
        folder: where to; new or empty.
        preprocessor: what `Input.adapt` gave: from what a client sends to a dict of named tensors.
        model: Keras model from those tensors to probabilities (n, C).
        class_names: C different names; a name's place is its id.
        target_kind: name in `OUTPUTS`.
        thresholds: None for the usual ones of that kind.
        input_kind: name in `INPUTS`.

    Raises:
        ExportError: TensorFlow could not write the files.
        ValueError: the class names do not fit the model or each other.
    """
    import keras
    import tensorflow as tf

    _check_class_names(class_names, model.output_shape[-1])
    names = tf.constant([name.encode("utf-8") for name in class_names], tf.string)
    kind, output = INPUTS[input_kind], OUTPUTS[target_kind]
    limits = output.thresholds(len(class_names)) if thresholds is None else thresholds

    def serve(*sent: tf.Tensor) -> dict[str, tf.Tensor]:
        probabilities = tf.cast(model(preprocessor(*sent), training=False), tf.float32)  # (n, C)
        return output.answer(probabilities, names, limits)

    archive = keras.export.ExportArchive()
    # Tables are lost unless what holds them is tracked. Variables are found by themselves: tracking the model too
    # writes each of them a second time and doubles the files.
    archive.track(preprocessor)
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in kind.signature(preprocessor).items()]
    archive.add_endpoint(SIGNATURE, serve, input_signature=specs)
    try:
        archive.write_out(str(folder), verbose=False)
    except tf.errors.OpError as error:
        # TensorFlow puts the system's reason into its own message.
        reason = error.message.splitlines()[0]
        number = next((number for number in (*_FULL, *_CLOSED) if os.strerror(number) in reason), None)
        raise ExportError(_sentence(folder.parent, os.strerror(number) if number else reason, number)) from error
    (folder / EXTRA).mkdir()
    _write_lines(folder / LABELS, class_names)
    for name, lines in kind.assets(preprocessor).items():
        _write_lines(folder / EXTRA / name, lines)
    _write_json(folder / EXTRA / "signature.json", signatures(folder))


def publish(folder: Path, write_extras: Callable[[Path, int], None] | None = None) -> Path:
    """Write the manifest of a staging folder, and rename it to the next version beside it.

    Args:
        folder: what `staging_folder` gave, with everything else written.
        write_extras: as `export_saved_model` takes it; called again where another run takes the number meanwhile.

    Returns:
        The version folder. Its number is one more than the greatest there is, also when several runs publish at once.

    Raises:
        OSError: a file cannot be read, or the folder not be renamed.
    """
    (folder / EXTRA).mkdir(exist_ok=True)
    sealed = False
    for _ in range(_ATTEMPTS):
        version = max(version_number(entry.name) or 0 for entry in folder.parent.iterdir()) + 1
        target = folder.parent / str(version)
        if write_extras is not None:
            write_extras(folder / EXTRA, version)
        if write_extras is not None or not sealed:
            _seal(folder)
            sealed = True
        try:
            folder.rename(target)
        except OSError as error:
            # Another run took the number since.
            if error.errno not in _TAKEN:
                raise
        else:
            with contextlib.suppress(OSError):
                _sync(target.parent)
            return target
    raise FileExistsError(errno.EEXIST, f"{_ATTEMPTS} times, another run took the next version first", str(target))


def _seal(folder: Path) -> None:
    """Write the manifest, and bring every file to the disk."""
    (folder / MANIFEST).unlink(missing_ok=True)
    files = {name: {"bytes": size, "sha256": digest} for name, (size, digest) in sorted(file_digests(folder).items())}
    _write_json(folder / MANIFEST, {"files": files})
    # On disk before the name is, or a power cut could leave a version of empty files.
    for root, _, names in os.walk(folder, topdown=False):
        for path in [*(Path(root, name) for name in names), Path(root)]:
            _sync(path)


def _check_name(name: str) -> None:
    if not name or Path(name).name != name or name.startswith(".") or version_number(name) is not None or "\0" in name:
        raise UsageError(
            f"name is {name!r}; expected the name of one folder, such as 'imdb-gru', that neither begins with a dot "
            "nor is a number, since numbers name versions."
        )


def _check_class_names(class_names: Sequence[str], number: int) -> None:
    if len(class_names) != number:
        raise ValueError(f"there are {len(class_names)} class names; the model answers with {number} probabilities.")
    for place, name in enumerate(class_names):
        if not isinstance(name, str):
            raise ValueError(f"class_names[{place}] is {name!r}; expected str.")
        if name in class_names[:place]:
            raise ValueError(f"class_names[{place}] is {name!r} a second time; expected {number} different names.")
        try:
            name.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(f"class_names[{place}] is {name!r}; it cannot be written as UTF-8.") from error


def _sentence(parent: Path, reason: str, number: int | None) -> str:
    if number in _FULL:
        mend = "Free space on the disk"
    elif number in _CLOSED:
        mend = "Make the folder writable"
    else:
        mend = "Mend that"
    return f"Cannot write a SavedModel into {parent}: {reason.rstrip('.')}. {mend}, or choose another output folder."


def _sync(path: Path) -> None:
    # Only POSIX systems let a folder be opened.
    if os.name != "posix" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_lines(path: Path, names: Iterable[str]) -> None:
    path.write_bytes("".join(f"{escape_line(name)}\n" for name in names).encode("utf-8"))


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
