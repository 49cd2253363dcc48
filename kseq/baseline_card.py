"""What the model card says of the linear model beside the model."""

from collections.abc import Iterable, Mapping
from typing import Any

from kseq.paired_tests import McNemar


def comparison(record: Mapping[str, Any]) -> Iterable[str]:
    """Say how the linear model on the same texts does, where one was trained."""
    found = record.get("baseline") or {}
    if "comparisons" not in found:
        return
    compared = McNemar(**found["comparisons"]["test"])
    is_one = "accuracy" in found["test"]
    measure = "accuracy" if is_one else "subset_accuracy"
    low, high = found["test"][f"{measure}_interval"]
    yield (
        f"For comparison, a {found['name']} (Wang & Manning 2012), trained on the same texts, "
        f"{'is right in' if is_one else 'gives all labels rightly in'} {found['test'][measure]:.2%} of test "
        f"({low:.2%} to {high:.2%}). This model is **{compared.verdict}**: it alone is right in {compared.b:,} texts, "
        f"the linear one alone in {compared.c:,} (McNemar's test, {compared.shown_p})."
    )
