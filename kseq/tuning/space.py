"""The space of a search: which options are varied, and how far. No TensorFlow here."""

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from kseq.applies import inputs_reading
from kseq.errors import UsageError
from kseq.option_fields import check_value, value_type
from kseq.options import FIELDS, Options
from kseq.registry import unknown
from kseq.text_options import BOTH, WORD

DEFAULT = "default"
SEARCHED_GROUPS = ("text", "model", "training")
# What is the same for all trials: texts, memory, and what they are judged by.
_NEVER = (
    "max_train_samples",
    "seed",
    "cache",
    "cache_dir",
    "monitor",
    "last_epoch",
    "tune_threshold",
    "pretraining_seed",
)
_FORMS = "field=low..high, field=low..high:log or field=a,b,c"


@dataclasses.dataclass(frozen=True)
class Range:
    """All values between two ends, the ends included.

    Attributes:
        low, high: the ends.
        log: whether each factor is as likely as the next, and not each difference.
        relative: whether the ends are multiples of what a run takes where nothing is set.
    """

    low: float
    high: float
    log: bool = False
    relative: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}{':log' if self.log else ''}"

    def points(self, number: int) -> list[float]:
        """Give some values at equal steps, the ends among them."""
        low, high = (math.log(end) if self.log else end for end in (self.low, self.high))
        steps = [low + (high - low) * place / (number - 1) for place in range(number)]
        return [math.exp(step) if self.log else step for step in steps]


@dataclasses.dataclass(frozen=True)
class Choices:
    """Some values.

    Attributes:
        values: two or more of one type.
        relative: whether they are multiples of what a run takes where nothing is set.
    """

    values: tuple[Any, ...]
    relative: bool = False

    def __str__(self) -> str:
        return ",".join(_shown(value) for value in self.values)


Space = Mapping[str, Range | Choices]

# What is searched where nothing is named. Settings that take several times as long as the defaults are not here: a
# budget is better spent on several that do not.
SPACE: Space = {
    "vocabulary_size": Choices((0.25, 0.5, 1.0), relative=True),
    "sequence_length": Choices((0.5, 1.0), relative=True),
    "truncation": Choices(("head", "tail", "head_tail")),
    "tokens": Choices((WORD, BOTH)),
    "ngrams": Choices((1, 2)),
    "cell": Choices(("gru", "lstm")),
    "bidirectional": Choices((False, True)),
    "units": Range(48, 192, log=True),
    "embedding_dim": Range(48, 192, log=True),
    "head": Choices(("max_mean", "max", "attention")),
    "word_dropout": Range(0.0, 0.3),
    "embedding_dropout": Range(0.0, 0.6),
    "dropout": Range(0.0, 0.6),
    # The rate itself goes with the optimizer.
    "learning_rate": Range(0.2, 3.0, log=True, relative=True),
    "batch_size": Choices((32, 64, 128)),
    "ema_momentum": Choices((0.0, 0.99)),
    "label_smoothing": Choices((0.0, 0.05, 0.1)),
}


def read_space(texts: Sequence[str], typed: Collection[str]) -> tuple[dict[str, Range | Choices], set[str]]:
    """Read the values of `--search`; without any, take the default space.

    Args:
        texts: such as "units=32..256:log", "cell=gru,lstm", or "default" for what is searched without any.
        typed: names of the options that stood on the command line, which stay as they are.

    Returns:
        The space, and the names in it that were asked for one by one.

    Raises:
        UsageError: a field that cannot be searched, or that was also typed; or values that are none.
    """
    named = dict(_read(text) for text in texts if text != DEFAULT)
    for name in named:
        if name in typed:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} was typed, and {name} is to be searched too. Leave one of the two out.")
    space = dict(SPACE) if DEFAULT in texts or not texts else {}
    return {name: values for name, values in (space | named).items() if name not in typed}, set(named)


def resolve(space: Space, settled: Options, input_kind: str) -> dict[str, Range | Choices]:
    """Put numbers in the place of multiples, and leave out what is of other kinds of data.

    Args:
        space: as `read_space` gives it.
        settled: the options of a run that sets nothing of it, with what the data settles filled in.
        input_kind: of the data.
    """
    found: dict[str, Range | Choices] = {}
    for name, values in space.items():
        kinds = inputs_reading(name)
        if kinds and input_kind not in kinds:
            continue
        if values.relative:
            values = _times(name, values, getattr(settled, name))
        if not isinstance(values, Choices) or len(values.values) > 1:
            found[name] = values
    return found


