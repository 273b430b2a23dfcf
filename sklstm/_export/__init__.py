"""Fitted estimators as ONNX models."""
