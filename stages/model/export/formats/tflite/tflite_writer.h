// A TensorFlow Lite file of a TfliteGraph: schema version 3, without flatc's classes.
//
// The tables are put together in memory: some 100 KB, and in int8 16 bytes for each channel. The
// arrays of constants and metadata lie behind them in the file, where the offsets of a flatbuffer
// reach as well, so that one of them at a time is held. One thread.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "stages/files/atomic_file.h"
#include "stages/model/export/formats/tflite/flat_table.h"
#include "stages/model/export/formats/tflite/tflite_graph.h"

namespace weir {

class TfliteWriter {
 public:
  // The graph outlives it, and nothing is added to it.
  explicit TfliteWriter(const TfliteGraph& graph);

  std::uint64_t bytes() const { return bytes_; }

  // `next` gives the values that are read later, one piece after another. Throws Error(kInternal)
  // where they are not as long as was said; Error(kData) as the file does.
  void WriteTo(AtomicFile& file, const std::function<std::vector<std::byte>()>& next);

 private:
  using Tables = flatbuffers::Offset<flatbuffers::Vector<FlatOffset>>;

  void BuildTables();
  Tables Buffers();
  Tables Tensors();
  FlatOffset QuantizationOf(const TfliteGraph::Tensor& tensor);
  Tables OperatorCodes();
  FlatOffset Operator(const TfliteGraph::Call& call);
  Tables Subgraphs();
  Tables Metadata();
  Tables Signatures();
  Tables TensorMap(const TfliteGraph::Named& tensor);

  // Adds the field of a vector that lies behind the tables.
  template <class Field>
  void AddPiece(FlatTable& table, Field field, int piece);
  void PlacePieces();

  const TfliteGraph& graph_;
  flatbuffers::FlatBufferBuilder builder_;
  std::vector<std::pair<tflite::Operator, int>> codes_;  // with their versions
  // For each piece: the bytes from the field that points to it to the end of the tables, and where
  // its count stands in the file.
  std::vector<std::uint64_t> fields_, places_;
  std::uint64_t bytes_ = 0;
};

}  // namespace weir
