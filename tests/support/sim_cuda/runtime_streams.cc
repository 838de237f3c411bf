// The runtime's functions about streams and events.
#include <cuda_runtime_api.h>

#include "tests/support/sim_cuda/call.h"
#include "tests/support/sim_cuda/card.h"
#include "tests/support/sim_cuda/stream.h"

namespace sim = weir::sim;

namespace {

sim::Card& Current() { return sim::CardOf(sim::CurrentCard()); }

sim::Stream& StreamOf(cudaStream_t stream) {
  return stream != nullptr ? *reinterpret_cast<sim::Stream*>(stream) : Current().null_stream();
}

sim::Event& EventOf(cudaEvent_t event) { return *reinterpret_cast<sim::Event*>(event); }

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned, int) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  Current().MakeContext();
  *stream = reinterpret_cast<cudaStream_t>(Current().AddStream());
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  return cudaStreamCreateWithPriority(stream, flags, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  for (int i = 0; i < sim::kCards; ++i) sim::CardOf(i).EndStream(&StreamOf(stream));
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  StreamOf(stream).Wait();
  return cudaSuccess;
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  return StreamOf(stream).IsIdle() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  EventOf(event).HoldBack(StreamOf(stream));
  return cudaSuccess;
}

// Nothing is ever captured in a graph.
cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t, cudaStreamCaptureStatus* status,
                                     unsigned long long*, cudaGraph_t*, const cudaGraphNode_t**,
                                     const cudaGraphEdgeData**, std::size_t*) {
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode*) { return cudaSuccess; }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  Current().MakeContext();
  *event = reinterpret_cast<cudaEvent_t>(new sim::Event);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  delete &EventOf(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  EventOf(event).Record(StreamOf(stream));
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  return EventOf(event).HasHappened() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t error = sim::Begin(__func__)) return error;
  EventOf(event).Wait();
  return cudaSuccess;
}
}
