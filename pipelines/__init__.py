"""Everything tf.data: named datasets become text and labels, text and labels become batches. No Keras here.

Importing this package imports no TensorFlow: commands list the datasets before they load any.
"""

from pipelines.errors import DataError
from pipelines.sources import Source, datasets, find

__all__ = ["DataError", "Source", "datasets", "find"]
