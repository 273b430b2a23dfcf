"""A script with every public name; tests/test_packaging.py runs it, and mypy --strict on it."""

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import sklstm
from sklstm import (
    BacktestDisplay,
    BacktestResult,
    ConformalRegressor,
    ForecastDisplay,
    GateActivityDisplay,
    KnownTargetsRegressor,
    LagImportanceDisplay,
    LagTableTransformer,
    LossCurveDisplay,
    LSTMRegressor,
    PanelSplit,
    SlidingWindowTransformer,
    WindowArray,
    WindowSplitDisplay,
    backtest,
    forecast_targets,
    known_targets_scorer,
    lag_importance,
    load,
    model_card,
    pinball_scorer,
    save,
    to_onnx,
)
from sklstm.datasets import load_chicago_ridership

version: str = sklstm.__version__
trusted: tuple[str, ...] = sklstm.TRUSTED_TYPES
series: NDArray[np.float64] = load_chicago_ridership().data[:200]
targets: NDArray[np.float64] = np.asarray(forecast_targets(series[:, 0], horizon=2))

transformer = SlidingWindowTransformer(window_size=7, dilation=1, history="auto", padding="nan")
windows: NDArray[np.floating] | WindowArray = transformer.fit(series).transform(series)
around_holes = WindowArray(series, starts=[0, 1, 2, 9], window_size=7, dilation=1)
sizes: list[int] = [*around_holes.shape, around_holes.ndim, around_holes.size, around_holes.nbytes]
parts: list[NDArray[np.floating]] = [around_holes.base, np.asarray(around_holes), around_holes[-1]]
few: WindowArray = around_holes[:2]
again: NDArray[np.floating] = transformer.fit_transform(series)
history: NDArray[np.floating] = transformer.partial_fit(series[-2:]).history_
flat = SlidingWindowTransformer(7, padding="edge", flatten=True).set_output(transform="default")
names: NDArray[np.object_] = flat.fit(series).get_feature_names_out()

n_columns = series.shape[1]
table = LagTableTransformer(lags=[1] * n_columns + [0] * n_columns).set_output(transform="default")
lagged: NDArray[np.floating] = table.fit_transform(np.hstack([series[:-1], series[1:]]))
places: list[NDArray[np.intp]] = [table.lags_, table.columns_]

lstm = LSTMRegressor((8, 4), max_epochs=2, loss="absolute_error", optimizer="adamw")
lstm = lstm.fit(windows, targets, sample_weight=np.ones(len(series)))
lstm = lstm.partial_fit(windows, targets)
predicted: NDArray[np.float64] = lstm.predict(windows)
beside_holes: NDArray[np.float64] = lstm.predict(around_holes)
losses: list[float] = lstm.loss_curve_
validation: list[float] | None = lstm.validation_loss_curve_
best: int | None = lstm.best_epoch_
counts: tuple[int, ...] = (lstm.n_iter_, lstm.n_outputs_, lstm.window_size_, lstm.n_features_in_)
scales: list[NDArray[np.float64]] = [
    lstm.feature_mean_,
    lstm.feature_scale_,
    lstm.target_mean_,
    lstm.target_scale_,
]

linear: list[NDArray[np.float64]] = [lstm.linear_coef_, lstm.linear_intercept_]
leads: NDArray[np.int64] = lstm.target_leads_
later: NDArray[np.float64] = np.asarray(forecast_targets(series[:, 0], horizon=range(13, 15)))
known = KnownTargetsRegressor(lstm, target_leads=range(13, 15)).fit(windows, later)
rows: NDArray[np.int64] = known.fitted_rows_
held = ConformalRegressor(known, coverage=0.8).fit(windows, later)
ends: NDArray[np.float64] = held.predict_interval(windows)
held = held.update(windows[-2:], later[-2:])
calibrating: NDArray[np.int64] = held.calibration_rows_
error: float = known_targets_scorer("neg_mean_absolute_error")(known, windows, later)
spread = LSTMRegressor(8, loss="quantile", quantiles=(0.1, 0.5, 0.9), max_epochs=2, random_state=0)
quantiles: NDArray[np.float64] = spread.fit(windows, later).predict_quantiles(windows)
levels: NDArray[np.float64] = spread.quantiles_
pinball: float = pinball_scorer(spread, windows, later)
with tempfile.TemporaryDirectory() as folder:
    to_onnx(spread, Path(folder, "model.onnx"))

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "model.sklstm")
    save(lstm, file)
    loaded: LSTMRegressor = load(file, trusted=["sklearn.tree._tree.Tree"])
    card: str = model_card(file)

importance = lag_importance(lstm, windows, targets, lags=[0, range(1, 7)], n_repeats=2)
by_lag: NDArray[np.float64] = importance.importances_mean
bars = LagImportanceDisplay(importance=importance)
curve: LossCurveDisplay = LossCurveDisplay.from_estimator(lstm, name="small")
gates: GateActivityDisplay = GateActivityDisplay.from_estimator(lstm, windows, row=-1, layer=1)
forecast: ForecastDisplay = ForecastDisplay.from_predictions(series[:, 0], predicted, row=100)
forecast = ForecastDisplay.from_estimator(lstm, windows, series[:, 0], row=100)
folds: WindowSplitDisplay = WindowSplitDisplay.from_estimator(transformer, series, cv=3)
result: BacktestResult = backtest(known, windows, later, cv=2, refit=False, baseline=7)
errors: BacktestDisplay = BacktestDisplay.from_result(result, by="fold", measure="MASE")
forecasts: NDArray[np.float64] = result.forecasts
season: int | None = result.season
for display in (
    curve.plot(),
    gates.plot(cmap="viridis"),
    forecast.plot(),
    folds.plot(),
    bars.plot(),
    errors.plot(),
):
    print(type(display).__name__, display.figure_.get_size_inches().shape)

splitter = PanelSplit(2)
n_splits: int = splitter.get_n_splits()
