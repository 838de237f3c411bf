#include "stages/model/export/formats/keras/hdf5_writer.h"

#include <array>
#include <new>
#include <vector>

#include "framework/error.h"

namespace weir {
namespace {

// How the library begins to say that malloc failed, under whichever heading.
constexpr const char* kNoMemory = "memory allocation failed";

struct Refusal {
  std::string why;  // as the function that refused says it
  bool has_no_memory = false;
};

Refusal LastRefusal() {
  Refusal refusal;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned position, const H5E_error2_t* error, void* to) -> herr_t {
        auto& found = *static_cast<Refusal*>(to);
        if (position == 0 && error->desc) found.why = error->desc;
        if (error->maj_num == H5E_RESOURCE || found.why.starts_with(kNoMemory)) {
          found.has_no_memory = true;
        }
        return 0;
      },
      &refusal);
  return refusal;
}

}  // namespace

Hdf5Writer::Hdf5Writer(AtomicFile& file)
    : driver_(file),
      making_groups_(Checked(H5Pcreate(H5P_LINK_CREATE)), &H5Pclose),
      without_times_(Checked(H5Pcreate(H5P_DATASET_CREATE)), &H5Pclose),
      file_(Checked(H5Fcreate("weir", H5F_ACC_TRUNC, H5P_DEFAULT, driver_.access_list())),
            &H5Fclose) {
  Checked(H5Pset_create_intermediate_group(making_groups_.id(), 1));
  Checked(H5Pset_obj_track_times(without_times_.id(), false));
}

hid_t Hdf5Writer::Checked(hid_t made) const {
  driver_.ThrowFailure();
  if (made >= 0) return made;
  const Refusal refusal = LastRefusal();
  if (refusal.has_no_memory) throw std::bad_alloc();
  throw Error(ErrorKind::kInternal, "the HDF5 library refuses to write: " + refusal.why);
}

void Hdf5Writer::AddGroup(const std::string& path) {
  const Hdf5Handle group(
      Checked(H5Gcreate2(file_.id(), path.c_str(), making_groups_.id(), H5P_DEFAULT, H5P_DEFAULT)),
      &H5Gclose);
}

void Hdf5Writer::AddArray(const std::string& path, const Shape& shape,
                          std::span<const float> values) {
  const std::vector<hsize_t> dims(shape.begin(), shape.end());
  const Hdf5Handle space(
      Checked(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr)), &H5Sclose);
  const Hdf5Handle dataset(
      Checked(H5Dcreate2(file_.id(), path.c_str(), H5T_IEEE_F32LE, space.id(), making_groups_.id(),
                         without_times_.id(), H5P_DEFAULT)),
      &H5Dclose);
  Checked(H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
}

void Hdf5Writer::AddText(const std::string& path, const std::string& name,
                         const std::string& text) {
  const Hdf5Handle type(Checked(H5Tcopy(H5T_C_S1)), &H5Tclose);
  Checked(H5Tset_size(type.id(), H5T_VARIABLE));
  Checked(H5Tset_cset(type.id(), H5T_CSET_UTF8));
  const Hdf5Handle space(Checked(H5Screate(H5S_SCALAR)), &H5Sclose);
  const Hdf5Handle attribute(
      Checked(H5Acreate_by_name(file_.id(), path.c_str(), name.c_str(), type.id(), space.id(),
                                H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)),
      &H5Aclose);
  const char* const value = text.c_str();
  Checked(H5Awrite(attribute.id(), type.id(), &value));
}

void Hdf5Writer::Close() { Checked(file_.Close()); }

}  // namespace weir
