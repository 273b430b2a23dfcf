"""The displays. matplotlib is imported when something is drawn."""
