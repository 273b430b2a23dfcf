"""LagImportanceDisplay: the importance of each feature at each lag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklstm._lag_importance import lag_importance
from sklstm._plot.drawing import BLUE, axes_and_figure, line_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import FillBetweenPolyCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D

_MOST_LABELS = 16  # that stand side by side


class LagImportanceDisplay:
    """The importance of each feature at each lag: a heat map, or for one feature a line.

    Make it with :meth:`from_estimator`. All parameters are kept as attributes. Time runs to the
    right, as in a window: lag 0 is the last one. Lags that were exchanged together stand on the
    axis as one.

    Parameters
    ----------
    importance : sklearn.utils.Bunch
        What :func:`lag_importance` returns.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes with the picture.

    figure_ : matplotlib.figure.Figure
        The figure of the axes.

    image_ : matplotlib.image.AxesImage or None
        The heat map of several features. White: the feature has no such lag.

    line_ : matplotlib.lines.Line2D or None
        The mean importance of a single feature.

    band_ : matplotlib.collections.FillBetweenPolyCollection or None
        One standard deviation on either side of it, over the repeats.

    See Also
    --------
    lag_importance : Computes what is drawn.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import LagImportanceDisplay, SlidingWindowTransformer
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership().data[:400]
    >>> windows = SlidingWindowTransformer(7, padding="edge", flatten=True)
    >>> model = make_pipeline(windows, Ridge())
    >>> model = model.fit(X[:-1], X[1:, 0])  # the ridership of the next day
    >>> display = LagImportanceDisplay.from_estimator(
    ...     model, X[:-1], X[1:, 0], lags=range(7), random_state=0
    ... )
    >>> display.image_.get_array().shape
    (2, 7)
    """

    ax_: Axes
    figure_: Figure
    image_: AxesImage | None
    line_: Line2D | None
    band_: FillBetweenPolyCollection | None

    def __init__(self, *, importance: Any) -> None:
        self.importance = importance

    def plot(
        self,
        ax: Axes | None = None,
        *,
        cmap: str | Colormap = "cividis",
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the importances.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        cmap : str or matplotlib.colors.Colormap, default="cividis"
            Colours of the heat map, from zero and below to the largest importance. The default is
            readable in grey and with colour blindness.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the line of a single feature.

        Returns
        -------
        display : LagImportanceDisplay
            The display itself.
        """
        if not hasattr(self.importance, "lag_labels"):
            raise TypeError(
                f"importance must be what lag_importance returns, got {self.importance!r:.60}."
            )
        features, labels = self.importance.features, self.importance.lag_labels
        ax, figure = axes_and_figure(
            ax,
            "LagImportanceDisplay.plot",
            figsize=(7, 3 if len(features) == 1 else 1.5 + 0.4 * len(features)),
        )
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        self.image_ = self.line_ = self.band_ = None
        mean, places = self.importance.importances_mean, np.arange(len(labels))
        name = f"loss of {self.importance.score_name}"
        if len(features) == 1:
            std = self.importance.importances_std[0]
            style = line_style(line_kw, color=BLUE, marker=".")
            (self.line_,) = ax.plot(places, mean[0], **style)
            self.band_ = ax.fill_between(
                places,
                mean[0] - std,
                mean[0] + std,
                color=self.line_.get_color(),
                alpha=0.25,
                linewidth=0,
            )
            ax.axhline(0, color="black", linewidth=0.8, zorder=0)
            ax.set(ylabel=name, title=features[0])
        else:
            high = np.nanmax(mean)
            self.image_ = ax.imshow(
                mean,
                cmap=cmap,
                vmin=0,
                vmax=high if high > 0 else 1,
                aspect="auto",
                interpolation="nearest",
            )
            figure.colorbar(self.image_, ax=ax, label=name)
            ax.set_yticks(np.arange(len(features)), features)
        if len(labels) <= _MOST_LABELS:
            ax.set_xticks(places, labels)
        else:
            label_of = dict(enumerate(labels))
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            ax.xaxis.set_major_formatter(FuncFormatter(lambda at, _: label_of.get(at, "")))
        ax.set_xlim(len(labels) - 0.5, -0.5)
        ax.set_xlabel("lag in rows")
        self.ax_, self.figure_ = ax, figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Any,
        y: ArrayLike,
        *,
        ax: Axes | None = None,
        cmap: str | Colormap = "cividis",
        line_kw: dict[str, Any] | None = None,
        **options: Any,
    ) -> Self:
        """Compute and draw the importances.

        Parameters
        ----------
        estimator : estimator
            A fitted pipeline or regressor, as in :func:`lag_importance`.
        X : array-like
            What ``predict`` of the estimator takes.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs)
            Targets; NaN, None, NA or a mask where unknown.
        ax : matplotlib.axes.Axes or None, default=None
            Axes to draw in. None: those of a new figure.
        cmap : str or matplotlib.colors.Colormap, default="cividis"
            Colours of the heat map, from zero and below to the largest importance.
        line_kw : dict or None, default=None
            Keywords of matplotlib's ``plot`` for the line of a single feature.
        **options : dict
            The other parameters of :func:`lag_importance`: ``lags``, ``scoring``, ``n_repeats``,
            ``max_samples`` and ``random_state``.

        Returns
        -------
        display : LagImportanceDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            As in :func:`lag_importance`.
        ImportError
            If matplotlib is not installed.
        """
        display = cls(importance=lag_importance(estimator, X, y, **options))
        return display.plot(ax, cmap=cmap, line_kw=line_kw)
