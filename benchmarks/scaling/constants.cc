#include "benchmarks/scaling/constants.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace weir {

Constants Constants::ReadFrom(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file.string() + " cannot be read");
  Constants constants;
  try {
    const nlohmann::json all = nlohmann::json::parse(stream);
    for (const auto& [name, constant] : all.items()) {
      constants.all_[name] = {constant.at("value").get<double>(),
                              constant.at("from").get<std::string>()};
    }
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file.string() + " holds no constants: " + error.what());
  }
  return constants;
}

double Constants::At(const std::string& name) const {
  const auto found = all_.find(name);
  if (found == all_.end()) throw std::runtime_error("there is no constant " + name);
  return found->second.value;
}

}  // namespace weir
