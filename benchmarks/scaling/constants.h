// The figures of a machine that the model needs, each with where it was measured: a JSON object of
//
//   "unfrozen.learning_seconds": {"value": 0.0085, "from": "weir run configs/article.yaml ..."}
//
// which measure.py writes. Seconds, bytes and bytes a second.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace weir {

struct Constant {
  double value = 0;
  std::string from;
};

class Constants {
 public:
  // Throws std::runtime_error where the file cannot be read or is no such object.
  static Constants ReadFrom(const std::filesystem::path& file);

  // Throws std::runtime_error that names what is missing.
  double At(const std::string& name) const;
  bool Has(const std::string& name) const { return all_.contains(name); }

  const std::map<std::string, Constant>& all() const { return all_; }

 private:
  std::map<std::string, Constant> all_;
};

}  // namespace weir
