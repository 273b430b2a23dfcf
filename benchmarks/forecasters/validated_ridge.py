"""Ridge regression, its penalty by the latest quarter of the rows: leads overlap."""

import numpy as np
from sklearn.linear_model import RidgeCV

PENALTIES = np.logspace(-1, 6, 15)


def validated_ridge(n_times, horizon, repeats=1):
    """Return the regressor.

    Parameters
    ----------
    n_times, horizon : int
    repeats : int
        Samples of each time; they follow each other.
    """
    first = round(0.75 * n_times)
    train = np.arange((first - horizon + 1) * repeats)  # whose targets are known by then
    valid = np.arange(first * repeats, n_times * repeats)
    return RidgeCV(PENALTIES, cv=[(train, valid)], scoring="neg_mean_squared_error")
