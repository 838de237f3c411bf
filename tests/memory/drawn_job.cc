#include "tests/memory/drawn_job.h"

#include <cmath>
#include <initializer_list>
#include <sstream>

namespace weir {
namespace {

// The standard's distributions differ from library to library; the engine does not.
class Draw {
 public:
  explicit Draw(std::mt19937& random) : random_(random) {}

  int Whole(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1));
  }
  bool OneIn(int count) { return Whole(1, count) == 1; }
  std::string Of(std::initializer_list<const char*> choices) {
    return choices.begin()[Whole(0, static_cast<int>(choices.size()) - 1)];
  }

 private:
  std::mt19937& random_;
};

std::string Frozen(Draw& draw) {
  if (draw.OneIn(4)) return "all";
  if (draw.OneIn(3)) return "none";
  return "{through: block_" + std::to_string(draw.Whole(1, 16)) + "}";
}

std::string Hidden(Draw& draw) {
  if (draw.OneIn(2)) return "";
  return ", dense: {units: " + std::to_string(draw.Whole(8, 256)) + ", activation: relu}";
}

}  // namespace

DrawnJob DrawJob(std::mt19937& random, const std::filesystem::path& pictures) {
  Draw draw(random);
  // These need whole batches, of which there must be one.
  const bool trains_statistics = draw.OneIn(5);
  const int batch = draw.Whole(1, trains_statistics ? 24 : 32);
  std::ostringstream yaml;  // its operands are evaluated in their order
  yaml << "name: drawn\n"
       << "seed: " << draw.Whole(1, 1000) << "\n"
       << "threads: " << draw.Whole(1, 3) << "\n"
       << "pipeline:\n"
       << "  - directory: {path: " << pictures.string()
       << ", validation_split: " << draw.Of({"0", "0.3"}) << "}\n"
       << "  - decode\n"
       << "  - augment: {size: [" << draw.Whole(32, 160) << ", " << draw.Whole(32, 160) << "]"
       << draw.Of({"", ", zoom: 0.2, horizontal_flip: true", ", rotation: 20"}) << "}\n"
       << "  - batch: {size: " << batch << (trains_statistics ? ", drop_last: true" : "") << "}\n"
       << "  - prefetch: {device: cpu, depth: " << draw.Whole(1, 4) << "}\n"
       << "  - features\n"
       << "  - train\n"
       << "model:\n"
       << "  backbone: {name: mobilenet_v2, width: 0.35, weights: none, convention: "
       << draw.Of({"keras", "torchvision"})
       << ", batch_norm: " << (trains_statistics ? "train" : "stored") << "}\n"
       << "  frozen: " << Frozen(draw) << "\n"
       << "  head: [" << draw.Of({"global_average_pooling", "global_max_pooling", "flatten"})
       << draw.Of({"", ", dropout: {rate: 0.3}"})
       << (trains_statistics ? draw.Of({"", ", batch_norm"}) : "") << Hidden(draw)
       << ", dense: {units: classes, activation: softmax}]\n"
       << "training:\n"
       << "  epochs: 1\n"
       << "  optimizer: " << draw.Of({"adam", "adamw", "sgd", "{sgd: {momentum: 0.9}}", "rmsprop"})
       << "\n  micro_batch: ";
  if (trains_statistics) {
    yaml << batch;
  } else if (draw.OneIn(2)) {
    yaml << "auto";
  } else {
    yaml << draw.Whole(1, batch);
  }
  yaml << "\n";
  // Even on a logarithmic scale, of 64 steps.
  const double ceiling_mib = 20.0 * std::pow(400.0 / 20.0, draw.Whole(0, 64) / 64.0);
  return {.yaml = yaml.str(),
          .ceiling_bytes = static_cast<std::size_t>(ceiling_mib) << 20,
          .is_tight = draw.OneIn(2)};
}

}  // namespace weir
