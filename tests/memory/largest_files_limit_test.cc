// Whole commands, each given a file with the largest of what its reader takes or refuses only at
// the end, in the smallest ceiling of its job: none holds more, and none is killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "stages/files/class_names.h"
#include "stages/model/weights/safetensors_limits.h"
#include "tests/memory/within_ceiling.h"
#include "tests/stages/sources/shards/tar_member.h"
#include "tests/support/file_text.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/largest_files.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr const char* kDemoWeights = "configs/demo_weights.safetensors";
const std::string kTensor = R"("#":{"dtype":"F32","shape":[0,1,2,3,4,5,6,7],"data_offsets":[0,0]})";

// Twelve drawn pictures, a job that trains on them and a run of it, made once.
class Scene {
 public:
  static const Scene& Get() {
    static const Scene scene;
    return scene;
  }

  std::string Path(const std::string& inside) const { return (scratch_ / inside).string(); }
  std::string Write(const std::string& name, const std::string& bytes) const {
    return scratch_.Write(name, bytes).string();
  }
  std::string Job(const std::string& source, const std::string& weights) const {
    return Write("job.yaml", "pipeline:\n  - " + source + R"(
  - decode
  - augment: {size: [32, 32]}
  - batch: {size: 4}
  - prefetch: {device: cpu}
  - features: {cache: off}
  - train
model:
  backbone: {name: mobilenet_v2, width: 0.35, convention: keras, weights: )" +
                                 weights + R"(}
  frozen: all
  head: [global_average_pooling, dense: {units: classes, activation: softmax}]
training: {epochs: 1}
)");
  }
  std::string JobWithWeights(const std::string& weights) const {
    return Job("directory: {path: " + Path("pictures") + "}", weights);
  }
  // The run, copied, with other bytes in one of its files.
  std::string RunWith(const std::string& file, const std::string& bytes) const {
    fs::remove_all(scratch_ / "other");
    fs::copy(scratch_ / "run", scratch_ / "other", fs::copy_options::recursive);
    Write("other/" + file, bytes);
    return Path("other");
  }
  std::vector<fs::path> Pictures() const {
    std::vector<fs::path> pictures;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_ / "pictures")) {
      if (entry.path().extension() == ".jpg") pictures.push_back(entry.path());
    }
    return pictures;
  }
  const SmallestCeilings& smallest() const { return smallest_; }

 private:
  Scene() {
    Weir({"draw", Path("pictures"), "--per-class", "2"});
    const std::string job = JobWithWeights("none");
    Weir({"run", job, "--out", Path("run")});
    smallest_ = SmallestCeilingsOf(job);
  }

  const ScratchFolder scratch_;
  SmallestCeilings smallest_;
};

// A safetensors file with more in its header, behind the first `place` in it.
std::string Inserted(std::string file, const std::string& place, const std::string& more) {
  std::uint64_t length = 0;
  file.copy(reinterpret_cast<char*>(&length), sizeof length);
  file.insert(file.find(place) + place.size(), more);
  return file.replace(0, sizeof length, LittleEndian<std::uint64_t>(length + more.size()));
}

constexpr std::size_t kOwnHeader = 256 * 1024;  // what a file's own is shorter than

// As many as fit into a header of `most_bytes`, at most `most`.
std::string MoreTensors(const std::string& file, std::size_t most_bytes, std::size_t most) {
  return Inserted(file, "{", Repeated(kTensor, most_bytes - kOwnHeader, most - 1000) + ",");
}

std::string LongMetadata(const std::string& file, const std::string& place,
                         std::size_t most_bytes) {
  return Inserted(file, place, std::string(most_bytes - kOwnHeader, 'x'));
}

