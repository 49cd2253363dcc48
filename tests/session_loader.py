"""An export that is loaded as the C, Java and Go APIs load it: through a session."""

import keras
import tensorflow as tf


def answers_in_a_session(folder, models, serve, specs, feeds):
    """Export a function of several models, load it through a session, and ask.

    Args:
        folder: to write to.
        models: that the function calls.
        serve: takes tensors in the order of the specs, and gives a dict of them.
        specs: of what it takes.
        feeds: what to ask with, arrays in the order of the specs.

    Returns:
        The dicts that it gives.
    """
    archive = keras.export.ExportArchive()
    for model in models:
        archive.track(model)
    archive.add_endpoint("serve", serve, specs)
    archive.write_out(folder, verbose=False)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tensors = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def["serve"]
        fetched = {name: tensor.name for name, tensor in tensors.outputs.items()}
        taken = [tensors.inputs[spec.name].name for spec in specs]
        return [session.run(fetched, dict(zip(taken, feed, strict=True))) for feed in feeds]
