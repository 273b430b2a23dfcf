"""Serve a model of one series that ``sklstm.to_onnx`` wrote, with numpy and onnxruntime alone.

    pip install onnxruntime
    python onnx_server.py model.onnx < rows.csv

The first line of the rows has the names of the features, each line that follows one row of the
series, oldest first. A value that is not known is left empty; of a row that is missing, all values.
For each row, the prediction is printed.
"""

import csv
import json
import sys
from collections import deque

import numpy as np
import onnxruntime


class Server:
    """Keeps the last rows, and predicts at each new one."""

    def __init__(self, path):
        self.session = onnxruntime.InferenceSession(path)
        _, n_rows, n_features = self.session.get_inputs()[0].shape
        missing = np.full(n_features, np.nan)
        self.rows = deque([missing] * n_rows, maxlen=n_rows)
        about = json.loads(self.session.get_modelmeta().custom_metadata_map["sklstm"])
        self.features = about.get("features")

    def predict(self, row):
        """Predict at a row (n_features,), in units of the data."""
        self.rows.append(np.asarray(row, dtype=np.float64))
        (y,) = self.session.run(["y"], {"X": np.stack(self.rows)[np.newaxis]})
        return y[0]


def main():
    """Read rows from the standard input, and print predictions."""
    server = Server(sys.argv[1])
    lines = csv.DictReader(sys.stdin)
    for values in lines:
        row = [float(values[name] or "nan") for name in server.features or lines.fieldnames]
        print(*np.atleast_1d(server.predict(row)), flush=True)


if __name__ == "__main__":
    main()
