"""What the methods share: their arguments, the time limit and windows."""

import time

import numpy as np


class Base:
    """A method, before it is fitted.

    Parameters
    ----------
    window : int
        Rows that a forecast is made from.
    horizon : int
        Values that it consists of.
    season : int
        Rows of a season; 1 if there is none.
    seed : int
    max_seconds : float
        Processor time after which training stops.
    n_targets : int, default=1
        The first columns, which are forecast.

    Attributes
    ----------
    stopped : {"limit", "early", "epochs"} or None
        Why training came to its end.
    """

    def __init__(self, window, horizon, season, seed, max_seconds, n_targets=1):
        self.window = window
        self.horizon = horizon
        self.season = season
        self.seed = seed
        self.max_seconds = max_seconds
        self.n_targets = n_targets
        self.stopped = None


class Deadline:
    """Tells when the process has spent its time; counts from when it is made.

    Processor time, on the one thread that it has: what else the machine does does not count.
    """

    def __init__(self, max_seconds):
        self.end = time.process_time() + max_seconds

    def passed(self):
        """Whether the time is over."""
        return time.process_time() >= self.end


def windows_at(rows, window, first, end):
    """Windows that end with the rows ``first``, ..., ``end - 1``: (n, window, n_features)."""
    views = np.lib.stride_tricks.sliding_window_view(rows, window, axis=0)
    return views[first - window + 1 : end - window + 1].transpose(0, 2, 1)


def targets_at(rows, horizon, first, end):
    """Give the next values after the rows ``first``, ..., ``end - 1``: (n, horizon)."""
    return np.lib.stride_tricks.sliding_window_view(rows[:, 0], horizon)[first + 1 : end + 1]
