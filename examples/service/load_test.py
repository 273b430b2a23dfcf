"""Time the service: 8 clients, each with a series of its own, post 504 rows in all.

Install examples/service/requirements.txt, and run ``python examples/service/load_test.py``.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import sklstm
from sklstm import LSTMRegressor, SlidingWindowTransformer, forecast_targets
from sklstm.datasets import load_chicago_ridership

N_CLIENTS, N_NEW = 8, 63


def stations():
    """Make a series for each client: the same days, with noise of its own."""
    X = load_chicago_ridership(as_frame=True).data[-400:]
    noise = np.random.default_rng(0).normal(size=(N_CLIENTS, *X.shape))
    return pd.concat({f"station {n}": X + noise[n] for n in range(N_CLIENTS)})


def post(url, rows, n_at_once):
    """Post the rows of one series; return the forecasts and the seconds of each call."""
    forecasts, seconds = [], []
    with httpx.Client(base_url=url, timeout=60) as client:
        for start in range(0, len(rows), n_at_once):
            body = [
                {"series": series, "time": day.isoformat(), "values": row.to_dict()}
                for (series, day), row in rows[start : start + n_at_once].iterrows()
            ]
            started = time.perf_counter()
            answer = client.post("/rows", json=body).raise_for_status().json()
            seconds.append(time.perf_counter() - started)
            forecasts += answer["forecasts"]
    return forecasts, seconds


def start(path):
    """Start the service on a free port; return its process and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "app:make_app", "--log-level=warning"]
    process = subprocess.Popen(
        [*command, f"--port={port}"], cwd=Path(__file__).parent, env=os.environ | {"MODEL": path}
    )
    url = f"http://127.0.0.1:{port}"
    while process.poll() is None:
        try:
            httpx.get(f"{url}/health").raise_for_status()
            return process, url
        except httpx.TransportError:
            time.sleep(0.1)
    sys.exit("The service did not start.")


def serve(pipe, new, n_at_once):
    """Return the forecasts at new rows, and the milliseconds of each call and of all."""
    series = [rows for _, rows in new.groupby(level=0)]
    with tempfile.TemporaryDirectory() as folder:
        sklstm.save(pipe, f"{folder}/model.sklstm")
        process, url = start(f"{folder}/model.sklstm")
        try:
            started = time.perf_counter()
            with ThreadPoolExecutor(N_CLIENTS) as clients:
                answers = list(clients.map(lambda rows: post(url, rows, n_at_once), series))
            elapsed = time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()
    forecasts, seconds = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    return forecasts, 1000 * seconds, 1000 * elapsed


def main():
    """Fit a pipeline, and post the rows after the fitted ones: one by one, and seven at once."""
    X = stations()
    is_new = X.groupby(level=0).cumcount(ascending=False) < N_NEW
    past, new = X[~is_new], X[is_new]
    steps = [
        ("scale", StandardScaler()),
        ("window", SlidingWindowTransformer(28)),
        ("lstm", LSTMRegressor(max_epochs=3, early_stopping=False, random_state=0)),
    ]
    pipe = Pipeline(steps).set_output(transform="pandas")
    pipe.fit(past, forecast_targets(past["ridership"], 7))
    at_once = pipe.predict(X)[is_new]
    for n_at_once in (1, 7):
        forecasts, waits, elapsed = serve(pipe, new, n_at_once)
        print(
            f"{N_CLIENTS} clients, {n_at_once} row(s) a call, {len(new)} rows: "
            f"{elapsed / len(new):.1f} ms a row; a call takes {np.median(waits):.0f} ms (median), "
            f"{np.percentile(waits, 95):.0f} ms (95 %); "
            f"the bits of one batch: {np.array_equal(forecasts, at_once)}"
        )


if __name__ == "__main__":
    main()
