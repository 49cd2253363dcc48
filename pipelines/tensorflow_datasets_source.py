"""Datasets of TensorFlow Datasets: found where they are prepared, prepared where they are not.

Prepared data is read without touching the network. Data that is not prepared is downloaded, said so, and guarded by a
lock; without a network the answer comes within seconds and names the ways on.
"""

import contextlib
import logging
import os
import queue
import socket
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock
import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader

from pipelines.errors import DataError

logger = logging.getLogger("pipelines")

# For all hosts together, names looked up included: a silent name server blocks longer than any socket timeout. With the
# imports before it, the answer comes within five seconds.
_PROBE_SECONDS = 2.0
# For one address of a host, so that there is time for another where the first is silent, as IPv6 often is.
_CONNECT_SECONDS = 1.0
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
    folder = _data_folder(data_dir)
    builder = _find(name, folder)
    if _is_prepared(builder):
        return builder
    if manual_dir is not None:
        _check_archives(name, archives, Path(manual_dir).expanduser())
    else:
        _check_network(name, archives, builder)
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
        f"the prepared files of {builder.info.full_name} in {builder.data_path} are damaged ({_one_line(error)}); "
        "delete that folder and prepare it again, or name another with --data-dir."
    )


def _data_folder(data_dir: str | None) -> Path | None:
    if data_dir is None:
        configured = os.environ.get("KSEQ_DATA_DIR")
        return Path(configured).expanduser() if configured else None
    folder = Path(data_dir).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"the data folder {folder} does not exist; name an existing folder with --data-dir (an empty one is "
            "filled), or leave the option out."
        )
    return folder


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
            f"{name} in {place} cannot be read ({_one_line(error)}); delete its folder there and prepare it again, or "
            "name another place with --data-dir."
        ) from error


def _is_prepared(builder: tfds.core.DatasetBuilder) -> bool:
    # is_prepared logs a warning about a folder that is not there, which is no news to anybody.
    return bool(builder.data_path.exists() and builder.is_prepared())


def _ways_on(archives: Sequence[str]) -> str:
    files = " and ".join(map(_file_name, archives))
    return (
        "Ways on: name a folder where TensorFlow Datasets has prepared it with --data-dir or KSEQ_DATA_DIR; or put "
        f"the original {files} into a folder and name that with --manual-dir; or use the built-in dataset 'reviews', "
        "which needs no download."
    )


def _check_archives(name: str, archives: Sequence[str], manual_dir: Path) -> None:
    if not manual_dir.is_dir():
        raise DataError(f"the folder {manual_dir} given as --manual-dir does not exist.")
    missing = [_file_name(url) for url in archives if not (manual_dir / _file_name(url)).is_file()]
    if missing:
        raise DataError(
            f"{name} is prepared from {' and '.join(missing)}, which {manual_dir} (--manual-dir) does not hold. "
            f"Download from {' and '.join(archives)}."
        )


def _check_network(name: str, archives: Sequence[str], builder: tfds.core.DatasetBuilder) -> None:
    """Raise `DataError` unless the hosts of a dataset's archives, or the proxies before them, take a connection."""
    failure = _connection_failure(sorted({_first_hop(url) for url in archives}))
    if failure:
        raise DataError(
            f"{name} is not prepared in {builder.data_path} and cannot be downloaded: no connection to {failure}. "
            f"{_ways_on(archives)}"
        )


def _first_hop(url: str) -> tuple[str, int]:
    """Host and port that a download of this address connects to: the proxy's where one is set."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(host):
        parts = urllib.parse.urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host = parts.hostname or ""
    return host, parts.port or (443 if parts.scheme == "https" else 80)


def _connection_failure(hops: Sequence[tuple[str, int]]) -> str | None:
    """Which host takes no connection and why, found within `_PROBE_SECONDS` for all; None where each takes one."""
    answers: queue.SimpleQueue[tuple[tuple[str, int], str | None]] = queue.SimpleQueue()

    def connect(hop: tuple[str, int]) -> None:
        try:
            socket.create_connection(hop, timeout=_CONNECT_SECONDS).close()
            answers.put((hop, None))
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that no name server could know.
            answers.put((hop, _one_line(error)))

    deadline = time.monotonic() + _PROBE_SECONDS
    for hop in hops:
        threading.Thread(target=connect, args=(hop,), daemon=True).start()
    silent = list(hops)
    while silent:
        try:
            (host, port), cause = answers.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            host, port = silent[0]
            return f"{host}:{port} (no answer in {_PROBE_SECONDS:g} seconds)"
        if cause:
            return f"{host}:{port} ({cause})"
        silent.remove((host, port))
    return None


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
            f"{name} is not prepared and the data folder {root} cannot be written ({_one_line(error)}); name another "
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
            known[url].filename = _file_name(url)
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
            f"{name} could not be prepared in {builder.data_path}: {_one_line(error)}. {_ways_on(archives)}"
        ) from error
    finally:
        downloader.MAX_RETRIES = tries


def _file_name(url: str) -> str:
    """Name of the file behind an address, as the checksum lists of TensorFlow Datasets have it."""
    return _DRIVE_FILES.get(url) or Path(urllib.parse.urlsplit(url).path).name


# Google Drive's addresses do not say what the file is called.
_DRIVE_FILES = {
    "https://drive.google.com/uc?export=download&id=0Bz8a_Dbh9QhbUDNpeUdjb0wxRms": "ag_news_csv.tar.gz",
}


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"
