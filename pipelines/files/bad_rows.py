"""The tally of bad rows: counted by reason, the first named, and no more of them than a file can have by chance."""

import dataclasses
from collections import Counter
from typing import Any

from pipelines.errors import DataError
from pipelines.files.file_rows import BadRow

# Beyond this share, a file is not one with some broken rows, but one that is read in a wrong way.
MOST = 0.01
_NAMED = 5


@dataclasses.dataclass
class Tally:
    """How many rows of a split were read and skipped.

    Attributes:
        read: rows that gave a text.
        reasons: skipped rows by reason.
        first: the first skipped rows.
    """

    read: int = 0
    reasons: Counter[str] = dataclasses.field(default_factory=Counter)
    first: list[BadRow] = dataclasses.field(default_factory=list)

    @property
    def skipped(self) -> int:
        """Rows that gave none."""
        return self.reasons.total()

    @property
    def present(self) -> int:
        """Rows there are: read and skipped."""
        return self.read + self.skipped

    def skip(self, row: BadRow, on_bad_rows: str) -> None:
        """Count a bad row.

        Raises:
            DataError: bad rows are errors.
        """
        if on_bad_rows == "error":
            raise DataError(f"{row}. Mend the row, or skip such rows with --on-bad-rows skip.")
        self.reasons[row.reason] += 1
        if len(self.first) < _NAMED:
            self.first.append(row)

    def check(self, file: str, hint: str = "") -> None:
        """Raise `DataError` for more than 1% of bad rows; a file of less than a hundred rows may have one.

        Args:
            file: as messages name it.
            hint: what else may be wrong, a sentence.
        """
        if self.skipped > max(1, MOST * self.present):
            raise DataError(
                f"{file}: {self.skipped:,} of {self.present:,} rows cannot be read ({self.by_reason()}), which is more "
                f"than {MOST:.0%} and more than one. The first: {self.named()}. {hint}Mend these rows or take them out."
            )

    def by_reason(self) -> str:
        """Tell the reasons with their counts."""
        return ", ".join(f"{count:,} with {reason}" for reason, count in self.reasons.most_common())

    def named(self) -> str:
        """Name the first bad rows."""
        return "; ".join(map(str, self.first))

    def to_dict(self) -> dict[str, Any]:
        """Give the tally as a dict of what JSON knows."""
        return {
            "present": self.present,
            "read": self.read,
            "skipped": self.skipped,
            "skipped_by_reason": dict(self.reasons),
            "first_bad_rows": [
                {"file": row.file, "line": row.line, "reason": row.reason, "detail": row.detail} for row in self.first
            ],
        }
