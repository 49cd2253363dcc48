"""Verify a SavedModel in a fresh process that has TensorFlow and NumPy and nothing of ours.

`verify` runs this very file as a script, by its path. Keras and the two packages cannot be imported there, and no GPU
is seen: what answers there answers wherever TensorFlow loads. Both loaders are asked. `tf.saved_model.load` rebuilds
Python objects; the session loader is that of TensorFlow Serving, Java, Go and C, and fails on exports that the first
accepts.
"""

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Answer = dict[str, np.ndarray]

TOLERANCE = 1e-5

_ABSENT = ("keras", "tf_keras", "kseq", "pipelines")
_BATCH = 64
_ALONE = 8
# Time steps of the longest sequence that must be answered.
_LONG = 3000
_SHOWN = 12
# Each has crashed some recurrent model: no tokens at all, bytes that are no UTF-8, one text far longer than the others.
_ODD_TEXTS = (
    b"",
    b"   ",
    b"\n\t\r\n",
    b"?!...",
    b"\x00",
    b"\xff\xfe film \xc3\x28 \xed\xa0\x80",
    "电影 Ünïcödé 🎬".encode(),
    b"word " * 100_000,
)
# Type of every output, and whether it has a column for each of C classes.
_OUTPUTS = {
    "class": {
        "probabilities": ("float32", True),
        "label": ("object", False),
        "label_id": ("int64", False),
        "confidence": ("float32", False),
    },
    "classes": {
        "probabilities": ("float32", True),
        "labels": ("object", True),
        "label_ids": ("int64", True),
        "confidences": ("float32", True),
        "label_count": ("int64", False),
    },
}

# What reads or writes files or runs Python when the model is called. A SavedModel is a program; a classifier has no use
# for these. The names are those of TensorFlow's own operations, of any version.
_FORBIDDEN = re.compile(
    "File|Dataset|Record|Reader|LMDB|Sql|Summary|Checkpoint|Remap|PyFunc|Debug|Dump|Snapshot|Rpc|^Print|^Save|^Restore"
)
# The saver of every SavedModel has these, to read the variables when it is loaded.
_SAVER_OPS = {"SaveV2", "RestoreV2", "MergeV2Checkpoints", "ShardedFilename"}


