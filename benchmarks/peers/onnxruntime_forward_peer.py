"""The backbone's forward pass in ONNX Runtime's CPU provider: all graph optimisations, the batch
fixed beforehand; one stream with all threads, or a stream for each thread.

usage: onnxruntime_forward_peer.py --model ONNX --threads N --seconds S --result FILE
"""

import time
from concurrent.futures import ThreadPoolExecutor

import forward_job
import onnxruntime
from forward_job import ForwardJob, Setting


def open_session(job: ForwardJob, setting: Setting) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads // setting.streams
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_free_dimension_override_by_name("batch", setting.batch)
    return onnxruntime.InferenceSession(job.model, options, providers=["CPUExecutionProvider"])


def rate(job: ForwardJob, setting: Setting) -> float:
    session = open_session(job, setting)
    name, pictures = session.get_inputs()[0].name, setting.pictures()
    session.run(None, {name: pictures})

    def stream(until: float) -> int:
        runs = 0
        while time.monotonic() < until:
            session.run(None, {name: pictures})
            runs += 1
        return runs

    with ThreadPoolExecutor(setting.streams) as streams:
        begin = time.monotonic()
        runs = sum(streams.map(stream, [begin + job.seconds] * setting.streams))
        return runs * setting.batch / (time.monotonic() - begin)


if __name__ == "__main__":
    forward_job.main(rate, f"ONNX Runtime {onnxruntime.__version__}", __doc__ or "")