def as_grid(space: Space, points: int) -> dict[str, Choices]:
    """Cut each range of a resolved space into some values."""
    return {
        name: values if isinstance(values, Choices) else Choices(_distinct(name, values.points(points)))
        for name, values in space.items()
    }


def nearest(name: str, values: Range | Choices, wanted: Any) -> Any:
    """Give the value of a resolved range or of choices that is the nearest to one that is wanted."""
    if isinstance(values, Choices):
        if wanted in values.values or isinstance(wanted, (str, bool)) or wanted is None:
            return wanted if wanted in values.values else values.values[0]
        return min(values.values, key=lambda value: abs(value - wanted))
    return value_type(FIELDS[name])(values.low if wanted is None else min(max(wanted, values.low), values.high))


def to_dict(space: Space) -> dict[str, str]:
    """Give a resolved space as what JSON knows, in the form in which it is typed."""
    return {name: str(values) for name, values in space.items()}


def rounded(name: str, value: Any, values: Range | Choices) -> Any:
    """Round a number of a range to three digits, so that it can be read and typed."""
    if isinstance(values, Choices):
        return value
    if value_type(FIELDS[name]) is int:
        return int(value)
    return min(max(float(f"{value:.3g}"), values.low), values.high)


def _read(text: str) -> tuple[str, Range | Choices]:
    """Read one `--search`."""
    name, equals, words = text.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    searchable = [
        each for each in FIELDS if FIELDS[each].metadata.get("group") in SEARCHED_GROUPS and each not in _NEVER
    ]
    if not equals:
        raise UsageError(f"--search {text!r}: expected {_FORMS}, or {DEFAULT}.")
    if name not in searchable:
        raise UsageError(unknown("a field in --search", name, searchable))
    low, dots, high = words.partition("..")
    try:
        if dots:
            return name, _range(name, low, high)
        return name, _choices(name, words.split(","))
    except ValueError as error:  # UsageError among them.
        raise UsageError(f"--search {text!r}: {error}") from None


def _range(name: str, low: str, high: str) -> Range:
    end, colon, scale = high.partition(":")
    if value_type(FIELDS[name]) not in (int, float):
        raise UsageError(f"{name} is no number; expected names with commas between.")
    if colon and scale != "log":
        raise UsageError(f"the scale is {scale!r}; expected 'log', or none.")
    first, last = (_value(name, word) for word in (low, end))
    if not first < last:
        raise UsageError(f"the range goes from {low} to {end}; expected the lower end first.")
    if colon and first <= 0:
        raise UsageError(f"the range begins with {low}; expected more than 0, of which alone there are factors.")
    return Range(first, last, bool(colon))


def _choices(name: str, words: Sequence[str]) -> Choices:
    values = tuple(dict.fromkeys(_value(name, word) for word in words))
    if len(values) < 2:
        flag = f"--{name.replace('_', '-')}"
        raise UsageError(f"there is one value; expected two or more. To hold it, type {flag}.")
    return Choices(values)


def _value(name: str, word: str) -> Any:
    """Read one value of a field."""
    word, kind = word.strip(), value_type(FIELDS[name])
    if kind is bool:
        if word not in ("true", "false"):
            raise UsageError(f"{name} is {word!r}; expected true or false.")
        return word == "true"
    try:
        value = kind(word)
    except ValueError:
        raise UsageError(f"{name} is {word!r}; expected {'a whole number' if kind is int else 'a number'}.") from None
    check_value(FIELDS[name], value)
    return value


def _times(name: str, values: Range | Choices, settled: Any) -> Range | Choices:
    """Multiply by what a run takes."""
    if isinstance(values, Choices):
        return Choices(_distinct(name, [value * settled for value in values.values]))
    low, high = (float(f"{end * settled:.3g}") for end in (values.low, values.high))
    return Range(low, high, values.log)


def _distinct(name: str, values: Iterable[float]) -> tuple[Any, ...]:
    """Give numbers of the field's type and within its rules, each once."""
    if value_type(FIELDS[name]) is int:
        lowest = FIELDS[name].metadata["low"] or 0
        return tuple(dict.fromkeys(max(round(value), lowest) for value in values))
    return tuple(dict.fromkeys(float(f"{value:.3g}") for value in values))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
