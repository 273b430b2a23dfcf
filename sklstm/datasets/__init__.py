"""One small real series, for examples and tests."""

from sklstm.datasets._chicago import load_chicago_ridership

__all__ = ["load_chicago_ridership"]
