"""LossCurveDisplay: the losses of a training by epoch."""

from __future__ import annotations

import numpy as np

from sklstm._plot.drawing import BLACK, BLUE, ORANGE, fitted_lstm, line_style, new_axes


class LossCurveDisplay:
    """Training and validation loss by epoch, and the epoch whose weights were kept.

    Make it with :meth:`from_estimator`. All parameters are kept as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.

    validation_loss_curve : array-like of shape (n_epochs,) or None, default=None
        Validation loss after each epoch; NaN where there was none.

    best_epoch : int or None, default=None
        The epoch to mark, counted from 1.

    estimator_name : str or None, default=None
        Stands before the labels in the legend.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        What was drawn in.

    figure_ : matplotlib.figure.Figure
        Its figure.

    lines_ : list of matplotlib.lines.Line2D
        The curves: training, and validation if there was one.

    best_ : matplotlib.lines.Line2D or None
        The mark of the best epoch.

    See Also
    --------
    LSTMRegressor : Its ``loss_curve_`` says in which unit the loss is.

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

    def __init__(
        self, *, loss_curve, validation_loss_curve=None, best_epoch=None, estimator_name=None
    ):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve
        self.best_epoch = best_epoch
        self.estimator_name = estimator_name

    def plot(self, ax=None, *, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            The display itself.
        """
        ax = new_axes(ax, "LossCurveDisplay.plot")
        from matplotlib.ticker import MaxNLocator

        prefix = "" if self.estimator_name is None else f"{self.estimator_name}: "
        curves = [("training", self.loss_curve, {"color": BLUE})]
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
            loss = curves[-1][1][self.best_epoch - 1]
            label = f"{prefix}weights kept (epoch {self.best_epoch})"
            style = {"color": BLACK, "fillstyle": "none", "markersize": 10, "label": label}
            (self.best_,) = ax.plot([self.best_epoch], [loss], "o", **style)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, name=None, line_kw=None):
        """Draw the losses of a fitted estimator.

        Parameters
        ----------
        estimator : LSTMRegressor, Pipeline or search
            A fitted regressor, a pipeline that ends in one, or a search over these.
        ax : matplotlib.axes.Axes or None, default=None
            Where to draw. None: in a new figure.
        name : str or None, default=None
            Stands before the labels in the legend.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for both curves.

        Returns
        -------
        display : LossCurveDisplay
            What was drawn. It marks the epoch whose weights early stopping kept; without
            early stopping none.

        Raises
        ------
        TypeError
            If there is no LSTMRegressor at the end of the estimator.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
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
