#include "stages/decode/vips/vips_error.h"

#include <vips/vips.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "framework/thread_error.h"

namespace weir {

std::string TakeVipsErrors() {
  const std::unique_ptr<char, decltype(&g_free)> buffer(vips_error_buffer_copy(), g_free);
  return buffer ? buffer.get() : "";
}

Error VipsError(const std::string& what, const std::string& remedy) {
  std::string said = TakeVipsErrors();
  // GLib's words, and libvips'.
  if (said.find("rror creating thread") != std::string::npos) {
    return ThreadError("a thread of libvips", EAGAIN);
  }
  const bool has_no_memory = said.find("out of memory") != std::string::npos;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  std::replace_if(
      said.begin(), said.end(), [](char c) { return c >= 0 && c < ' '; }, ' ');
  return {has_no_memory ? ErrorKind::kMemory : ErrorKind::kInternal,
          said.empty() ? what : what + ": " + said,
          has_no_memory
              ? "Free memory on this machine, or raise this process' limits (`ulimit -v`, "
                "`ulimit -d`)."
              : remedy};
}

}  // namespace weir
