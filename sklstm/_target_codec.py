"""Encode targets of a regressor for the network; decode outputs of the network to targets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklstm._series.statistics import mean_and_scale
from sklstm._validation import check_targets


@dataclass(frozen=True)
class TargetCodec:
    """The form of the targets of a fit, and their standardisation.

    An estimator for other targets, such as classes, has another codec with the same methods:
    see :class:`~sklstm._base.BaseLSTM`.

    Attributes
    ----------
    is_1d : bool
        Whether y has one dimension. If so, predictions have one too.
    mean, scale : ndarray of shape (outputs,)
        Standardisation of the targets.
    """

    is_1d: bool
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def check(cls, estimator: BaseEstimator, y: ArrayLike, n_rows: int) -> np.ndarray:
        """Check the targets of a fit, and return them as (n,) or (n, outputs)."""
        return check_targets(estimator, y, n_rows)

    @classmethod
    def of(cls, y: np.ndarray) -> TargetCodec:
        """Make a codec for y of shape (n,) or (n, outputs), without standardisation."""
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        return cls(y.ndim == 1, np.zeros(n_outputs), np.ones(n_outputs))

    @property
    def n_outputs(self) -> int:
        """Number of outputs of the network, with quantiles of each."""
        return len(self.mean)

    def fits(self, y: ArrayLike) -> bool:
        """Whether y has as many dimensions and outputs as this codec."""
        return np.shape(y)[1:] == (() if self.is_1d else (len(self.mean),))

    def standardising(self, y: np.ndarray, weight: np.ndarray, index: np.ndarray) -> TargetCodec:
        """Return a codec with mean and scale of the known targets in the rows ``index``."""
        mean, scale = self.mean.copy(), self.scale.copy()
        # One output at a time, since y can take much more memory than X.
        for output, values in enumerate(y.T):
            known = index[~np.isnan(values[index])]
            if len(known):
                column = values[known, np.newaxis]
                mean[[output]], scale[[output]] = mean_and_scale(column, weight[known])
        return replace(self, mean=mean, scale=scale)

    def encode(
        self, y: np.ndarray, weight: np.ndarray, index: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Standardise the targets (n, outputs) of the rows in ``index``.

        Returns
        -------
        targets : ndarray of shape (len(index), outputs)
            Unknown targets are zero.
        weights : ndarray of shape (len(index), outputs) or None
            Scaled to mean one; unknown targets have weight zero. None if all weights are one.
        """
        targets = np.take(y, index, axis=0)  # a copy in C order, which the next lines change
        targets -= self.mean
        targets /= self.scale
        unknown = np.isnan(targets)
        targets[unknown] = 0
        row_weights = weight[index]
        if not unknown.any() and (row_weights == 1).all():
            return targets, None
        weights = np.where(unknown, 0, row_weights[:, np.newaxis])
        weights /= weights.mean()
        return targets, weights

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Turn outputs (n, outputs, ...) of the network into predictions in units of the target.

        Raises
        ------
        ValueError
            If a prediction is not finite.
        """
        shape = (-1, *[1] * (outputs.ndim - 2))  # the same for each quantile of an output
        with np.errstate(over="ignore"):
            y = outputs * self.scale.reshape(shape)
            y += self.mean.reshape(shape)
        if not np.isfinite(y).all():
            row = int(np.argmin(np.isfinite(y.reshape(len(y), -1)).all(axis=1)))
            raise ValueError(
                f"The prediction of row {row} is not finite. Check this row of X for values far "
                "outside the range of the training rows."
            )
        return y[:, 0] if self.is_1d else y
