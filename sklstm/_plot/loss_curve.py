"""LossCurveDisplay: training and validation loss of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from sklstm._plot.drawing import BLACK, BLUE, ORANGE, axes_and_figure, line_style
from sklstm._plot.inputs import fitted_lstm
from sklstm._validation import check_int

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D


class LossCurveDisplay:
    """Training and validation loss by epoch, and the epoch whose weights were kept.

    Make it with :meth:`from_estimator`. All parameters are kept as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.

    validation_loss_curve : array-like of shape (n_epochs,) or None, default=None
        Validation loss after each epoch; NaN after an epoch without validation.

    best_epoch : int or None, default=None
        The epoch to mark, counted from 1. None: no mark.

    estimator_name : str or None, default=None
        Name put before the labels in the legend. None: no name.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes with the curves.

    figure_ : matplotlib.figure.Figure
        The figure of the axes.

    lines_ : list of matplotlib.lines.Line2D
        The curves: training loss, and validation loss if there is one.

    best_ : matplotlib.lines.Line2D or None
        The mark of the best epoch.

    See Also
    --------
    LSTMRegressor : Its attribute ``loss_curve_`` explains the unit of the loss.

    Examples
    --------
    >>> from sklstm import LossCurveDisplay, LSTMRegressor, SlidingWindowTransformer
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership().data[:400]
    >>> windows = SlidingWindowTransformer(window_size=7).fit_transform(X)
    >>> lstm = LSTMRegressor(8, max_epochs=5, random_state=0)
    >>> lstm.fit(windows[:-1], X[1:, 0])  # the ridership of the next day
    LSTMRegressor(hidden_layer_sizes=8, max_epochs=5, random_state=0)
    >>> display = LossCurveDisplay.from_estimator(lstm)
    >>> [line.get_label() for line in display.lines_]
    ['training', 'validation']
    """

    ax_: Axes
    figure_: Figure
    lines_: list[Line2D]
    best_: Line2D | None

    def __init__(
        self,
        *,
        loss_curve: Sequence[float] | NDArray[Any],
        validation_loss_curve: Sequence[float] | NDArray[Any] | None = None,
        best_epoch: int | None = None,
        estimator_name: str | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.best_epoch = best_epoch
        self.estimator_name = estimator_name

    def plot(self, ax: Axes | None = None, *, line_kw: dict[str, Any] | None = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        ax, figure = axes_and_figure(ax, "LossCurveDisplay.plot")
        from matplotlib.ticker import MaxNLocator

        prefix = "" if self.estimator_name is None else f"{self.estimator_name}: "
        style: dict[str, Any] = {"color": BLUE}
        curves = [("training", self.loss_curve, style)]
        if self.validation_loss_curve is not None:
            dashed = {"color": ORANGE, "linestyle": "--"}
            curves.append(("validation", self.validation_loss_curve, dashed))
        self.lines_ = []
        for name, losses, style in curves:
            epochs = np.arange(1, len(losses) + 1)
            style = line_style(line_kw, marker=".", label=prefix + name, **style)
            self.lines_ += ax.plot(epochs, losses, **style)

        self.best_ = None
        if self.best_epoch is not None:
            best_epoch = check_int("best_epoch", self.best_epoch, least=1)
            loss = curves[-1][1][best_epoch - 1]
            label = f"{prefix}weights kept (epoch {best_epoch})"
            style = {"color": BLACK, "fillstyle": "none", "markersize": 10, "label": label}
            (self.best_,) = ax.plot([best_epoch], [loss], "o", **style)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()
        self.ax_, self.figure_ = ax, figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        ax: Axes | None = None,
        name: str | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the losses of a fitted estimator.

        Parameters
        ----------
        estimator : LSTMRegressor, Pipeline or search
            A fitted regressor, a pipeline that ends in one, or a search over these.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        name : str or None, default=None
            Name put before the labels in the legend. None: no name.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            The display, already drawn. It marks the epoch whose weights early stopping
            kept; without early stopping there is no mark.

        Raises
        ------
        TypeError
            If the estimator does not end in an LSTMRegressor.
        sklearn.exceptions.NotFittedError
            If the LSTMRegressor is not fitted.
        ImportError
            If matplotlib is not installed.
        """
        regressor = fitted_lstm(estimator)[-1]
        display = cls(
            loss_curve=regressor.loss_curve_,
            validation_loss_curve=regressor.validation_loss_curve_,
            best_epoch=regressor.best_epoch_,
            estimator_name=name,
        )
        return display.plot(ax, line_kw=line_kw)
