"""What is trained in a benchmark, and the series it is trained on."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Workload:
    """Windows of a series, and the network that is trained on them.

    Parameters
    ----------
    n_windows : int
    window : int
        Steps in a window.
    n_features : int
    hidden_layer_sizes : tuple of int
        Of one size, since not every library allows several.
    batch_size : int
    epochs : int
    """

    n_windows: int
    window: int
    n_features: int
    hidden_layer_sizes: tuple[int, ...]
    batch_size: int
    epochs: int

    def __post_init__(self):
        # JSON knows lists only.
        object.__setattr__(self, "hidden_layer_sizes", tuple(self.hidden_layer_sizes))
        if len(set(self.hidden_layer_sizes)) != 1:
            raise ValueError(f"Layers must be of one size, got {self.hidden_layer_sizes}.")


def make_series(workload, dtype="float32"):
    """Noisy waves, standardised, and their next value.

    Parameters
    ----------
    workload : Workload
    dtype : str, default="float32"
        That of the networks, so that no library has to convert it.

    Returns
    -------
    series : ndarray of shape (n_windows + window - 1, n_features)
    target : ndarray of shape (n_windows + window - 1,)
        Feature 0 one row ahead.
    """
    rng = np.random.default_rng(0)
    n_rows = workload.n_windows + workload.window - 1
    period = rng.uniform(5, 50, workload.n_features)
    phase = np.arange(n_rows + 1)[:, None] / period + rng.random(workload.n_features)
    rows = np.sqrt(2) * np.sin(2 * np.pi * phase)  # (rows + 1, features)
    rows += rng.normal(scale=0.1, size=rows.shape)
    rows = rows.astype(dtype)
    return rows[:-1].copy(), rows[1:, 0].copy()
