"""The series: time axis, history, windows, storage. numpy only, no torch."""
