"""Daily entries at a station of the elevated railway in Chicago."""

from __future__ import annotations

from importlib import resources

import numpy as np
from sklearn.utils import Bunch


def load_chicago_ridership(*, as_frame: bool = False) -> Bunch:
    """Load the daily entries at the station Clark/Lake in Chicago, and the temperature.

    A real series with a weekly and a yearly season, holidays and a trend. It has 5,698 days,
    from 2001-01-22 to 2016-08-28, and none is missing.

    Parameters
    ----------
    as_frame : bool, default=False
        Whether ``data`` is a pandas DataFrame with the dates as its index. This needs
        pandas.

    Returns
    -------
    bunch : sklearn.utils.Bunch
        It has the attributes

        - data : ndarray or DataFrame of shape (5698, 2): ``ridership``, thousands of
          entries a day, and ``temperature``, the day's mean in degrees Fahrenheit.
        - dates : ndarray of datetime64[D] of shape (5698,)
        - feature_names : list of str
        - DESCR : str, the source of the data and their licence

    Raises
    ------
    ImportError
        If ``as_frame`` is True and pandas is not installed.

    References
    ----------
    M. Kuhn and K. Johnson, "Feature Engineering and Selection", 2019; data set
    ``Chicago`` of the R package modeldata (MIT licence, shipped beside the data).

    Examples
    --------
    >>> from sklstm.datasets import load_chicago_ridership
    >>> chicago = load_chicago_ridership()
    >>> chicago.data.shape
    (5698, 2)
    >>> chicago.feature_names
    ['ridership', 'temperature']
    """
    folder = resources.files("sklstm.datasets")
    with resources.as_file(folder / "chicago_ridership.csv") as path:
        table = np.genfromtxt(path, delimiter=",", dtype=None, names=True, encoding="utf-8")
    names = ["ridership", "temperature"]
    dates = table["date"].astype("datetime64[D]")
    data = np.column_stack([table[name] for name in names])
    if as_frame:
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError("as_frame=True needs pandas: pip install pandas") from error
        index = pd.DatetimeIndex(dates.astype("datetime64[ns]"), name="date")
        data = pd.DataFrame(data, columns=names, index=index)
    return Bunch(
        data=data,
        dates=dates,
        feature_names=names,
        DESCR=(folder / "LICENSE-chicago_ridership.txt").read_text(encoding="utf-8"),
    )
