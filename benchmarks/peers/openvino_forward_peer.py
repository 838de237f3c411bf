"""The backbone's forward pass in OpenVINO on the CPU: the batch fixed beforehand, an asynchronous
queue as its throughput guide has it, NUM_STREAMS given.

usage: openvino_forward_peer.py --model ONNX --threads N --precision f32|bf16 --seconds S
                                --result FILE
"""

import time

import forward_job
import openvino
from forward_job import ForwardJob, Setting


def compile_model(job: ForwardJob, setting: Setting) -> openvino.CompiledModel:
    core = openvino.Core()
    model = core.read_model(job.model)
    model.reshape([setting.batch, 3, 224, 224])
    return core.compile_model(
        model,
        "CPU",
        {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": setting.streams,
            "INFERENCE_NUM_THREADS": job.threads,
            "INFERENCE_PRECISION_HINT": job.precision,
        },
    )


def rate(job: ForwardJob, setting: Setting) -> float:
    compiled, pictures = compile_model(job, setting), setting.pictures()
    queue = openvino.AsyncInferQueue(compiled)  # as many requests as the model finds best
    for _ in range(len(queue)):
        queue.start_async({0: pictures}, share_inputs=True)
    queue.wait_all()
    runs, begin = 0, time.monotonic()
    while time.monotonic() - begin < job.seconds:
        queue.start_async({0: pictures}, share_inputs=True)
        runs += 1
    queue.wait_all()
    return runs * setting.batch / (time.monotonic() - begin)


if __name__ == "__main__":
    forward_job.main(rate, f"OpenVINO {openvino.__version__.split('-')[0]}", __doc__ or "")
