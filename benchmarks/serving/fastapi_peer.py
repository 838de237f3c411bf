"""What people write by hand to serve a model: FastAPI in front of ONNX Runtime. POST /predict takes
a picture and answers with the classes, as `weir serve` does. MODEL, an ONNX model with uint8
pictures as its input (`weir export RUN --to onnx`), and CLASSES, their names, come from the
environment; `uvicorn fastapi_peer:app` runs it."""

import io
import os

import numpy
import onnxruntime
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from PIL import Image

session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])
names = os.environ["CLASSES"].split(",")
_, height, width, _ = session.get_inputs()[0].shape
app = FastAPI()


def classify(content: bytes) -> dict[str, object]:
    picture = Image.open(io.BytesIO(content)).convert("RGB").resize((width, height), Image.BILINEAR)
    (values,) = session.run(None, {session.get_inputs()[0].name: numpy.asarray(picture)[None]})
    order = numpy.argsort(-values[0])[:3]
    return {"predictions": [{"class": names[i], "probability": float(values[0][i])} for i in order]}


@app.post("/predict")
async def predict(request: Request) -> dict[str, object]:
    return await run_in_threadpool(classify, await request.body())
