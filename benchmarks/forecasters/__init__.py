"""The methods of ``make bench-skill``: one module each, so that a process imports one library.

Each module has a class ``Forecaster(window, horizon, season, seed, max_seconds, n_targets)``.

``fit(rows)`` gets the rows before the test part, (n_rows, n_features), standardised, the
``n_targets`` targets first, and nothing else: whatever a method chooses, such as when to stop,
it chooses by those. It stops, as soon as its library lets it, when the process has spent
``max_seconds`` of processor time on it.

``predict(rows, start)`` gets the whole series and returns the forecasts from each of the rows
``start``, ..., ``n_rows - horizon - 1``: an array
(n_rows - horizon - start, n_targets * horizon) of the next values of the first target, then of
the second, and so on. Those from row t are made from no more than the ``window`` rows
that end with row t (the season, for the seasonal naive one).

Each of the other libraries is used with its own defaults. Where one was set, a comment says
why. ``stopped`` then tells why training came to its end: "limit", "early" or "epochs".
"""

NAIVE = ("persistence", "seasonal_naive")
OURS = "sklstm_default"
COLUMN_BY_COLUMN = tuple(
    f"neuralforecast_{name}" for name in ("nlinear", "dlinear", "nhits", "patchtst")
)
PEERS = (
    "keras_lstm", "darts_block_rnn", "neuralforecast_lstm", "skforecast_rnn", *COLUMN_BY_COLUMN,
)  # fmt: skip
# Without a seed, and without a time limit.
REFERENCES = (*NAIVE, "ridge", "boosting", "mlforecast_lightgbm")
WIDE_REFERENCES = (*NAIVE, "ridge_levels", "ridge_own", "ridge_each")
# What is run on series with one target, and on those all of whose columns are forecast.
SINGLE = (*REFERENCES, OURS, *PEERS)
WIDE = (*WIDE_REFERENCES, "mlforecast_lightgbm", OURS, *COLUMN_BY_COLUMN)
