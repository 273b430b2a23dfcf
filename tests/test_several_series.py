"""Several series in one frame, by a MultiIndex: windows, targets, fits and predictions."""

import pickle
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklstm import (
    ForecastDisplay,
    GateActivityDisplay,
    KnownTargetsRegressor,
    LSTMRegressor,
    PanelSplit,
    SlidingWindowTransformer,
    WindowSplitDisplay,
    forecast_targets,
)

NAN = np.nan
DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-03-01")


def frame(days_of, order=None):
    """Make a frame with two columns from the days that each series has rows of."""
    rows = [(name, START + day * DAY) for name, days in days_of.items() for day in days]
    index = pd.MultiIndex.from_tuples(rows, names=["shop", "day"])
    values = np.random.RandomState(len(rows)).randn(len(rows), 2)
    X = pd.DataFrame(values, index, columns=["sales", "price"])
    return X if order is None else X.iloc[order]


def window_by_label(X, past, name, time, window, dilation):
    """Look each step of a window up by its label, in the rows of the series."""
    rows = {label: row.to_numpy() for part in (past, X) for label, row in part.iterrows()}
    labels = [(name, time - step * dilation * DAY) for step in reversed(range(window))]
    return np.array([rows.get(label, [NAN, NAN]) for label in labels])


DAYS = st.lists(st.integers(0, 30), min_size=1, max_size=20, unique=True).map(sorted)
NAMES = st.one_of(
    st.text(max_size=3), st.integers(-5, 5), st.tuples(st.integers(0, 3), st.text(max_size=2))
)


@st.composite
def panels(draw):
    names = draw(st.lists(NAMES.filter(lambda n: not isinstance(n, tuple)), min_size=1, max_size=5))
    names = list({repr(name): name for name in names}.values())
    if draw(st.booleans()):
        names = [(name, draw(st.integers(0, 2))) for name in names]
    days_of = {name: draw(DAYS) for name in names}
    if isinstance(names[0], tuple):
        rows = [(*name, START + day * DAY) for name, days in days_of.items() for day in days]
        index = pd.MultiIndex.from_tuples(rows)
        X = pd.DataFrame(np.random.RandomState(0).randn(len(rows), 2), index)
    else:
        X = frame(days_of)
    order = draw(st.permutations(range(len(X))))
    return X.iloc[list(order)]


def by_series(X):
    """Map the name of each series to its rows in the order of time."""
    keys = X.index.droplevel(-1)
    return {
        name: X[[key == name for key in keys]]
        .droplevel(list(range(X.index.nlevels - 1)))
        .sort_index()
        for name in dict.fromkeys(keys)
    }


@settings(max_examples=60, deadline=None)
@given(panels(), st.integers(1, 6), st.integers(1, 3), st.sampled_from(["nan", "edge"]))
def test_windows_are_those_of_a_fit_for_each_series(X, window, dilation, padding):
    params = {"dilation": dilation, "padding": padding, "freq": "D"}
    together = SlidingWindowTransformer(window, **params).fit_transform(X)
    assert together.shape == (len(X), window, 2)
    found = dict(zip(X.index, np.asarray(together), strict=True))
    for name, rows in by_series(X).items():
        alone = np.asarray(SlidingWindowTransformer(window, **params).fit_transform(rows))
        key = name if isinstance(name, tuple) else (name,)
        for time, expected in zip(rows.index, alone, strict=True):
            assert_array_equal(found[*key, time], expected)


@pytest.mark.filterwarnings("ignore:Between the last rows seen")
@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), DAYS, min_size=1),
    st.integers(0, 30),
    st.integers(1, 6),
    st.integers(1, 3),
    st.sampled_from(["nan", "edge"]),
    st.randoms(use_true_random=False),
)
def test_windows_after_a_fit_hold_the_rows_of_their_labels(
    days_of, cut, window, dilation, padding, random
):
    X = frame(days_of)
    is_later = X.index.get_level_values(1) > START + cut * DAY
    if is_later.all() or not is_later.any():
        return
    past, later = X[~is_later], X[is_later]
    later = later.iloc[random.sample(range(len(later)), len(later))]
    params = {"dilation": dilation, "padding": padding, "freq": "D"}
    transformer = SlidingWindowTransformer(window, **params).fit(past)
    reach = (window - 1) * dilation
    kept = past.groupby(level=0).tail(reach) if reach else past[:0]
    found = np.asarray(transformer.transform(later))
    for (name, time), got in zip(later.index, found, strict=True):
        expected = window_by_label(later, kept, name, time, window, dilation)
        if padding == "edge":  # the last label before the step, or the first one of all
            rows = pd.concat([part[part.index.isin([name], level=0)] for part in (kept, later)])
            rows = rows.droplevel(0).sort_index()
            for step in np.flatnonzero(np.isnan(expected[:, 0])):
                before = rows[: time - (window - 1 - step) * dilation * DAY]
                expected[step] = (rows[:1] if before.empty else before).to_numpy()[-1]
        assert_array_equal(got, expected)


@settings(max_examples=60, deadline=None)
@given(panels(), st.integers(1, 5))
def test_targets_are_the_values_of_later_labels(X, horizon):
    series = X.iloc[:, 0]
    targets = forecast_targets(series, horizon, freq="D")
    assert targets.index.equals(X.index)
    values = series.to_dict()
    for label, row in zip(X.index, targets.to_numpy(), strict=True):
        expected = [
            values.get((*label[:-1], label[-1] + lead * DAY), NAN) for lead in range(1, horizon + 1)
        ]
        assert_array_equal(row, expected)


def waves(n_series=6, n_rows=120):
    """Make series of different length and level, with a weekly period."""
    parts, random = {}, np.random.RandomState(0)
    for number in range(n_series):
        n = n_rows + 10 * number
        days = pd.date_range(START + 3 * number * DAY, periods=n)
        wave = np.sin(np.arange(n) * 2 * np.pi / 7 + number)
        parts[f"shop {number}"] = pd.DataFrame(
            {"sales": 10 * number + wave + 0.1 * random.randn(n)}, days
        )
    return pd.concat(parts, names=["shop", "day"])


