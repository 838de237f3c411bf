// What a source that lists its pictures gives in a pass.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/flow/stage.h"
#include "stages/payloads.h"

namespace weir {

struct ListedPass {
  std::vector<std::string> names;  // the files' names, without folder
  std::vector<int> labels;
  std::vector<std::uint64_t> indices;
  std::vector<FilePart> parts;
};

template <class Source>
ListedPass RunPass(Source& source, const Pass& pass) {
  ListedPass listed;
  StageContext context(pass, pass.first_sample, [] { return false; });
  source.BeginPass(pass);
  while (const std::optional<ImageFile> file = source.Next(context)) {
    listed.names.push_back(std::filesystem::path(file->sample.path).filename());
    listed.labels.push_back(file->sample.label);
    listed.indices.push_back(file->sample.index);
    listed.parts.push_back(file->content());
  }
  source.EndPass(pass);
  return listed;
}

}  // namespace weir
