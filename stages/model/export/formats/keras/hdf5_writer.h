// An HDF5 file of float32 arrays and of texts, in the version of the format that h5py writes by
// itself, which every reader knows. Written by the HDF5 library into an AtomicFile.
//
//   Hdf5Writer writer(file);
//   writer.AddArray("layers/dense/vars/0", {1280, 2}, kernel);
//   writer.AddText("layers/dense/vars", "name", "dense");
//   writer.Close();
//   file.Commit();
//
// The bytes are a function of what is added, in its order. Holds what the library does, 2 MiB. All
// members throw Error(kData) where the file does, std::bad_alloc where there is no memory for the
// library, Error(kInternal) where it refuses. One thread at a time in a process.
#pragma once

#include <hdf5.h>

#include <span>
#include <string>

#include "framework/shape.h"
#include "stages/files/atomic_file.h"
#include "stages/model/export/formats/keras/hdf5_driver.h"
#include "stages/model/export/formats/keras/hdf5_handle.h"

namespace weir {

class Hdf5Writer {
 public:
  explicit Hdf5Writer(AtomicFile& file);

  void AddGroup(const std::string& path);
  // The groups that `path` leads through are made where they are missing.
  void AddArray(const std::string& path, const Shape& shape, std::span<const float> values);
  // An attribute of the group `path`, in UTF-8 and without a byte of 0.
  void AddText(const std::string& path, const std::string& name, const std::string& text);

  // Nothing is added afterwards; without it, the file is not to be committed.
  void Close();

 private:
  hid_t Checked(hid_t made) const;  // gives it back, or throws

  Hdf5Driver driver_;
  Hdf5Handle making_groups_;
  Hdf5Handle without_times_;
  Hdf5Handle file_;
};

}  // namespace weir
