"""How much memory this process can still take, and what is said when tokens will not fit."""

import logging
from collections.abc import Callable
from pathlib import Path

from pipelines.errors import DataError

_logger = logging.getLogger(__name__)
# Texts after which the size of all tokens is told from the tokens so far, for the first time.
_FIRST_CHECK = 8192


def free_memory() -> int | None:
    """Bytes that this process can still take, or None where the system does not tell."""
    found = []
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        found.append(int(fields["MemAvailable"].split()[0]) * 1024)
    except (OSError, KeyError, ValueError):
        return None
    # In a container, the machine's memory is not its own.
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text("ascii"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text("ascii").splitlines())
        used = int((group / "memory.current").read_text("ascii")) - int(statistics["inactive_file"])
        found.append(max(limit - used, 0))
    except (OSError, KeyError, ValueError):
        pass
    return min(found)


class MemoryWatch:
    """Foresees, while tokens gather in memory, whether all of them will fit."""

    def __init__(self, size: int | None):
        """Begin.

        Args:
            size: number of texts to come, or None where it is not known.
        """
        self._size = size
        self._next_check = _FIRST_CHECK
        self._warned = False

    def check(self, texts: int, count_bytes: Callable[[], int]) -> None:
        """Tell what is to come.

        Args:
            texts: number of texts so far.
            count_bytes: gives the bytes of their tokens.

        Raises:
            DataError: more tokens are to come than memory is free.
        """
        if texts < self._next_check or self._size is None:
            return
        # Texts at the beginning may be short, so that it is worth looking again.
        self._next_check = 2 * texts
        free, nbytes = free_memory(), count_bytes()
        whole = nbytes * self._size // texts
        if free is None or whole - nbytes <= free // 2:
            return
        sentence = (
            f"the tokens of {self._size:,} texts need about {gibibytes(whole)} of memory, and {gibibytes(free)} are "
            "free. --cache disk keeps them in files, --cache none keeps nothing and reads the texts again."
        )
        if whole - nbytes > free:
            raise DataError(sentence)
        if not self._warned:
            self._warned = True
            _logger.warning(sentence)


def gibibytes(nbytes: int) -> str:
    """Write a number of bytes, such as `1.5 GiB` or `300 MiB`."""
    return f"{nbytes / 2**30:.1f} GiB" if nbytes >= 2**30 else f"{nbytes / 2**20:.1f} MiB"