struct Case {
  const char* name;
  int status;
  const char* says;  // on standard error; "" where it ends well
  // The command, and the job whose smallest ceiling is that of the command; empty for the scene's.
  std::function<std::pair<std::vector<std::string>, std::string>(const Scene&)> command;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

auto RunOf(const std::string& job) {
  const Scene& scene = Scene::Get();
  fs::remove_all(scene.Path("out"));
  return std::pair(std::vector<std::string>{"run", job, "--out", scene.Path("out")}, job);
}

// Runs the job with weights of these bytes.
auto Weights(const std::string& name, std::function<std::string()> bytes) {
  return
      [=](const Scene& scene) { return RunOf(scene.JobWithWeights(scene.Write(name, bytes()))); };
}

auto Source(std::function<std::string(const Scene&)> source) {
  return [=](const Scene& scene) { return RunOf(scene.Job(source(scene), "none")); };
}

auto Predict(const std::string& file, std::function<std::string(const Scene&)> bytes) {
  return [=](const Scene& scene) {
    const std::string run = scene.RunWith(file, bytes(scene));
    return std::pair(std::vector<std::string>{"predict", run, scene.Pictures().front().string()},
                     std::string());
  };
}

auto Resume(const std::string& file, std::function<std::string(const Scene&)> bytes) {
  return [=](const Scene& scene) {
    const std::string run = scene.RunWith(file, bytes(scene));
    return std::pair(
        std::vector<std::string>{"run", scene.JobWithWeights("none"), "--out", run, "--resume"},
        std::string());
  };
}

std::string Shard(const Scene& scene, const std::string& records) {
  std::string tar = TarMember("x", 'x', records);
  int number = 0;
  for (const fs::path& picture : scene.Pictures()) {
    const std::string name = std::to_string(number);
    tar += TarMember(name + picture.extension().string(), '0', FileText(picture)) +
           TarMember(name + ".cls", '0', std::to_string(number % 2));
    ++number;
  }
  return tar + std::string(1024, '\0');
}

std::string Table(const Scene& scene) {
  const std::string more(60'000, ',');
  std::string table = "path,label" + more + "\n";
  int number = 0;
  for (const fs::path& picture : scene.Pictures()) {
    table += picture.string() + "," + std::to_string(number++ % 2) + more + "\n";
  }
  return table;
}

std::vector<Case> Cases() {
  const auto demo = [] { return FileText(kDemoWeights); };
  const auto names = [] {
    return Repeated("\"" + std::string(200, 'n') + "#\"", 17 * kMiB, kMostClasses);
  };
  return {
      {"weights_of_many_tensors", 0, "",
       Weights("w.safetensors",
               [=] {
                 return MoreTensors(demo(), kMostSafetensorsHeaderBytes, kMostSafetensorsTensors);
               })},
      {"weights_of_long_metadata", 0, "",
       Weights("w.safetensors",
               [=] {
                 return LongMetadata(demo(), "\"__metadata__\":{\"", kMostSafetensorsHeaderBytes);
               })},
      {"weights_of_many_links", 4, "",
       Weights("w.h5", [] { return Hdf5Links(3, 60'000, 200'000); })},
      {"weights_of_many_entries", 4, "", Weights("w.pth", [] { return ZipOfEntries(131'072); })},
      {"weights_of_many_opcodes", 4, "",
       Weights("w.pth",
               [] {
                 return ZipBytes({{"a/data.pkl", "\x80\2" + std::string(kMiB, '}') + "."}});
               })},
      {"braces_of_many_shards", 4, "does not exist", Source([](const Scene&) {
         return "webdataset: {shards: [\"/none/{000..999}{000..999}.tar\"]}";
       })},
      {"table_of_many_columns", 0, "", Source([](const Scene& scene) {
         return "manifest: {path: " + scene.Write("t.csv", Table(scene)) + "}";
       })},
      {"table_of_a_long_line", 4, "", Source([](const Scene& scene) {
         return "manifest: {path: " +
                scene.Write("t.jsonl", R"({"path": "a.jpg", "label": "a", "x": [)" +
                                           Repeated("0", kMiB - 100) + "]}") +
                "}";
       })},
      {"shard_of_many_attributes", 0, "", Source([](const Scene& scene) {
         std::string records;
         while (records.size() < kMiB - 100) records += "20 SCHILY.xattr.a=b\n";
         return "webdataset: {shards: [" + scene.Write("t.tar", Shard(scene, records)) + "]}";
       })},
      {"model_of_many_keys", 4, "",
       Predict("model/model.json",
               [](const Scene&) { return "{" + Repeated("\"#\":0", 17 * kMiB) + "}"; })},
      {"model_of_many_classes", 4, "",
       Predict("model/model.json",
               [=](const Scene& scene) {
                 std::string text = FileText(scene.Path("run/model/model.json"));
                 const std::size_t begin = text.find('[') + 1;
                 return text.replace(begin, text.find(']') - begin, names());
               })},
      {"model_of_many_tensors", 0, "",
       Predict("model/model.safetensors",
               [](const Scene& scene) {
                 return MoreTensors(FileText(scene.Path("run/model/model.safetensors")),
                                    kMostOwnHeaderBytes, kMostOwnTensors);
               })},
      {"model_of_a_long_header", 4, "its header is longer than 3.00 MiB, which weir does not write",
       Predict("model/model.safetensors",
               [](const Scene& scene) {
                 return MoreTensors(FileText(scene.Path("run/model/model.safetensors")),
                                    kMostSafetensorsHeaderBytes, kMostSafetensorsTensors);
               })},
      {"model_of_many_maps", 4, "",
       Predict("model/int8.safetensors",
               [](const Scene&) {
                 return Safetensors(
                     "{" + Repeated(kTensor, kMostOwnHeaderBytes - 2, kMostOwnTensors) + "}");
               })},
      {"checkpoint_of_long_metadata", 4, "",
       Resume("checkpoint/latest.safetensors",
              [](const Scene& scene) {
                return LongMetadata(FileText(scene.Path("run/checkpoint/latest.safetensors")),
                                    "\"weir.extra\":\"", kMostOwnHeaderBytes);
              })},
      {"lost_pictures_without_end", 0, "",
       Resume("dropped.jsonl",
              [](const Scene&) {
                return Repeated("{\"path\":\"#\"}", 16 * kMiB, 600'000, "\n") + "\n";
              })},
      {"metrics_of_long_lines", 0, "",
       Resume("metrics.jsonl",
              [](const Scene&) {
                return Repeated("{\"epoch\":0,\"x\":[" + std::string(200'000, '[') + "]}", 8 * kMiB,
                                ~0ull, "\n");
              })},
  };
}

class LargestFilesLimit : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
  }
};

TEST_P(LargestFilesLimit, IsNotRunInto) {
  const Scene& scene = Scene::Get();
  ASSERT_GT(scene.smallest().run, 0U);
  ASSERT_GT(scene.smallest().prediction, 0U);
  const auto [command, job] = GetParam().command(scene);
  std::size_t ceiling =
      command[0] == "predict" ? scene.smallest().prediction : scene.smallest().run;
  if (GetParam().status == 0 && !job.empty()) {
    ceiling = std::max(ceiling, SmallestCeilingsOf(job).run);
  }
  const ProcessOutcome outcome = WithinCeiling(command, ceiling);
  EXPECT_EQ(outcome.status, GetParam().status) << outcome.err.substr(0, 1000);
  EXPECT_THAT(outcome.err, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(Commands, LargestFilesLimit, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& info) {
                           return std::string(info.param.name);
                         });

}  // namespace
}  // namespace weir
