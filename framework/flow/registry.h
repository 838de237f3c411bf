// Which stages there are: name -> what the stage takes, gives and is made with.
//
//   Registry registry;
//   registry.Add<Decode>();
//
// An explicit table, filled by whoever makes it: no macros, no static initialisers, no singleton.
// Filled by one thread, then read by any.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/params.h"
#include "framework/flow/any_stage.h"
#include "framework/flow/data_reading.h"
#include "framework/flow/resources.h"

namespace weir {

struct StageSpec {
  std::string name;
  std::string doc;
  Ports ports;
  std::string plugin;  // the file that brings it; empty where it is built in
  Concurrency concurrency = Concurrency::kSerial;
  std::vector<FieldDoc> fields;
  YamlNode schema;  // the JSON schema of its parameters
  std::vector<ResourceUse> provides;
  std::vector<ResourceUse> needs;
  std::optional<DataReader> reads;  // which data of a command it can read; nothing where it is none
  // Throws Error(kConfig) where `params` are wrong, at their place in the file.
  std::function<PlacedStage(const YamlNode& params, BuildContext& context)> make;
  // What is wrong with `params`, without making anything.
  std::function<void(const YamlNode& params, Problems& problems)> check;
  // `params` with every default filled in and every path absolute. Throws as make does.
  std::function<YamlNode(const YamlNode& params)> resolve;
};

class Registry {
 public:
  // Throws Error(kConfig) where the name is taken.
  template <class S>
  void Add() {
    StageSpec spec;
    spec.name = S::kName;
    spec.doc = S::kDoc;
    spec.ports = PortsOf<S>();
    if constexpr (IsMap<S> || IsJoin<S>) spec.concurrency = S::kConcurrency;
    spec.fields = Describe<typename S::Params>();
    spec.schema = SchemaOf<typename S::Params>();
    spec.provides = ProvidedBy<S>();
    spec.needs = NeededBy<S>();
    spec.reads = DataReaderOf<S>();
    spec.make = [](const YamlNode& params, BuildContext& context) {
      return Place(std::string(S::kName),
                   std::make_unique<S>(Parse<typename S::Params>(params), context));
    };
    spec.check = [](const YamlNode& params, Problems& problems) {
      Parse<typename S::Params>(params, problems);
    };
    spec.resolve = [](const YamlNode& params) { return ToYaml(Parse<typename S::Params>(params)); };
    Add(std::move(spec));
  }
  void Add(StageSpec spec);

  // Null where there is none of that name.
  const StageSpec* Find(const std::string& name) const;
  std::vector<std::string> names() const;  // sorted

 private:
  std::map<std::string, StageSpec> specs_;
};

}  // namespace weir
