"""Which options apply to a choice of parts, as the parts themselves tell. No TensorFlow here."""

from collections.abc import Collection, Sequence

from kseq.errors import UsageError
from kseq.inputs import INPUTS
from kseq.options import FIELDS, REGISTRIES, Options, chosen_parts


def needed_tensors(options: Options) -> frozenset[str]:
    """Name what the parts in use need of the vectorizer, beside what the options of the text ask for."""
    return frozenset(name for _, _, part in chosen_parts(options) for name in part.needs)


def check_needs(options: Options, given: Collection[str]) -> None:
    """Refuse parts that need a tensor of the preprocessor that there is not.

    Args:
        options: that choose the parts.
        given: names of the tensors that there are, or can be.

    Raises:
        UsageError: naming the part and what it needs.
    """
    for option, name, part in chosen_parts(options):
        if missing := [need for need in part.needs if need not in given]:
            raise UsageError(
                f"--{_dashed(option)} {name} needs {', '.join(missing)}, and of this data there is {', '.join(given)} "
                f"alone. Choose another {option}."
            )


def readers_of(name: str) -> list[tuple[str, str]]:
    """List the parts that read an option, as (option that chooses the part, name of the part)."""
    return [
        (registry_name, part_name)
        for registry_name, registry in REGISTRIES.items()
        for part_name, part in registry.items()
        if name in part.reads
    ]


def choosing(options: Options, registry: str, name: str) -> Options:
    """Choose a part, and what reads it where nothing that is chosen does.

    Raises:
        UsageError: the part does not fit the other options.
    """
    options = options.replace(**{registry: name})
    if registry not in {option for option, _, _ in chosen_parts(options)}:
        return choosing(options, *readers_of(registry)[0])
    return options


def inputs_reading(name: str) -> list[str]:
    """List the kinds of input that read an option."""
    return [kind for kind, each in INPUTS.items() if name in each.reads]


def check_applies(
    options: Options,
    typed: Collection[str],
    dataset_reads: Collection[str],
    input_kind: str | None = None,
    others: Sequence[Options] = (),
) -> None:
    """Refuse options that were typed and that neither the chosen parts nor the kind of the data reads.

    Args:
        options: all values.
        typed: names of the fields that the user set.
        dataset_reads: names of the arguments of the dataset's `load`.
        input_kind: name in `INPUTS`; None where it is not known yet.
        others: of further models that the same flags are for; it is enough that one of all reads a flag.

    Raises:
        UsageError: naming the flag, the choice that does not read it and those that would.
    """
    for name in typed:
        reasons = [refusal(name, each, dataset_reads, input_kind) for each in (options, *others)]
        if None not in reasons:
            raise UsageError(reasons[0])


def refusal(name: str, options: Options, dataset_reads: Collection[str], input_kind: str | None = None) -> str | None:
    """Say why an option does nothing beside the others, and what to do about it; None where it does something."""
    chosen = list(chosen_parts(options))
    in_use = {option for option, _, _ in chosen}
    read_now = {name for _, _, part in chosen for name in part.reads}
    if input_kind is not None:
        read_now |= INPUTS[input_kind].reads
    readers, kinds = readers_of(name), inputs_reading(name)
    if kinds and input_kind is not None and name not in read_now:
        return (
            f"--{_dashed(name)} does not apply to the dataset {options.dataset!r}, which holds "
            f"{INPUTS[input_kind].noun}s; it is for {' and '.join(f'{INPUTS[kind].noun}s' for kind in kinds)}. "
            "Leave it out."
        )
    if readers and not kinds and name not in read_now:
        used = sorted(_in_the_way(name, options, in_use))
        wanted = [_flags(registry, part, options, in_use) for registry, part in readers]
        return (
            f"--{_dashed(name)} does not apply to {' and '.join(used)}; it is read by {', '.join(wanted)}. "
            "Leave it out, or choose one of those."
        )
    applies = FIELDS[name].metadata.get("applies")
    if applies and not applies[1](options):
        return f"--{_dashed(name)} needs {applies[0]}. Leave it out, or add that."
    other = FIELDS[name].metadata.get("not_with")
    if other and getattr(options, other) is not None:
        return (
            f"--{_dashed(name)} does not apply beside --{_dashed(other)} {getattr(options, other)}, which gives "
            "that split whole. Leave one of the two out."
        )
    if FIELDS[name].metadata.get("group") == "data" and name not in dataset_reads:
        takes = [f"--{_dashed(read)}" for read in sorted(dataset_reads) if read in FIELDS]
        return (
            f"--{_dashed(name)} does not apply to the dataset {options.dataset!r}, which takes "
            f"{', '.join(takes) or 'none of its kind'}. Leave it out."
        )
    return None


def _in_the_way(name: str, options: Options, in_use: Collection[str]) -> set[str]:
    """Give the flags that keep an option from being read: those of its readers, or of what would choose these."""
    found: set[str] = set()
    for registry in {registry for registry, _ in readers_of(name)}:
        if registry in in_use:
            found.add(f"--{_dashed(registry)} {getattr(options, registry)}")
        else:
            found |= _in_the_way(registry, options, in_use)
    return found


def _flags(registry: str, part: str, options: Options, in_use: Collection[str]) -> str:
    """Give the flags that bring a part into use: its own, after that of the first part that would choose it."""
    flag = f"--{_dashed(registry)} {part}"
    if registry in in_use:
        return flag
    outer = _flags(*readers_of(registry)[0], options, in_use)
    return outer if getattr(options, registry) == part else f"{outer} {flag}"


def _dashed(name: str) -> str:
    return name.replace("_", "-")
