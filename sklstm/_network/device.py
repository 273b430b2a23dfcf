"""The device to compute on, and the numeric types that it supports."""

from __future__ import annotations

import torch


def resolve_device(device: str) -> str:
    """Replace ``"auto"`` by torch's current CUDA GPU, or by the processor if there is none."""
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def is_cpu(device: torch.device | str) -> bool:
    """Whether a device is the processor.

    A GPU computes many windows in hardly more time than a few, and the processor waits for it
    whenever a value is read.
    """
    return torch.device(device).type == "cpu"


def check_device(device: str) -> None:
    """Raise an error for a device that torch does not know or this machine does not have."""
    if device == "auto":
        return
    try:
        known = torch.device(device).type != "meta"
    except RuntimeError:
        known = False
    if not known:
        raise ValueError(f"device must be 'auto', 'cpu', 'cuda' or 'cuda:N', got {device!r}.")
    try:
        torch.empty(0, device=device)
    except Exception as error:  # the type of error depends on the device
        raise ValueError(
            f"device={device!r}, but torch finds no such device on this machine. Use device='auto' "
            "to compute on a GPU if there is one, and on the processor if not."
        ) from error


def check_precision(precision: str, device: str) -> None:
    """Raise an error for ``precision="bfloat16"`` if the device has no instructions for it."""
    device = resolve_device(device)
    if precision == "bfloat16" and not has_bfloat16(device):
        raise ValueError(
            f"precision='bfloat16', but device {device!r} of this machine does not support it. It "
            "needs a processor with AVX512-BF16 or AMX (or BF16 of ARM), or an NVIDIA GPU of the "
            "Ampere generation or later. Use precision='float32'."
        )


def has_bfloat16(device: str) -> bool:
    """Whether a device multiplies bfloat16 in hardware."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if not hasattr(torch.cpu, "get_capabilities"):  # an older torch
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    has = torch.cpu.get_capabilities()
    # ONEDNN_MAX_CPU_ISA can forbid oneDNN to use instructions that the processor has.
    on_x86 = has.get("avx512_bf16", False) or has.get("amx_bf16", False)
    return has.get("bf16", False) or (on_x86 and torch.ops.mkldnn._is_mkldnn_bf16_supported())
