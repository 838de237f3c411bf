// The files that lie among the pictures and are not taken, counted by what they end in, so that
// nothing is left out unsaid.
//
// One thread. Holds at most some 1,000 kinds, whatever the names are.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace weir {

class LeftOut {
 public:
  // Counts a file by the ending of its name, in lower case: ".txt", ".php.1" of what wget numbers,
  // or "without an ending".
  void AddFile(std::string_view name);
  // Counts what is told by something else: "pipe", "beside the class folders".
  void Add(const std::string& kind, std::uint64_t count = 1);
  void Add(const LeftOut& more);

  bool empty() const { return by_kind_.empty(); }
  std::uint64_t total() const;
  const std::map<std::string, std::uint64_t>& by_kind() const { return by_kind_; }

  // "8 .txt, 2 pipes and 1 without an ending": the most numerous kinds, by name.
  std::string Kinds() const;
  // "11 files were left out: 8 .txt, ..."; empty where there are none.
  std::string Text() const;

 private:
  std::map<std::string, std::uint64_t> by_kind_;
};

}  // namespace weir
