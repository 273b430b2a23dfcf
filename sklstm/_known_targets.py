"""KnownTargetsRegressor: any regressor, fitted on the rows whose targets are known."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from sklstm._containers import rows_of
from sklstm._meta_regressor import MetaRegressor
from sklstm._series.caller import level_of_caller
from sklstm._series.labels import check_same_labels
from sklstm._series.plain import plain_state, state_of_plain
from sklstm._target_leads import hide_unknown, leads_of_rows, panel_of_inputs
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import (
    Interval,
    RegressorToFit,
    StrOptions,
    check_params,
    check_targets,
    names_of_outputs,
    take_rows,
    unchanged_on_error,
)


class KnownTargetsRegressor(MetaRegressor):
    """Any regressor, fitted on the rows whose targets are known.

    :func:`forecast_targets` gives NaN where a target is not known yet, which other regressors
    refuse. And in a cross-validation, targets of the last training rows lie in the test rows.
    This meta-estimator leaves such rows out of the fit, so that a regressor on flat windows is
    compared with :class:`LSTMRegressor` on the same rows, without a gap in the splitter.

    Parameters
    ----------
    regressor : estimator
        The regressor to fit. One for a single target, such as
        :class:`~sklearn.ensemble.HistGradientBoostingRegressor`, needs a
        :class:`~sklearn.multioutput.MultiOutputRegressor` around it for several.

    target_leads : "auto", int or array-like of int, default="auto"
        How many rows after its own row each output becomes known, as in :class:`LSTMRegressor`.
        "auto" looks for a target without a name in the columns of ``X`` that hold numbers, of
        windows in their last steps, of a sparse matrix nowhere.

    Attributes
    ----------
    regressor_ : estimator
        The fitted regressor.

    fitted_rows_ : ndarray of int
        The rows of ``X`` on which it was fitted: those where every target is known at the last
        row.

    target_leads_ : ndarray of int of shape (n_outputs,)
        How many rows after its own row each output becomes known, as the fit took it.

    n_features_in_ : int
        Columns of ``X``. Only if ``regressor_`` has it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns. Only if ``regressor_`` has it.

    See Also
    --------
    LSTMRegressor : Leaves out unknown targets itself.
    known_targets_scorer : Scores any regressor on known targets.
    sklearn.compose.TransformedTargetRegressor : Put it inside of this one, since it refuses NaN
        and passes targets without their names.

    Notes
    -----
    A row where one of several targets is unknown is left out. If the outputs are known at
    different rows, so that more than half of the targets of an output would be lost, there is a
    warning: fit one regressor for each column of ``y`` then.

    A :class:`SlidingWindowTransformer` stands before this estimator, as in the example: windows
    inside of it would lack the rows that are left out.

    Several series are told apart by the index of ``X`` or ``y``. Arrays have none: then the targets
    of a row are taken to be known by the number of its row.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import KnownTargetsRegressor, SlidingWindowTransformer, forecast_targets
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership(as_frame=True).data
    >>> windows = SlidingWindowTransformer(28, padding="edge", flatten=True)
    >>> model = make_pipeline(windows, KnownTargetsRegressor(Ridge()))
    >>> y = forecast_targets(X["ridership"], 7)  # the last seven rows are not known
    >>> model.fit(X, y).predict(X)[-1].shape
    (7,)
    """

    regressor_: Any
    fitted_rows_: NDArray[np.int64]
    target_leads_: NDArray[np.int64]

    _inner = "regressor"

    _parameter_constraints: dict = {
        "regressor": [RegressorToFit()],
        "target_leads": [
            StrOptions({"auto"}),
            Interval(numbers.Integral, 0, None, closed="left"),
            "array-like",
        ],
    }

    def __init__(
        self,
        regressor: Any,
        *,
        target_leads: Literal["auto"] | int | Sequence[int] | NDArray[np.integer] = "auto",
    ) -> None:
        self.regressor = regressor
        self.target_leads = target_leads

    def fit(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> Self:
        """Fit the regressor on the rows whose targets are known.

        Parameters
        ----------
        X : array-like of shape (n_rows, ...)
            Rows in time order.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        **fit_params : dict
            Passed to ``fit`` of the regressor, such as ``sample_weight``. Of what has a value
            for each row, those of the left out rows are left out too. With metadata routing, the
            regressor must request them.

        Returns
        -------
        self : KnownTargetsRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If an input is not as described, the pandas indexes of ``X`` and ``y`` differ, no
            row has all targets known, or rows would be left out before the windows inside the
            regressor. An earlier fit is kept.

        Warns
        -----
        UserWarning
            If more than half of the known targets of an output are lost, because other outputs
            are unknown in their rows.
        """
        with unchanged_on_error(self):
            self._fit(X, y, fit_params)
        return self

    def _fit(self, X: Any, y: ArrayLike, fit_params: dict[str, Any]) -> None:
        check_params(self)
        check_same_labels(X=X, y=y)
        X, n_rows = rows_of(X, "X")
        targets = check_targets(self, y, n_rows)
        values = targets.reshape(n_rows, -1)
        panel = panel_of_inputs(X, y)
        self.target_leads_ = leads_of_rows(self.target_leads, X, y, values, panel)
        values = hide_unknown(values, self.target_leads_, self.target_leads, panel)
        fitted = self.fitted_rows_ = _rows_with_all_targets(values)
        fit_params = self._routed("fit", fit_params)
        if len(fitted) < n_rows:
            _check_makes_no_windows(self.regressor)
            X, fit_params = take_rows(X, fit_params, fitted)
        self.regressor_ = clone(self.regressor).fit(X, targets[fitted], **fit_params)
        self._output_names = names_of_outputs(y)
        self._take_features()

    def __getstate__(self) -> dict[str, Any]:
        """Return plain values for parameters such as ranges."""
        return plain_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state_of_plain(state))


def _check_makes_no_windows(regressor: Any) -> None:
    """Refuse windows inside the regressor, which would lack the rows that are left out."""
    steps = regressor.get_params().values()
    if any(isinstance(step, SlidingWindowTransformer) for step in steps):
        raise ValueError(
            "The regressor of KnownTargetsRegressor contains SlidingWindowTransformer, whose "
            "windows would lack the rows whose targets are unknown. Put the windows before it: "
            "make_pipeline(SlidingWindowTransformer(...), KnownTargetsRegressor(...)), with what "
            "follows the windows inside."
        )


def _rows_with_all_targets(values: np.ndarray) -> np.ndarray:
    """Find the rows (n, outputs) without NaN; warn if many targets of other rows are lost."""
    known = ~np.isnan(values)
    rows = np.flatnonzero(known.all(axis=1))
    advice = "Fit one regressor for each column of y, or fewer outputs together."
    if not len(rows):
        raise ValueError(f"No row of y has all {values.shape[1]} target(s) known. {advice}")
    output = int(known.sum(axis=0).argmax())
    n_known = np.count_nonzero(known[:, output])
    if 2 * len(rows) < n_known:
        warnings.warn(
            f"Output {output} of y is known in {n_known} rows, but all outputs are known in "
            f"{len(rows)} of them only, and the others are left out. {advice}",
            stacklevel=level_of_caller(),
        )
    return rows
