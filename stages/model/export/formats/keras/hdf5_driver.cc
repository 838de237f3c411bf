#include "stages/model/export/formats/keras/hdf5_driver.h"

#if __has_include(<H5FDdevelop.h>)  // since HDF5 1.13
#include <H5FDdevelop.h>
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <new>
#include <span>

namespace weir {

// The library's virtual file driver: a table of C functions, and its file as they know it.
struct Hdf5Driver::Callbacks {
  struct File {
    H5FD_t head;  // the library's own, which comes first
    Hdf5Driver* driver;
    haddr_t allocated;
  };

  // What an access list keeps for the driver, and copies.
  struct Kept {
    Hdf5Driver* driver;
  };

  static File& Of(H5FD_t* file) { return *reinterpret_cast<File*>(file); }
  static const File& Of(const H5FD_t* file) { return *reinterpret_cast<const File*>(file); }

  static H5FD_t* Open(const char*, unsigned, hid_t access_list, haddr_t) {
    const auto* const kept = static_cast<const Kept*>(H5Pget_driver_info(access_list));
    if (!kept) return nullptr;
    auto* const file = new (std::nothrow) File{{}, kept->driver, 0};
    return file ? &file->head : nullptr;
  }

  static herr_t Close(H5FD_t* file) {
    delete &Of(file);
    return 0;
  }

  // Metadata and small arrays are gathered by the library into larger pieces.
  static herr_t Query(const H5FD_t*, unsigned long* flags) {
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA;
    return 0;
  }

  static haddr_t Allocated(const H5FD_t* file, H5FD_mem_t) { return Of(file).allocated; }
  static herr_t SetAllocated(H5FD_t* file, H5FD_mem_t, haddr_t to) {
    Of(file).allocated = to;
    return 0;
  }
  static haddr_t End(const H5FD_t* file, H5FD_mem_t) { return Of(file).driver->end_; }

  static herr_t Read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes, void* to) {
    Hdf5Driver& driver = *Of(file).driver;
    if (driver.failure_) return -1;
    try {
      const std::span out(static_cast<std::byte*>(to), bytes);
      const std::size_t written =
          at < driver.end_ ? std::min<std::uint64_t>(bytes, driver.end_ - at) : 0;
      driver.file_.ReadAt(at, out.first(written));
      std::ranges::fill(out.subspan(written), std::byte{});  // as behind the end of any file
      return 0;
    } catch (...) {
      driver.failure_ = std::current_exception();
      return -1;
    }
  }

  static herr_t Write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t bytes,
                      const void* from) {
    Hdf5Driver& driver = *Of(file).driver;
    if (driver.failure_) return 0;
    try {
      driver.file_.WriteAt(at, {static_cast<const std::byte*>(from), bytes});
      driver.end_ = std::max<std::uint64_t>(driver.end_, at + bytes);
    } catch (...) {
      driver.failure_ = std::current_exception();
    }
    return 0;
  }

  // The file is as long as the library says that it is, also where its last bytes mean nothing.
  static herr_t Truncate(H5FD_t* file, hid_t list, hbool_t) {
    const haddr_t allocated = Of(file).allocated;
    if (Of(file).driver->end_ >= allocated) return 0;
    constexpr std::array<std::byte, 1> kNothing{};
    return Write(file, H5FD_MEM_DEFAULT, list, allocated - 1, kNothing.size(), kNothing.data());
  }

  static H5FD_class_t Table() {
    H5FD_class_t table{};
#ifdef H5FD_CLASS_VERSION
    table.version = H5FD_CLASS_VERSION;
    table.value = static_cast<H5FD_class_value_t>(H5_VFD_RESERVED);  // anybody may take it
#endif
    table.name = "weir";
    table.maxaddr = std::numeric_limits<std::int64_t>::max();
    // To close what is open within a file with it, the library tries until it succeeds: for ever
    // where it had no memory.
    table.fc_degree = H5F_CLOSE_WEAK;
    table.fapl_size = sizeof(Kept);
    table.open = &Open;
    table.close = &Close;
    table.query = &Query;
    table.get_eoa = &Allocated;
    table.set_eoa = &SetAllocated;
    table.get_eof = &End;
    table.read = &Read;
    table.write = &Write;
    table.truncate = &Truncate;
    return table;
  }
};

Hdf5Driver::Hdf5Driver(AtomicFile& file) : file_(file) {
  // At exit the library closes what it holds: a file that it could not close before, for want of
  // memory, it would close twice.
  H5dont_atexit();
  // Else it prints on standard error whatever fails in it.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const H5FD_class_t table = Callbacks::Table();
  driver_ = H5FDregister(&table);
  access_list_ = H5Pcreate(H5P_FILE_ACCESS);
  const Callbacks::Kept kept{this};
  if (driver_ >= 0 && access_list_ >= 0 && H5Pset_driver(access_list_, driver_, &kept) >= 0) return;
  if (access_list_ >= 0) H5Pclose(access_list_);
  if (driver_ >= 0) H5FDunregister(driver_);
  throw std::bad_alloc();
}

Hdf5Driver::~Hdf5Driver() {
  H5Pclose(access_list_);
  H5FDunregister(driver_);
}

}  // namespace weir
