"""`python -m kseq.data DATASET`: look at the texts or sequences and their labels, and train nothing."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kseq.command_line import find_source, read_options
from kseq.commands import command_parser, load_data
from kseq.console import Console, end
from kseq.errors import DONE
from kseq.inputs import INPUTS

_SHOWN_CLASSES = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return end(_run, arguments)


def _run(arguments: Sequence[str]) -> int:
    parser = command_parser(
        "data",
        "Say what is in a dataset or a file, what is wrong with it, and which options it suggests.",
        groups=("data", "text"),
    )
    namespace = parser.parse_all(arguments)
    options, typed = read_options(namespace)
    source = find_source(options, typed)
    console = Console(namespace.json)
    with console.owning_output():
        data = load_data(console, source, options, typed)

        from kseq.data_report import data_report

        found = data_report(data, options)
        show_report(console, found)
    console.json(found)
    return DONE


def show_report(console: Console, found: Mapping[str, Any]) -> None:
    """Write what `kseq.data_report.data_report` found, one topic a line."""
    classes = sorted(found["classes"], key=lambda each: -each["train"])
    topic = "classes"
    width = max(len(each["name"]) for each in classes[:_SHOWN_CLASSES])
    for each in classes[:_SHOWN_CLASSES]:
        counts = ", ".join(f"{each[split]:,} {split}" for split in ("train", "validation", "test"))
        console.say(topic, f"{each['name']:<{width}}  {each['share']:6.1%} of train  ({counts})")
        topic = ""
    if len(classes) > _SHOWN_CLASSES:
        console.say("", f"and {len(classes) - _SHOWN_CLASSES} more; --json has all")
    kind = INPUTS[found["input_kind"]]
    nouns = f"{kind.noun}s"
    repeated, conflicting = found["repeated"], found["conflicting"]
    console.say(
        "repeated",
        f"{repeated:,} train {nouns} repeat an earlier one; {conflicting[nouns]:,} come with different labels",
    )
    for example in conflicting["examples"]:
        console.say("", f"“{example}”")
    for topic, line in kind.report_lines(found):
        console.say(topic, line)
    uneven = " --class-weight balanced --monitor val_macro_f1" if found["suggested"]["uneven"] else ""
    console.say("suggested", kind.suggestions(found) + uneven)


if __name__ == "__main__":
    sys.exit(main())