def pipeline(window=14, **params):
    params = {"max_epochs": 2, "random_state": 0, "n_jobs": 1, **params}
    return make_pipeline(SlidingWindowTransformer(window), LSTMRegressor(4, **params))


SHUFFLED = np.random.RandomState(1).permutation(len(waves()))


@pytest.mark.parametrize("supervise", ["last", "every_step"])
@pytest.mark.parametrize("order", ["by time", "shuffled"])
def test_the_order_of_the_rows_changes_no_prediction(order, supervise):
    X = waves()
    y = forecast_targets(X["sales"], 3)
    expected = pd.DataFrame(pipeline(supervise=supervise).fit(X, y).predict(X), X.index)
    other = X.sort_index(level="day") if order == "by time" else X.iloc[SHUFFLED]
    fitted = pipeline(supervise=supervise).fit(other, y.loc[other.index])
    assert_array_equal(fitted.predict(other), expected.loc[other.index])


def test_one_series_has_the_predictions_that_it_has_among_others():
    X = waves()
    pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
    together = pd.DataFrame(pipe.predict(X), X.index)
    for name in X.index.unique(0):
        assert_array_equal(pipe.predict(X.loc[[name]]), together.loc[[name]])
        last_row = pipe.predict(X.loc[[name]])[-1]
        assert_array_equal(last_row, together.loc[name].iloc[-1])


def test_one_series_by_name_has_the_fit_of_that_series_alone():
    X = waves(1)
    y = forecast_targets(X["sales"], 3)
    alone, target = X.droplevel(0), y.droplevel(0)
    expected = pipeline().fit(alone, target).predict(alone)
    pipe = pipeline().fit(X, y)
    np.testing.assert_allclose(pipe.predict(X), expected, rtol=1e-4, atol=1e-4)
    together = pipeline(standardize="together").fit(X, y)
    assert_array_equal(together.predict(X), expected)
    # Another series has its own unit.
    other = pd.concat({"other": alone * 50}, names=["shop", "day"])
    found = pipe.predict(other)[20:]
    np.testing.assert_allclose(found, 50 * expected[20:], atol=50 * 0.3)


def test_early_stopping_validates_on_the_latest_times():
    X = waves()
    pipe = pipeline(early_stopping=True).fit(X, forecast_targets(X["sales"], 3))
    counts = pipe[-1].window_counts_
    # By hand: the rows with at least half of a window and a known target, and their times.
    known = X.groupby(level=0).cumcount() >= 6
    known &= X.groupby(level=0).cumcount(ascending=False) >= 1
    days = X.index.get_level_values("day")[known]
    first = np.sort(days)[-round(0.1 * len(days))]
    n_validation = np.count_nonzero(days >= first)
    # The targets of a row are known two rows later at the earliest, or with the series' last row.
    ends = X.reset_index("day").groupby(level=0)["day"].transform("max")
    known_at = np.minimum((days + 2 * DAY).to_numpy(), ends[known.to_numpy()].to_numpy())
    n_training = np.count_nonzero(known_at < first)
    assert counts["validation"] == n_validation
    assert counts["training"] == n_training
    assert counts["gap"] == len(days) - n_validation - n_training > 0


@pytest.mark.parametrize("lead", [1, 3])
def test_training_ends_where_the_row_of_each_target_is_known_behind_holes_too(lead):
    random = np.random.RandomState(0)
    X = frame({name: np.sort(random.choice(200, 120, replace=False)) for name in "abcdefgh"})
    y = X["sales"].groupby(level=0).shift(-lead).rename(f"sales_lead{lead}")
    days = X.index.get_level_values("day").to_series(index=X.index)
    target_days = days.groupby(level=0).shift(-lead)  # of the rows that have the targets
    usable = target_days.notna()
    start = days[usable].sort_values().iloc[-round(0.1 * usable.sum())]
    expected = {
        "training": int((usable & (days < start) & (target_days <= start)).sum()),
        "validation": int((usable & (days >= start)).sum()),
    }
    lstm = LSTMRegressor(2, max_epochs=1, random_state=0)
    make_pipeline(SlidingWindowTransformer(1, freq="rows"), lstm).fit(X, y)
    assert {part: lstm.window_counts_[part] for part in expected} == expected


def test_rows_of_one_time_train_without_early_stopping():
    X = frame({f"shop {number}": [0] for number in range(120)})
    y = X["sales"] - X["price"]
    pipe = pipeline(1, target_leads=0).fit(X, y)
    assert pipe[-1].window_counts_["training"] == 120
    with pytest.raises(ValueError, match="leaves none to train on"):
        pipeline(1, target_leads=0, early_stopping=True).fit(X, y)


def test_a_multiindex_of_one_level_is_that_of_one_series():
    X = waves(1).loc["shop 0"].drop(START + 5 * DAY)
    expected = SlidingWindowTransformer(4).fit_transform(X)
    of_one_level = X.set_axis(pd.MultiIndex.from_arrays([X.index]))
    assert isinstance(of_one_level.index, pd.MultiIndex)
    found = SlidingWindowTransformer(4).fit_transform(of_one_level)
    assert_array_equal(np.asarray(found), np.asarray(expected))


def test_targets_beyond_the_last_row_of_each_series_are_unknown_to_the_fit():
    X = waves()
    y = forecast_targets(X["sales"], 3)
    cut = START + 100 * DAY
    before = X.index.get_level_values("day") < cut
    leaky, honest = y[before], forecast_targets(X[before]["sales"], 3)
    assert leaky.notna().sum().sum() > honest.notna().sum().sum()
    predictions = [pipeline().fit(X[before], part).predict(X[before]) for part in (leaky, honest)]
    assert_array_equal(*predictions)


def test_a_value_of_one_series_changes_no_window_and_no_prediction_of_another():
    X = waves()
    pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
    changed = X.copy()
    changed.loc["shop 2"] += 100
    same = X.index.get_level_values(0) != "shop 2"
    assert_array_equal(pipe.predict(changed)[same], pipe.predict(X)[same])
    windows = SlidingWindowTransformer(20)
    first, second = (np.asarray(windows.fit_transform(part)) for part in (X, changed))
    assert_array_equal(first[same], second[same])


