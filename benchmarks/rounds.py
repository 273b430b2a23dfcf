"""Contenders take turns, each in a process of its own, so that all meet the same machine."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from select import select

from machine import thread_limits
from peers import ENVIRONMENTS


class Process:
    """A worker that waits for commands, and sleeps meanwhile.

    Parameters
    ----------
    contender : str
        One of ``peers.NAMES``.
    threads : int
        Threads, and cores, that it may use.
    """

    def __init__(self, contender, threads):
        self.contender = contender
        # -W: some libraries warn when they are loaded, before the worker can say no.
        command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("worker.py"))]
        self.process = subprocess.Popen(
            [*command, contender, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **thread_limits(threads),
                "TF_CPP_MIN_LOG_LEVEL": "3",
                **ENVIRONMENTS.get(contender, {}),
            },
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with suppress(BrokenPipeError):
            self.process.stdin.close()  # its input ends, and so does it
        self.process.stdout.close()
        self.process.wait()

    def tell(self, command, **arguments):
        """Send a command."""
        line = json.dumps({"command": command, **arguments})
        with suppress(BrokenPipeError):  # it has ended: there will be no answer
            print(line, file=self.process.stdin, flush=True)

    def ask(self, command, **arguments):
        """Send a command and wait for the answer."""
        self.tell(command, **arguments)
        return self.answer()

    def answer(self):
        """Wait for the answer to a command."""
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contender} has failed; its standard error says why.")
        return json.loads(answer)


@contextmanager
def processes(contenders, threads):
    """Start a process for each contender: a dict of the same keys.

    Parameters
    ----------
    contenders : dict of str to str
        Each one of ``peers.NAMES``, by a name of its own.
    threads : int
    """
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Process(contender, threads))
            for name, contender in contenders.items()
        }


def prepare(processes, workloads):
    """Let every process prepare what it works on: two dicts of the same keys."""
    for name, process in processes.items():
        process.ask("prepare", workload=asdict(workloads[name]))


def rounds(processes, n_pairs, action):
    """Time an action of every contender, in turns.

    Parameters
    ----------
    processes : dict of str to Process
        Prepared, and fitted if they are to predict.
    n_pairs : int
        Rounds that count. One more comes first, to warm up.
    action : {"fit", "predict"}

    Returns
    -------
    seconds : dict of str to list of float
        Of each round, so that those of one round are pairs.
    first : dict of str to float
        Seconds of the round that does not count, in which libraries compile.
    """
    seconds = {name: [] for name in processes}
    order = list(processes)
    for turn in range(n_pairs + 1):
        first = turn % len(order)
        for name in order[first:] + order[:first]:
            seconds[name].append(processes[name].ask(action)["seconds"])
    warm = {name: values[1:] for name, values in seconds.items()}
    return warm, {name: values[0] for name, values in seconds.items()}


def peak_memory(contender, workload, threads, action, limit=None):
    """Bytes that an action takes at its peak, beside the series itself.

    Parameters
    ----------
    contender : str
        One of ``peers.NAMES``.
    workload : Workload
    threads : int
    action : {"prepare", "fit", "predict"}
        Each with those before it.
    limit : float or None, default=None
        Seconds after which the process is stopped.

    Returns
    -------
    bytes : int
    whole : bool
        Whether the action came to its end; if not, its peak may have been still ahead.
    """
    arguments = {"action": action, "workload": asdict(workload)}
    with Process(contender, threads) as process:
        start = process.ask("settle", **arguments)["bytes"]
        process.tell("act", **arguments)
        ended = bool(select([process.process.stdout], [], [], limit)[0])
        status = Path(f"/proc/{process.process.pid}/status").read_text()
        peak = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        if ended:
            process.answer()
        else:
            process.process.kill()
        return int(peak) * 1024 - start, ended
