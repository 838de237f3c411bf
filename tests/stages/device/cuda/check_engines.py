"""What weir's own depthwise kernels are to be held against: how fast cuDNN is at MobileNetV2's depthwise layers, and
which of them it has an engine for, channels last in float32 without TF32, deterministic; beside it channels first by
LibTorch's own kernels, and TF32."""
import time

import torch

# Channels, side and stride of the 17 depthwise layers at 224 x 224.
SHAPES = [(32, 112, 1), (96, 112, 2), (144, 56, 1), (144, 56, 2), (192, 28, 1), (192, 28, 1), (192, 28, 2),
          (384, 14, 1), (384, 14, 1), (384, 14, 1), (384, 14, 1), (576, 14, 1), (576, 14, 1), (576, 14, 2),
          (960, 7, 1), (960, 7, 1), (960, 7, 1)]
WAYS = [("channels last", torch.channels_last, True, False), ("channels first", torch.contiguous_format, False, False),
        ("last, TF32", torch.channels_last, True, True)]


def milliseconds(work):
    work()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(5):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) * 200


def main():
    torch.use_deterministic_algorithms(True, warn_only=True)
    print("depthwise, ms forward / backward of all 17 layers")
    print("torch", torch.__version__, "cuDNN", torch.backends.cudnn.version(), torch.cuda.get_device_name(0))
    for batch in (1, 32, 64):
        for name, memory, by_cudnn, tf32 in WAYS:
            torch.backends.cudnn.enabled = by_cudnn
            torch.backends.cudnn.deterministic = True
            torch.backends.cudnn.allow_tf32 = tf32
            forward, backward, errors = 0.0, 0.0, set()
            for channels, side, stride in SHAPES:
                maps = torch.randn(batch, channels, side, side, device="cuda").to(memory_format=memory).requires_grad_()
                layer = torch.nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False, device="cuda")
                layer = layer.to(memory_format=memory)
                try:
                    gradient = torch.ones_like(layer(maps))
                    forward += milliseconds(lambda: layer(maps))
                    backward += milliseconds(lambda: torch.autograd.backward(layer(maps), gradient))
                except RuntimeError as error:
                    errors.add(f"{channels} channels of {side}: {str(error).splitlines()[0]}")
            print(f"  batch {batch:3}  {name:15} {forward:8.2f} / {backward:8.2f}", *sorted(errors), flush=True)


main()