def test_partial_fit_appends_to_some_series_and_adds_new_ones():
    X = waves()
    days = X.index.get_level_values("day")
    late = days >= START + 100 * DAY
    transformer = SlidingWindowTransformer(10).fit(X[~late])
    some = X[late].loc[["shop 1", "shop 4"]]
    new = pd.concat({"shop 9": X.loc["shop 0"].iloc[:5]}, names=["shop", "day"])
    transformer.partial_fit(pd.concat([some, new]))
    assert set(transformer.history_) == {f"shop {number}" for number in (*range(6), 9)}
    assert_array_equal(transformer.history_["shop 4"], X.loc["shop 4"].to_numpy()[-9:])
    assert_array_equal(transformer.history_["shop 2"], X[~late].loc["shop 2"].to_numpy()[-9:])
    assert_array_equal(transformer.history_["shop 9"], new.to_numpy())
    after = pd.DataFrame(
        {"sales": [1.0, 2.0]},
        pd.MultiIndex.from_tuples([("shop 9", new.index[-1][1] + DAY), ("shop x", START)]),
    )
    windows = np.asarray(transformer.transform(after))
    assert_array_equal(windows[0, -6:, 0], [*new["sales"], 1.0])
    assert np.isnan(windows[1, :-1]).all()


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcd"), DAYS, min_size=1),
    st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True).map(sorted),
    st.booleans(),
)
def test_rows_that_arrive_in_parts_have_the_frequency_and_history_of_one_fit(days_of, cuts, saved):
    X = frame(days_of)
    days = X.index.get_level_values(1)
    transformer = SlidingWindowTransformer(4)
    try:
        expected = SlidingWindowTransformer(4).fit(X)
        for begin, end in pairwise([-1, *cuts, 31]):
            part = X[(days > START + begin * DAY) & (days <= START + end * DAY)]
            if len(part):
                transformer.partial_fit(part)
            if saved:
                transformer = pickle.loads(pickle.dumps(transformer))
    except ValueError:  # leaves open how time goes on
        return
    assert transformer.freq_ == expected.freq_
    for name, rows in expected.history_.items():
        assert_array_equal(transformer.history_[name], rows)


def test_a_new_series_of_another_size_is_no_sign_of_an_earlier_step_left_out():
    X = waves(3)
    transformer = SlidingWindowTransformer(3).fit(X)
    new = pd.concat({"new": X.loc["shop 0"] * 1e4}, names=["shop", "day"])
    transformer.partial_fit(new + 1e6)
    later = pd.concat({"new": (new * 1e4 + 1e10).loc["new"].shift(200, freq="D")})
    with pytest.warns(UserWarning, match=r"earlier steps must change X first"):
        transformer.partial_fit(later)


def test_a_few_fitted_rows_and_those_passed_show_how_time_goes_on():
    X = frame({"a": [0, 2, 3, 4, 6], "b": [0, 1, 2, 3, 4, 5], "c": [4, 5, 6]})
    first = X.index.get_level_values(1) == START
    transformer = SlidingWindowTransformer(3).fit(X[first])
    later = X[~first]
    found = np.asarray(transformer.transform(later))
    for (name, time), window in zip(later.index, found, strict=True):
        assert_array_equal(window, window_by_label(later, X[first], name, time, 3, 1))
    assert transformer.partial_fit(later).freq_ == "D"


def test_a_pickled_transformer_and_its_windows_are_the_same():
    X = waves()
    transformer = SlidingWindowTransformer(10).fit(X[:300])
    windows = transformer.transform(X[300:])
    loaded = pickle.loads(pickle.dumps(transformer)).transform(X[300:])
    assert_array_equal(np.asarray(loaded), np.asarray(windows))
    pipe = pipeline(10).fit(X, X["sales"])
    kept = pickle.loads(pickle.dumps(windows[5:40]))
    assert_array_equal(pipe[-1].predict(kept), pipe[-1].predict(windows[5:40]))


def test_slices_of_windows_keep_their_series():
    X = waves()
    y = forecast_targets(X["sales"], 2)
    windows = SlidingWindowTransformer(8).fit_transform(X)
    rows = np.flatnonzero(X.index.get_level_values("day") < START + 90 * DAY)
    lstm = LSTMRegressor(3, max_epochs=1, random_state=0, n_jobs=1)
    by_windows = clone(lstm).fit(windows[rows], y.iloc[rows]).predict(windows[rows])
    pipe = make_pipeline(SlidingWindowTransformer(8), clone(lstm))
    assert_array_equal(pipe.fit(X.iloc[rows], y.iloc[rows]).predict(X.iloc[rows]), by_windows)


