"""How large errors are: by series, and by the size of the forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

# On the validation parts of twelve real series, five gave shorter intervals than three, and ten
# lost more coverage where later forecasts lie outside the range of the earlier ones.
_BINS = 5
_ERRORS_OF_A_BIN = 10  # at least
_ERRORS_OF_HALF = 20  # with so many, a bin has its own mean and that of all errors in equal parts
_ERRORS_OF_HALF_A_SERIES = 10
_LEAST = 1e-3  # of the expected error: quantiles of a flat stretch may lie on one another


@dataclass(frozen=True, eq=False)
class ErrorScale:
    """The expected absolute error of a forecast, or half of the distance of its quantiles.

    The expected error is that of the series and output, times a factor by the size of the forecast
    relative to the other forecasts of the series. So errors of different size have scores in one
    unit: H. Papadopoulos et al., "Normalized nonconformity measures for regression conformal
    prediction", 2008.

    Attributes
    ----------
    names : list
        Of the series.
    unit, centre : ndarray of shape (n_series, n_outputs)
        Mean absolute error and mean forecast of each series; NaN if there is no error.
    ratio : ndarray of shape (n_outputs,)
        The usual unit of a series, in units of the mean size of its forecasts.
    usual : ndarray of shape (n_outputs,)
        The usual mean size of the forecasts of a series: outputs may have different units.
    knots, factors : ndarray of shape (n_outputs, bins)
        The factor for forecasts at each knot, in units from the centre. A line between them.
    """

    names: list[Any]
    unit: np.ndarray
    centre: np.ndarray
    ratio: np.ndarray
    usual: np.ndarray
    knots: np.ndarray
    factors: np.ndarray

    @classmethod
    def of(
        cls, errors: np.ndarray, forecasts: np.ndarray, series: np.ndarray, names: list[Any]
    ) -> ErrorScale:
        """Compute the scale from some errors, the same for forecasts of every size.

        Parameters
        ----------
        errors : ndarray of shape (n, n_outputs)
            Absolute errors; NaN where unknown.
        forecasts : ndarray of shape (n, n_outputs)
        series : ndarray of int of shape (n,)
            The place in ``names`` of each row.
        names : list
        """
        known = ~np.isnan(errors)
        counts, unit, size, centre = (
            _sums(values, series, len(names))
            for values in (
                known,
                np.where(known, errors, 0),
                np.where(known, np.abs(forecasts), 0),
                np.where(known, forecasts, 0),
            )
        )
        n = np.maximum(counts, 1)
        unit, size, centre = unit / n, size / n, centre / n
        ratio, usual_size = np.ones((2, errors.shape[1]))
        for output, usual in enumerate(((unit > 0) & (size > 0)).T):
            if usual.any():
                ratio[output] = np.median(unit[usual, output] / size[usual, output])
                usual_size[output] = np.median(size[usual, output])
        if len(names) > 1:
            few = _ERRORS_OF_HALF_A_SERIES
            unit = (counts * unit + few * ratio * size) / (counts + few)
        unit[counts == 0] = np.nan
        for of_output in unit.T:  # no error at all is no unit
            positive = of_output[of_output > 0]
            of_output[of_output == 0] = np.median(positive) if len(positive) else 1.0
        flat = np.zeros((errors.shape[1], 1))
        return cls(names, unit, centre, ratio, usual_size, flat, flat + 1.0)

    @cached_property
    def _numbers(self) -> dict[Any, int]:
        return {name: number for number, name in enumerate(self.names)}

    def by_size(self, errors: np.ndarray, forecasts: np.ndarray, series: np.ndarray) -> ErrorScale:
        """Return the scale with factors by the size of the forecast, from the same errors.

        With few errors, it stays as it is.
        """
        if (~np.isnan(errors)).sum(axis=0).min() < _BINS * _ERRORS_OF_A_BIN:
            return self
        unit = self.unit[series]
        places, errors = (forecasts - self.centre[series]) / unit, errors / unit
        knots, factors = np.zeros((2, errors.shape[1], _BINS))
        for output, (place, error) in enumerate(zip(places.T, errors.T, strict=True)):
            known = ~np.isnan(error)
            place, error = place[known], error[known]
            order = np.argsort(place, kind="stable")
            mean = error.mean() or 1.0
            for number, part in enumerate(np.array_split(order, _BINS)):
                knots[output, number] = place[part].mean()
                total = error[part].sum() + _ERRORS_OF_HALF * mean
                factors[output, number] = total / (len(part) + _ERRORS_OF_HALF) / mean
        return replace(self, knots=knots, factors=factors)

    def __call__(self, bounds: np.ndarray, name: Any) -> np.ndarray:
        """Return the scale of each row of one series: (n, n_outputs, 2) -> (n, n_outputs).

        Between two quantiles it is half of their distance, without quantiles the expected error.
        """
        expected = self._expected(bounds.mean(axis=2), name)
        half = (bounds[..., 1] - bounds[..., 0]) / 2
        return np.where(half > 0, np.maximum(half, _LEAST * expected), expected)

    def _expected(self, forecasts: np.ndarray, name: Any) -> np.ndarray:
        """Return the expected error of forecasts of one series, (n, n_outputs).

        A series that is not known has the usual ratio of error and forecast.
        """
        number = self._numbers.get(name)
        if number is None or np.isnan(self.unit[number]).any():
            size = (np.abs(forecasts) / self.usual).mean(axis=1, keepdims=True)
            return np.where(size > 0, size, 1.0) * self.usual * self.ratio
        place = (forecasts - self.centre[number]) / self.unit[number]
        lines = zip(place.T, self.knots, self.factors, strict=True)
        return self.unit[number] * np.column_stack([np.interp(*line) for line in lines])


def _sums(values: np.ndarray, series: np.ndarray, n_series: int) -> np.ndarray:
    """Sum values (n, outputs) over the rows of each series."""
    return np.column_stack([np.bincount(series, column, n_series) for column in values.T])
