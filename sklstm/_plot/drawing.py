"""What the displays share: matplotlib only when it is needed, colours, dates, ways into estimators.

Colours are of the set of M. Okabe and K. Ito, "Color universal design", 2008, which the
colour-blind tell apart, chosen to differ in grey as well; lines and hatches differ besides.
"""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklstm._regressor import LSTMRegressor

BLACK, GREY, BLUE, ORANGE, VERMILLION = "#000000", "#999999", "#0072B2", "#E69F00", "#D55E00"


def new_axes(ax, caller, **options):
    """Return ``ax``, or the axes of a new figure if it is None."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f"{caller} needs matplotlib: pip install 'sklstm[plot]'") from error
    return plt.subplots(layout="constrained", **options)[1] if ax is None else ax


def line_style(given, **defaults):
    """Keywords of a line; ``given`` ones count first, also by their short names."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    return defaults | normalize_kwargs(given, Line2D)


def legend_on_top(ax, n_columns):
    """Put the legend at the upper edge, each label once; a title still fits above."""
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    ax.legend(once.values(), once.keys(), ncols=n_columns, loc="upper center", frameon=False)


def numbers(labels):
    """Turn the labels of rows into numbers to draw at; dates are those of matplotlib."""
    from matplotlib.dates import date2num

    labels = _as_times(labels)
    return date2num(labels) if labels.dtype.kind == "M" else labels


def label_rows(ax, labels):
    """Label the x axis of what was drawn at the numbers of these labels."""
    name = getattr(labels, "name", None)
    if _as_times(labels).dtype.kind != "M":
        ax.set_xlabel("row" if name is None else name)
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    ax.xaxis_date()
    locator = AutoDateLocator()
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _as_times(labels):
    """Array of numbers, or of times: of periods their start, of zones the local time."""
    if hasattr(labels, "to_timestamp"):
        labels = labels.to_timestamp()
    if getattr(labels, "tz", None) is not None:
        labels = labels.tz_localize(None)
    return np.asarray(labels)


def check_row(row, n_rows) -> int:
    """Count ``row`` from the start; refuse one that is not there."""
    if not -n_rows <= row < n_rows:
        raise ValueError(
            f"row={row}, but there are {n_rows} rows: expected {-n_rows} to {n_rows - 1}, "
            "where negative ones count from the end."
        )
    return int(row) % n_rows


def steps_of(estimator) -> list:
    """List the steps of a pipeline, or the estimator alone; of a search, those of its best one."""
    for name in ("best_estimator_", "estimator"):  # of a fitted search, of one that is not
        if hasattr(estimator, name):
            return steps_of(getattr(estimator, name))
    if not isinstance(estimator, Pipeline):
        return [estimator]
    *before, last = (step for _, step in estimator.steps)
    return [step for step in before if step not in (None, "passthrough")] + steps_of(last)


def fitted_lstm(estimator) -> list:
    """List the steps of an estimator, the last of which must be a fitted LSTMRegressor."""
    steps = steps_of(estimator)
    if not isinstance(steps[-1], LSTMRegressor):
        raise TypeError(
            "estimator must be a fitted LSTMRegressor, a Pipeline that ends in one, or a search "
            f"over these, got {type(estimator).__name__} with {type(steps[-1]).__name__} at its "
            "end."
        )
    unfitted = "estimator holds a %(name)s that is not fitted. Call fit (of a search, refit=True)."
    check_is_fitted(steps[-1], msg=unfitted)
    return steps
