"""Make many sentence patterns of few parts."""


def two_voices(
    mine: tuple[str, ...], theirs: tuple[str, ...], verdicts: tuple[str, ...], connectives: tuple[str, ...]
) -> tuple[str, ...]:
    """Join the clause that counts, with `{f}`, and the one that does not, with `{e}`, in either order."""
    patterns = []
    for own, other in zip(mine, theirs, strict=True):
        for verdict in verdicts:
            for connective in connectives:
                patterns.append(f"{own} {verdict} {{f}}, {connective} {other} {verdict} {{e}}.")
                patterns.append(f"{other} {verdict} {{e}}, {connective} {own} {verdict} {{f}}.")
    return tuple(patterns)


def join(leads: tuple[str, ...], rests: tuple[str, ...], others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Begin every rest with every lead, and add other patterns so often that they make up a third."""
    joined = tuple(f"{lead} {rest}" for lead in leads for rest in rests)
    repeats = round(len(joined) / (2 * len(others))) if others else 0
    return joined + others * max(1, repeats)
