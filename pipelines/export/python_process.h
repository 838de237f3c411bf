// A python3 that runs a text, with its standard input and output in our hands: what `weir export
// --check` runs an exported model with. Nothing else of weir starts one.
//
// One thread at a time; the process ends at the latest when its input does, with this object.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

class PythonProcess {
 public:
  // Whether `python3 -c 'import MODULE'` works: an empty text, or why it does not.
  static std::string WhyCannotImport(std::string_view module);

  // Throws Error(kConfig) where there is no python3.
  PythonProcess(const std::string& program, const std::vector<std::string>& arguments);
  PythonProcess(const PythonProcess&) = delete;
  PythonProcess& operator=(const PythonProcess&) = delete;
  ~PythonProcess();

  // Throw Error(kData) where the process has ended; what it said is on standard error.
  void Write(std::span<const std::byte> bytes);
  void Read(std::span<std::byte> bytes);  // all of them

 private:
  [[noreturn]] void ThrowEnded();

  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace weir
