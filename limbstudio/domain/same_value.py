"""Whether two records say the same: by value, arrays and numbers that are not numbers included.

Fits compare by identity (`==` of arrays is no yes or no), but one that was read from the disk twice is two objects
that say the same, and an edit made on one holds for the other.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np


def same_value(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Tell whether two records, or parts of them, are the same in type and content."""
    if one is other:
        return True
    if type(one) is not type(other):
        return isinstance(one, Mapping) and isinstance(other, Mapping) and _same_mapping(one, other)
    if isinstance(one, np.ndarray):
        is_number = one.dtype.kind in "fc"
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=is_number)
    if dataclasses.is_dataclass(one):
        return all(
            same_value(getattr(one, field.name), getattr(other, field.name))
            for field in dataclasses.fields(one)
        )
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, Mapping):
        return _same_mapping(one, other)
    if isinstance(one, float):
        return one == other or (one != one and other != other)
    return bool(one == other)


def _same_mapping(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> bool:
    return len(one) == len(other) and all(
        key in other and same_value(value, other[key]) for key, value in one.items()
    )
