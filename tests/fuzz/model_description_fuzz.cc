// model.json, which lies beside a saved model's weights.
#include "stages/model/export/model_description.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/memory_file.h"

namespace weir {

std::vector<std::string> FuzzSeeds() {
  const auto of = [](const std::string& classes, const std::string& head) {
    return R"({"version": 1, "classes": )" + classes +
           R"(, "input": [224, 224],)"
           R"( "convention": {"padding": "same", "batch_norm_epsilon": 0.001},)"
           R"( "preprocessing": {"scale": [0.0078, 0.0078, 0.0078], "offset": -1},)"
           R"( "backbone": {"name": "mobilenet_v2", "width": 1.4}, "head": )" +
           head + "}";
  };
  return {of(R"(["ants", "b\u00e9es"])",
             R"([{"global_average_pooling": {}}, {"dense": {"units": 2, "activation": "relu"}},)"
             R"( {"dropout": {"rate": 0.5}}, "batch_norm", {"dense": {"units": "classes"}}])"),
          of("[]", "[]"), of("[[], {}]", R"([{"flatten": null}, {}, 3])"), R"({"version": 2})",
          R"([{"version": 1}])"};
}

void FuzzRead(std::string_view bytes) {
  static const MemoryFile file("model.json");
  ReadModelDescription(file.With(bytes));
}

}  // namespace weir
