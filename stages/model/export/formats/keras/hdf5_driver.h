// HDF5's own way into a file, replaced: what the library reads and writes goes through an
// AtomicFile, which is whole or absent.
//
// The library never learns that a write failed: it would try again whenever it closes something,
// and once more when the process ends. From the first failure on nothing is written, and
// ThrowFailure() tells. Holds nothing. One thread at a time in a process, as the library is built.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <exception>

#include "stages/files/atomic_file.h"

namespace weir {

class Hdf5Driver {
 public:
  // `file` outlives it. Throws std::bad_alloc where the library has no memory.
  explicit Hdf5Driver(AtomicFile& file);
  Hdf5Driver(const Hdf5Driver&) = delete;
  Hdf5Driver& operator=(const Hdf5Driver&) = delete;
  ~Hdf5Driver();

  // How H5Fcreate() opens the file, whatever name it is given.
  hid_t access_list() const { return access_list_; }

  // Throws again what the file threw; nothing where all went well.
  void ThrowFailure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  struct Callbacks;

  AtomicFile& file_;
  hid_t driver_ = H5I_INVALID_HID;
  hid_t access_list_ = H5I_INVALID_HID;
  std::uint64_t end_ = 0;  // behind the last byte that was written
  std::exception_ptr failure_;
};

}  // namespace weir
