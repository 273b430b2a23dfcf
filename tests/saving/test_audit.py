"""load runs no code from a file: what the interpreter reports while it loads, by audit hooks."""

import json
import os
import subprocess
import sys

from tests.saving.make_saved_files import FOLDER

FILES = sorted(map(str, FOLDER.glob("*.sklstm")))

# All modules are imported by a first load, so that none of the second one's events is of an import.
SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import sklstm, sklstm._saving.saving as saving
import pickle, subprocess, os, torch

for path in sys.argv[1:]:
    sklstm.load(path)
events, recording = [], False

def hook(name, arguments):
    if recording and not name.startswith(("object.", "sys._getframe", "gc.", "builtins.id")):
        events.append([name, [str(argument)[:300] for argument in arguments]])

sys.addaudithook(hook)
recording = True
for path in sys.argv[1:]:
    sklstm.load(path)
loaded, recording = list(events), False
events.clear()
recording = True
pickle.loads(b"cos\\nsystem\\n.")
exec(compile("1", "evil", "exec"))
recording = False
json.dump([loaded, events], sys.stdout)
"""


def test_a_load_opens_its_file_and_parses_headers_and_nothing_else():
    command = [sys.executable, "-c", SCRIPT, *FILES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded, harmful = json.loads(done.stdout)
    # The hook sees what a pickle would do.
    assert {"pickle.find_class", "compile", "exec"} <= {name for name, _ in harmful}
    allowed = {"open", "compile", "import", "ctypes.dlopen", "ctypes.dlsym"}
    assert {name for name, _ in loaded} <= allowed, loaded
    opened = [arguments for name, arguments in loaded if name == "open"]
    assert [path for path, *_ in opened] == FILES
    assert {int(flags) & os.O_ACCMODE for _, _, flags in opened} == {os.O_RDONLY}
    # While torch works, the allocator of the process keeps its memory.
    called = {arguments[1] for name, arguments in loaded if name == "ctypes.dlsym"}
    assert called <= {"mallopt", "malloc_trim"}
    assert all(arguments == ["None"] for name, arguments in loaded if name == "ctypes.dlopen")
    # numpy parses the headers of arrays as literals, and makes no code of them.
    for source, filename in (arguments for name, arguments in loaded if name == "compile"):
        assert filename == "<unknown>"
        assert "'descr':" in source
    # Of modules that are there already, an import is a look into sys.modules.
    imported = {arguments[0] for name, arguments in loaded if name == "import"}
    assert all(module.partition(".")[0] in {"skops", "numpy"} for module in imported), imported
