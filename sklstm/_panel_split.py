"""PanelSplit: a splitter of rows applied to the times of several series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, TimeSeriesSplit, check_cv

from sklstm._series.labels import is_pandas
from sklstm._series.panel import panel_of


class PanelSplit(BaseCrossValidator):
    """Split the rows of several series by time: a splitter of rows, applied to the times.

    :class:`~sklearn.model_selection.TimeSeriesSplit` counts rows. Of a frame sorted by series, its
    folds hold some series whole and others not at all; of one sorted by time, a fold may begin
    among the series of one time. Here each time is in one part, with all its series, in whatever
    order the rows are.

    Parameters
    ----------
    cv : int, splitter or None, default=None
        The splitter of the times, which are passed to it in order, one row for each. None:
        :class:`~sklearn.model_selection.TimeSeriesSplit`; an int: that with so many splits.

    See Also
    --------
    SlidingWindowTransformer : Takes several series by such an index.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.model_selection import TimeSeriesSplit
    >>> from sklstm import PanelSplit
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(6)])
    >>> X = pd.DataFrame({"load": range(12)}, index)
    >>> for train, test in PanelSplit(TimeSeriesSplit(2)).split(X):
    ...     print(train, test)
    [0 1 6 7] [2 3 8 9]
    [0 1 2 3 6 7 8 9] [ 4  5 10 11]
    """

    def __init__(self, cv: Any = None) -> None:
        self.cv = cv

    def split(
        self, X: Any, y: Any = None, groups: object = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_features)
            Rows of several series: its index has several levels, the last of which is time.
        y : DataFrame, Series or array-like, default=None
            Targets. Its index counts if ``X`` has none with several levels.
        groups : object, default=None
            Not used.

        Yields
        ------
        train, test : ndarray of int
            Numbers of rows, increasing.

        Raises
        ------
        ValueError
            If neither ``X`` nor ``y`` has an index with several levels.
        """
        for name, data in (("X", X), ("y", y)):
            if is_pandas(data) and data.index.nlevels > 1:
                clock, n_times = _clock(data.index, name)
                break
        else:
            raise ValueError(
                "PanelSplit needs the times of the rows, but neither X nor y has an index with "
                "several levels, the last of which is time. Pass such a frame, or a splitter of "
                "rows such as TimeSeriesSplit for one series."
            )
        for parts in folds_of(self._splitter(), np.zeros((n_times, 1))):
            train, test = (np.flatnonzero(np.isin(clock, part)) for part in parts)
            yield train, test

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Not used.

        Returns
        -------
        n_splits : int
            That of ``cv``.
        """
        return int(check_cv(self._splitter()).get_n_splits())

    def _splitter(self) -> Any:
        if self.cv is None:
            return TimeSeriesSplit()
        return TimeSeriesSplit(self.cv) if isinstance(self.cv, int) else self.cv


def folds_of(cv: Any, X: Any, y: Any = None) -> list[Any]:
    """Return the training and test rows of each fold of a splitter, or of what holds folds."""
    if not hasattr(cv, "split") and np.iterable(cv):
        cv = list(cv)
        for number, fold in enumerate(cv):
            if not isinstance(fold, (tuple, list, np.ndarray)) or len(fold) != 2:
                raise ValueError(
                    "cv must be an int, a splitter, or hold the pair of training and test rows of "
                    f"each fold, got {fold!r:.60} for fold {number}."
                )
    return list(check_cv(cv).split(X, y))


def _clock(index: Any, name: str) -> tuple[np.ndarray, int]:
    panel = panel_of(index, name)
    return panel.clock, len(panel.times)