class TestRefused:
    """What leaves open which series or time a row has is an error that says what to do."""

    def test_rows_without_names_after_a_fit_with_names(self):
        transformer = SlidingWindowTransformer(3).fit(waves())
        for X in (waves().reset_index(drop=True), waves().loc["shop 1"]):
            with pytest.raises(ValueError, match="several series, but X has no index"):
                transformer.transform(X)

    def test_names_after_a_fit_of_one_series(self):
        transformer = SlidingWindowTransformer(3).fit(waves().loc["shop 1"])
        with pytest.raises(ValueError, match=r"one series.*X\.xs\('shop 0'\)"):
            transformer.transform(waves())

    def test_names_of_series_in_a_column(self):
        X = waves().reset_index().rename(columns={"day": "times"})
        with pytest.raises(ValueError, match=r"set_index\(\['shop', 'times'\]\)"):
            SlidingWindowTransformer(3).fit(X[["shop", "sales"]])
        SlidingWindowTransformer(3).fit(X.set_index(["shop", "times"]))

    def test_a_scaler_that_loses_the_index(self):
        X = waves()
        with pytest.raises(ValueError, match=r"set_output\(transform='pandas'\)"):
            make_pipeline(StandardScaler(), *pipeline()).fit(X, X["sales"])
        scaler = StandardScaler().set_output(transform="pandas")
        make_pipeline(scaler, *pipeline()).fit(X, X["sales"]).predict(X)

    def test_windows_that_have_lost_their_series(self):
        X = waves()
        windows = np.asarray(SlidingWindowTransformer(4).fit_transform(X))
        with pytest.raises(ValueError, match=r"do not say which series.*numpy\.asarray"):
            LSTMRegressor().fit(windows, X["sales"])

    def test_targets_of_other_rows(self):
        X = waves()
        with pytest.raises(ValueError, match=r"different indexes.*shop 0.*reindex"):
            pipeline().fit(X, X["sales"].iloc[SHUFFLED])

    def test_time_that_is_not_the_last_level(self):
        X = waves().swaplevel()
        with pytest.raises(ValueError, match=r"last level is time.*swaplevel\(0, -1\)"):
            SlidingWindowTransformer(3).fit(X)
        SlidingWindowTransformer(3).fit(X.swaplevel(0, -1))

    @pytest.mark.parametrize(
        "times",
        [
            pd.date_range(START, periods=9),
            pd.period_range(START, periods=9, freq="D"),
            pd.date_range(START, periods=9).strftime("%Y-%m-%d"),
            pd.Index(range(2001, 2010)),
        ],
        ids=["dates", "periods", "text", "years"],
    )
    def test_times_before_series_with_numbers_as_names(self, times):
        index = pd.MultiIndex.from_product([times, [7, 8, 9, 10]])
        X = pd.DataFrame({"sales": np.arange(36.0)}, index)
        for call in (SlidingWindowTransformer(3).fit, lambda X: forecast_targets(X["sales"], 2)):
            with pytest.raises(
                ValueError,
                match=r"holds 7, but expected times: .*Level 0 holds times.*swaplevel\(0, -1\)",
            ):
                call(X)
        windows = SlidingWindowTransformer(2).fit_transform(X.swaplevel(0, -1))
        assert_array_equal(np.asarray(windows)[4:, :, 0], [[row - 4, row] for row in range(4, 36)])
        # The other advice: they do name series.
        X.index = X.index.set_levels([f"from {label}" for label in X.index.levels[0]], level=0)
        windows = np.asarray(SlidingWindowTransformer(2).fit_transform(X))[:, :, 0]
        assert_array_equal(windows[1:4], [[0, 1], [1, 2], [2, 3]])

    def test_months_in_a_level_of_their_own(self):
        index = pd.MultiIndex.from_product([["a", "b"], range(2010, 2014), range(1, 13)])
        X = pd.DataFrame({"sales": np.arange(96.0)}, index)
        with pytest.raises(ValueError, match="Level 1 holds times or years.*one level of times"):
            SlidingWindowTransformer(3).fit(X)

    def test_years_of_series_that_read_as_years(self):
        index = pd.MultiIndex.from_product([range(2001, 2006), range(1990, 2000)])
        SlidingWindowTransformer(3).fit(pd.DataFrame({"sales": np.arange(50.0)}, index))

    @pytest.mark.parametrize("form", ["%Y %b", "%d/%m/%Y", "%d.%m.%Y", "%Y%m"])
    @pytest.mark.parametrize("as_integers", [False, True])
    def test_dates_in_another_form(self, form, as_integers):
        if as_integers and form != "%Y%m":
            form = "%Y%m%d"
        months = pd.date_range("2010-01-01", periods=30, freq="MS")
        labels = pd.Index(months.strftime(form))
        labels = labels.astype(int) if as_integers else labels
        X = pd.DataFrame(
            {"sales": np.arange(60.0)}, pd.MultiIndex.from_product([["a", "b"], labels])
        )
        with pytest.raises(ValueError, match=r"last level.*dates.*times = pd\.to") as error:
            SlidingWindowTransformer(3).fit(X)
        times, rest = str(error.value).partition("times = ")[2].split(", and put these", 1)
        times = eval(times.split(", or with")[0], {"pd": pd, "X": X})
        X.index = X.index.set_levels(times, level=-1)
        assert "X.index = X.index.set_levels(times, level=-1)" in rest
        assert SlidingWindowTransformer(3).fit(X).freq_ == "MS"
        X.index = X.index.set_levels(labels, level=-1)
        if as_integers:
            assert SlidingWindowTransformer(3, freq="rows").fit(X).freq_ == "rows"

    @pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 0, 4, 1, 3, 2]])
    @pytest.mark.parametrize("categorical", [False, True])
    def test_names_without_times(self, order, categorical):
        X = pd.concat([waves().loc[[f"shop {number}"]] for number in order]).reset_index("day")
        times = X.pop("day")
        X.index = pd.CategoricalIndex(X.index) if categorical else X.index
        for call in (SlidingWindowTransformer(3).fit, lambda X: forecast_targets(X["sales"], 2)):
            with pytest.raises(ValueError, match=r"names of series.*set_index\(times, append=True"):
                call(X)
        one = X.loc[["shop 3"]]  # one series, whatever it is called
        assert SlidingWindowTransformer(3).fit(one).freq_ == "rows"
        windows = SlidingWindowTransformer(5).fit_transform(X.set_index(times, append=True))
        expected = SlidingWindowTransformer(5).fit_transform(waves())
        found = pd.Series(np.asarray(windows)[:, 0, 0], X.set_index(times, append=True).index)
        assert_array_equal(found.sort_index(), np.asarray(expected)[:, 0, 0])

    def test_names_of_two_levels_after_a_fit_of_one_series(self):
        X = pd.concat({"north": waves()}, names=["region"])
        transformer = SlidingWindowTransformer(3).fit(X.xs(("north", "shop 0")))
        with pytest.raises(ValueError, match=r"X\.xs\(\('north', 'shop 0'\)\)"):
            transformer.transform(X)

    def test_windows_that_have_lost_their_series_in_a_fit_that_goes_on(self):
        X = waves()
        y = forecast_targets(X["sales"], 2)
        pipe = pipeline().fit(X, y)
        expected = pipe.predict(X)
        alone = SlidingWindowTransformer(14).fit_transform(X.loc["shop 2"])
        with pytest.raises(ValueError, match=r"do not say which series.*standardize='together'"):
            pipe[-1].partial_fit(alone, y.loc["shop 2"].to_numpy())
        assert_array_equal(pipe.predict(X), expected)

    @pytest.mark.parametrize("level", [0, 1])
    def test_missing_labels(self, level):
        X = waves().reset_index()
        X.loc[7, ["shop", "day"][level]] = None
        with pytest.raises(ValueError, match=f"Level {level} of the index of X has missing"):
            SlidingWindowTransformer(3).fit(X.set_index(["shop", "day"]))

    def test_a_label_twice(self):
        X = waves()
        with pytest.raises(ValueError, match="Series 'shop 0'.*duplicates"):
            SlidingWindowTransformer(3).fit(pd.concat([X, X[5:6]]))

    def test_names_of_another_type_than_in_the_fit(self):
        X = waves(3)
        numbers = X.set_index(X.index.set_levels([0, 1, 2], level=0))
        transformer = SlidingWindowTransformer(3).fit(X)
        with pytest.raises(ValueError, match="names of another type: 'shop 0'"):
            transformer.transform(numbers)

    def test_a_series_with_another_frequency_is_named(self):
        X = waves()
        weekly = X.loc[["shop 3"]].iloc[::7]
        X = pd.concat([X.drop("shop 3"), weekly])
        with pytest.raises(ValueError, match=r"Series 'shop 3'.*7 times freq='D'.*'shop 5'"):
            SlidingWindowTransformer(3).fit(X)
        with pytest.raises(ValueError, match=r"Series 'shop 3'.*7 times freq='D'"):
            forecast_targets(X["sales"], 2)
        windows = SlidingWindowTransformer(3, freq="D").fit_transform(X)
        assert np.isnan(np.asarray(windows)[-5:, :-1]).all()

    def test_days_beside_business_days(self):
        X = pd.concat({"a": waves(1).loc["shop 0"], "b": waves(1).loc["shop 0"].iloc[:50]})
        is_weekday = X.index.get_level_values(1).day_of_week < 5
        X = X[is_weekday | (X.index.get_level_values(0) == "b")]
        with pytest.raises(ValueError, match=r"'b'.* go on with D.*'rows'.* say freq='D'"):
            SlidingWindowTransformer(3).fit(X)
        SlidingWindowTransformer(3, freq="D").fit(X)

    def test_a_series_off_the_grid_is_named(self):
        X = waves(2).reset_index()
        X.loc[X["shop"] == "shop 0", "day"] += pd.Timedelta(hours=5)
        with pytest.raises(ValueError, match="Series 'shop 0'.*off the grid"):
            SlidingWindowTransformer(3).fit(X.set_index(["shop", "day"]))

    def test_rows_before_the_end_of_their_series_in_partial_fit(self):
        X = waves()
        transformer = SlidingWindowTransformer(3).fit(X)
        with pytest.raises(ValueError, match="Series 'shop 1'.*partial_fit appends"):
            transformer.partial_fit(X.loc[["shop 1"]])
        assert_array_equal(transformer.history_["shop 1"], X.loc["shop 1"].to_numpy()[-2:])

    def test_rows_that_were_picked_after_the_fit(self):
        X = waves()
        days = X.index.get_level_values("day")
        late = X[days > START + 80 * DAY]
        transformer = SlidingWindowTransformer(3).fit(X[days <= START + 80 * DAY])
        picked = late.iloc[np.random.RandomState(0).permutation(len(late))[: len(late) // 3]]
        with pytest.raises(ValueError, match="steps over .* rows in .* places"):
            transformer.transform(picked)

    @pytest.mark.parametrize("method", ["partial_fit", "transform"])
    def test_a_new_series_off_the_grid_or_of_another_frequency_is_named(self, method):
        X = waves(2)
        transformer = SlidingWindowTransformer(3).fit(X)
        new = pd.concat({"new": X.loc["shop 0"]}, names=["shop", "day"])
        hours = new.index.levels[1] + pd.Timedelta(hours=5)
        for other, message in (
            (new.set_index(new.index.set_levels(hours, level=1)), "off the grid"),
            (new.iloc[::7][:6], "7 times freq='D'"),
        ):
            with pytest.raises(ValueError, match=f"Series 'new'.*{message}"):
                getattr(transformer, method)(other)
            assert list(transformer.history_) == ["shop 0", "shop 1"]

    def test_infinity_is_named_by_its_row(self):
        X = waves().iloc[SHUFFLED].copy()
        X.iloc[17] = np.inf
        with pytest.raises(ValueError, match="infinity"):
            pipeline().fit(X, X["sales"])


def test_windows_among_the_fitted_rows_are_counted_over_all_series():
    X = waves()
    transformer = SlidingWindowTransformer(10).fit(X)
    middle = X[X.index.get_level_values("day") == START + 60 * DAY]
    with pytest.warns(UserWarning, match=r"6 of 6 windows \(of series 'shop 0', 'shop 1', "):
        transformer.transform(middle)


@pytest.mark.parametrize("as_frame", [True, False])
def test_other_regressors_are_fitted_on_targets_known_in_each_series(as_frame):
    X = waves().iloc[SHUFFLED]
    y = forecast_targets(waves()["sales"], 3).loc[X.index]
    y = y.fillna(1.0)  # as if later rows were known
    flat = X if as_frame else X.to_numpy()
    fitted = KnownTargetsRegressor(Ridge()).fit(flat, y)
    from_end = X.sort_index().groupby(level=0).cumcount(ascending=False).loc[X.index]
    assert_array_equal(fitted.fitted_rows_, np.flatnonzero(from_end >= 3))


@pytest.mark.parametrize("longest", [5.0, NAN])
def test_leads_of_other_regressors_are_found_in_all_series(longest):
    X = waves(3)
    X.loc["shop 2", "sales"] = longest  # tells nothing
    y = X["sales"].groupby(level=0).shift(-2)
    assert KnownTargetsRegressor(Ridge()).fit(X.fillna(0), y).target_leads_ == 2


@pytest.mark.parametrize("n_rows", [3, 4, 5])
def test_leads_of_targets_without_names_are_found_in_short_series(n_rows):
    X = frame({f"shop {number}": range(9) for number in range(60)})
    y = forecast_targets(X["sales"], 2)
    past = np.flatnonzero(X.groupby(level=0).cumcount() < n_rows)
    pipe = pipeline(2, early_stopping=False).fit(X.iloc[past], y.iloc[past].to_numpy())
    assert_array_equal(pipe[-1].target_leads_, [1, 2])
    if n_rows > 3:
        known = KnownTargetsRegressor(Ridge()).fit(X.iloc[past], y.iloc[past, 0].rename("y"))
        assert known.target_leads_ == 1


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


class TestScaling:
    """Each series has its own unit: a target, and the feature that it is of."""

    SIZES = np.array([0.01, 1.0, 30.0, 1000.0, 5.0, 200.0])

    def frame(self):
        X = waves()
        number = X.index.get_level_values(0).str[-1].astype(int)
        X["sales"] = (X["sales"] - 10 * number + 3) * self.SIZES[number]
        return X

    def test_predictions_are_those_of_series_in_any_unit(self):
        X = self.frame()
        units = self.SIZES[X.index.get_level_values(0).str[-1].astype(int)]
        found = []
        for unit in (np.ones(len(X)), units):
            scaled = X.div(unit, axis=0)
            pipe = pipeline().fit(scaled, forecast_targets(scaled["sales"], 3))
            found.append(pipe.predict(scaled) * unit[:, np.newaxis])
        np.testing.assert_allclose(*found, rtol=1e-4)

    def test_a_series_of_small_values_is_forecast_as_well_as_one_of_large_values(self):
        X = self.frame()
        y = forecast_targets(X["sales"], 1)
        worst = {}
        for standardize in (True, "together"):
            pipe = pipeline(standardize=standardize, early_stopping=False, learning_rate=1e-9)
            residual = y.to_numpy() - pipe.fit(X, y).predict(X).reshape(len(X), -1)
            of_series = pd.DataFrame(residual, X.index).groupby(level=0).std()[0].to_numpy()
            worst[standardize] = (of_series / self.SIZES).max()
        # The values of every series have a noise of 0.1, which no forecast can have less of.
        assert worst[True] < 0.25
        assert worst["together"] > worst[True]

    @pytest.mark.parametrize("lead", [0, 3])
    def test_an_output_that_is_of_no_column_takes_no_unit_from_the_others(self, lead):
        X = self.frame()
        forecast = forecast_targets(X["sales"], 1)
        other = (X["sales"] ** 2).rename(f"label_lead{lead}")
        y = pd.concat([other, forecast], axis=1)
        pipe = pipeline(early_stopping=False, learning_rate=1e-9)
        residual = forecast.to_numpy() - pipe.fit(X, y).predict(X)[:, 1:]
        of_series = pd.DataFrame(residual, X.index).groupby(level=0).std()[0].to_numpy()
        assert (of_series / self.SIZES).max() < 0.25

    def test_targets_that_go_with_a_feature_in_size_take_its_unit(self):
        X = self.frame()
        X["price"] = 2 + np.random.RandomState(0).rand(len(X))
        X["area"] = X.groupby(level=0)["sales"].transform("max")  # does not change in time
        sums = X["sales"].groupby(level=0).rolling(3).sum().droplevel(0)
        y = sums.groupby(level=0).shift(-3).rename("sum_lead3")
        params = {"early_stopping": False, "learning_rate": 1e-9}
        pipe = pipeline(**params).fit(X[["area", "price", "sales"]], y)
        residual = y - pipe.predict(X[["area", "price", "sales"]])
        residual = residual[X.groupby(level=0).cumcount() >= 14]  # with a whole window
        worst = (residual.groupby(level=0).std().to_numpy() / self.SIZES).max()
        # The sum of three values has a noise of 0.17, which no forecast can have less of.
        assert worst < 0.3
        # A new series has the unit of its sales.
        new = pd.concat({"new": X.loc["shop 2"] / 3000}, names=["shop", "day"])
        new["price"] *= 3000
        found = pipe.predict(new[["area", "price", "sales"]])
        found, expected = found[20:-3], y.loc["shop 2"].to_numpy()[20:-3] / 3000
        assert np.sqrt(np.mean((found - expected) ** 2)) < 0.5 * 0.01

    @pytest.mark.parametrize("unit", [1e-3, 1.0, 1e5])
    def test_a_new_series_is_forecast_in_its_own_unit(self, unit):
        X = self.frame()
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
        new = pd.concat({"new": X.loc["shop 2"] * unit / 30}, names=["shop", "day"])
        found = pipe.predict(new)[20:]
        expected = forecast_targets(new["sales"], 2).to_numpy()[20:]
        known = ~np.isnan(expected)
        assert np.sqrt(np.mean((found - expected)[known] ** 2)) < 0.35 * unit
        # A row has the prediction that it has among others.
        assert_array_equal(pipe.predict(pd.concat([X, new]))[len(X) + 20 :], found)
        assert_array_equal(pipe.predict(new[-14:])[-1], found[-1])

    @pytest.mark.parametrize("value", [0.0, 7.0])
    def test_constant_series_and_windows_of_missing_values_have_finite_forecasts(self, value):
        X = self.frame()
        X.loc["shop 3", "sales"] = value
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
        assert np.isfinite(pipe.predict(X)).all()
        new = pd.concat({"new": X.loc["shop 3"]}, names=["shop", "day"])
        assert np.abs(pipe.predict(new) - value).max() < 1 + value / 2
        new["sales"] = NAN
        assert np.isfinite(pipe.predict(new)).all()

    @pytest.mark.parametrize("value", [0.0, NAN])
    def test_a_constant_series_or_one_of_missing_values_hardly_changes_others(self, value):
        X = self.frame()
        params = {"early_stopping": False, "learning_rate": 1e-9}
        expected = pd.DataFrame(
            pipeline(**params).fit(X, forecast_targets(X["sales"], 2)).predict(X), X.index
        )
        more = pd.concat({"flat": X.loc["shop 1"] * 0 + value}, names=["shop", "day"])
        both = pd.concat([X, more])
        pipe = pipeline(**params).fit(both, forecast_targets(both["sales"], 2))
        change = pd.DataFrame(pipe.predict(X), X.index) - expected
        of_series = change.groupby(level=0).std()[0].to_numpy()
        assert (of_series < 0.15 * self.SIZES).all()

    @pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4])
    @pytest.mark.parametrize("scaled", [False, True])
    def test_a_series_that_begins_to_sell_in_the_last_rows_harms_no_other(self, unit, scaled):
        X = self.frame()
        X.loc["shop 3", "sales"] = 0.0
        end = X.index.get_loc("shop 3").stop
        X.iloc[end - 4 : end] = 3.0
        X *= unit
        y = forecast_targets(X["sales"], 2)
        scaler = [StandardScaler().set_output(transform="pandas")] if scaled else []
        pipe = make_pipeline(*scaler, *pipeline()).fit(X, y)
        residual = y - pipe.predict(X)
        worst = residual.groupby(level=0).std().max(axis=1).to_numpy() / self.SIZES / unit
        assert np.delete(worst, 3).max() < 0.5
        assert np.abs(pipe.predict(X.loc[["shop 3"]])).max() < 100 * unit

    def test_a_scaler_before_the_windows_changes_no_unit(self):
        X = self.frame()
        y = forecast_targets(X["sales"], 3)
        params = {"early_stopping": False, "learning_rate": 1e-9}
        scaler = StandardScaler().set_output(transform="pandas")
        found = make_pipeline(scaler, *pipeline(**params)).fit(X, y).predict(X)
        expected = pipeline(**params).fit(X, y).predict(X)
        units = self.SIZES[X.index.get_level_values(0).str[-1].astype(int)][:, np.newaxis]
        np.testing.assert_allclose(found / units, expected / units, atol=0.02)

    def test_quantiles_are_in_the_unit_of_each_series_known_or_new(self):
        X = self.frame()
        y = forecast_targets(X["sales"], 2)
        pipe = pipeline(loss="quantile", quantiles=(0.1, 0.5, 0.9)).fit(X, y)
        new = pd.concat({"new": X.loc["shop 2"] * 100}, names=["shop", "day"])
        both = pd.concat([X, new]).iloc[::-1]
        found = pipe[-1].predict_quantiles(pipe[:-1].transform(both))
        assert found.shape == (len(both), 2, 3)
        assert (np.diff(found) >= 0).all()
        assert_array_equal(pipe.predict(both), found[:, :, 1])
        width = pd.Series(found[:, 0, 2] - found[:, 0, 0], both.index)
        of_series = width.groupby(level=0).median()
        # The noise is 0.1 in the unit of each series: 2 * 1.28 * 0.1 lie between, and some error.
        known = of_series.drop("new").to_numpy() / self.SIZES
        assert ((known > 0.15) & (known < 0.6)).all()
        assert of_series["new"] == pytest.approx(100 * of_series["shop 2"], rel=0.3)
        one = pd.Series(found[:, 0, 2], both.index)["new"].iloc[:5]
        alone = pipe[-1].predict_quantiles(pipe[:-1].transform(new))[:, 0, 2]
        assert_array_equal(one.to_numpy(), alone[::-1][:5])

    def test_labels_of_each_series_have_its_unit(self):
        X = self.frame()
        y = X["sales"].groupby(level=0).rolling(3).mean().droplevel(0) ** 2  # no feature
        pipe = pipeline(target_leads=0).fit(X, y)
        of_series = pd.Series(pipe.predict(X), X.index).groupby(level=0).mean()
        expected = y.groupby(level=0).mean()
        np.testing.assert_allclose(of_series / expected, 1, atol=0.3)

    def test_a_fit_that_goes_on_adds_the_units_of_new_series(self):
        X = self.frame()
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
        new = pd.concat({"new": X.loc["shop 2"] * 1000}, names=["shop", "day"])
        before = pipe.predict(new)[20:]
        pipe[-1].partial_fit(pipe[0].transform(new), forecast_targets(new["sales"], 2))
        after = pipe.predict(new)[20:]
        np.testing.assert_allclose(after, before, atol=30_000)
        assert not np.array_equal(after, before)
        assert np.isfinite(pipe.predict(X)).all()

    def test_a_fit_that_goes_on_keeps_its_units_whatever_standardize_is_by_then(self):
        X = self.frame()
        y = forecast_targets(X["sales"], 2)
        found = []
        for standardize in (True, False, "together"):
            pipe = pipeline().fit(X, y)
            lstm = pipe[-1].set_params(standardize=standardize)
            found.append(lstm.partial_fit(pipe[0].transform(X), y).predict(pipe[0].transform(X)))
        assert_array_equal(found[1], found[0])
        assert_array_equal(found[2], found[0])

    def test_a_new_constant_series_has_the_unit_that_the_fit_gives_to_its_size(self):
        X = self.frame()
        y = forecast_targets(X["sales"], 2)
        pipe = pipeline().fit(X, y)
        windows = SlidingWindowTransformer(14).fit_transform
        new = pd.concat({"new": X.loc["shop 2"] * 0 + 50}, names=["shop", "day"])
        pipe[-1].partial_fit(windows(new), forecast_targets(new["sales"], 2))
        varying = new + 0.01 * np.arange(len(new))[:, np.newaxis]
        other = pipeline().fit(X, y)
        other[-1].partial_fit(windows(varying), forecast_targets(varying["sales"], 2))
        scales = [fitted[-1]._scaling.scale[-1, 0] for fitted in (pipe, other)]
        assert 0.8 < scales[0] / scales[1] < 1.25

    @pytest.mark.parametrize("size", [1e-300, 1e-160, 1e-30, 1e30, 1e160, 1e300])
    def test_a_series_of_any_size_is_forecast_in_its_unit_and_harms_no_other(self, size):
        X = self.frame()
        new = pd.concat({"new": X.loc["shop 1"]}, names=["shop", "day"])
        expected = pipeline().fit(X, forecast_targets(X["sales"], 2))
        found = X.copy()
        found.loc["shop 1", "sales"] = found.loc["shop 1", "sales"].to_numpy() * size
        pipe = pipeline().fit(found, forecast_targets(found["sales"], 2))
        unit = np.where(X.index.get_level_values(0) == "shop 1", size, 1.0)[:, np.newaxis]
        np.testing.assert_allclose(pipe.predict(found) / unit, expected.predict(X), rtol=1e-4)
        np.testing.assert_allclose(
            expected.predict(new * size) / size, expected.predict(new), rtol=1e-4
        )

    def test_a_loaded_estimator_has_the_units(self):
        X = self.frame()
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
        assert_array_equal(pickle.loads(pickle.dumps(pipe)).predict(X), pipe.predict(X))

    def test_windows_that_have_lost_their_series_are_refused(self):
        X = self.frame()
        y = forecast_targets(X["sales"], 2)
        pipe = pipeline().fit(X, y)
        with pytest.raises(ValueError, match=r"each in its own unit.*standardize='together'"):
            pipe[-1].predict(np.asarray(pipe[0].transform(X)))
        pipe = pipeline(standardize="together").fit(X, y)
        pipe[-1].predict(np.asarray(pipe[0].transform(X)))

    def test_gates_are_those_of_the_row(self):
        X = self.frame().iloc[SHUFFLED]
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 2))
        label = X.index[17]
        of_series = X.loc[[label[0]]].sort_index()
        row = of_series.index.get_loc(label)
        among = GateActivityDisplay.from_estimator(pipe, X, row=17).activity
        alone = GateActivityDisplay.from_estimator(pipe, of_series, row=row).activity
        for name, gate in among.items():
            assert_array_equal(gate, alone[name])


