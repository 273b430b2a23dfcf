"""The steps of a fitted estimator, from rows to predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklstm._conformal import ConformalRegressor
from sklstm._export.steps import is_nothing, no_form
from sklstm._known_targets import KnownTargetsRegressor
from sklstm._regressor import LSTMRegressor
from sklstm._validation import has_column_as_target


@dataclass(frozen=True)
class Chain:
    """What a fitted estimator does from input to prediction."""

    network: LSTMRegressor
    steps: list[Any] = field(default_factory=list)  # before the network
    of_targets: list[Any] = field(default_factory=list)  # whose inverses follow it
    is_1d: bool = True  # whether a prediction is a number


def chain_of(estimator: Any) -> Chain:
    """Find the steps of an estimator, from its input to its predictions."""
    if hasattr(estimator, "refit"):  # a search
        check_is_fitted(estimator)
        if not estimator.refit:
            raise ValueError(
                f"{type(estimator).__name__} has no fitted estimator, since refit=False. Search "
                "with refit=True, or pass an estimator that was fitted with best_params_."
            )
        return chain_of(estimator.best_estimator_)
    kind = type(estimator)
    if kind is ConformalRegressor:
        raise no_form(
            estimator,
            "its intervals follow the errors of later rows. Pass its attribute estimator_ for the "
            "predictions alone.",
        )
    if kind not in (LSTMRegressor, Pipeline, KnownTargetsRegressor, TransformedTargetRegressor):
        raise TypeError(
            f"estimator must be an LSTMRegressor, or a Pipeline, a search, a "
            f"KnownTargetsRegressor or a TransformedTargetRegressor with one at its end, got "
            f"{kind.__name__}. Pass the LSTMRegressor or Pipeline inside of it."
        )
    check_is_fitted(estimator)
    if kind is LSTMRegressor:
        _check_network(estimator)
        return Chain(estimator, is_1d=estimator._codec.is_1d)
    if kind is KnownTargetsRegressor:
        return chain_of(estimator.regressor_)
    if kind is TransformedTargetRegressor:
        chain = chain_of(estimator.regressor_)
        is_1d = chain.is_1d and not has_column_as_target(estimator)
        return replace(chain, of_targets=[estimator.transformer_, *chain.of_targets], is_1d=is_1d)
    *before, last = [step for _, step in estimator.steps]
    if is_nothing(last):
        raise TypeError(
            "The last step of the pipeline must be an LSTMRegressor, got 'passthrough'."
        )
    chain = chain_of(last)
    return replace(chain, steps=[*_single_steps(before), *chain.steps])


def _single_steps(steps: list[Any]) -> list[Any]:
    """List the steps of pipelines in a pipeline one after the other."""
    found: list[Any] = []
    for step in steps:
        if type(step) is Pipeline:
            found += _single_steps([inner for _, inner in step.steps])
        elif not is_nothing(step):
            found.append(step)
    return found


def _check_network(network: LSTMRegressor) -> None:
    if network.net_.module_.low_precision is not None:
        raise no_form(
            "LSTMRegressor(precision='bfloat16')",
            "runtimes round such values in other ways. Fit with precision='float32'.",
        )
