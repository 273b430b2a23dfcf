"""A graph of ONNX operators, built node by node."""

from __future__ import annotations

from typing import Any

import numpy as np

# Old enough for runtimes of several years, and it has all operators that are needed.
OPSET, IR_VERSION = 17, 8


class Graph:
    """Nodes and constants. A value in the graph is known by its name, a string.

    Attributes
    ----------
    nodes, constants : list
        Of the ``onnx`` package.
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Add an array; of Python's ints int64, of its floats float64."""
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype=dtype), name))
        return name

    def add(self, operator: str, *inputs: str, n_outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; return the name of its output, or the names if it has several.

        An input that an operator does without has the name "".
        """
        from onnx import helper

        outputs = [f"{operator}_{len(self.nodes)}_{number}" for number in range(n_outputs)]
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def shift(self, value: str, by: Any) -> str:
        """Add numbers in float64.

        Not by the operator Add: ONNX Runtime leaves it out if a single number is zero in float32.
        """
        return self.add("Sum", value, self.constant(by, np.float64))

    def cast(self, value: str, dtype: Any) -> str:
        """Convert to another type of numpy."""
        from onnx import helper

        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def slice(self, value: str, axis: int, start: int, end: int, step: int = 1) -> str:
        """Take ``start:end:step`` along an axis."""
        places = ([start], [end], [axis], [step])
        return self.add("Slice", value, *(self.constant(place) for place in places))

    def reshape(self, value: str, *shape: int) -> str:
        """Change the shape: 0 keeps a length, -1 is what is left.

        Not both: of an empty batch, nothing says what is left.
        """
        return self.add("Reshape", value, self.constant(shape))

    def named(self, name: str, value: str) -> str:
        """Give a value a name, that of an output of the model."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))
        return name
