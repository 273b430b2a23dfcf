"""Serve forecasts of a pipeline that ``sklstm.save`` saved, and keep its history there.

    pip install -r requirements.txt
    MODEL=model.sklstm uvicorn --factory app:make_app

One process serves one file. The windows of the pipeline have to see the times of the rows: fit it
on a frame with a DatetimeIndex, with ``pipe.set_output(transform="pandas")``, and give the step of
the windows the name "window".
"""

import copy
import math
import os
import threading
import warnings
from datetime import datetime, timedelta
from typing import Annotated

import pandas as pd
from fastapi import FastAPI, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sklearn.pipeline import make_pipeline

import sklstm


def iso_time(text):
    """Check that a text is a time; the windows compare it with those that they have seen.

    A time in the future, such as a mistyped year, would make all later rows late for good.
    """
    if datetime.fromisoformat(text).replace(tzinfo=None) > datetime.now() + timedelta(days=2):
        raise ValueError("the time lies more than two days in the future")
    return text


class Row(BaseModel):
    """The values of all features at one time; null is a value that is not known."""

    model_config = ConfigDict(strict=True, extra="forbid")
    time: Annotated[str, AfterValidator(iso_time)]
    values: dict[str, float | None]
    series: str | int | None = None  # which one, if the pipeline was fitted on several


class Answer(BaseModel):
    """The forecast at each row, and what the pipeline warned of."""

    forecasts: list[float | list[float]]
    warnings: list[str]


class Server:
    """A pipeline in memory, and the same one in a file."""

    def __init__(self, path):
        self.path, self.lock = path, threading.Lock()
        self.pipe = sklstm.load(path)
        if "window" not in getattr(self.pipe, "named_steps", {}):
            raise ValueError(
                f"The model in {path} is no pipeline with a step of the name 'window'. Make it as "
                "Pipeline([('scale', ...), ('window', ...), ('lstm', ...)]), fit and save it."
            )
        self.pipe.set_params(window__history="auto")
        if not hasattr(self.pipe["window"], "feature_names_in_"):
            raise ValueError(
                f"The windows of {path} were fitted without an index, so rows out of order would "
                "not be noticed. Fit the pipeline on a frame, after "
                "pipe.set_output(transform='pandas')."
            )

    def append(self, X):
        """Predict at new rows, and append them: all of it happens, or nothing."""
        with self.lock, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            later = copy.deepcopy(self.pipe)
            before = make_pipeline("passthrough", *later[:-2])
            try:
                later["window"].partial_fit(before.transform(X))
            except ValueError as error:  # late, repeated, or off the grid of the others
                raise HTTPException(409, str(error)) from error
            try:
                forecasts = self.pipe.predict(X)
            except ValueError as error:  # a value too large to compute with
                raise HTTPException(422, str(error)) from error
            try:
                sklstm.save(later, self.path)
            except OSError as error:
                raise HTTPException(503, f"The rows were not saved: {error}") from error
            self.pipe = later
        return Answer(
            forecasts=forecasts.tolist(), warnings=[str(warning.message) for warning in caught]
        )

    def frame(self, rows):
        """Make a frame of rows that have the features, and the series, of the fitted ones."""
        names, histories = list(self.pipe.feature_names_in_), self.pipe["window"].history_
        several = isinstance(histories, dict)
        for row in rows:
            if row.values.keys() != set(names):
                raise HTTPException(422, f"values must be those of {names}, got {[*row.values]}.")
            if not all(value is None or math.isfinite(value) for value in row.values.values()):
                raise HTTPException(422, "A value is infinite or NaN; one that is unknown is null.")
            if (row.series not in histories) if several else (row.series is not None):
                known = f"one of {sorted(histories)}" if several else "left out"
                raise HTTPException(422, f"series must be {known}, got {row.series!r}.")
        index = pd.Index([row.time for row in rows])
        if several:
            index = pd.MultiIndex.from_arrays([[row.series for row in rows], index])
        values = [[row.values[name] for name in names] for row in rows]
        return pd.DataFrame(values, index, names, dtype=float)


def make_app(path=None):
    """Make the app that serves the file ``path``, or that of the environment's ``MODEL``."""
    app, server = FastAPI(), Server(path or os.environ["MODEL"])

    @app.post("/rows")
    def rows(rows: Annotated[list[Row], Field(min_length=1)]) -> Answer:
        return server.append(server.frame(rows))

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"model": sklstm.model_card(server.path)}

    return app
