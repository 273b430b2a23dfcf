"""Stacking weights."""

import numpy as np
import pytest

from sklstm._linear.stacking import stacking_weights


class TestStackingWeights:
    def errors(self, *errors):
        """Return mean products of errors, with the same errors in two blocks."""
        errors = np.array(errors, dtype=float)
        return np.repeat((errors @ errors.T / errors.shape[1])[None], 2, axis=0)

    def test_members_whose_errors_cancel_have_the_same_weight(self):
        np.testing.assert_allclose(
            stacking_weights(self.errors([1, -1, 1, -1], [-1, 1, 1, -1])), [0.5, 0.5]
        )

    def test_a_member_that_only_adds_errors_has_no_weight(self):
        np.testing.assert_allclose(
            stacking_weights(self.errors([1, -1, 1, -1], [9, -9, 9, -9])), [1, 0]
        )

    def test_members_with_equal_errors_have_the_same_weight(self):
        np.testing.assert_allclose(stacking_weights(self.errors([1, 2, 1], [1, 2, 1])), [0.5, 0.5])

    def test_products_may_be_indefinite_by_rounding(self):
        errors = np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # has eigenvalue -1
        weights = stacking_weights(np.repeat(errors[None], 2, axis=0))
        assert weights.sum() == pytest.approx(1)
        assert np.all(weights >= 0)

    def test_members_without_errors_have_the_same_weight(self):
        np.testing.assert_allclose(stacking_weights(np.zeros((3, 2, 2))), [0.5, 0.5])

    def test_a_block_of_large_errors_counts_no_more_than_one_of_small_errors(self):
        errors = self.errors([1, 2, 1, 0], [2, 1, 0, 1])
        errors[1] = errors[1, ::-1, ::-1] * 1e6
        np.testing.assert_allclose(stacking_weights(errors), [0.5, 0.5])