class TestPanelSplit:
    """A splitter of times."""

    @pytest.mark.parametrize("order", ["by series", "shuffled"])
    @pytest.mark.parametrize("cv", [None, 3, TimeSeriesSplit(4, gap=5, test_size=7)])
    def test_each_time_is_in_one_part_with_all_its_series(self, cv, order):
        X = waves() if order == "by series" else waves().iloc[SHUFFLED]
        days = X.index.get_level_values("day")
        every = days.unique().sort_values()
        splitter = PanelSplit(cv)
        expected = TimeSeriesSplit() if cv is None else TimeSeriesSplit(3) if cv == 3 else cv
        folds = list(splitter.split(X))
        assert splitter.get_n_splits() == len(folds) == expected.get_n_splits()
        for found, of_times in zip(folds, expected.split(every), strict=True):
            for rows, times in zip(found, of_times, strict=True):
                assert_array_equal(rows, np.flatnonzero(days.isin(every[times])))

    def test_a_search_over_several_series(self):
        X = waves()
        search = GridSearchCV(
            pipeline(max_epochs=1),
            {"slidingwindowtransformer__window_size": [4, 8]},
            cv=PanelSplit(2),
            error_score="raise",
        )
        assert np.isfinite(search.fit(X, forecast_targets(X["sales"], 1)).best_score_)

    def test_it_is_cloned_and_shown_as_splitters_are(self):
        assert repr(clone(PanelSplit(TimeSeriesSplit(4)), safe=False)) == (
            f"PanelSplit(cv={TimeSeriesSplit(4)!r})"
        )

    def test_the_index_of_y_counts_if_x_has_none(self):
        X = waves()
        found = PanelSplit(2).split(X.to_numpy(), X["sales"])
        for part, expected in zip(found, PanelSplit(2).split(X), strict=True):
            assert_array_equal(np.concatenate(part), np.concatenate(expected))

    def test_rows_without_several_levels_are_refused(self):
        with pytest.raises(ValueError, match="neither X nor y has an index with several levels"):
            next(PanelSplit().split(waves().loc["shop 1"]))


