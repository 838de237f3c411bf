// An object of the HDF5 library's, closed when this goes. One thread at a time in a process.
#pragma once

#include <hdf5.h>

#include <utility>

namespace weir {

class Hdf5Handle {
 public:
  // `id` may be negative: the library could not make it.
  Hdf5Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  ~Hdf5Handle() { Close(); }

  hid_t id() const { return id_; }

  // What the library says of it: negative where it failed.
  herr_t Close() {
    const hid_t id = std::exchange(id_, H5I_INVALID_HID);
    return id < 0 ? 0 : close_(id);
  }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

}  // namespace weir
