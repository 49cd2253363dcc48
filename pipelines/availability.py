"""Whether a dataset of TensorFlow Datasets can be had, before TensorFlow is imported, which takes seconds.

Data is there, or its hosts answer; otherwise the message names the ways on.
"""

import os
import queue
import socket
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import DataError

# For all hosts together, names looked up included: a silent name server blocks longer than any socket timeout. With the
# imports before it, the answer comes within five seconds.
_PROBE_SECONDS = 2.0
# For one address of a host, so that there is time for another where the first is silent, as IPv6 often is.
_CONNECT_SECONDS = 1.0


def check_available(
    name: str, archives: Sequence[str], *, data_dir: str | None = None, manual_dir: str | None = None
) -> None:
    """Find out whether preparing or reading a dataset has a chance.

    Args:
        name: as TensorFlow Datasets names it, such as "imdb_reviews/plain_text".
        archives: addresses of the files that preparing it downloads.
        data_dir: an existing folder of prepared datasets.
        manual_dir: a folder that holds the original archives; nothing is downloaded then.

    Raises:
        DataError: nothing is prepared, and the archives are neither in `manual_dir` nor to be downloaded.
    """
    folder = data_folder(data_dir)
    if any(_holds(root, name) for root in ([folder] if folder else _default_folders())):
        return
    if manual_dir is not None:
        check_archives(name, archives, Path(manual_dir).expanduser())
    else:
        check_network(name, archives, (folder or _default_folders()[0]) / name)


def _holds(root: Path, name: str) -> bool:
    """Whether something of a dataset is prepared in a folder, in whatever version and configuration."""
    return any((root / name).glob("**/dataset_info.json"))


def _default_folders() -> list[Path]:
    # It imports no TensorFlow either, in half a second.
    from tensorflow_datasets.core.utils import file_utils

    return [Path(folder).expanduser() for folder in file_utils.list_data_dirs()]


def data_folder(data_dir: str | None) -> Path | None:
    """Name the folder of prepared datasets: the argument, else KSEQ_DATA_DIR, else None for TensorFlow Datasets' own.

    Raises:
        DataError: the argument is no folder.
    """
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


def ways_on(archives: Sequence[str]) -> str:
    """Say what somebody without the data can do."""
    files = " and ".join(map(file_name, archives))
    return (
        "Ways on: name a folder where TensorFlow Datasets has prepared it with --data-dir or KSEQ_DATA_DIR; or put "
        f"the original {files} into a folder and name that with --manual-dir; or use the built-in dataset 'reviews', "
        "which needs no download."
    )


def check_archives(name: str, archives: Sequence[str], manual_dir: Path) -> None:
    """Raise `DataError` unless a folder holds the original files."""
    if not manual_dir.is_dir():
        raise DataError(f"the folder {manual_dir} given as --manual-dir does not exist.")
    missing = [file_name(url) for url in archives if not (manual_dir / file_name(url)).is_file()]
    if missing:
        raise DataError(
            f"{name} is prepared from {' and '.join(missing)}, which {manual_dir} (--manual-dir) does not hold. "
            f"Download from {' and '.join(archives)}."
        )


def check_network(name: str, archives: Sequence[str], place: Path) -> None:
    """Raise `DataError` unless the hosts of a dataset's archives, or the proxies before them, take a connection."""
    failure = _connection_failure(sorted({_first_hop(url) for url in archives}))
    if failure:
        raise DataError(
            f"{name} is not prepared in {place} and cannot be downloaded: no connection to {failure}. "
            f"{ways_on(archives)}"
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
            answers.put((hop, one_line(error)))

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


def file_name(url: str) -> str:
    """Name of the file behind an address, as the checksum lists of TensorFlow Datasets have it."""
    return _DRIVE_FILES.get(url) or Path(urllib.parse.urlsplit(url).path).name


# Google Drive's addresses do not say what the file is called.
_DRIVE_FILES = {
    "https://drive.google.com/uc?export=download&id=0Bz8a_Dbh9QhbUDNpeUdjb0wxRms": "ag_news_csv.tar.gz",
}


def one_line(error: BaseException) -> str:
    """Give the message of an error without its line breaks, cut where it is long."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}…"
