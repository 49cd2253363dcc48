"""The arrows between modules: which way they point, and where Keras, TensorFlow and the other package are named."""

import ast
import graphlib
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from kseq.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]

# Each module may import those above it. A new module gets a line here; commands are in `kseq.__main__.COMMANDS`.
ORDER = [
    "kseq.saved_model",
    "kseq.errors",
    "kseq",
    "kseq.text_options",
    "kseq.registry",
    "kseq.class_weights",
    "kseq.losses",
    "kseq.metrics",
    "kseq.scoring",
    "kseq.label_scoring",
    "kseq.paired_tests",
    "kseq.thresholds",
    "kseq.kernels",
    "kseq.kernels.step_loop",
    "kseq.kernels.linear_recurrence",
    "kseq.kernels.recurrent_steps",
    "kseq.kernels.gated_recurrence",
    "kseq.layers",
    "kseq.layers.masked_softmax",
    "kseq.layers.positions",
    "kseq.layers.additive_attention",
    "kseq.layers.external_attention",
    "kseq.layers.indrnn",
    "kseq.layers.layer_normalized",
    "kseq.layers.length_mask",
    "kseq.layers.linear_recurrence",
    "kseq.layers.linear_rnn",
    "kseq.layers.masked_convolution",
    "kseq.layers.last_step",
    "kseq.layers.mean_embedding",
    "kseq.layers.mingru",
    "kseq.layers.minlstm",
    "kseq.layers.padding_mask",
    "kseq.layers.pooling",
    "kseq.layers.hoisted_rnn",
    "kseq.layers.weight_drop",
    "kseq.layers.projected_rnn",
    "kseq.layers.sru",
    "kseq.layers.multiplicative_attention",
    "kseq.layers.self_attention",
    "kseq.layers.sentence_attention",
    "kseq.layers.structured_attention",
    "kseq.layers.word_dropout",
    "kseq.chrono_bias",
    "kseq.cells",
    "kseq.positions",
    "kseq.kernel_sizes",
    "kseq.descriptions",
    "kseq.encoders",
    "kseq.attentions",
    "kseq.heads",
    "kseq.figures",
    "kseq.learning_rate_figure",
    "kseq.class_output",
    "kseq.labels_output",
    "kseq.outputs",
    "kseq.monitors",
    "kseq.interruption",
    "kseq.best_epoch",
    "kseq.training_watch",
    "kseq.vocabulary",
    "kseq.word_softmax",
    "kseq.word_prediction",
    "kseq.word_vectors",
    "kseq.pretrainings",
    "kseq.normalizations",
    "kseq.matrix_decay",
    "kseq.optimizers",
    "kseq.piecewise_linear",
    "kseq.warmup",
    "kseq.plateau",
    "kseq.schedules",
    "kseq.option_fields",
    "kseq.options",
    "kseq.html_entities",
    "kseq.sentences",
    "kseq.word_rules",
    "kseq.hashed_ngrams",
    "kseq.vectorizer",
    "kseq.markdown",
    "kseq.text_card",
    "kseq.text_statistics",
    "kseq.text_tokens",
    "kseq.text_report",
    "kseq.text_input",
    "kseq.standardizer",
    "kseq.numeric_card",
    "kseq.numeric_report",
    "kseq.numeric_input",
    "kseq.inputs",
    "kseq.applies",
    "kseq.weak_classes",
    "kseq.model",
    "kseq.pretraining",
    "kseq.weight_average",
    "kseq.replacing",
    "kseq.terms",
    "kseq.page",
    "kseq.training_state",
    "kseq.training",
    "kseq.learning_rate_sweep",
    "kseq.csv_files",
    "kseq.answer_columns",
    "kseq.row_files",
    "kseq.prediction_job",
    "kseq.labels_card",
    "kseq.baseline_card",
    "kseq.pretraining_card",
    "kseq.search_card",
    "kseq.model_card",
    "kseq.saved_model_check",
    "kseq.signature_file",
    "kseq.saved_model_writer",
    "kseq.word_ngrams",
    "kseq.naive_bayes_regression",
    "kseq.experiment",
    "kseq.adapted_data",
    "kseq.many_trainings",
    "kseq.baseline",
    "kseq.data_report",
    "kseq.run_record",
    "kseq.artifact",
    "kseq.presets",
    "kseq.console",
    "kseq.command_line",
    "kseq.report",
    "kseq.pretraining_report",
    "kseq.commands",
    "kseq.latency",
    "kseq.comparison",
    "kseq.comparison.rows",
    "kseq.comparison.trainings",
    "kseq.comparison.folder",
    "kseq.comparison.results",
    "kseq.comparison.row_training",
    "kseq.comparison.table",
    "kseq.comparison.figure",
    "kseq.comparison.page",
    "kseq.comparison.writing",
    "kseq.tuning",
    "kseq.tuning.space",
    "kseq.tuning.conditions",
    "kseq.tuning.objective",
    "kseq.tuning.budget",
    "kseq.tuning.request",
    "kseq.tuning.planning",
    "kseq.tuning.snapshots",
    "kseq.tuning.folder",
    "kseq.tuning.hyperparameters",
    "kseq.tuning.oracles",
    "kseq.tuning.trials",
    "kseq.tuning.progress",
    "kseq.tuning.tuner",
    "kseq.tuning.results",
    "kseq.tuning.importance",
    "kseq.tuning.figure",
    "kseq.tuning.page",
    "kseq.tuning.writing",
    "kseq.tuning.search",
    "kseq.tuning.retraining",
    "kseq.tuning.ending",
]
COMMAND_MODULES = [f"kseq.{verb}" for verb in COMMANDS]
# Where text data and models meet, beside the commands.
MEETING_PLACES = {
    "kseq.text_tokens",
    "kseq.text_report",
    "kseq.text_input",
    "kseq.numeric_report",
    "kseq.numeric_input",
    "kseq.pretraining",
    "kseq.experiment",
    "kseq.adapted_data",
    "kseq.baseline",
    "kseq.data_report",
    "kseq.console",
    "kseq.command_line",
    "kseq.report",
    "kseq.__main__",
    "kseq.prediction_job",
    "kseq.commands",
    "kseq.comparison.row_training",
    "kseq.comparison.writing",
    "kseq.tuning.search",
}
# What is read before the slow imports: flags, usage errors, listings.
LIGHT = {
    "kseq",
    "kseq.errors",
    "kseq.saved_model",
    "kseq.text_options",
    "kseq.registry",
    "kseq.cells",
    "kseq.encoders",
    "kseq.positions",
    "kseq.kernel_sizes",
    "kseq.descriptions",
    "kseq.attentions",
    "kseq.heads",
    "kseq.class_weights",
    "kseq.losses",
    "kseq.class_output",
    "kseq.labels_output",
    "kseq.outputs",
    "kseq.monitors",
    "kseq.normalizations",
    "kseq.pretrainings",
    "kseq.markdown",
    "kseq.text_card",
    "kseq.text_input",
    "kseq.numeric_card",
    "kseq.numeric_input",
    "kseq.inputs",
    "kseq.optimizers",
    "kseq.schedules",
    "kseq.option_fields",
    "kseq.options",
    "kseq.applies",
    "kseq.presets",
    "kseq.console",
    "kseq.command_line",
    "kseq.interruption",
    "kseq.replacing",
    "kseq.terms",
    "kseq.csv_files",
    "kseq.answer_columns",
    "kseq.row_files",
    "kseq.prediction_job",
    "kseq.commands",
    "kseq.comparison",
    "kseq.comparison.rows",
    "kseq.tuning",
    "kseq.tuning.space",
    "kseq.tuning.conditions",
    "kseq.tuning.objective",
    "kseq.tuning.budget",
    "kseq.tuning.request",
    "kseq.__main__",
    "pipelines",
    "pipelines.errors",
    "pipelines.sources",
    "pipelines.availability",
    *COMMAND_MODULES,
}
HEAVY = {"tensorflow", "keras", "tensorflow_datasets", "keras_tuner", "matplotlib", "sklearn", "scipy"}
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "misc", "tools", "base"}


