"""The types that a file may ask for without being asked about."""

TRUSTED_TYPES: tuple[str, ...] = (
    "sklstm.ConformalRegressor",
    "sklstm.KnownTargetsRegressor",
    "sklstm.LSTMRegressor",
    "sklstm.LagTableTransformer",
    "sklstm.PanelSplit",
    "sklstm.SlidingWindowTransformer",
)
"""The public classes of sklstm that a fitted estimator can consist of, by their names.

:func:`load` trusts them besides those that skops trusts by itself: the estimators of scikit-learn
without compiled parts (trees are such parts), arrays and ufuncs of numpy, and plain Python values.
``skops.io.load(path, trusted=sklstm.TRUSTED_TYPES)`` reads the same files without the checks of
:func:`load`. Functions are none of them: skops would call one that it trusts with arguments from
the file.
"""
