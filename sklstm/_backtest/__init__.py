"""Backtests: out-of-fold forecasts in time order, simple forecasts beside them, their errors."""