class Import(NamedTuple):
    """A module that is imported, and when: "top" on import, "inner" in a function, "typing" for type checkers alone."""

    module: str
    when: str


def read_modules():
    """Every module of the two packages, by its dotted name."""
    modules = {}
    for package in ("kseq", "pipelines"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            modules[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return modules


def imports_of(tree, modules=()):
    """Every import of a module; `from package import module` counts as an import of that module."""
    found = []

    def visit(node, when):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            when = "inner" if when == "top" else when
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for child in node.body:
                visit(child, "typing")
            for child in node.orelse:
                visit(child, when)
            return
        if isinstance(node, ast.Import):
            found.extend(Import(alias.name, when) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            for alias in node.names:
                whole = f"{name}.{alias.name}"
                found.append(Import(whole if whole in modules else name, when))
        for child in ast.iter_child_nodes(node):
            visit(child, when)

    visit(tree, "top")
    return found


def package(module):
    return module.partition(".")[0]


MODULES = read_modules()
IMPORTS = {name: imports_of(tree, MODULES) for name, tree in MODULES.items()}


def test_the_readings_are_of_this_house():
    assert len(MODULES) >= 40
    assert sum(map(len, IMPORTS.values())) >= 200
    assert {"kseq", "kseq.layers.pooling", "kseq.run", "pipelines", "pipelines.imdb"} <= set(MODULES)
    assert set(MODULES) >= LIGHT | MEETING_PLACES


def test_every_package_is_installed():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    there = {path.parent for package in ("kseq", "pipelines") for path in (ROOT / package).rglob("__init__.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in there}
    assert set(settings["tool"]["setuptools"]["packages"]) == names


def test_imports_are_found_wherever_they_stand():
    source = """
import os, keras.layers
from typing import TYPE_CHECKING
from kseq import errors, load
if TYPE_CHECKING:
    import numpy
else:
    import json
try:
    import yaml
except ImportError:
    from . import near
class C:
    import csv
    def method(self):
        if self:
            import tensorflow as tf
"""
    assert imports_of(ast.parse(source), {"kseq.errors"}) == [
        ("os", "top"),
        ("keras.layers", "top"),
        ("typing", "top"),
        ("kseq.errors", "top"),
        ("kseq", "top"),
        ("numpy", "typing"),
        ("json", "top"),
        ("yaml", "top"),
        (".", "top"),
        ("csv", "top"),
        ("tensorflow", "inner"),
    ]


def test_every_module_of_kseq_has_a_place_in_the_order():
    placed = [*ORDER, *COMMAND_MODULES, "kseq.__main__"]
    assert len(placed) == len(set(placed))
    there = {name for name in MODULES if package(name) == "kseq"}
    assert there - set(placed) == set(), "give these modules a line in ORDER, above all that import them"
    assert set(placed) - there == set(), "these modules are in ORDER and not in kseq/"


def test_arrows_point_one_way():
    places = {name: place for place, name in enumerate([*ORDER, *COMMAND_MODULES, "kseq.__main__"])}
    backward = [
        f"{name} imports {used.module}"
        for name in places
        for used in IMPORTS[name]
        if package(used.module) == "kseq" and not places[used.module] < places[name]
    ]
    assert backward == []


def test_the_pipelines_form_no_circle():
    arrows = {
        name: {used.module for used in IMPORTS[name]} & set(MODULES) - {"pipelines"}
        for name in MODULES
        if package(name) == "pipelines"
    }
    order = list(graphlib.TopologicalSorter(arrows).static_order())
    assert order.index("pipelines.errors") < order.index("pipelines.text_data") < order.index("pipelines.imdb")


def test_nothing_imports_a_command_or_a_dataset_module():
    import pipelines

    datasets = {f"pipelines.{name}" for name in pipelines.datasets()}
    assert len(datasets) >= 6
    named = {(name, used.module) for name in MODULES for used in IMPORTS[name]}
    assert [(name, module) for name, module in named if module in {*COMMAND_MODULES, "kseq.__main__"} | datasets] == []


def test_imports_name_whole_modules():
    relative = [(name, used.module) for name in MODULES for used in IMPORTS[name] if used.module.startswith(".")]
    assert relative == []


def test_the_pipelines_know_neither_keras_nor_kseq():
    known = {package(used.module) for name in MODULES if package(name) == "pipelines" for used in IMPORTS[name]}
    assert "tensorflow" in known
    assert known & {"keras", "kseq", "tf_keras", "keras_tuner"} == set()
    for name, tree in MODULES.items():
        if package(name) == "pipelines":
            assert "tf.keras" not in {
                ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)
            }, name


def test_keras_is_imported_as_keras():
    """`tf.keras` looks it up a second way, which some installations turn into the older Keras."""
    for name, tree in MODULES.items():
        attributes = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert attributes & {"tf.keras", "tensorflow.keras"} == set(), name
        assert not [used for used in IMPORTS[name] if used.module.startswith("tensorflow.keras")], name


def test_layers_know_keras_and_each_other_alone():
    layers = [name for name in MODULES if name.startswith("kseq.layers")]
    assert len(layers) >= 5
    for name in layers:
        others = {used for used in IMPORTS[name] if used.module not in layers}
        # What is written in TensorFlow is imported where Keras runs on it, and not before.
        others -= {used for used in others if used.module.startswith("kseq.kernels.") and used.when == "inner"}
        assert {package(used.module) for used in others} <= {"keras", "numpy", "math", "typing", "collections"}, name


def test_the_loader_knows_nothing_of_ours():
    assert not [used for used in IMPORTS["kseq.saved_model"] if package(used.module) in ("kseq", "pipelines", "keras")]


def test_the_packages_meet_in_few_places():
    meeting = {
        name
        for name in MODULES
        if package(name) == "kseq"
        for used in IMPORTS[name]
        if package(used.module) == "pipelines"
    }
    assert "kseq.experiment" in meeting
    assert meeting - MEETING_PLACES - set(COMMAND_MODULES) == set()


@pytest.mark.parametrize("start", sorted(LIGHT))
def test_light_modules_import_nothing_heavy(start):
    """Neither themselves nor through what they import, but for functions that are called later."""
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for used in IMPORTS[name]:
            if used.when == "top":
                assert package(used.module) not in HEAVY, f"{name}, which {start} imports, imports {used.module}"
                if used.module in MODULES and used.module not in seen:
                    waiting.append(used.module)


def test_no_assert_and_no_print():
    """`python -O` drops asserts, and a print goes past the console, into what a caller reads as JSON."""
    for name, tree in MODULES.items():
        lines = [
            node.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Assert)
            or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        ]
        assert lines == [], name


def test_modules_are_named_after_what_they_hold():
    assert [name for name in MODULES if set(name.split(".")) & VAGUE_NAMES] == []


def test_no_module_hides_a_function_of_the_package():
    import kseq

    public = set(kseq.__all__)
    assert "load" in public
    assert [name for name in public if f"kseq.{name}" in MODULES] == []