class TestDisplays:
    """One series is drawn by its name; folds are drawn in time."""

    def test_a_forecast_of_one_series_has_its_days(self):
        X = waves().iloc[SHUFFLED].sort_index()
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 3))
        one = X.loc[["shop 2"]]
        display = ForecastDisplay.from_estimator(pipe, one, one["sales"], n_history=5)
        assert_array_equal(display.history, X.loc["shop 2", "sales"].to_numpy()[-5:])
        assert_array_equal(display.forecast, pipe.predict(X.loc[["shop 2"]])[-1])
        last = X.loc["shop 2"].index[-1]
        assert list(display.forecast_index) == [last + lead * DAY for lead in (1, 2, 3)]

    @pytest.mark.parametrize("as_array", [False, True])
    def test_a_forecast_of_all_series_is_refused_and_the_advice_works(self, as_array):
        X = waves()
        pipe = pipeline().fit(X, forecast_targets(X["sales"], 3))
        y = X["sales"].to_numpy() if as_array else X["sales"]
        with pytest.raises(ValueError, match=r"X has rows of 6 series.*X\.loc\[\['shop 0'\]\]"):
            ForecastDisplay.from_estimator(pipe, X, y)
        with pytest.raises(ValueError, match="y_true has rows of 6 series"):
            ForecastDisplay.from_predictions(X["sales"], pipe.predict(X))
        ForecastDisplay.from_estimator(pipe, X.loc[["shop 0"]], X["sales"].loc[["shop 0"]])

    def test_folds_are_drawn_in_time(self):
        X = waves()
        display = WindowSplitDisplay.from_estimator(pipeline(5), X, cv=PanelSplit(2))
        days = X.index.get_level_values("day").unique().sort_values()
        expected = TimeSeriesSplit(2).split(days)
        for fold, (train, test) in zip(display.rows_, expected, strict=True):
            assert_array_equal(fold["test rows"], test)
            assert_array_equal(fold["history of the test rows"], train[-4:])
            assert_array_equal(fold["training rows"], train[:-4])

    def test_folds_of_rows_that_share_times_are_refused(self):
        with pytest.raises(ValueError, match="same time into the training and test rows.*PanelSpl"):
            WindowSplitDisplay.from_estimator(pipeline(5), waves(), cv=TimeSeriesSplit(2))
