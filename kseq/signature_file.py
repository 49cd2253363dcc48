"""`assets.extra/signature.json`: what a SavedModel takes and gives, for clients that read no protocol buffers.

The names of tensors in the graph move whenever a signature is added, so that no client can know them.
"""

from pathlib import Path
from typing import Any

_GRAPH = "saved_model.pb"
_TENSORFLOWS = "__"


def signatures(folder: Path) -> dict[str, Any]:
    """Read the signatures of a SavedModel.

    Args:
        folder: of a SavedModel.

    Returns:
        By the name of the signature, "inputs" and "outputs": by name, the tensor in the graph, its type by TensorFlow's
        name, and its shape, with -1 for what may be any.
    """
    import tensorflow as tf
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folder / _GRAPH).read_bytes())

    def described(tensors: Any) -> dict[str, Any]:
        return {
            name: {
                "tensor": tensors[name].name,
                "dtype": tf.as_dtype(tensors[name].dtype).name,
                "shape": [dimension.size for dimension in tensors[name].tensor_shape.dim],
            }
            for name in sorted(tensors)
        }

    found = model.meta_graphs[0].signature_def
    return {
        name: {"inputs": described(found[name].inputs), "outputs": described(found[name].outputs)}
        for name in sorted(found)
        # What TensorFlow adds for itself, such as __saved_model_init_op.
        if not name.startswith(_TENSORFLOWS)
    }
