// An empty folder for one test, removed with all that is in it when the test ends.
//
//   ScratchFolder folder;
//   folder.Write("train/ants/1.jpg");           // makes the folders on the way
//   Directory::Params{.path = folder / "train"}
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace weir {

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "weir-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view inside) const { return path_ / inside; }

  std::filesystem::path Write(std::string_view inside, std::string_view content = "") const {
    const std::filesystem::path file = path_ / inside;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

  // The same with $ for every mention of the folder.
  std::string Shortened(std::string text) const {
    const std::string folder = path_.string();
    for (std::size_t at; (at = text.find(folder)) != std::string::npos;) {
      text.replace(at, folder.size(), "$");
    }
    return text;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace weir
