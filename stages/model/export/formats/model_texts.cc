#include "stages/model/export/formats/model_texts.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace weir {

std::map<std::string, std::string> ModelTexts(const ExportJob& job, std::string preprocessing) {
  const Model& model = job.graph.model();
  const BackboneConfig& backbone = model.config().backbone;
  return {{"backbone", backbone.name + ", width " + nlohmann::json(backbone.width).dump()},
          {"classes", nlohmann::json(model.classes())
                          .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
          {"preprocessing", std::move(preprocessing)},
          {"weights_sha256", job.weights_sha256},
          {"weir_version", job.weir_version}};
}

}  // namespace weir
