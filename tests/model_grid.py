"""Models that cover every pair of choices: each part beside each part of every other kind.

The choices are read from the registries and from the fields of `Options`, so that a new part is in the grid by itself.
"""

import functools
import itertools

from kseq.applies import chosen_parts, readers_of
from kseq.options import FIELDS, REGISTRIES, Options

CHOICES = {
    name: [*REGISTRIES[name]] if name in REGISTRIES else [False, True]
    for name, field in FIELDS.items()
    if field.metadata.get("group") == "model" and (name in REGISTRIES or isinstance(field.default, bool))
}


OF_CELLS = {"cell", "layer_normalization", "residual"}


def apart(one, other):
    """Whether two choices need not meet, as what lies between them is tested with either.

    What attention reads is a sequence, whatever made it: it meets every encoder in either direction, and not every
    cell. The recurrent layers over a convolution are those of the recurrent encoder.
    """
    for (name, value), (beside, _) in ((one, other), (other, one)):
        if name == "attention" and beside in {*OF_CELLS, "normalization", "position"}:
            return True
        if (name, value) == ("encoder", "convolution_recurrent") and beside in OF_CELLS:
            return True
    return False


def in_use(row):
    """Names of the choices that do anything beside the others of the row."""
    return _in_use(tuple(row.items()))


@functools.cache
def _in_use(items):
    row = dict(items)
    options = Options("toy", **row)
    chosen = list(chosen_parts(options))
    read = {option for option, _, _ in chosen} | {name for _, _, part in chosen for name in part.reads}
    return {name for name in row if name in read or (name not in REGISTRIES and not readers_of(name))}


def pairs_of(row):
    """Every two choices of a row that do anything."""
    return _pairs_of(tuple(row.items()))


@functools.cache
def _pairs_of(items):
    row = dict(items)
    every = itertools.combinations([(name, row[name]) for name in sorted(in_use(row))], 2)
    return frozenset((one, other) for one, other in every if not apart(one, other))


def rows_with(pair):
    """The defaults but for a pair of choices, and for what must be chosen so that both do anything."""
    rows = [{name: FIELDS[name].default for name in CHOICES} | dict(pair)]
    fixed = {name for name, _ in pair}
    for _ in CHOICES:
        more = []
        for row in rows:
            idle = sorted(fixed - in_use(row))
            for registry, part in readers_of(idle[0]) if idle else ():
                if registry not in fixed or row[registry] == part:
                    more.append(row | {registry: part})
                # What chooses the reader has to be in use as well.
                more += [
                    row | {registry: part, other: name} for other, name in readers_of(registry) if other not in fixed
                ]
        rows += [row for row in more if row not in rows]
    return [row for row in rows if fixed <= in_use(row) and dict(pair).items() <= row.items()]


@functools.cache
def pairwise_rows():
    """Few rows of choices, together with every pair that can do anything together, each at least once.

    Pairs that need not meet are left out.
    """
    every = [(name, value) for name in sorted(CHOICES) for value in CHOICES[name]]
    pairs = [pair for pair in itertools.combinations(every, 2) if pair[0][0] != pair[1][0]]
    open_pairs = {pair: rows_with(pair) for pair in pairs if not apart(*pair)}
    left = dict.fromkeys(pair for pair, rows in open_pairs.items() if rows)
    found = []
    while left:
        pair = next(iter(left))
        best = max(open_pairs[pair], key=lambda row: len(pairs_of(row) & left.keys()))
        for name in CHOICES:
            # One choice after the other, as much as possible of what is left at once.
            tries = [best] + [best | {name: value} for value in CHOICES[name]]
            tries = [row for row in tries if pair in pairs_of(row)]
            best = max(tries, key=lambda row: len(pairs_of(row) & left.keys()))
        found.append({name: best[name] for name in CHOICES if name in in_use(best)})
        for covered in pairs_of(best):
            left.pop(covered, None)
    return found
