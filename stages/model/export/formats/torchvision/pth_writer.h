// A state dict in the file that torch.save writes: a zip with a pickle of names and shapes, and the
// values of each tensor in an entry of its own. torch.load(weights_only=True) reads it.
//
//   PthWriter writer(file, {{"classifier.1.weight", {2, 1280}}}, {});
//   writer.Write(values);
//   writer.Close();
//   file.Commit();
//
// All members throw as ArchiveWriter does, and hold what that holds. One thread at a time.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "framework/shape.h"
#include "stages/files/archive_writer.h"

namespace weir {

struct PthTensor {
  std::string name;
  Shape shape;
};

class PthWriter {
 public:
  // Names are distinct. `extra` are texts beside the tensors, as torch.jit keeps them: entries
  // extra/<key>, which torch.load leaves alone.
  PthWriter(AtomicFile& file, const std::vector<PthTensor>& tensors,
            const std::map<std::string, std::string>& extra);

  // The values of the next tensor, all of them, row-major.
  void Write(std::span<const float> values);

  // Nothing is added afterwards.
  void Close();

 private:
  ArchiveWriter archive_;
  int written_ = 0;
};

}  // namespace weir
