import numpy as np
import pytest
from jaxtyping import TypeCheckError

from bimt_train.layouts import distances


def test_the_tests_enforce_the_shapes_in_annotations() -> None:
    with pytest.raises(TypeCheckError):
        distances(np.zeros(3), np.zeros((3, 1)))
