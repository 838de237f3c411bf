// decode_peak SMALL PICTURE WANTED: prints the bytes that the decode stage asks for PICTURE, and by
// how many this process' own memory grew at most while it decoded it. SMALL is decoded first, so
// that what a library allocates once is not counted, nor is its code.

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/stages/decode/decode_probe.h"

namespace {

// In bytes; "VmHWM:", "RssAnon:" or "RssFile:".
std::size_t StatusBytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kilobytes = 0;
    if (word == key && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

}  // namespace

int main(int, char** arguments) {
  const int wanted = std::atoi(arguments[3]);
  weir::DecodeProbe probe(wanted, wanted, 2000);
  if (!std::holds_alternative<weir::Image>(probe.Map(arguments[1]))) return 1;
  malloc_trim(0);
  const auto ticket = probe.Admit(arguments[2]);
  const std::size_t before = StatusBytes("RssAnon:");
  if (!std::holds_alternative<weir::Image>(probe.Map(arguments[2]))) return 1;
  const std::size_t peak = StatusBytes("VmHWM:") - StatusBytes("RssFile:");
  std::printf("%zu %zu\n", std::get<std::size_t>(ticket), peak - std::min(peak, before));
}
