// Which data a source can read when a command names them on the command line, in the place of those
// of a run: DATA of `weir evaluate`, the PATHs of `weir predict`. A source that can declares it:
//
//   static DataReading<Params> Reads() {
//     return {.use = DataUse::kLabelled,
//             .fit = [](const std::filesystem::path& data) {
//               return data.extension() == ".csv" ? DataFit::kMade : DataFit::kNone;
//             },
//             .parameter = "path",
//             .member = &Params::path,
//             .kept = {"label_column"}};
//   }
//
// Where its Params have `classes`, they get the model's. Pure; any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "framework/config/address.h"
#include "framework/config/params.h"
#include "framework/flow/any_stage.h"

namespace weir {

enum class DataUse {
  kLabelled,    // each sample has a label: to evaluate
  kUnlabelled,  // none has: to predict
};

// How well a source fits what lies at a path.
enum class DataFit {
  kNone,  // it cannot read that
  kAny,   // it reads whatever no other source is made for
  kMade,  // it is made for that
};

template <class Params>
struct DataReading {
  DataUse use = DataUse::kLabelled;
  DataFit (*fit)(const std::filesystem::path& data) = nullptr;  // null: kAny
  // The parameter that says where the data are, and its member of Params: a list where several
  // paths can be named.
  std::string parameter;
  std::variant<std::filesystem::path Params::*, std::vector<std::filesystem::path> Params::*>
      member;
  // Parameters that hold for the new data as well, where the run's own source is of this kind.
  std::vector<std::string> kept{};
};

// The same of any source, as the table of stages has it.
struct DataReader {
  DataUse use = DataUse::kLabelled;
  std::function<DataFit(const std::filesystem::path& data)> fit;
  bool takes_several = false;  // whether `make` takes more than one path
  std::string parameter;
  std::vector<std::string> kept;
  // Makes the source of `params` beside `data`, which has one path or more, and the classes of the
  // model. Throws Error(kConfig) where `params` are wrong.
  std::function<PlacedStage(const YamlNode& params, std::vector<std::filesystem::path> data,
                            const std::vector<std::string>& classes, BuildContext& context)>
      make;
};

// `params` with the first of the data in its place, as the text of a configuration would have it.
inline YamlNode WithData(const YamlNode& params, const std::string& parameter, bool is_list,
                         const std::filesystem::path& data) {
  if (IsAddress(data.native())) {
    const YamlNode address = YamlNode::Scalar(data.string(), true);
    return params.With({parameter, is_list ? YamlNode::List({address}) : address});
  }
  std::error_code nowhere;  // an empty path stays as it is, and the source says what it makes of it
  const std::filesystem::path whole = std::filesystem::absolute(data, nowhere);
  const YamlNode path = YamlNode::Scalar((nowhere ? data : whole).string(), true);
  return params.With({parameter, is_list ? YamlNode::List({path}) : path});
}

template <class S>
DataReader MakeDataReader(const DataReading<typename S::Params>& reading) {
  using Params = typename S::Params;
  using Paths = std::vector<std::filesystem::path>;
  DataReader reader{
      .use = reading.use,
      .fit = reading.fit ? reading.fit : [](const std::filesystem::path&) { return DataFit::kAny; },
      .takes_several = std::holds_alternative<Paths Params::*>(reading.member),
      .parameter = reading.parameter,
      .kept = reading.kept,
      .make = {}};
  reader.make = [parameter = reading.parameter, member = reading.member](
                    const YamlNode& node, Paths data, const std::vector<std::string>& classes,
                    BuildContext& context) {
    const auto* const list = std::get_if<Paths Params::*>(&member);
    Params params = Parse<Params>(WithData(node, parameter, list != nullptr, data.front()));
    if (list) params.*(*list) = std::move(data);
    // The classes are not made a tree either: there may be 65,536.
    if constexpr (requires { params.classes = classes; }) params.classes = classes;
    return Place(std::string(S::kName), std::make_unique<S>(std::move(params), context));
  };
  return reader;
}

// Nothing where the stage S declares none.
template <class S>
std::optional<DataReader> DataReaderOf() {
  if constexpr (requires { S::Reads(); }) return MakeDataReader<S>(S::Reads());
  return std::nullopt;
}

}  // namespace weir
