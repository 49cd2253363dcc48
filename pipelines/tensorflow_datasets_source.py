"""Datasets of TensorFlow Datasets: found where they are prepared, prepared where they are not.

Prepared data is read without touching the network. Data that is not prepared is downloaded, said so, and guarded by a
lock; without a network the answer comes within seconds and names the ways on.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from pipelines.availability import check_archives, check_network, data_folder, file_name, one_line, ways_on
from pipelines.errors import DataError

logger = logging.getLogger("pipelines")

# TensorFlow Datasets tries ten times, doubling its pauses: 204 silent seconds. Four tries take three.
_DOWNLOAD_TRIES = 4


def prepared(
    name: str, archives: Sequence[str], *, data_dir: str | None = None, manual_dir: str | None = None
) -> tfds.core.DatasetBuilder:
    """Find a prepared dataset, or download and prepare it.

    Looked for in `data_dir`, else in the environment's KSEQ_DATA_DIR, else where TensorFlow Datasets keeps its data.

    Args:
        name: as TensorFlow Datasets names it, such as "imdb_reviews/plain_text".
        archives: addresses of the files that preparing it downloads.
        data_dir: an existing folder of prepared datasets.
        manual_dir: a folder that holds the original archives; nothing is downloaded then.

    Returns:
        A builder whose `is_prepared()` is true.

    Raises:
        DataError: a folder that does not exist or cannot be written, no network, a failed download, damaged data.
    """
    folder = data_folder(data_dir)
    builder = _find(name, folder)
    if _is_prepared(builder):
        return builder
    if manual_dir is not None:
        check_archives(name, archives, Path(manual_dir).expanduser())
    else:
        check_network(name, archives, Path(builder.data_path))
    with _only_one_process(name, Path(builder.data_dir_root)):
        # Whoever held the lock before may have prepared it meanwhile.
        if not _is_prepared(_find(name, folder)):
            _prepare(name, archives, builder, manual_dir)
    return _find(name, folder)


def read(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """Read a split's feature dictionaries, unbatched, in the order of its files.

    Args:
        builder: of a prepared dataset.
        split: as TensorFlow Datasets names it.

    Raises:
        DataError: the prepared files have no such split.
    """
    # One file after the other, whatever the machine. Caching is left to whoever vectorizes: token ids are smaller.
    order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    try:
        return builder.as_dataset(split=split, shuffle_files=False, read_config=order)
    except Exception as error:  # Damaged metadata raises whatever the readers of splits and features raise.
        raise _damaged(builder, error) from error


def archives_of(name: str) -> list[str]:
    """List the addresses of the files that preparing a dataset downloads.

    Raises:
        DataError: TensorFlow Datasets has no dataset of that name.
    """
    try:
        return sorted(tfds.builder_cls(name.partition("/")[0]).url_infos or {})
    except (tfds.core.DatasetNotFoundError, ImportError, ValueError) as error:
        raise DataError(
            f"TensorFlow Datasets has no dataset {name!r} ({one_line(error)}). `python -c 'import tensorflow_datasets "
            "as tfds; print(tfds.list_builders())'` lists them."
        ) from error


def size(builder: tfds.core.DatasetBuilder, split: str) -> int | None:
    """Number of examples of a split as its metadata states it, or None where it states none."""
    return builder.info.splits[split].num_examples if split in builder.info.splits else None


@contextlib.contextmanager
def reading(builder: tfds.core.DatasetBuilder) -> Iterator[None]:
    """Turn what truncated and missing records raise inside the `with` into a `DataError`."""
    try:
        yield
    except tf.errors.OpError as error:
        raise _damaged(builder, error) from error


def _damaged(builder: tfds.core.DatasetBuilder, error: Exception) -> DataError:
    return DataError(
        f"the prepared files of {builder.info.full_name} in {builder.data_path} are damaged ({one_line(error)}); "
        "delete that folder and prepare it again, or name another with --data-dir."
    )


def _find(name: str, folder: Path | None) -> tfds.core.DatasetBuilder:
    """Make the builder of a dataset; of the newest prepared version where the one in code is not prepared."""
    try:
        builder = tfds.builder(name, data_dir=folder, try_gcs=False)
        if _is_prepared(builder):
            return builder
        found = sorted(
            (path.parent for path in Path(builder.data_path).parent.glob("*.*.*/dataset_info.json")),
            key=lambda path: tuple(int(part) if part.isdigit() else 0 for part in path.name.split(".")),
        )
        if not found:
            return builder
        logger.info("%s: reading version %s, which is prepared in %s", name, found[-1].name, found[-1])
        return tfds.builder_from_directory(found[-1])
    except Exception as error:  # Damaged metadata raises whatever the JSON, protobuf and feature readers raise.
        place = folder or "the folders of TensorFlow Datasets"
        raise DataError(
            f"{name} in {place} cannot be read ({one_line(error)}); delete its folder there and prepare it again, or "
            "name another place with --data-dir."
        ) from error


def _is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    # is_prepared logs a warning about a folder that is not there, which is no news to anybody.
    return bool(builder.data_path.exists() and builder.is_prepared())


@contextlib.contextmanager
def _only_one_process(name: str, root: Path) -> Iterator[None]:
    """Hold the lock of a dataset: of two processes preparing the same one, one would die with FileExistsError."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(root / f".{name.replace('/', '-')}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            logger.info("%s is being prepared by another process; waiting for it", name)
            lock.acquire()
    except OSError as error:
        raise DataError(
            f"{name} is not prepared and the data folder {root} cannot be written ({one_line(error)}); name another "
            "with --data-dir or KSEQ_DATA_DIR."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _prepare(name: str, archives: Sequence[str], builder: tfds.core.DatasetBuilder, manual_dir: str | None) -> None:
    source = f"from the archive in {manual_dir}" if manual_dir else "by download"
    logger.info("%s is not prepared; preparing it %s into %s", name, source, builder.data_path)
    known: dict[str, Any] = builder.url_infos or {}
    for url in archives:
        # Old checksum lists name no file, and without its name a file in manual_dir is not recognised.
        if url in known and known[url].filename is None:
            known[url].filename = file_name(url)
    config = tfds.download.DownloadConfig(
        manual_dir=Path(manual_dir).expanduser() if manual_dir else None, try_download_gcs=False
    )
    tries = downloader.MAX_RETRIES
    downloader.MAX_RETRIES = _DOWNLOAD_TRIES
    try:
        # TensorFlow Datasets prints its progress to standard output, which belongs to a command's result.
        with contextlib.redirect_stdout(sys.stderr):
            builder.download_and_prepare(download_config=config)
    except Exception as error:  # Networks, archives, checksums and disks fail each with errors of their own.
        raise DataError(
            f"{name} could not be prepared in {builder.data_path}: {one_line(error)}. {ways_on(archives)}"
        ) from error
    finally:
        downloader.MAX_RETRIES = tries
