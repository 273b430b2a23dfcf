"""Values that are missing in a window, filled from the other steps of this window.

They are NaN in the series. No step outside the window is used, so a row has the same prediction
alone as in a batch.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from sklstm._network.device import is_cpu
from sklstm._network.series_tensor import Series, window_tensor
from sklstm._series.windows import Windows

# Up to this number of windows, to fill them takes less time than to fill the series first.
_FEW_WINDOWS = 256
# Values of the series that are filled at once: the numbers of their rows take 8 times the memory.
_VALUES_OF_A_BLOCK = 2**17


class FilledWindows:
    """All windows over a series, filled as by :func:`fill_missing`.

    A series in memory is filled once and in place, each value from the rows before it. This is
    right for all windows but those that begin with a missing value: only they are filled on their
    own.

    Parameters
    ----------
    series : torch.Tensor or SeriesOnDisk, of shape (base_rows, features)
        A tensor is changed.
    windows : Windows
        How the windows lie in the series.
    """

    def __init__(self, series: Series, windows: Windows) -> None:
        self._windows = window_tensor(series, windows)
        self.shape = self._windows.shape  # (base_windows, window, features)
        self.lag_step = windows.lag_step
        # On a GPU always, since each batch that is filled on its own waits for the device.
        self._is_filled = isinstance(series, torch.Tensor) and (
            windows.n_windows > _FEW_WINDOWS or not is_cpu(series.device)
        )
        # Windows of bools, (base_windows, window, features or 1). None: no value is missing.
        self._missing: Series | None = None
        if isinstance(series, torch.Tensor) and self._is_filled and series.sum().isnan():
            missing = series.isnan()
            if torch.equal(whole := missing.all(dim=1), missing.any(dim=1)):
                missing = whole[:, None]  # the same for each feature, such as before a series
            self._missing = window_tensor(missing, windows)
            _fill_series(series, windows.lag_step)

    def __getitem__(self, place: slice) -> torch.Tensor:
        """Take successive windows (batch, window, features), a view where that is possible."""
        windows = self._windows[place]
        if not self._is_filled:
            return fill_missing(windows)
        if self._missing is None:
            return windows
        others = _numbers(self._begin_missing(place))
        return self._with_others(windows, others, others + place.start)

    def index_select(self, starts: torch.Tensor) -> torch.Tensor:
        """Take the windows (batch, window, features) that begin in the rows ``starts``."""
        windows = self._windows.index_select(0, starts)
        if not self._is_filled:
            return fill_missing(windows)
        if self._missing is None:
            return windows
        others = _numbers(self._begin_missing(starts))
        return self._with_others(windows, others, starts[others])

    def are_views(self, starts: torch.Tensor) -> torch.Tensor:
        """Tell for the windows that begin in the rows ``starts`` if :meth:`views` has them."""
        are_views = torch.full(starts.shape, self._is_filled, device=starts.device)
        return are_views if self._missing is None else are_views & ~self._begin_missing(starts)

    def views(self, start: int, n_windows: int, distance: int) -> torch.Tensor:
        """Take every ``distance``-th window from ``start``, a view (n_windows, window, features).

        Each of them is one of :meth:`are_views`.
        """
        assert isinstance(self._windows, torch.Tensor)
        return self._windows[start : start + (n_windows - 1) * distance + 1 : distance]

    def filled_from_later(self, starts: torch.Tensor) -> torch.Tensor | None:
        """Find the steps (batch, window) with a feature that is only known later in the window.

        None if there is none, as in windows without missing values.
        """
        if not self._is_filled:
            return filled_from_later(self._windows.index_select(0, starts).isnan())
        return None if self._missing is None else filled_from_later(self._missing[starts])

    def _begin_missing(self, place: slice | torch.Tensor) -> torch.Tensor:
        """Tell for some windows if a feature is missing in their first step."""
        assert self._missing is not None
        return self._missing[place, 0].any(dim=1)

    def _with_others(
        self, windows: torch.Tensor, places: torch.Tensor, starts: torch.Tensor
    ) -> torch.Tensor:
        """Replace the windows at ``places`` by those that begin in the rows ``starts``."""
        if not len(places):
            return windows
        assert self._missing is not None
        # Steps before the first known one; all others are filled by steps of their own window.
        leading = self._missing.index_select(0, starts).cumprod(dim=1, dtype=torch.int32)
        # (others, 1, features)
        first = leading.sum(dim=1, keepdim=True).expand(-1, -1, windows.shape[2])
        is_known = first < leading.shape[1]
        others = windows.index_select(0, places)
        value = others.gather(1, first.where(is_known, 0)).where(is_known, 0.0)
        return windows.index_copy(0, places, torch.where(leading.bool(), value, others))


def fill_missing(windows: torch.Tensor) -> torch.Tensor:
    """Fill NaN in windows (batch, window, features), each feature on its own.

    A missing value becomes the last known one before it in the window, or else the first known
    one after it. A feature that is unknown in the whole window becomes zero, its mean.
    """
    if not windows.sum().isnan():  # the fastest way to find that nothing is missing
        return windows
    missing = windows.isnan()
    holed = _numbers(missing.flatten(1).any(dim=1))  # few, if few values are missing
    before = _last_known(missing[holed])
    first = (before < 0).sum(dim=1, keepdim=True).clamp(max=windows.shape[1] - 1)
    filled = windows[holed].gather(1, torch.maximum(before, first))
    return windows.index_copy(0, holed, filled.nan_to_num_(0.0))


def filled_from_later(missing: torch.Tensor) -> torch.Tensor | None:
    """Find the steps (batch, window) with a feature that is only known later in the window.

    ``missing`` tells which values are unknown, (batch, window, features). None if no window begins
    with such a value.
    """
    begins_missing = _numbers(missing[:, 0].any(dim=1))
    if not len(begins_missing):
        return None
    before = _last_known(missing[begins_missing])
    later = torch.zeros(missing.shape[:2], dtype=torch.bool, device=missing.device)
    later[begins_missing] = ((before < 0) & (before[:, -1:] >= 0)).any(dim=2)
    return later


def _fill_series(series: torch.Tensor, lag_step: int) -> None:
    """Fill each missing value from the last known one before it, every ``lag_step``-th row apart.

    Where there is none before it, the result is any number.
    """
    n_features = series.shape[1]
    size = max(_VALUES_OF_A_BLOCK // (n_features * lag_step), 1) * lag_step
    for start in range(0, len(series), size):
        block = series[max(start - lag_step, 0) : start + size]  # begins with rows of the last one
        if block.sum().isnan():
            padded = functional.pad(block, (0, 0, 0, -len(block) % lag_step))
            steps = fill_missing(padded.view(1, -1, lag_step * n_features))
            block.copy_(steps.view(-1, n_features)[: len(block)])


def _numbers(marked: torch.Tensor) -> torch.Tensor:
    """Find the numbers of the windows that are marked.

    On a GPU return all numbers, since to find the marked ones waits for the device. What is
    computed for a window that is not marked leaves it as it is.
    """
    if is_cpu(marked.device):
        return marked.nonzero()[:, 0]
    return torch.arange(len(marked), device=marked.device)


def _last_known(missing: torch.Tensor) -> torch.Tensor:
    """Find the last known step at or before each step: its number, or -1."""
    steps = torch.arange(missing.shape[1], device=missing.device)[:, None]
    return torch.where(missing, -1, steps).cummax(dim=1).values
