"""What a fitted estimator says of itself in one line: steps, training rows, errors, versions."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

_PACKAGES = ("scikit-learn", "torch", "numpy", "skops")


def facts_of(estimator: Any) -> dict[str, Any]:
    """Return what the card of a fitted estimator tells, as plain values."""
    versions = {"sklstm": sys.modules["sklstm"].__version__, "Python": platform.python_version()}
    return {
        "steps": _steps(estimator),
        "fit": [fact for part in _parts(estimator) for fact in _facts(part)],
        "versions": versions | {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def card_of(facts: dict[str, Any]) -> str:
    """Write the facts in one line."""
    fit = "; ".join(facts["fit"])
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    saved = f"saved {facts['saved']} with" if "saved" in facts else "made with"
    return " ".join(f"{facts['steps']}: {fit or 'fitted'}; {saved} {versions}.".split())


def _steps(estimator: Any) -> str:
    """Name the estimator and those in it: ``Pipeline(StandardScaler, LSTMRegressor)``."""
    inside = ", ".join(_steps(part) for part in _inside(estimator))
    return type(estimator).__name__ + (f"({inside})" if inside else "")


def _parts(estimator: Any) -> Iterator[Any]:
    yield estimator
    for part in _inside(estimator):
        yield from _parts(part)


def _inside(estimator: Any) -> list[Any]:
    """List the fitted estimators that an estimator consists of."""
    if isinstance(estimator, Pipeline):
        return [step for _, step in estimator.steps if isinstance(step, BaseEstimator)]
    found = []
    for name, value in vars(estimator).items():
        if name.endswith("_") and not name.startswith("_") and name != "net_":
            values = value if isinstance(value, list) else [value]
            found += [part for part in values if isinstance(part, BaseEstimator)]
    return found


def _facts(part: Any) -> Iterator[str]:
    """Say on which rows a part was trained, and what errors it knows of."""
    counts = getattr(part, "window_counts_", None)
    if counts is not None:
        yield f"{counts['training']:,} training and {counts['validation']:,} validation windows"
    losses, epoch = getattr(part, "validation_loss_curve_", None), getattr(part, "best_epoch_", 0)
    if losses and epoch:
        of_map = " of the linear map's" if getattr(part, "linear_skip", False) else ""
        yield f"validation loss {losses[epoch - 1]:.4g}{of_map} in epoch {epoch}"
    if hasattr(part, "network_weight_"):
        yield f"network weight {part.network_weight_:.3g}"
    if hasattr(part, "fitted_rows_"):
        yield f"{len(part.fitted_rows_):,} training rows"
    if hasattr(part, "calibration_rows_"):
        yield f"{len(part.calibration_rows_):,} calibration rows"
    if hasattr(part, "best_score_"):
        yield f"best score of the search {part.best_score_:.4g}"
