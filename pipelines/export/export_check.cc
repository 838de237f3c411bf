#include "pipelines/export/export_check.h"

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "framework/error.h"
#include "framework/text.h"
#include "pipelines/export/picture_tap.h"
#include "pipelines/export/python_process.h"
#include "pipelines/job/predictor.h"
#include "pipelines/job/trained_session.h"
#include "pipelines/recipe/recipe.h"
#include "stages/augment/augment.h"
#include "stages/device/prefetch.h"
#include "stages/features/features.h"

namespace weir {
namespace {

// Reads messages until its input ends. Each begins with three numbers of 32 bits, in this machine's
// order: how many pictures, their height and their width. Where those are 0, what follows is what
// weir predicts of one picture: its index and its probabilities. Else it is the indices and the
// pixels of pictures, and the answer for each is the largest difference of a probability, -1 where
// nothing was predicted of it and 2 where one is no number, and the two classes.
constexpr std::string_view kComparing = R"(
import struct, sys
import numpy

model, classes, fed = open_model(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
scale, offset = numpy.array(sys.argv[4:10], numpy.float32).reshape(2, 3)
source, answers, predicted = sys.stdin.buffer, sys.stdout.buffer, {}

def read(type, count):
    return numpy.frombuffer(source.read(count * numpy.dtype(type).itemsize), type)

while len(head := source.read(12)) == 12:
    count, height, width = struct.unpack("=3i", head)
    indices = read(numpy.uint64, count)
    if height == 0:
        predicted[indices[0]] = read(numpy.float32, classes)
        continue
    images = read(numpy.uint8, count * height * width * 3).reshape(count, height, width, 3)
    if fed != "bytes":
        images = images * scale + offset
    if fed == "channels first":
        images = numpy.ascontiguousarray(images.transpose(0, 3, 1, 2))
    for index, given in zip(indices, model(images)):
        wanted = predicted.get(index)
        if wanted is None:
            answers.write(struct.pack("=d2i", -1, 0, 0))
            continue
        difference = numpy.nan_to_num(numpy.abs(given.astype(numpy.float64) - wanted), nan=2).max()
        answers.write(struct.pack("=d2i", difference, wanted.argmax(), given.argmax()))
    answers.flush()
)";

// What comes back for one picture.
struct [[gnu::packed]] Answer {
  double difference;
  std::int32_t predicted, exported;
};

template <class T>
std::span<const std::byte> BytesOf(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

// What the exported model is fed, as the program above is told it.
std::string_view FedTo(const ExportCheck& check) {
  if (check.input != ExportInput::kFloat) return "bytes";
  return check.channels_last ? "channels last" : "channels first";
}

std::vector<std::string> ArgumentsOf(const ExportCheck& check, std::size_t classes) {
  std::vector<std::string> arguments = {check.exported.string(), std::to_string(classes),
                                        std::string(FedTo(check))};
  for (const auto& channels : {check.preprocessing.scale, check.preprocessing.offset}) {
    for (const float value : channels) {
      std::array<char, 32> text{};
      std::snprintf(text.data(), text.size(), "%.9g", static_cast<double>(value));
      arguments.emplace_back(text.data());
    }
  }
  return arguments;
}

class Comparison {
 public:
  Comparison(const ExportCheck& check, StageTable& stages) : check_(check), stages_(stages) {}

  ExportDifference Run() {
    Predict();
    if (predicted_ == 0) {
      throw Error(ErrorKind::kData,
                  "not one picture of " + check_.pictures.string() + " could be read",
                  "The lines above say why.");
    }
    RunExported();
    difference_.missing = predicted_ - difference_.pictures;
    return std::move(difference_);
  }

 private:
  GivenData Data() const { return {.use = DataUse::kUnlabelled, .paths = {check_.pictures}}; }

  void Send(std::int32_t count, std::int32_t height, std::int32_t width,
            const std::vector<std::uint64_t>& indices) {
    const std::array<std::int32_t, 3> head = {count, height, width};
    python_->Write(std::as_bytes(std::span(head)));
    python_->Write(BytesOf(indices));
  }

  void Predict() {
    const auto send = [this](const Sample& sample, std::span<const float> values) {
      Send(1, 0, 0, {sample.index});
      python_->Write(std::as_bytes(values));
      ++predicted_;
    };
    Predictor predictor(stages_, check_.run, check_.overrides,
                        {.data = Data(),
                         .on_drop =
                             [](const std::string&, const Drop& drop) {
                               std::fprintf(stderr, "weir: %s: %s\n", OneLine(drop.sample).c_str(),
                                            drop.reason.c_str());
                             },
                         .on_prediction = send});
    difference_.classes = predictor.classes();
    python_ = std::make_unique<PythonProcess>(check_.opening + std::string(kComparing),
                                              ArgumentsOf(check_, difference_.classes.size()));
    predictor.Run();
  }

  // A picture of any size is tapped ahead of the stage that resizes it, which is then not there to
  // have it decoded to less than its full size.
  void RunExported() {
    const bool is_whole = check_.input == ExportInput::kAnySize;
    const auto tap = [this](const TappedPictures& pictures) { Compare(pictures); };
    TrainedOptions options{.data = Data(),
                           .sink_in_place_of = is_whole ? Augment::kName : StageBeforeModel(),
                           .on_drop = [](const std::string&, const Drop&) {}};
    options.add_sink = [&](Pipeline& pipeline, const std::vector<std::string>& from) {
      constexpr const char* kName = "export_check";
      if (is_whole) {
        pipeline.AddMade(
            kName, [&](BuildContext&) { return std::make_unique<PictureTap<Image>>(tap); }, from);
      } else {
        pipeline.AddMade(
            kName, [&](BuildContext&) { return std::make_unique<PictureTap<Batch>>(tap); }, from);
      }
    };
    TrainedSession(stages_, check_.run, check_.overrides, options).Run();
  }

  // The first that takes batches somewhere else: up to there they are on the host.
  std::string_view StageBeforeModel() const {
    const Recipe recipe = LoadRecipe(stages_, check_.run / "config.yaml", check_.overrides);
    for (const StageConfig& stage : recipe.config.pipeline) {
      if (stage.stage == Prefetch::kName) return Prefetch::kName;
    }
    return Features::kName;
  }

  void Compare(const TappedPictures& pictures) {
    if (pictures.samples.empty()) return;
    std::vector<std::uint64_t> indices;
    for (const Sample& sample : pictures.samples) indices.push_back(sample.index);
    Send(static_cast<std::int32_t>(indices.size()), pictures.height, pictures.width, indices);
    python_->Write(std::as_bytes(pictures.pixels));
    std::vector<Answer> answers(indices.size());
    python_->Read(std::as_writable_bytes(std::span(answers)));
    for (std::size_t i = 0; i < answers.size(); ++i) Add(pictures.samples[i], answers[i]);
  }

  void Add(const Sample& sample, const Answer& answer) {
    if (answer.difference < 0) return;
    ++difference_.pictures;
    if (difference_.largest_of.empty() || answer.difference > difference_.largest) {
      difference_.largest = answer.difference;
      difference_.largest_of = sample.path;
    }
    if (answer.predicted != answer.exported) {
      difference_.others.push_back(
          {sample.path, answer.predicted, answer.exported, answer.difference});
    }
  }

  const ExportCheck& check_;
  StageTable& stages_;
  std::unique_ptr<PythonProcess> python_;
  ExportDifference difference_;
  std::uint64_t predicted_ = 0;
};

}  // namespace

void CheckCanRun(const ExportFormat& format) {
  const std::string why = PythonProcess::WhyCannotImport(format.module);
  if (why.empty()) return;
  throw Error(
      ErrorKind::kConfig,
      "--check runs what is exported in Python, with " + std::string(format.module) + ": " + why,
      "Install it (python3 -m pip install " + std::string(format.package) +
          "), or leave --check out: weir itself needs no Python.");
}

ExportDifference CompareWithPredict(const ExportCheck& check, StageTable& stages) {
  return Comparison(check, stages).Run();
}

}  // namespace weir
