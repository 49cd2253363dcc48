"""What a comparison leaves in its folder beside the trainings: the table in four forms, and the picture."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from kseq.comparison.figure import draw_comparison
from kseq.comparison.folder import WHAT, Folder
from kseq.comparison.page import html_page
from kseq.comparison.results import RowResult, RowTrainings, row_results
from kseq.comparison.table import markdown_page, notes, write_table
from kseq.experiment import data_facts
from kseq.inputs import INPUTS
from kseq.outputs import OUTPUTS
from kseq.replacing import replacing
from kseq.run_record import environment
from kseq.terms import writing
from pipelines.sequence_data import SequenceData
from pipelines.text_data import TextData


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A comparison as far as it has come.

    Attributes:
        results: of the rows.
        notes: what has to be known to read the table.
        record: all of it, as JSON knows it.
    """

    results: Sequence[RowResult]
    notes: Sequence[str]
    record: Mapping[str, Any]


def write_comparison(
    folder: Folder,
    data: TextData | SequenceData,
    rows: Sequence[RowTrainings],
    seeds: Sequence[int],
    command: str,
    left_out: Mapping[str, str],
) -> Comparison:
    """Put the trainings of all rows together, and write what they say.

    Args:
        folder: where to.
        data: the texts or sequences.
        rows: what came of training them.
        seeds: that were asked for.
        command: that does all this again.
        left_out: why there are no further rows, by their labels.

    Raises:
        ExportError: a file cannot be written.
    """
    results = row_results(rows)
    output = OUTPUTS[data.target_kind]
    sentences = notes(results, seeds, data.sizes, INPUTS[data.input_kind].noun, output.accuracy)
    sentences += [f"Left out is {label}: {reason}" for label, reason in left_out.items()]
    machines = {json.dumps(training.record["machine"]) for row in rows for training in row.trainings.values()}
    if len(machines) > 1:
        sentences.append(f"The trainings were done on {len(machines)} different machines; their times do not compare.")
    record = {
        "name": folder.path.name,
        "command": command,
        **environment(),
        "data": data_facts(data),
        "seeds": list(seeds),
        "rows": [
            {
                **dataclasses.asdict(result),
                "trainings": [dict(training.record) for training in row.trainings.values()],
            }
            for result, row in zip(results, rows, strict=True)
        ],
        "notes": sentences,
    }
    title = f"Comparison on {data.name}: {folder.path.name}"
    histories = {
        result.number: [training.record["history"] for training in row.trainings.values()]
        for result, row in zip(results, rows, strict=True)
    }
    path = folder.path
    with writing(path, WHAT):
        with replacing(path / "comparison.json") as file:
            file.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        with replacing(path / "comparison.csv") as file:
            write_table(file, results)
        with replacing(path / "comparison.md") as file:
            file.write_text(markdown_page(title, results, sentences), encoding="utf-8")
        picture = None
        if any(histories.values()):
            with replacing(path / "compare.png") as file:
                draw_comparison(results, histories, f"val_{output.shown[1]}", file)
            picture = (path / "compare.png").read_bytes()
        with replacing(path / "compare.html") as file:
            file.write_text(html_page(title, results, sentences, _facts(record), picture), encoding="utf-8")
    return Comparison(results, sentences, record)


def _facts(record: Mapping[str, Any]) -> dict[str, str]:
    """Choose what a reader of the page wants to know of the data, the machine and the versions."""
    data, machine = record["data"], record["machine"]
    versions = {"kseq": record["kseq"], **record["versions"]}
    return {
        "data": data["name"],
        "sizes": ", ".join(f"{size:,} {split}" for split, size in data["sizes"].items()),
        "labels": ", ".join(data["class_names"]),
        "fingerprints": ", ".join(f"{split} {found}" for split, found in data["fingerprints"].items()),
        "machine": f"{machine['processor']}, {machine['cores']} cores",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "written": record["created"],
        "command": record["command"],
    }
