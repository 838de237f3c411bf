// How many bytes a test's process has allocated, and the most it had at once: malloc in all its
// forms, of every library, operator new and GLib's too, and mmap. Linked into the test.
//
//   const AllocatedBytes before;
//   Work();
//   EXPECT_LE(before.peak_growth(), kPromised);
//
// Not there under a sanitizer, which has a malloc of its own: kCountsAllocations. One at a time.
#pragma once

#include <cstddef>

#include "tests/support/sanitizer.h"

namespace weir {

inline constexpr bool kCountsAllocations = !kHasSanitizer;

class AllocatedBytes {
 public:
  AllocatedBytes();  // the peak begins anew

  // By how much the process has at most grown since, as malloc counts: what a request is rounded
  // up to, and the header of each.
  std::size_t peak_growth() const;

 private:
  const std::size_t live_;
};

}  // namespace weir
