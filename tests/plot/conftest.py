import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from sklstm import forecast_targets
from tests.plot.made_up import HORIZON


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture
def pipe(small_pipe, chicago):
    """A fitted pipeline that forecasts the next three days from seven."""
    model = small_pipe(index=True, hidden_layer_sizes=(4, 3), early_stopping=True)
    return model.fit(chicago, forecast_targets(chicago["ridership"], HORIZON))


@pytest.fixture
def search(small_pipe, chicago):
    """A fitted search over the window."""
    grid = {"window__window_size": [3, 5]}
    search = GridSearchCV(small_pipe(index=True, early_stopping=True), grid, cv=TimeSeriesSplit(2))
    return search.fit(chicago[:-1], chicago["ridership"].shift(-1)[:-1])
