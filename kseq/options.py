"""Every option of a run, defined once: flags, the tuner's space and the run record come from these fields.

No TensorFlow here: `--help` and usage errors answer at once.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from kseq.attentions import ATTENTIONS
from kseq.cells import ACTIVATIONS, CELLS, KERNEL_INITIALIZERS, RECURRENT_INITIALIZERS
from kseq.class_weights import read_weights
from kseq.encoders import ENCODERS
from kseq.errors import UsageError
from kseq.heads import HEADS
from kseq.kernel_sizes import read_kernel_sizes
from kseq.losses import LOSSES
from kseq.monitors import MONITORS
from kseq.normalizations import NORMALIZATIONS
from kseq.optimizers import LEARNING_RATES, OPTIMIZERS
from kseq.option_fields import check_value, option
from kseq.positions import POSITIONS
from kseq.pretrainings import NONE, PRETRAININGS
from kseq.registry import Part
from kseq.schedules import SCHEDULES
from kseq.text_options import BOTH, CACHES, TOKENS, TRUNCATIONS, WORD

# Options that choose a part, and where from. The chosen parts tell which of the other options apply.
REGISTRIES: dict[str, Mapping[str, Part]] = {
    "encoder": ENCODERS,
    "cell": CELLS,
    "position": POSITIONS,
    "head": HEADS,
    "attention": ATTENTIONS,
    "normalization": NORMALIZATIONS,
    "pretraining": PRETRAININGS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
}


def chosen_parts(options: "Options") -> Iterator[tuple[str, str, Part]]:
    """Give (option, name, part) for every part that is in use.

    A part may read the option that chooses another one, as the recurrent encoder reads `cell`; that other one is in use
    where the first is.
    """
    read_by_parts = {read for registry in REGISTRIES.values() for part in registry.values() for read in part.reads}
    waiting = [name for name in REGISTRIES if name not in read_by_parts]
    while waiting:
        option = waiting.pop(0)
        chosen = getattr(options, option)
        part = REGISTRIES[option][chosen]
        yield option, chosen, part
        waiting += [name for name in REGISTRIES if name in part.reads]


_DROPOUTS = "default: 0.5 where train has fewer than 10,000 texts, else 0.3"


def _rates() -> str:
    return ", ".join(f"{rate} of {name}" for name, rate in LEARNING_RATES.items())


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of one run.

    Raises:
        UsageError: a value of the wrong type, outside its range, or none of its choices; or a part that is chosen
            cannot be made of the others.
    """

    dataset: str

    data_dir: str | None = option(
        None, "data", "where prepared TensorFlow Datasets lie (else KSEQ_DATA_DIR, else TensorFlow Datasets' default)"
    )
    manual_dir: str | None = option(None, "data", "where the dataset's original archive lies, instead of a download")
    split_seed: int = option(0, "data", "seed of carved splits, apart from --seed so that runs share a test", low=0)
    validation_fraction: float | None = option(
        None,
        "data",
        "fraction of train carved for validation where none is given (default: 0.1)",
        low=0.001,
        high=0.9,
        not_with="validation_file",
    )
    test_fraction: float | None = option(
        None,
        "data",
        "fraction carved for test where none is given (default: 0.2)",
        low=0.001,
        high=0.9,
        not_with="test_file",
    )
    text_column: str | None = option(
        None, "data", "column of the text: a name or a number from 1; several with commas between (default: found)"
    )
    label_column: str | None = option(None, "data", "column of the label: a name or a number from 1 (default: found)")
    sequence_column: str | None = option(
        None, "data", "column of a table of numbers whose value the rows, time steps, of one sequence share"
    )
    time_column: str | None = option(
        None, "data", "column that orders these rows (default: one that is named so, else the order of the file)"
    )
    channel_columns: str | None = option(
        None, "data", "columns of the numbers, with commas between (default: all others)"
    )
    label_separator: str | None = option(None, "data", "what stands between several labels of one text, such as '|'")
    test_file: str | None = option(None, "data", "file, folder or archive of the test split (default: carved)")
    validation_file: str | None = option(None, "data", "the same of the validation split (default: carved)")
    unlabeled_file: str | None = option(
        None, "data", "the same of texts without labels, which --pretraining learns from"
    )
    encoding: str | None = option(
        None, "data", "encoding of the texts, such as latin-1 or gb18030 (default: UTF-8, or UTF-16 where it is)"
    )
    on_bad_rows: str = option(
        "skip",
        "data",
        "what to do with rows that cannot be read: skip and count them, of which a split may have one, or 1 in 100 "
        "rows; or stop at the first",
        choices=("skip", "error"),
    )
    fine_labels: bool = option(False, "data", "the dataset's fine classes instead of the coarse ones")
    distance: int | None = option(
        None, "data", "sentences between evidence and verdict: up to this many in train, this many in test", low=0
    )
    max_train_samples: int | None = option(None, "training", "train on this many texts only, for a smoke run", low=1)

    vocabulary_size: int | None = option(
        None,
        "text",
        "most words or characters, padding and unknown included (default: the dataset's)",
        low=3,
        aliases=("--vocab-size",),
    )
    sequence_length: int | None = option(
        None,
        "text",
        "most tokens of a text (default: the dataset's; of characters, five times that, at most 1,000)",
        low=2,
        aliases=("--max-length", "--maxlen"),
    )
    truncation: str = option("head_tail", "text", "which tokens of a longer text stay", choices=TRUNCATIONS)
    min_count: int = option(2, "text", "a token that train has fewer times is unknown", low=1)
    tokens: str = option(
        WORD, "text", "what is read: words, characters, or words with their character n-grams", choices=TOKENS
    )
    character_buckets: int = option(
        20_000,
        "text",
        "hashes of character n-grams",
        low=1,
        high=10_000_000,
        applies=(f"--tokens {BOTH}", lambda options: options.tokens == BOTH),
    )
    ngrams: int = option(1, "text", "also add up word n-grams of this many words and fewer; 1 for none", low=1, high=5)
    ngram_buckets: int = option(
        100_000,
        "text",
        "hashes of word n-grams",
        low=1,
        high=10_000_000,
        applies=("--ngrams 2 or more", lambda options: options.ngrams > 1),
    )

    encoder: str = option("recurrent", "model", "what reads the sequence", choices=ENCODERS)
    cell: str = option("gru", "model", "recurrent cell", choices=CELLS)
    bidirectional: bool = option(False, "model", "read in both directions", aliases=("--bi",))
    num_layers: int = option(
        1, "model", "layers of a recurrence or a Transformer", low=1, high=16, aliases=("--layers",)
    )
    units: int = option(
        128, "model", "width of a Transformer, or of a recurrence in one direction", low=1, aliases=("--hidden-size",)
    )
    kernel_sizes: str = option("3,4,5", "model", "widths of a convolution's filters, in steps, with commas between")
    filters: int = option(100, "model", "filters of each width", low=1)
    position: str = option(
        "sinusoidal", "model", "how a Transformer knows positions", choices=POSITIONS, aliases=("--positions",)
    )
    num_heads: int = option(4, "model", "heads of attention", low=1)
    feed_forward_units: int = option(256, "model", "width of a Transformer layer's hidden layer", low=1)
    embedding_dim: int = option(128, "model", "width of a word vector", low=1, aliases=("--embedding-size",))
    layer_normalization: bool = option(
        False, "model", "normalise the sums in a recurrent step", aliases=("--layer-norm",)
    )
    residual: bool = option(False, "model", "add to the output of a recurrent layer what it has read")
    activation: str = option("tanh", "model", "activation of a plain recurrent layer", choices=ACTIVATIONS)
    kernel_initializer: str = option(
        "glorot_uniform", "model", "what a cell's matrix of the input starts from", choices=KERNEL_INITIALIZERS
    )
    recurrent_initializer: str = option(
        "orthogonal",
        "model",
        "what a cell's matrix of the state starts from; identity with simple_rnn alone",
        choices=RECURRENT_INITIALIZERS,
    )
    chrono_length: int | None = option(
        None,
        "model",
        "start the biases of gates for memories of up to this many tokens (default: as Keras does)",
        low=3,
    )
    head: str = option("max_mean", "model", "what makes one vector of a sequence", choices=HEADS)
    attention: str = option("additive", "model", "how a sequence is attended to", choices=ATTENTIONS)
    attention_units: int = option(64, "model", "width of the layer that scores a step", low=1)
    attention_hops: int = option(4, "model", "weighted sums of one text", low=1)
    attention_penalty: float = option(0.0, "model", "share in the loss of what hops have in common", low=0)
    memory_units: int = option(64, "model", "rows of the memory that is attended to", low=2)
    normalization: str = option("none", "model", "how word vectors are normalised", choices=NORMALIZATIONS)
    word_dropout: float = option(0.0, "model", "fraction of the words replaced by the unknown one", low=0, below=1)
    embedding_dropout: float | None = option(
        None, "model", f"fraction of the word vectors' numbers dropped ({_DROPOUTS})", low=0, below=1
    )
    layer_dropout: float = option(
        0.0,
        "model",
        "fraction dropped between recurrent layers",
        low=0,
        below=1,
        applies=("--num-layers 2 or more", lambda options: options.num_layers > 1),
    )
    residual_dropout: float = option(
        0.1, "model", "fraction dropped of what each half of a Transformer layer adds", low=0, below=1
    )
    variational_dropout: float = option(
        0.0, "model", "fraction of a recurrent layer's inputs dropped, the same at every time step", low=0, below=1
    )
    weight_drop: float = option(
        0.0, "model", "fraction of the recurrent matrix dropped, the same for a whole batch", low=0, below=1
    )
    dropout: float | None = option(None, "model", f"fraction dropped before the logits ({_DROPOUTS})", low=0, below=1)

    pretraining: str = option(
        NONE,
        "training",
        "what is learned first, from the texts of train and the unlabeled ones, without labels",
        choices=PRETRAININGS,
        aliases=("--pretrain",),
    )
    pretraining_epochs: int | None = option(
        None, "training", "most passes over these texts (default: as many as make 3,000 steps, from 3 to 20)", low=1
    )
    pretraining_learning_rate: float = option(0.003, "training", "peak learning rate of the pretraining", low=0)
    pretraining_seed: int = option(
        0, "training", "seed of the pretraining, apart from --seed so that runs share it", low=0, high=2**32 - 1
    )
    sampled_words: int = option(
        512, "training", "words that stand for the vocabulary in a step of the pretraining", low=1
    )
    hidden_fraction: float = option(0.15, "training", "fraction of the words hidden to be predicted", low=0.01, below=1)
    context_window: int = option(5, "training", "most steps between two words that stand near each other", low=1)
    vector_deviation: float = option(
        0.1, "training", "standard deviation of the numbers of pretrained word vectors", low=0
    )

    optimizer: str = option("adam", "training", "optimizer", choices=OPTIMIZERS)
    learning_rate: float | None = option(
        None, "training", f"peak learning rate (default: {_rates()})", low=0, aliases=("--lr",)
    )
    momentum: float | None = option(None, "training", "momentum (default: 0.9 of sgd, 0 of rmsprop)", low=0, below=1)
    weight_decay: float | None = option(
        None, "training", "decoupled weight decay (default: 0.01 of adamw, 0.1 of lion)", low=0
    )
    schedule: str = option("cosine", "training", "how the learning rate goes", choices=SCHEDULES)
    warmup_fraction: float = option(0.05, "training", "fraction of all steps to rise from 0", low=0, high=1)
    plateau_factor: float = option(
        0.5,
        "training",
        "what the learning rate is multiplied by where validation no longer gets better",
        low=0,
        below=1,
    )
    plateau_patience: int = option(
        1, "training", "epochs without a better validation before that; below patience", low=1
    )
    clip_norm: float | None = option(
        None, "training", "largest norm of all gradients; 0 for none (default: 1, or none beside --clip-value)", low=0
    )
    clip_value: float = option(0.0, "training", "largest size of each number of a gradient; 0 for any", low=0)
    ema_momentum: float = option(
        0.0,
        "training",
        "momentum of a moving average of the weights, which is validated and kept in their place; 0 for none",
        low=0,
        below=1,
    )
    batch_size: int = option(64, "training", "texts in a step", low=1)
    epochs: int | None = option(
        None, "training", "most passes over train (default: as many as make 1,000 steps, from 2 to 20)", low=1
    )
    last_epoch: int | None = option(
        None, "training", "stop after this one of the epochs; the schedule is that of all (default: the last)", low=1
    )
    patience: int = option(2, "training", "epochs without a better validation before stopping", low=1)
    monitor: str | None = option(
        None,
        "training",
        "what the kept epoch is best by (default: val_accuracy; val_loss where a text can have several labels)",
        choices=MONITORS,
    )
    class_weight: str = option(
        "none", "training", "weights against uneven classes: balanced, none, or LABEL=WEIGHT,… by label name"
    )
    loss: str = option("cross_entropy", "training", "what training makes small", choices=LOSSES)
    label_smoothing: float = option(0.0, "training", "fraction of a target spread over all classes", low=0, below=1)
    focal_gamma: float = option(2.0, "training", "how far what is easy is left aside", low=0)
    tune_threshold: bool = option(
        False, "training", "choose the decision threshold, of two classes or of each label, for validation's macro-F1"
    )
    seed: int = option(0, "training", "seed of weights, dropout and order", low=0, high=2**32 - 1)

    cache: str = option(
        "memory", "training", "where tokens are kept between epochs; none vectorizes the texts again", choices=CACHES
    )
    cache_dir: str | None = option(
        None,
        "training",
        "folder of --cache disk (default: kseq in the user's cache folder); at most 10 GiB, and free to be deleted",
        applies=("--cache disk", lambda options: options.cache == "disk"),
    )

    output_dir: str = option("saved_models", "output", "folder for exports", aliases=("--output",))
    baseline: bool = option(True, "output", "also train a linear model on word n-grams, and compare the model with it")
    predictions_text: bool = option(True, "output", "begin each row of predictions.csv with its text, up to 500 signs")
    name: str | None = option(
        None,
        "output",
        "name of the export (default: <dataset>[-<encoder>][-<cell>][-bi]-<head>[-<attention>][-sample])",
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_value(field, getattr(self, field.name))
        read_weights(self.class_weight)
        read_kernel_sizes(self.kernel_sizes)
        for _, _, part in chosen_parts(self):
            part.check_fit(self)
        # A server takes a folder whose name is a number for a version, and one with a leading dot for none.
        name = self.name
        if name is not None and (
            not name or name.isdecimal() or name.startswith(".") or not set(name).isdisjoint("/\\\0")
        ):
            raise UsageError(
                f"name is {name!r}; expected the name of one folder, that is no number, begins with no dot and has no "
                "slash. The place of the folder is --output-dir."
            )

    def replace(self, **changes: Any) -> "Options":
        """Copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as a dict of what JSON knows."""
        return dataclasses.asdict(self)

    def export_name(self, data_name: str) -> str:
        """Name the export: as asked for, or by the data and the model."""
        if self.name is not None:
            return self.name
        read = ENCODERS[self.encoder].reads
        parts = (
            data_name,
            self.encoder if self.encoder != FIELDS["encoder"].default else "",
            self.cell if "cell" in read else "",
            "bi" if "bidirectional" in read and self.bidirectional else "",
            self.head,
            self.attention
            if "attention" in HEADS[self.head].reads and self.attention != FIELDS["attention"].default
            else "",
            # Or a try on some texts would become the newest version of a model that is in use.
            "sample" if self.max_train_samples is not None else "",
        )
        return "-".join(part for part in parts if part)


FIELDS: dict[str, dataclasses.Field] = {field.name: field for field in dataclasses.fields(Options)}
