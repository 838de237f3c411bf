"""Writes torch_files/, which pickle_test.cc reads: files by PyTorch itself, with what people keep beside their weights.

python tests/stages/model/weights/torch_reference.py   (torch and numpy; written with torch 2.5 or later)

Each holds the tensor state_dict.w of 1, -2, 3.5; unread.pth holds tensors beside it that weir does not read.
"""
import argparse, collections, datetime, pathlib

import numpy
import torch

OUT = pathlib.Path(__file__).with_name("torch_files")
STATE = collections.OrderedDict(w=torch.tensor([1.0, -2.0, 3.5]))


def optimizer_state(make):
    parameter = torch.nn.Parameter(torch.ones(2))
    optimizer = make([parameter])
    parameter.sum().backward()
    optimizer.step()
    return optimizer.state_dict()


def objects():
    return {
        "state_dict": STATE,
        "best_acc1": torch.tensor(71.8),
        "args": argparse.Namespace(lr=0.1, nested=collections.OrderedDict(a=1)),
        "defaultdict": collections.defaultdict(list, {"a": [1]}),
        "counter": collections.Counter("abc"),
        "deque": collections.deque([1, 2]),
        "numpy": [numpy.float64(1.5), numpy.int32(3), numpy.arange(3)],
        "torch": [torch.Size([1, 2]), torch.device("cpu"), torch.float16, torch.strided, torch.nn.functional.relu],
        "time": datetime.datetime(2024, 1, 2, 3, 4, 5),
        "path": pathlib.PurePosixPath("/data"),
        "sets": [{1, 2}, frozenset([3])],
        "bytes": [b"x", bytearray(b"xy")],
        "numbers": [1 << 100, -(1 << 70), 1 + 2j, 0.5, True, None],
        "slices": [slice(1, 2), range(3)],
        "adam": optimizer_state(lambda p: torch.optim.Adam(p)),
        "sgd": optimizer_state(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        "random": torch.Generator().get_state()[:4],
        "module": torch.nn.Linear(1, 1),
    }


def unread():
    complex_numbers = lambda: torch.ones(2, dtype=torch.complex64)
    return {
        "state_dict": STATE,
        "sparse": torch.eye(3).to_sparse(),
        "compressed": torch.eye(3).to_sparse_csr(),
        "quantized": torch.quantize_per_tensor(torch.zeros(4), 0.1, 0, torch.quint8),
        "complex": complex_numbers(),
        "conjugate": complex_numbers().conj(),
        "negative": complex_numbers().conj().imag,
        "float8": torch.zeros(3).to(torch.float8_e4m3fn),
        "uint16": torch.zeros(3).to(torch.uint16),
        "nested": torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        "expanded": torch.ones(1).expand(1000),
        "meta": torch.ones(3, device="meta"),
    }


def main():
    OUT.mkdir(exist_ok=True)
    for protocol in (1, 2, 5):
        torch.save(objects(), OUT / f"objects_{protocol}.pth", pickle_protocol=protocol)
    torch.save(unread(), OUT / "unread.pth")
    old = {key: value for key, value in unread().items() if key not in ("compressed", "nested", "meta")}
    torch.save({**objects(), **old}, OUT / "old.pth", _use_new_zipfile_serialization=False)
    with_attributes = torch.nn.Parameter(STATE["w"])
    with_attributes.note = "x"
    torch.save({"state_dict": {"w": with_attributes}}, OUT / "attributes.pth")


if __name__ == "__main__":
    main()
