"""Files of fitted estimators: how they are written, checked and built again."""
