"""Warnings name the line of the user, through all that lies between: Python shows one a line."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklstm import KnownTargetsRegressor, LSTMRegressor, SlidingWindowTransformer

X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)).cumsum(axis=0))
Y = X[0].to_numpy()
FLAT = make_pipeline(SlidingWindowTransformer(4, padding="edge", flatten=True), Ridge()).fit(X, Y)
LSTM = LSTMRegressor(2, max_epochs=1, early_stopping=True, random_state=0)
TABLE = np.stack([Y[3 - lag : 80 - lag] for lag in (1, 2, 3)], axis=1)
MOSTLY_UNKNOWN = np.where(np.arange(80) % 9 == 0, Y, np.nan)

CALLS = {
    "the fit of a network": lambda: LSTM.fit(X.to_numpy(), Y),
    "in a pipeline": lambda: make_pipeline(SlidingWindowTransformer(2), LSTM).fit(X, Y),
    "a lag table": lambda: (
        make_pipeline(SlidingWindowTransformer(2), Ridge()).steps[0][1].fit(TABLE, Y[3:])
    ),
    "in the cache of a pipeline": lambda: make_pipeline(
        SlidingWindowTransformer(2, flatten=True, padding="edge"), Ridge()
    ).fit(TABLE, Y[3:]),
    "rows without their history": lambda: FLAT[0].transform(X[20:30]),
    "without their history in a pipeline": lambda: FLAT.predict(X[20:30]),
    "rows that equal repeated fitted rows": lambda: (
        SlidingWindowTransformer(2).fit(np.tile([[1.0], [2.0]], (5, 1))).transform([[1.0], [2.0]])
    ),
    "a hole": lambda: FLAT.predict(X[-3:].set_axis([95, 96, 97])),
    "another scale": lambda: FLAT[0].partial_fit(X[-3:].set_axis([80, 81, 82]) * 1e6),
    "few known targets": lambda: KnownTargetsRegressor(Ridge()).fit(
        X, np.column_stack([MOSTLY_UNKNOWN, Y])
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_warning_names_the_line_of_the_user(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    assert {warning.filename for warning in caught} == {__file__}
