"""Prediction intervals from errors of forecasts: their sizes, quantiles and online updates."""
