"""GateActivityDisplay: the gates and states of an LSTM layer at each step of a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator

from sklstm._base import standardised_window
from sklstm._lag_table import LagTableTransformer
from sklstm._network.gates import gate_activity
from sklstm._plot.drawing import axes_and_figure
from sklstm._plot.inputs import check_row, fitted_lstm
from sklstm._transformer import SlidingWindowTransformer
from sklstm._validation import check_int, check_params, check_windows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

_GATES = {"input_gate": "input gate", "forget_gate": "forget gate", "output_gate": "output gate"}
_PANELS = _GATES | {"cell": "memory cell", "hidden": "hidden state"}


class GateActivityDisplay:
    """Gates, memory cell and hidden state of an LSTM layer at each step of one window.

    Make it with :meth:`from_estimator`. All parameters are kept as attributes. Each of the
    five has a heat map: a column is a step of the window, a row is a unit of the layer, and
    the order of the units is the same in all maps. The units are sorted by their mean forget
    gate: those that keep their memory longest are on top.

    Parameters
    ----------
    activity : dict of ndarray of shape (window_size, units)
        Oldest step first: "input_gate", "forget_gate" and "output_gate", from 0 (closed)
        to 1 (open), "cell" and "hidden". Other keys, such as "cell_candidate", are not
        drawn. Steps of NaN stay white.

    lags : array-like of shape (window_size,)
        Rows before its own row at which each step of the window was taken. Lags that are not
        evenly spaced stand evenly on the axis, each under its step.

    layer : int, default=0
        Number of the layer. Layer 0 is the one that reads the window.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes in whose place the heat maps are drawn.

    axes_ : ndarray of matplotlib.axes.Axes, of shape (5,)
        The axes of input gate, forget gate, output gate, memory cell and hidden state.

    figure_ : matplotlib.figure.Figure
        The figure of the axes.

    images_ : list of matplotlib.image.AxesImage
        The heat maps.

    units_ : ndarray of int of shape (units,)
        The units in the order in which they are drawn, from the top.

    See Also
    --------
    LSTMRegressor : The estimator.

    Notes
    -----
    At each step, in each unit, ``cell = forget * cell + input * candidate`` and
    ``hidden = output * tanh(cell)``, where gates and candidate depend on the step's input
    and on the hidden states of all units of the layer at the step before. The next layer
    reads the hidden states of every step, the head those of the last step. In a
    bidirectional network the second half of the units reads the window backwards: there
    "the step before" is the next one in time, and the head reads their oldest step.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklstm import GateActivityDisplay, LSTMRegressor, SlidingWindowTransformer
    >>> from sklstm.datasets import load_chicago_ridership
    >>> X = load_chicago_ridership().data[:400]
    >>> lstm = LSTMRegressor(8, max_epochs=2, random_state=0)
    >>> model = make_pipeline(SlidingWindowTransformer(window_size=7), lstm)
    >>> model = model.fit(X[:-1], X[1:, 0])  # the ridership of the next day
    >>> display = GateActivityDisplay.from_estimator(model, X)
    >>> display.activity["forget_gate"].shape
    (7, 8)
    """

    ax_: Axes
    axes_: NDArray[Any]
    figure_: Figure
    images_: list[AxesImage]
    units_: NDArray[np.intp]

    def __init__(
        self,
        *,
        activity: dict[str, NDArray[Any]],
        lags: Sequence[int] | NDArray[Any],
        layer: int = 0,
    ) -> None:
        self.activity = activity
        self.lags = lags
        self.layer = layer

    def plot(self, ax: Axes | None = None, *, cmap: str | Colormap = "cividis") -> Self:
        """Draw the heat maps.

        Parameters
        ----------
        ax : matplotlib.axes.Axes or None, default=None
            Axes in whose place the heat maps are drawn. None: those of a new figure.
        cmap : str or matplotlib.colors.Colormap, default="cividis"
            Colours from the lowest to the highest value. The default is readable in grey and
            with colour blindness; a map whose two ends are equally light is not.

        Returns
        -------
        display : GateActivityDisplay
            The display itself.

        Raises
        ------
        ValueError
            If ``ax`` is not part of a grid, such as ``matplotlib.pyplot.subplots`` makes.
        """
        ax, figure = axes_and_figure(ax, "GateActivityDisplay.plot", figsize=(7, 8))
        place = ax.get_subplotspec()
        if place is None:
            raise ValueError(
                "ax has no place in a grid that could be divided. Make ax with "
                "matplotlib.pyplot.subplots(), or pass ax=None."
            )
        ax.set_axis_off()
        # A layout engine makes room for the titles; without one, hspace does.
        hspace = 0.5 if figure.get_layout_engine() is None else None
        grid = place.subgridspec(len(_PANELS), 1, hspace=hspace)
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        self.axes_ = np.empty(len(_PANELS), dtype=object)
        self.images_ = []
        self.units_ = np.argsort(-np.nanmean(self.activity["forget_gate"], axis=0), kind="stable")
        for number, (name, title) in enumerate(_PANELS.items()):
            panel = figure.add_subplot(grid[number], sharex=self.axes_[0])
            values = np.asarray(self.activity[name])  # (steps, units)
            high = 1.0 if name in _GATES else np.nanmax(np.abs(values)) or 1.0
            image = panel.imshow(
                values[:, self.units_].T,
                cmap=cmap,
                vmin=0.0 if name in _GATES else -high,
                vmax=high,
                aspect="auto",
                interpolation="nearest",
                extent=self._extent(),
            )
            figure.colorbar(image, ax=panel, fraction=0.05, pad=0.02)
            panel.set_title(title, loc="left", fontsize="medium")
            panel.set_yticks([])
            panel.tick_params(labelbottom=number == len(_PANELS) - 1)
            self.axes_[number] = panel
            self.images_.append(image)
        self.axes_[len(_PANELS) // 2].set_ylabel(f"{len(self.units_)} units of layer {self.layer}")
        self.axes_[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
        if not self._evenly_spaced():
            lag_of = dict(enumerate(self.lags))
            formatter = FuncFormatter(lambda step, _: str(lag_of.get(step, "")))
            self.axes_[-1].xaxis.set_major_formatter(formatter)
        self.axes_[-1].set_xlabel("lag in rows")
        self.ax_, self.figure_ = ax, figure
        return self

    def _evenly_spaced(self) -> bool:
        return len(set(np.diff(self.lags))) < 2

    def _extent(self) -> tuple[float, float, float, float]:
        """Return the edges of the image, with the oldest step at the left."""
        if not self._evenly_spaced():  # the axis counts steps
            return (-0.5, len(self.lags) - 0.5, len(self.units_) - 0.5, -0.5)
        half = (self.lags[0] - self.lags[1]) / 2 if len(self.lags) > 1 else 0.5
        return (self.lags[0] + half, self.lags[-1] - half, len(self.units_) - 0.5, -0.5)

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: ArrayLike,
        *,
        row: int = -1,
        layer: int = 0,
        ax: Axes | None = None,
        cmap: str | Colormap = "cividis",
    ) -> Self:
        """Compute and draw the activity of a layer in the window of one row.

        Parameters
        ----------
        estimator : LSTMRegressor, Pipeline or search
            A fitted regressor, a pipeline that ends in one, or a search over these.
        X : array-like
            Input of the estimator's ``predict``: the series for a pipeline with
            :class:`SlidingWindowTransformer`, windows for :class:`LSTMRegressor`.
        row : int, default=-1
            The row of ``X``. Negative numbers count from the end.
        layer : int, default=0
            Number of the layer. Layer 0 reads the window; negative numbers count from the
            last layer.
        ax : matplotlib.axes.Axes or None, default=None
            Axes in whose place the heat maps are drawn. None: those of a new figure.
        cmap : str or matplotlib.colors.Colormap, default="cividis"
            Colours from the lowest to the highest value.

        Returns
        -------
        display : GateActivityDisplay
            The display, already drawn.

        Raises
        ------
        ValueError
            If ``row`` or ``layer`` does not exist, or ``ax`` is not part of a grid.
        TypeError
            If the estimator does not end in an LSTMRegressor.
        sklearn.exceptions.NotFittedError
            If the LSTMRegressor is not fitted.
        ImportError
            If matplotlib is not installed.
        """
        *before, regressor = fitted_lstm(estimator)
        module = regressor.net_.module_
        n_layers, layer = len(module.layers), check_int("layer", layer)
        if not -n_layers <= layer < n_layers:
            raise ValueError(
                f"layer={layer}, but the network has {n_layers} layer(s): expected "
                f"{-n_layers} to {n_layers - 1}. Negative numbers count from the last layer."
            )
        windows: Any = X
        lags = np.arange(regressor.window_size_)[::-1]
        for step in before:
            windows = step.transform(windows)
            if isinstance(step, SlidingWindowTransformer):
                lags = lags * check_params(step).dilation
            elif isinstance(step, LagTableTransformer):
                lags = step.lags_
        checked = check_windows(regressor, windows, reset=False)
        row = check_row(row, checked.windows.n_windows)
        window = standardised_window(regressor, checked, row)
        activity = gate_activity(module, window)[layer]
        return cls(activity=activity, lags=lags, layer=layer % n_layers).plot(ax, cmap=cmap)
