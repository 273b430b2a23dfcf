"""The series: windows, time axis, storage. numpy only."""
