// Pictures a second through directory, decode, augment and batch, with no model behind them, and
// the most that they leased meanwhile. One JSON object on standard output.
//
// usage: input_pipeline_benchmark FOLDER PASSES THREADS
//
// FOLDER has a sub-folder for each class. The clock begins after one pass more, which brings the
// files into the page cache. The passes are timed as one, so that their ends count.

#include <malloc.h>

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>

#include "framework/error.h"
#include "framework/flow/registry.h"
#include "framework/graph/pipeline.h"
#include "framework/memory/memory_budget.h"
#include "stages/augment/augment.h"
#include "stages/batch/batch.h"
#include "stages/decode/decode.h"
#include "stages/sources/directory.h"

namespace weir {
namespace {

constexpr std::size_t kCeilingBytes = std::size_t{256} << 20;  // as in configs/article.yaml
constexpr std::size_t kReserveBytes = std::size_t{32} << 20;

class Count final : public SinkStage<Batch> {
 public:
  explicit Count(std::uint64_t& images) : images_(images) {}
  void Consume(const Batch& batch, StageContext&) override { images_ += batch.samples.size(); }

 private:
  std::uint64_t& images_;
};

void AddStages(Pipeline& pipeline, const std::string& folder, std::uint64_t& images) {
  Registry registry;
  registry.Add<Directory>();
  registry.Add<Decode>();
  registry.Add<Augment>();
  registry.Add<BatchImages>();
  const YamlNode side = YamlNode::Scalar("224");
  pipeline.Add(*registry.Find("directory"), YamlNode::Map({{"path", YamlNode::Scalar(folder)}}));
  pipeline.Add(*registry.Find("decode"), YamlNode::Null());
  pipeline.Add(*registry.Find("augment"),
               YamlNode::Map({{"size", YamlNode::List({side, side})},
                              {"horizontal_flip", YamlNode::Scalar("true")}}));
  pipeline.Add(*registry.Find("batch"), YamlNode::Map({{"size", YamlNode::Scalar("32")}}));
  pipeline.AddMade("count", [&](BuildContext&) { return std::make_unique<Count>(images); });
}

int Number(std::string_view text) {
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || end != text.data() + text.size() || number < 1) {
    throw Error(ErrorKind::kConfig, std::string(text) + " is not a whole number, 1 or more");
  }
  return number;
}

void Measure(const std::string& folder, int passes, int threads) {
  std::uint64_t images = 0;
  std::uint64_t dropped = 0;
  MemoryBudget budget(kCeilingBytes);
  Resources resources;
  Pipeline pipeline(
      {.workers = threads, .on_drop = [&](const std::string&, const Drop&) { ++dropped; }},
      resources);
  AddStages(pipeline, folder, images);
  pipeline.Plan(kCeilingBytes, kReserveBytes);
  pipeline.Open(budget);
  pipeline.Run({.split = Split::kTrain, .epoch = 0});
  images = dropped = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int pass = 1; pass <= passes; ++pass) pipeline.Run({.split = Split::kTrain, .epoch = pass});
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
  std::printf(
      "{\"images\": %llu, \"dropped\": %llu, \"seconds\": %.6f, "
      "\"images_per_second\": %.3f, \"peak_bytes\": %zu}\n",
      static_cast<unsigned long long>(images), static_cast<unsigned long long>(dropped),
      time.count(), static_cast<double>(images) / time.count(), pipeline.peak_leased_bytes());
}

}  // namespace
}  // namespace weir

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: input_pipeline_benchmark FOLDER PASSES THREADS\n");
    return 2;
  }
  mallopt(M_MMAP_THRESHOLD, 1 << 20);  // as weir itself does
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
  try {
    weir::Measure(argv[1], weir::Number(argv[2]), weir::Number(argv[3]));
    return 0;
  } catch (const weir::Error& error) {
    std::fprintf(stderr, "input_pipeline_benchmark: %s\n", error.what());
    return error.exit_status();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "input_pipeline_benchmark: %s\n", error.what());
    return 1;
  }
}
