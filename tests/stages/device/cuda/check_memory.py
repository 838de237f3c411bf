"""What a card holds for a process after each of its first steps, by the driver, by the runtime and by LibTorch: the
numbers that weir's constants are guesses of (device.h, device_ledger.h, session.cc). `own`: only whether the driver
tells a process of its own memory, which it does not in some containers."""
import os
import sys

import torch


def driver_bytes():
    try:
        import pynvml
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        all_processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
        own = [each.usedGpuMemory for each in all_processes if each.pid == os.getpid()]
        return (own[0] if own else "not listed"), pynvml.nvmlDeviceGetMemoryInfo(handle).used
    except Exception as error:  # it is told in the table
        return str(error), None


def anonymous_bytes():
    with open("/proc/self/status") as status:
        return [int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon")][0]


def text(value):
    return f"{value / 2**20:10.0f}" if isinstance(value, int) else f"{value!s:>10}"


def show(after):
    own, used = driver_bytes()
    free, total = torch.cuda.mem_get_info() if torch.cuda.is_initialized() else (None, None)
    on_card = total - free if total else None
    reserved = torch.cuda.memory_reserved() if torch.cuda.is_initialized() else 0
    print(f"{after:24}", text(own), text(used), text(on_card), text(reserved), text(anonymous_bytes()), flush=True)


def main():
    print("MiB after                 own (NVML) card (NVML)   card (runtime)   LibTorch   RssAnon")
    show("the imports")
    torch.zeros(1, device="cuda")
    show("the context")
    if sys.argv[1:] == ["own"]:
        return
    torch.ones(64, 64, device="cuda") @ torch.ones(64, 64, device="cuda")
    show("a product")
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.ones(64, 64, device="cuda") @ torch.ones(64, 64, device="cuda")
    show("one on another stream")
    streams = [torch.cuda.Stream() for _ in range(64)]
    torch.cuda.synchronize()
    show(f"{len(streams)} streams")
    maps = torch.ones(2, 3, 64, 64, device="cuda").to(memory_format=torch.channels_last)
    torch.nn.BatchNorm2d(3, device="cuda")(maps)
    show("a batch norm")
    torch.nn.Conv2d(3, 16, 3, 2, 1, device="cuda")(maps)
    show("cuDNN, unused by weir")


main()
