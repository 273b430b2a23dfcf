"""torch's tracers record the module for any number of windows.

A trace once took the parts of the first batch for constants. Called with another batch it ended the
process by a segmentation fault, so this runs in a process of its own.
"""

import subprocess
import sys

CODE = """
import warnings
import torch
from sklstm._linear.skip import LinearSkip
from sklstm._network.architecture import Architecture
from sklstm._network.module import StackedLSTM

torch.manual_seed(0)
for options in [{}, {"beside_linear": True, "quantiles": (0.1, 0.5, 0.9)}, {"bidirectional": True}]:
    module = StackedLSTM(Architecture(2, (5, 3), 2, **options)).eval()
    for values in [*module.parameters(), *module.buffers()]:
        torch.nn.init.normal_(values)
    if options.get("beside_linear"):
        module.skip = LinearSkip(torch.randn(2, 6, 2), *map(torch.randn, [(2,), (), ()]))
    with torch.no_grad():
        with warnings.catch_warnings():
            warnings.simplefilter("error", torch.jit.TracerWarning)
            made = [torch.jit.trace(module, torch.randn(5, 6, 2))]
        if module.skip is not None:  # this takes long
            shapes = ({0: torch.export.Dim.DYNAMIC},)
            exported = torch.export.export(module, (torch.randn(5, 6, 2),), dynamic_shapes=shapes)
            made.append(exported.module())
        for n_windows in (1, 5, 40, 1000):
            x = torch.randn(n_windows, 6, 2)
            for other in made:
                torch.testing.assert_close(other(x), module(x))
print("same")
"""


def test_traces_take_batches_of_every_size():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "same\n"
