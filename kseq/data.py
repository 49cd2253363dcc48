"""`python -m kseq.data DATASET`: look at the texts and labels, and train nothing."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kseq.command_line import find_source, read_options
from kseq.commands import command_parser, load_data
from kseq.console import Console, end
from kseq.errors import DONE

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
        data = load_data(console, source, options)

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
    lengths, tokens = found["lengths"], found["tokens"]
    kind = "characters" if tokens["kind"] == "character" else "words"
    shares = ", ".join(f"{share}% up to {length:,}" for share, length in lengths["percentiles"].items())
    console.say("lengths", f"{kind} of a train text: {shares}; the longest {lengths['longest']:,}")
    console.say("scripts", _shares(found["scripts"]) or "no letters at all")
    looked_at = sum(found["languages"].values())
    languages = {name: count / looked_at for name, count in found["languages"].items()}
    console.say("languages", f"{_shares(languages)}, of {looked_at:,} texts (unclear: short or mixed)")
    repeated, conflicting = found["repeated"], found["conflicting"]
    console.say(
        "repeated",
        f"{repeated:,} train texts repeat an earlier one; {conflicting['texts']:,} come with different labels",
    )
    for text in conflicting["examples"]:
        console.say("", f"“{text}”")
    for name, words in (
        ("not_normalised", "texts are not in Unicode normal form C, where a letter may be written in two ways"),
        ("replaced_characters", "characters are U+FFFD, which somebody left who read bytes in the wrong encoding"),
        ("control_characters", "texts hold control characters"),
    ):
        if found[name]:
            console.say("warning", f"{found[name]:,} {words}")
    console.say(
        "vocabulary",
        f"{tokens['different']:,} different {kind} in train; {found['unknown_share']:.1%} of test's are unknown",
    )
    suggested = found["suggested"]
    console.say(
        "suggested",
        f"--sequence-length {suggested['sequence_length']} ({suggested['longer_share']:.1%} of train texts are longer) "
        f"--vocabulary-size {suggested['vocabulary_size']}"
        + ("" if suggested["min_count"] == found["min_count"] else f" --min-count {suggested['min_count']}")
        + (" --class-weight balanced --monitor val_macro_f1" if suggested["uneven"] else ""),
    )


def _shares(shares: Mapping[str, float], shown: int = 6) -> str:
    parts = [f"{name} {share:.1%}" for name, share in list(shares.items())[:shown]]
    return ", ".join(parts) + (", …" if len(shares) > shown else "")


if __name__ == "__main__":
    sys.exit(main())
