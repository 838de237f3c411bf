// The zip in which PyTorch keeps tensors, of torch.save and of TorchScript alike: a pickle of
// Python's values, and the numbers of each tensor in an entry of its own, which begins at a
// multiple of 64 bytes.
//
//   PickleWriter pickle;
//   AddTorchTensor({2, 1280}, 0, pickle);
//   TorchArchive archive(file, pickle.Add(kStop).bytes(), {});
//   archive.WriteTensor(values);
//   archive.Close();
//   file.Commit();
//
// Members throw as ZipWriter does, and hold what that holds. One thread at a time.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "framework/shape.h"
#include "stages/files/zip_writer.h"
#include "stages/model/weights/containers/pickle_writer.h"

namespace weir {

// A tensor in float32 whose numbers are those of the WriteTensor() of that index.
void AddTorchTensor(const Shape& shape, int index, PickleWriter& pickle);

class TorchArchive {
 public:
  // `extra` are texts beside the pickle: entries extra/<key>, which torch.jit.load gives to those
  // who ask for them, and torch.load leaves alone.
  TorchArchive(AtomicFile& file, const std::string& pickle,
               const std::map<std::string, std::string>& extra);

  // An entry more, of that path in the archive's folder. Before the tensors, or behind all of them.
  void Add(const std::string& path, std::string_view content);

  // The values of the next tensor, all of them, row-major.
  void WriteTensor(std::span<const float> values);

  // Nothing is added afterwards.
  void Close();

 private:
  ZipWriter zip_;
  int tensors_ = 0;
};

}  // namespace weir
