"""The table of a comparison: for the console, as Markdown and as CSV, and what has to be known to read it."""

import dataclasses
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from kseq import markdown
from kseq.comparison.results import Means, RowResult
from kseq.csv_files import write_csv

_NOTHING = "–"
_LEAST_P = 0.001

# Headings, and what stands under them in a row that was trained.
_COLUMNS: dict[str, Callable[[Means], str]] = {
    "accuracy (95% interval)": lambda means: f"{means.accuracy:.1%} ({_range(means.accuracy_interval)})",
    "over seeds": lambda means: _range(means.accuracies),
    "macro-F1": lambda means: f"{means.macro_f1:.3f}",
    "validation": lambda means: f"{means.validation_accuracy:.1%}",
    "parameters": lambda means: f"{means.parameters:,}",
    "without vectors": lambda means: f"{means.parameters_without_vectors:,}",
    "epochs": lambda means: f"{means.epochs:.1f}".removesuffix(".0"),
    "s/epoch": lambda means: f"{means.seconds_per_epoch:.1f}",
    "s of training": lambda means: f"{means.train_seconds:.0f}",
    "latency (ms)": lambda means: f"{means.latency:.1f}",
}


def table(results: Sequence[RowResult]) -> tuple[list[str], list[list[str]]]:
    """Make the header and the rows, all words; the column of the spread is there where a row has several seeds."""
    columns = {name: cell for name, cell in _COLUMNS.items() if _several(results) or name != "over seeds"}
    rows = [
        [
            str(row.number),
            row.label,
            *(cell(row.means) if row.means else _NOTHING for cell in columns.values()),
            f"{row.test.b} : {row.test.c}" if row.test else _NOTHING,
            _NOTHING if row.p_holm is None else f"{row.p_holm:.3f}" if row.p_holm >= _LEAST_P else f"< {_LEAST_P}",
        ]
        for row in results
    ]
    return ["", "row", *columns, "b : c", "p (Holm)"], rows


def plain_table(results: Sequence[RowResult]) -> str:
    """Write the table for a console: words to the left, numbers to the right."""
    header, rows = table(results)
    widths = [max(len(line[place]) for line in [header, *rows]) for place in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if place == 1 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [header, *rows]
    ]
    return "\n".join(lines)


def markdown_page(title: str, results: Sequence[RowResult], notes: Sequence[str]) -> str:
    """Write the table as Markdown, what has to be known to read it, and the command of each row."""
    (_, *header), rows = table(results)
    body = [[markdown.code(label), *map(markdown.text, cells)] for _, label, *cells in rows]
    listed = [f"- {markdown.text(note)}" for note in notes]
    commands = markdown.fenced("sh", "\n".join(row.command for row in results))
    parts = [
        f"# {markdown.text(title)}",
        markdown.table(header, body),
        "\n".join(listed),
        "Each row alone, with its first seed:",
        commands,
    ]
    return "\n\n".join(parts) + "\n"


def write_table(path: str | os.PathLike[str], results: Sequence[RowResult]) -> None:
    """Write the numbers, unrounded, as CSV: a line a row, an empty cell where nothing is known."""
    lines = [_numbers(row) for row in results]
    write_csv(path, list(lines[0]), [list(line.values()) for line in lines])


def notes(
    results: Sequence[RowResult], seeds: Sequence[int], sizes: Mapping[str, int], noun: str, accuracy: str
) -> list[str]:
    """Say what the columns mean, what they do not tell, and what is missing.

    Args:
        results: of all rows.
        seeds: that were asked for.
        sizes: of the splits.
        noun: what an example is called.
        accuracy: what examples that are right did, in words.
    """
    sentences = _meanings(results, sizes, noun, accuracy) if any(row.means for row in results) else []
    sentences += [
        f"Row {row.number}, seed {seed}, failed: {reason}" for row in results for seed, reason in row.failed.items()
    ]
    waiting = {row.number: [seed for seed in seeds if seed not in {*row.seeds, *row.failed}] for row in results}
    words = [f"row {number} with seed {', '.join(map(str, missing))}" for number, missing in waiting.items() if missing]
    if words:
        sentences.append(f"Not trained yet: {'; '.join(words)}.")
    return sentences


def _meanings(results: Sequence[RowResult], sizes: Mapping[str, int], noun: str, accuracy: str) -> list[str]:
    """Say what the columns mean, and what they do not tell."""
    steps = " or ".join(sorted({str(row.means.latency_steps) for row in results if row.means}))
    tests = sum(row.test is not None for row in results)
    one = "the first row alone, or this row alone, got right"
    several = (
        f"more of the first row's models, or more of this row's, got right. A {noun} counts once, whatever the number "
        f"of seeds: this is the sign test, which with one seed is McNemar's. Pooled over the seeds, the same {noun}s "
        "would count as if they were new ones"
    )
    sentences = [
        f"Accuracy is the fraction of {noun}s that {accuracy}: of {sizes['test']:,} in test, scored once a training, "
        f"and of {sizes['validation']:,} in validation, by which the epoch was chosen. Its 95% Wilson interval tells "
        "what another test sample would change."
    ]
    if _several(results):
        sentences.append(
            "Scores are means over the seeds. The lowest and the highest accuracy tell what training again would "
            "change. The interval is as wide as that of one model, for a mean rather too wide."
        )
    if tests:
        sentences.append(
            f"b : c are the {noun}s that {several if _several(results) else one}. p is exact, two-sided, and corrected "
            f"by Holm for {tests} {'test' if tests == 1 else 'tests'}; it tells of other {noun}s, not of other seeds."
        )
    return [
        *sentences,
        "Seconds of an epoch are the median, with its validation and without the first epoch, which compiles. "
        f"Latency is that of one {noun} of {steps} steps, the median length of test, alone in its batch, as it is sent "
        "to the probabilities, in the process that trained, with all of TensorFlow's threads.",
        "No training saw the test split. Whoever chooses a row by this table uses the test split up: choose by "
        f"validation, or test the choice on new {noun}s.",
    ]


def _numbers(row: RowResult) -> dict[str, Any]:
    """Give what is known of a row as one line of cells."""
    means = dict.fromkeys(field.name for field in dataclasses.fields(Means)) | (
        dataclasses.asdict(row.means) if row.means else {}
    )
    low, high = means.pop("accuracy_interval") or (None, None)
    accuracies = means.pop("accuracies") or ()
    return {
        "row": row.number,
        "flags": row.label,
        "seeds": " ".join(map(str, row.seeds)),
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_of_seeds": " ".join(map(str, accuracies)),
        **means,
        **(dataclasses.asdict(row.test) if row.test else {"b": None, "c": None, "p": None}),
        "p_holm": row.p_holm,
        "failed": "; ".join(f"seed {seed}: {reason}" for seed, reason in row.failed.items()),
        "command": row.command,
    }


def _several(results: Sequence[RowResult]) -> bool:
    """Whether a row was trained with several seeds."""
    return any(len(row.seeds) > 1 for row in results)


def _range(fractions: Collection[float]) -> str:
    return f"{min(fractions):.1%} to {max(fractions):.1%}"