def verify(
    folder: Path,
    examples: Sequence[Any],
    expected_probabilities: "np.ndarray",
    *,
    target_kind: str = "class",
    thresholds: Sequence[float] | None = None,
    input_kind: str = "text",
    timeout: float = 600,
) -> dict[str, Any]:
    """Verify that a SavedModel answers as the trained model does, through both loaders.

    Beside the held-out texts it must answer empty, blank, huge and malformed ones and an empty batch, and of numeric
    sequences short, long and extreme ones. One alone must be answered as in a batch; all other outputs must follow from
    the probabilities and the thresholds.

    Args:
        folder: the SavedModel, with its `labels.txt`.
        examples: held-out texts, or sequences float32 (T, F), at least one.
        expected_probabilities: (len(examples), C).
        target_kind: "class", one label a text, or "classes", any number of them.
        thresholds: from which probability on the second of two classes is given, or each of C labels; None for the most
            probable class, or for 0.5.
        input_kind: "text" or "numeric".
        timeout: seconds that the fresh process may take.

    Returns:
        What was found, ready for JSON: `examples` (how many were compared), `greatest_difference` and `tolerance` of
        probabilities, `loaders`, `tensorflow` (version) and `seconds`.

    Raises:
        VerificationError: names what differs.
    """
    # Not at the top: as a script, this file runs where kseq cannot be imported.
    from kseq.errors import VerificationError
    from kseq.saved_model import LABELS, read_lines

    shape = getattr(expected_probabilities, "shape", None)
    class_names = read_lines(folder, LABELS)
    if len(examples) == 0 or shape != (len(examples), len(class_names)):
        raise ValueError(
            f"expected_probabilities has shape {shape} for {len(examples)} examples and {len(class_names)} classes; "
            "expected one row an example, one column a class, and at least one example."
        )
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kseq-verify-") as scratch:
        job, result = Path(scratch, "job.json"), Path(scratch, "result.json")
        content = {
            "folder": str(folder.resolve()),
            "class_names": class_names,
            "target_kind": target_kind,
            "thresholds": None if thresholds is None else list(thresholds),
            "input_kind": input_kind,
            "examples": _KINDS[input_kind].packed(examples),
            "expected": expected_probabilities.tolist(),
            # TensorFlow may lie where only this process was told to look.
            "path": [entry for entry in sys.path if entry],
        }
        job.write_text(json.dumps(content), encoding="ascii")
        command = [sys.executable, "-I", str(Path(__file__).resolve()), str(job), str(result)]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        try:
            done = subprocess.run(
                command, env=environment, cwd=scratch, capture_output=True, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise VerificationError(f"{folder} was not verified within {timeout:g} seconds. Allow it more.") from error
        if done.returncode != 0 or not result.exists():
            lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise VerificationError(
                f"{folder} was not verified: the process ended with {done.returncode}: {' | '.join(lines[-_SHOWN:])}"
            )
        found = json.loads(result.read_text(encoding="utf-8"))
    problems = found.pop("problems")
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise VerificationError(f"{folder} does not answer as it should: {'; '.join(problems[:_SHOWN])}{more}.")
    return {**found, "seconds": round(time.monotonic() - started, 2)}


def forbidden_ops(folder: Path) -> list[str]:
    """Find the operations that have no place in a classifier: without a CPU kernel, or with access to files.

    The graph is read and not run. The operations that restore the variables count only outside of the saver.

    Args:
        folder: a SavedModel.

    Returns:
        One phrase an operation, sorted; empty where all is well.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    # No public function tells which kernels there are.
    from tensorflow.python.framework import kernels

    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    problems = set()
    for meta_graph in saved_model.meta_graphs:
        graph = meta_graph.graph_def
        functions = {function.signature.name: function.node_def for function in graph.library.function}
        saver_def = meta_graph.saver_def
        saver_names = {name.partition(":")[0] for name in (saver_def.save_tensor_name, saver_def.restore_op_name)}
        in_saver = _reached([node for node in graph.node if node.name in saver_names], functions)
        outside = [node for node in graph.node if node.name not in saver_names]
        outside += [node for name in functions.keys() - in_saver for node in functions[name]]
        # A function of the saver that something else calls too is no longer the saver's own.
        in_saver -= _reached(outside, functions)
        ops = {node.op for name in in_saver for node in functions[name]} - _SAVER_OPS
        ops.update(node.op for node in outside)
        ops.update(node.op for name in functions.keys() - in_saver for node in functions[name])
        for op in ops - functions.keys():
            devices = {kernel.device_type for kernel in kernels.get_registered_kernels_for_op(op).kernel}
            if not devices & {"CPU", "DEFAULT"}:
                problems.add(f"operation {op} has no CPU kernel")
            elif _FORBIDDEN.search(op):
                problems.add(f"operation {op} reads or writes files or runs Python")
    return sorted(problems)


def _reached(nodes: Iterable[Any], functions: dict[str, Any]) -> set[str]:
    """Return the names of the functions that nodes call, and of those that these call."""
    reached: set[str] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        called = [node.op]
        for value in node.attr.values():
            called += [value.func.name, *(function.name for function in value.list.func)]
        for name in called:
            if name in functions and name not in reached:
                reached.add(name)
                waiting.extend(functions[name])
    return reached


class _Texts:
    """How texts come into the fresh process, and into the signature."""

    @staticmethod
    def packed(texts: Iterable[str | bytes]) -> list[str]:
        """Give what JSON knows."""
        as_bytes = (text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass") for text in texts)
        return [text.decode("utf-8", "surrogateescape") for text in as_bytes]

    @staticmethod
    def unpacked(packed: Iterable[str]) -> list[bytes]:
        """Turn back what `packed` gave."""
        return [text.encode("utf-8", "surrogateescape") for text in packed]

    @staticmethod
    def odd(texts: Sequence[bytes]) -> Sequence[bytes]:
        """Give what must be answered too."""
        return _ODD_TEXTS

    @staticmethod
    def tensors(batch: Sequence[bytes], texts: Sequence[bytes]) -> "dict[str, np.ndarray]":
        """Put a batch into what the signature takes."""
        import numpy as np

        return {"text": np.array(batch, object)}

    @staticmethod
    def shown(text: bytes = b"") -> str:
        """Name one in a message."""
        shown = text[:40].decode("utf-8", "replace")
        return repr(shown + "…" if len(text) > 40 else shown)


class _Sequences:
    """The same of numeric sequences, float32 (T, F)."""

    @staticmethod
    def packed(sequences: "Iterable[np.ndarray]") -> list[tuple[list[int], str]]:
        """Give what JSON knows: of each its shape and its bytes."""
        return [([*values.shape], base64.b64encode(values.tobytes()).decode("ascii")) for values in sequences]

    @staticmethod
    def unpacked(packed: Iterable[tuple[list[int], str]]) -> "list[np.ndarray]":
        """Turn back what `packed` gave."""
        import numpy as np

        return [np.frombuffer(base64.b64decode(content), np.float32).reshape(shape) for shape, content in packed]

    @staticmethod
    def odd(sequences: "Sequence[np.ndarray]") -> "Sequence[np.ndarray]":
        """Give what must be answered too: one step, the greatest numbers there are, far more steps than others have."""
        import numpy as np

        first, width = sequences[0], sequences[0].shape[1]
        signs = np.where(np.arange(3 * width).reshape(3, width) % 2, 1, -1)
        return [first[:1], np.zeros((1, width)), signs * np.finfo(np.float32).max, np.resize(first, (_LONG, width))]

    @staticmethod
    def tensors(batch: "Sequence[np.ndarray]", sequences: "Sequence[np.ndarray]") -> "dict[str, np.ndarray]":
        """Put a batch into what the signature takes."""
        import numpy as np

        lengths = np.array([len(values) for values in batch], np.int32)
        # What stands in the padding must not matter.
        padded = np.full((len(batch), lengths.max(initial=0), sequences[0].shape[1]), np.nan, np.float32)
        for row, values in zip(padded, batch, strict=True):
            row[: len(values)] = values
        return {"values": padded, "lengths": lengths}

    @staticmethod
    def shown(values: "np.ndarray | None" = None) -> str:
        """Name one in a message."""
        return "none" if values is None else f"the sequence {values.shape} from {values[0, :3].tolist()} on"


_KINDS: dict[str, Any] = {"text": _Texts, "numeric": _Sequences}


# From here on, all runs in the fresh process.


def _main(job_path: str, result_path: str) -> None:
    # Makes each look as if it were not installed. TensorFlow imports Keras whenever it finds it.
    sys.modules.update(dict.fromkeys(_ABSENT))  # type: ignore[arg-type]
    job = json.loads(Path(job_path).read_text(encoding="ascii"))
    sys.path.extend(entry for entry in job["path"] if entry not in sys.path)
    import numpy as np
    import tensorflow as tf

    kind = _KINDS[job["input_kind"]]
    examples = kind.unpacked(job["examples"])
    expected = np.array(job["expected"], np.float64)
    greatest = 0.0
    problems = forbidden_ops(Path(job["folder"]))
    # Nothing with forbidden operations is run.
    loaders = {} if problems else {"tf.saved_model.load": _module, "session loader": _session}
    probabilities = []
    for name, open_loader in loaders.items():
        try:
            with open_loader(job["folder"]) as ask:
                answer, faults = _examine(ask, kind, examples, job)
        except Exception as error:
            # TensorFlow's messages run over many lines; the first hundred words hold the cause.
            problems.append(f"{name}: {type(error).__name__}: {' '.join(str(error).split()[:100])}")
            continue
        problems += [f"{name}: {fault}" for fault in faults]
        if answer.shape == expected.shape:
            differences = np.nan_to_num(np.abs(answer - expected), nan=np.inf).max(axis=1)
            greatest = max(greatest, float(differences.max()))
            for row in np.flatnonzero(differences > TOLERANCE):
                problems.append(
                    f"{name}: probabilities of {kind.shown(examples[row])} are off by {differences[row]:.3g}"
                )
        probabilities.append(answer)
    if len(probabilities) == 2 and not np.allclose(probabilities[0], probabilities[1], rtol=0, atol=TOLERANCE):
        problems.append("the two loaders answer differently")
    found = {
        "problems": problems,
        "examples": len(examples),
        "greatest_difference": greatest,
        "tolerance": TOLERANCE,
        "loaders": list(loaders),
        "tensorflow": tf.__version__,
    }
    Path(result_path).write_text(json.dumps(found), encoding="utf-8")


@contextlib.contextmanager
def _module(folder: str) -> "Iterator[Callable[[Answer], Answer]]":
    import tensorflow as tf

    module = tf.saved_model.load(folder)
    signature = module.signatures["serving_default"]

    # Of an empty batch of objects, TensorFlow would not know that they are strings.
    types = {name: spec.dtype for name, spec in signature.structured_input_signature[1].items()}

    def ask(sent: "Answer") -> "Answer":
        outputs = signature(**{name: tf.constant(value, types[name]) for name, value in sent.items()})
        return {name: output.numpy() for name, output in outputs.items()}

    yield ask


@contextlib.contextmanager
def _session(folder: str) -> "Iterator[Callable[[Answer], Answer]]":
    import tensorflow as tf

    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], folder).signature_def["serving_default"]
        outputs = {name: output.name for name, output in signature.outputs.items()}

        def ask(sent: "Answer") -> "Answer":
            return session.run(outputs, {signature.inputs[name].name: value for name, value in sent.items()})

        yield ask


def _examine(
    ask: "Callable[[Answer], Answer]", kind: Any, examples: Sequence[Any], job: dict[str, Any]
) -> "tuple[np.ndarray, list[str]]":
    """Ask for held-out examples, odd ones and none, in batches and alone.

    Returns:
        The probabilities (len(examples), C) of the held-out examples in batches, and what is wrong.
    """
    import numpy as np

    problems, answers = [], []
    odd = list(kind.odd(examples))
    batches = [list(examples[start : start + _BATCH]) for start in range(0, len(examples), _BATCH)]
    for batch in [*batches, odd, []]:
        answer = ask(kind.tensors(batch, examples))
        fault = _fault(answer, len(batch), job)
        if fault:
            return np.empty(0), [f"a batch of {len(batch)}, the first {kind.shown(*batch[:1])}: {fault}"]
        answers.append(answer["probabilities"])
    together = np.concatenate(answers)
    for place, example in enumerate([*examples, *odd]):
        if _ALONE <= place < len(examples):
            continue
        answer = ask(kind.tensors([example], examples))
        fault = _fault(answer, 1, job)
        difference = 0.0 if fault else float(np.abs(answer["probabilities"][0] - together[place]).max())
        if fault or difference > TOLERANCE:
            fault = fault or f"off by {difference:.3g} from its answer in a batch"
            problems.append(f"{kind.shown(example)} alone: {fault}")
    return together[: len(examples)], problems


def _fault(answer: "Answer", number: int, job: dict[str, Any]) -> str:
    """Say what is wrong in the answer to a number of texts, by itself; empty where nothing is."""
    import numpy as np

    class_names, thresholds = job["class_names"], job["thresholds"]
    kinds = {name: f"{values.dtype}{list(values.shape)}" for name, values in answer.items()}
    declared = {
        name: f"{dtype}{[number, len(class_names)] if wide else [number]}"
        for name, (dtype, wide) in _OUTPUTS[job["target_kind"]].items()
    }
    if kinds != declared:
        return f"the outputs are {kinds}; expected {declared}"
    limits = None if thresholds is None else np.array(thresholds, np.float32)
    check = {"class": _class_fault, "classes": _labels_fault}[job["target_kind"]]
    return check(answer, class_names, limits)


def _class_fault(answer: "Answer", class_names: list[str], limits: "np.ndarray | None") -> str:
    import numpy as np

    probabilities, label_id = answer["probabilities"], answer["label_id"]
    # Written so that a value that is not a number is a fault.
    if not (np.all(probabilities >= 0) and np.all(np.abs(probabilities.sum(axis=1) - 1) <= TOLERANCE)):
        return f"probabilities do not add up to 1: {probabilities.tolist()[:2]}"
    if limits is None and not np.array_equal(label_id, probabilities.argmax(axis=1)):
        return "label_id is not the place of the greatest probability"
    if limits is not None and not np.array_equal(label_id, probabilities[:, 1] >= limits[0]):
        return f"label_id does not follow the threshold {limits[0]}"
    if not np.array_equal(answer["confidence"], np.take_along_axis(probabilities, label_id[:, None], 1)[:, 0]):
        return "confidence is not the probability of the label"
    expected = [class_names[place] for place in label_id]
    labels = [label.decode("utf-8", "replace") for label in answer["label"]]
    return "" if labels == expected else f"the labels are {labels[:_SHOWN]}; labels.txt says {expected[:_SHOWN]}"


def _labels_fault(answer: "Answer", class_names: list[str], limits: "np.ndarray | None") -> str:
    import numpy as np

    if not (np.all(answer["probabilities"] >= 0) and np.all(answer["probabilities"] <= 1)):
        return f"probabilities do not lie between 0 and 1: {answer['probabilities'].tolist()[:2]}"
    width = len(class_names)
    limits = np.full(width, 0.5, np.float32) if limits is None else limits
    for row, probabilities in enumerate(answer["probabilities"]):
        given = sorted(np.flatnonzero(probabilities >= limits), key=lambda place: -probabilities[place])
        rest = width - len(given)
        expected = {
            "label_count": len(given),
            "label_ids": [*map(int, given), *[-1] * rest],
            "confidences": [*(float(probabilities[place]) for place in given), *[0.0] * rest],
            "labels": [*(class_names[place] for place in given), *[""] * rest],
        }
        found = {name: answer[name][row].tolist() for name in expected}
        found["labels"] = [label.decode("utf-8", "replace") for label in found["labels"]]
        for name, value in expected.items():
            if found[name] != value:
                return f"{name} are {str(found[name])[:200]}; by probabilities and thresholds {str(value)[:200]}"
    return ""


if __name__ == "__main__":
    _main(*sys.argv[1:])
