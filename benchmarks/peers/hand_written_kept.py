"""The loop by hand in a process that keeps the memory that a step frees for the next one."""

from peers.hand_written import Contender

__all__ = ["Contender"]
