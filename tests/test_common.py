"""scikit-learn's own checks, and a test that all of them run."""

import ast
import re
from unittest import SkipTest

import pytest
import sklearn
from numpydoc.validate import validate as numpydoc_validate
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from sklstm import (
    ConformalRegressor,
    KnownTargetsRegressor,
    LagTableTransformer,
    LSTMRegressor,
    SlidingWindowTransformer,
)
from sklstm._series.lag_names import Lag

# Small and fast, but good enough for the checks that require a good fit.
SMALL = {"hidden_layer_sizes": 24, "learning_rate": 0.01}

REGRESSORS = {
    "default": LSTMRegressor(),
    "float64": LSTMRegressor(precision="float64"),
    "network alone": LSTMRegressor(**SMALL, linear_skip=False, early_stopping=False),
    "two layers": LSTMRegressor((24, 16), learning_rate=0.01),
    "bidirectional": LSTMRegressor(16, bidirectional=True, learning_rate=0.01),
    "dropout": LSTMRegressor(**SMALL, dropout=0.1),
    "early stopping": LSTMRegressor(**SMALL, early_stopping=True, n_iter_no_change=50),
    "absolute error": LSTMRegressor(**SMALL, loss="absolute_error"),
    "warm start": LSTMRegressor(**SMALL, warm_start=True),
    "float64, two layers, warm start": LSTMRegressor(
        (24, 16),
        learning_rate=0.01,
        linear_skip=False,
        early_stopping=False,
        warm_start=True,
        precision="float64",
    ),
}


class LagTableOfAnyWidth(LagTableTransformer):
    """A lag table whose last column is static: the checks pass arrays of many widths."""

    def _lags_of_columns(self):
        n_lags = max(self.n_features_in_ - 1, 1)
        lags = [Lag("", rows) for rows in range(n_lags)]
        return lags + [None] * (self.n_features_in_ - n_lags)


WEIGHT_CHECK = "check_sample_weight_equivalence_on_dense_data"


def reason_for_inexact_weights(estimator):
    """Return the reason why a weight of two differs from a repeated row, or None."""
    if estimator.early_stopping is True:
        return "the check shuffles the rows, and the latest rows are set aside for validation"
    # With linear_skip the network weight is 0, since 15 rows are too few to validate.
    if estimator.precision == "float32" and not estimator.linear_skip:
        return (
            "the check requires 1e-7, the rounding error of float32; 1e-5 is required by "
            "test_weights_count_like_repeated_rows"
        )
    return None


def expected_to_fail(estimator):
    if isinstance(estimator, LSTMRegressor):
        reason = reason_for_inexact_weights(estimator)
        return {WEIGHT_CHECK: reason} if reason else {}
    if isinstance(estimator, (LagTableTransformer, KnownTargetsRegressor, ConformalRegressor)):
        return {}
    reason = "the window of a row contains earlier rows, which is the purpose of the transformer"
    return {
        "check_methods_sample_order_invariance": reason,
        "check_methods_subset_invariance": reason,
    }


ESTIMATORS = [
    *REGRESSORS.values(),
    SlidingWindowTransformer(),
    SlidingWindowTransformer(window_size=3, dilation=2, padding="edge", flatten=True),
    SlidingWindowTransformer(window_size=3, history="none"),
    LagTableOfAnyWidth(),
    KnownTargetsRegressor(Ridge()),
    KnownTargetsRegressor(HistGradientBoostingRegressor(max_iter=10), target_leads=0),
    ConformalRegressor(Ridge(), coverage=0.5, target_leads=0),  # the checks have few rows
]


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_to_fail)
def test_scikit_learn_check_passes(estimator, check):
    try:
        check(estimator)
    except SkipTest as skipped:
        pytest.fail(f"a check was skipped: {skipped}")


# scikit-learn 1.9 has one more check than 1.6, the oldest supported version.
VERSION = tuple(map(int, sklearn.__version__.split(".")[:2]))
ONE_FEWER = 1 if VERSION < (1, 9) else 0


@pytest.mark.parametrize("name", REGRESSORS)
def test_number_of_checks_for_the_regressor(name):
    assert len(list(estimator_checks_generator(REGRESSORS[name]))) >= 59 - ONE_FEWER


def test_number_of_checks_for_the_transformer():
    checks = list(estimator_checks_generator(SlidingWindowTransformer()))
    assert len(checks) >= 46 - ONE_FEWER


def test_number_of_checks_for_the_lag_table():
    checks = list(estimator_checks_generator(LagTableOfAnyWidth()))
    assert len(checks) >= 46 - ONE_FEWER


def test_number_of_checks_for_known_targets():
    checks = list(estimator_checks_generator(KnownTargetsRegressor(Ridge())))
    assert len(checks) >= 53 - ONE_FEWER


def test_number_of_checks_for_intervals():
    checks = list(estimator_checks_generator(ConformalRegressor(Ridge())))
    assert len(checks) >= 53 - ONE_FEWER


@pytest.mark.parametrize("name", ["float64", "float64, two layers, warm start"])
def test_no_check_is_expected_to_fail_in_float64(name):
    assert expected_to_fail(REGRESSORS[name]) == {}


# The checks that check_estimator leaves out.

ALL = [
    LSTMRegressor(),
    SlidingWindowTransformer(),
    LagTableTransformer(),
    KnownTargetsRegressor(Ridge()),
    ConformalRegressor(Ridge(), coverage=0.5),
]


@pytest.mark.parametrize("estimator", ALL)
def test_every_parameter_is_validated(estimator):
    estimator_checks.check_param_validation(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", [*ALL[:2], LagTableOfAnyWidth(), *ALL[3:]])
def test_names_of_columns_are_checked(estimator):
    estimator_checks.check_dataframe_column_names_consistency(type(estimator).__name__, estimator)


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")  # from the checks
@pytest.mark.parametrize(
    "check",
    [
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_global_output_transform_pandas",
        "check_set_output_transform_polars",
        "check_global_set_output_transform_polars",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_get_feature_names_out_error",
    ],
)
def test_flat_windows_have_names_and_containers(check):
    transformer = SlidingWindowTransformer(window_size=2, padding="edge", flatten=True)
    getattr(estimator_checks, check)("SlidingWindowTransformer", transformer)


@pytest.mark.parametrize("estimator", ALL)
def test_documented_defaults_are_those_of_the_signature(estimator):
    documented = dict(
        re.findall(r"^    (\w+) : .*default=(.+)$", type(estimator).__doc__, flags=re.MULTILINE)
    )
    in_signature = estimator.get_params(deep=False)
    for name in ("regressor", "estimator"):  # which have no default
        in_signature.pop(name, None)
    if isinstance(estimator, ConformalRegressor):
        in_signature["coverage"] = 0.9  # the checks have few rows
    assert {name: ast.literal_eval(value) for name, value in documented.items()} == in_signature


@pytest.mark.parametrize("estimator", [type(estimator) for estimator in ALL])
def test_docstrings_follow_numpydoc(estimator):
    own = [base for base in estimator.__mro__ if base.__module__.startswith("sklstm")]
    names = {name for base in own for name in vars(base) if not name.startswith("_")}
    for name in ["", *names]:
        target = ".".join(filter(None, ["sklstm", estimator.__name__, name]))
        errors = numpydoc_validate(target)["errors"]
        # As in scikit-learn: methods need no examples, and return values have names.
        allowed = {"EX01", "SA01", "ES01", "GL01", "YD01", "RT02"}
        assert [error for error in errors if error[0] not in allowed] == []
