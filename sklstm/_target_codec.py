"""Targets of a regressor to standardised values, and outputs of the network back to targets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class TargetCodec:
    """What the targets of a fit are, and how they become those of the network.

    An estimator for other targets (classes, quantiles) has a codec of its own, with the same
    methods: see :class:`~sklstm._base.BaseLSTM`.

    Attributes
    ----------
    is_1d : bool
        Whether y has one dimension, so that predictions have one as well.
    mean, scale : ndarray of shape (outputs,)
        Standardisation of the targets.
    """

    is_1d: bool
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray) -> TargetCodec:
        """Take the form of y, (n,) or (n, outputs), without any standardisation."""
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        return cls(y.ndim == 1, np.zeros(n_outputs), np.ones(n_outputs))

    @property
    def n_outputs(self) -> int:
        """Outputs of the network."""
        return len(self.mean)

    @property
    def gap(self) -> int:
        """Rows on each side of a row whose targets overlap with its own."""
        return self.n_outputs - 1

    def fits(self, y: ArrayLike) -> bool:
        """Whether y has the form of the targets that this codec was made for."""
        return np.shape(y)[1:] == (() if self.is_1d else (len(self.mean),))

    def standardising(self, y: np.ndarray, weight: np.ndarray, index: np.ndarray) -> TargetCodec:
        """Learn mean and scale from the known targets (n, outputs) of the rows in ``index``."""
        mean, scale = self.mean.copy(), self.scale.copy()
        for output, values in enumerate(y.T):  # one by one: y may be many times the series
            known = index[~np.isnan(values[index])]
            if len(known):
                scaler = StandardScaler().fit(values[known, np.newaxis], None, weight[known])
                mean[output], scale[output] = scaler.mean_[0], scaler.scale_[0]
        return replace(self, mean=mean, scale=scale)

    def encode(
        self, y: np.ndarray, weight: np.ndarray, index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Standardise the targets (n, outputs) of the rows in ``index``.

        Returns
        -------
        targets : ndarray of shape (len(index), outputs)
            Zero where unknown.
        weights : ndarray of shape (len(index), outputs) or None
            With a mean of one, zero where unknown. None if all targets count once.
        """
        targets = y[index]  # a copy, which is changed in place
        targets -= self.mean
        targets /= self.scale
        unknown = np.isnan(targets)
        targets[unknown] = 0
        if not unknown.any() and (weight == 1).all():
            return targets, None
        weights = np.where(unknown, 0, weight[index, np.newaxis])
        weights /= weights.mean()
        return targets, weights

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Turn outputs (n, outputs) of the network into predictions in units of the target."""
        y = outputs * self.scale
        y += self.mean
        return y[:, 0] if self.is_1d else y
