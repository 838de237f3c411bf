#include "pipelines/library/weir.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "framework/byte_size.h"
#include "framework/error.h"
#include "framework/memory/memory_budget.h"
#include "stages/model/export/saved_model.h"
#include "stages/pixel_view.h"
#include "stages/predict/classifier.h"
#include "stages/predict/picture_reader.h"

// Objects of C, whose members nobody sees.
struct weir_model {
  weir_model(weir::SavedModel saved, std::size_t budget_bytes);

  weir::MemoryBudget budget;
  std::optional<weir::Lease> held;  // what the classifier holds
  std::shared_ptr<const weir::Model> model;
  std::optional<weir::Classifier> classifier;
  std::optional<weir::PictureReader> pictures;
  std::string no_pictures{};  // why it reads none; where there is no reader
};

struct weir_workspace {
  weir_model& model;
  weir::Lease held;
  std::unique_ptr<weir::FrozenPrefix::Workspace> workspace;
};

namespace weir {
namespace {

using Status = weir_status;

// A picture that cannot be had, as a Drop says it.
struct BadPicture {
  std::string reason;
};
struct BadArgument {
  const char* what;
};
// Too little is left of the budget.
struct NoRoom {
  std::string what;
};

Status Say(Status status, const std::string& text, weir_error* error) {
  if (error == nullptr) return status;
  const std::size_t length = std::min(text.size(), sizeof error->text - 1);
  std::memcpy(error->text, text.data(), length);
  error->text[length] = '\0';
  return status;
}

Status StatusOf(ErrorKind kind, Status of_data) {
  switch (kind) {
    case ErrorKind::kData:
      return of_data;
    case ErrorKind::kMemory:
      return WEIR_NO_ROOM;
    case ErrorKind::kConfig:
      return WEIR_UNSUPPORTED;
    default:
      return WEIR_INTERNAL;
  }
}

// Does the work of a call; what it throws becomes a status and a text.
template <class Work>
Status Guarded(Status of_data, weir_error* error, Work work) noexcept {
  if (error != nullptr) error->text[0] = '\0';
  try {
    work();
    return WEIR_OK;
  } catch (const BadArgument& bad) {
    return Say(WEIR_BAD_ARGUMENT, bad.what, error);
  } catch (const BadPicture& bad) {
    return Say(WEIR_BAD_PICTURE, bad.reason, error);
  } catch (const NoRoom& no_room) {
    return Say(WEIR_NO_ROOM, no_room.what, error);
  } catch (const Error& caught) {
    const std::string remedy = caught.remedy().empty() ? "" : "\n" + caught.remedy();
    return Say(StatusOf(caught.kind(), of_data), caught.what() + remedy, error);
  } catch (const std::bad_alloc&) {
    return Say(WEIR_NO_ROOM, "the machine has no memory left", error);
  } catch (const std::exception& caught) {
    return Say(WEIR_INTERNAL, caught.what(), error);
  } catch (...) {
    return Say(WEIR_INTERNAL, "something was thrown that is no error", error);
  }
}

void Need(bool is_there, const char* what) {
  if (!is_there) throw BadArgument{what};
}

// MemoryBudget is shared by threads, and none of them waits.
Lease Take(MemoryBudget& budget, MemoryTag tag, std::size_t bytes, const std::string& what) {
  std::optional<Lease> lease = budget.TryAcquire(tag, bytes);
  if (lease) return *std::move(lease);
  const MemoryUsage usage = budget.usage();
  throw NoRoom{what + " takes " + ToRoundText(ByteSize{bytes}) + ", and of the budget of " +
               ToRoundText(ByteSize{usage.limit_bytes}) + " " +
               ToRoundText(ByteSize{usage.used_bytes}) +
               " are held\nGive the model more, or have "
               "fewer threads at work."};
}

template <class T>
T Taken(Outcome<T> outcome) {
  if (Drop* drop = std::get_if<Drop>(&outcome)) throw BadPicture{std::move(drop->reason)};
  return std::get<T>(std::move(outcome));
}

PixelView PixelsOf(const weir_picture& picture) {
  return {static_cast<const std::uint8_t*>(picture.bytes), picture.height, picture.width,
          picture.stride};
}

// A picture as large as this, in pixels a side, is none.
constexpr int kMostPixels = 1 << 20;

void Check(const weir_picture& picture) {
  switch (picture.kind) {
    case WEIR_PICTURE_PATH:
      Need(picture.path != nullptr, "the picture has no path");
      return;
    case WEIR_PICTURE_BYTES:
      Need(picture.bytes != nullptr || picture.size == 0, "the picture has no bytes");
      return;
    case WEIR_PICTURE_RGB:
      Need(picture.bytes != nullptr, "the picture has no pixels");
      Need(picture.width > 0 && picture.height > 0, "the picture has no pixels");
      Need(picture.width <= kMostPixels && picture.height <= kMostPixels,
           "the picture is too large");
      Need(picture.stride >= std::size_t{3} * static_cast<std::size_t>(picture.width),
           "the stride is less than a row of pixels");
      return;
  }
  throw BadArgument{"the picture is of no kind that there is"};
}

// The picture in the model's size, and what pays for it.
struct PaidImage {
  Lease lease;
  Image image;
};

PaidImage Read(weir_model& model, const weir_picture& picture) {
  Check(picture);
  const bool is_pixels = picture.kind == WEIR_PICTURE_RGB;
  const std::size_t pixels = std::size_t{3} * static_cast<std::size_t>(picture.width) *
                             static_cast<std::size_t>(picture.height);
  const MapSize input = model.model->network().input();
  if (!model.pictures && is_pixels && input == MapSize{picture.height, picture.width}) {
    return {Take(model.budget, MemoryTag::kImage, pixels, "the picture"),
            CopyOf(PixelsOf(picture))};
  }
  if (!model.pictures) throw Error(ErrorKind::kConfig, model.no_pictures);
  const PictureReader& reader = *model.pictures;
  if (is_pixels) {
    Lease lease =
        Take(model.budget, MemoryTag::kImage, pixels + reader.BytesForPixels(), "the picture");
    return {std::move(lease), Taken(reader.ReadPixels(CopyOf(PixelsOf(picture))))};
  }
  const bool is_path = picture.kind == WEIR_PICTURE_PATH;
  ImageFile file;
  if (is_path) {
    file.sample.path = picture.path;
  } else {
    file = FileInMemory(picture.bytes, picture.size);
  }
  const auto bytes = Taken(reader.BytesFor(file));
  Lease lease = Take(model.budget, MemoryTag::kImage, bytes, "the picture");
  return {std::move(lease), Taken(reader.Read(file, bytes))};
}

}  // namespace
}  // namespace weir

weir_model::weir_model(weir::SavedModel saved, std::size_t budget_bytes)
    : budget(budget_bytes), model(weir::ModelOf(saved)) {
  using weir::Classifier;
  const Classifier::Footprint all =
      Classifier::FootprintOf(saved.source, model, saved.use.precision);
  held = weir::Take(budget, weir::MemoryTag::kModel, all.weights_bytes + all.opening_bytes,
                    "the model, while it is read,");
  classifier.emplace(saved.source, model, saved.use.precision);
  held->ShrinkTo(all.weights_bytes);
  try {
    pictures.emplace(saved.use.pictures, model->network().input());
  } catch (const weir::Error& error) {  // it may still be fed pixels of its size
    no_pictures = std::string(error.what()) + "\n" + error.remedy();
  }
}

const char* weir_version(void) { return WEIR_VERSION; }

weir_status weir_open(const char* folder, size_t budget_bytes, weir_model** model,
                      weir_error* error) {
  return weir::Guarded(WEIR_BAD_MODEL, error, [&] {
    weir::Need(folder != nullptr && model != nullptr, "weir_open: a pointer is null");
    *model = nullptr;
    *model = new weir_model(weir::LoadSavedModel(folder), budget_bytes);
  });
}

void weir_close(weir_model* model) { delete model; }

int weir_class_count(const weir_model* model) {
  return model == nullptr ? 0 : static_cast<int>(model->model->classes().size());
}

const char* weir_class_name(const weir_model* model, int index) {
  if (index < 0 || index >= weir_class_count(model)) return nullptr;
  return model->model->classes()[static_cast<std::size_t>(index)].c_str();
}

int weir_input_height(const weir_model* model) {
  return model == nullptr ? 0 : model->model->network().input().height;
}

int weir_input_width(const weir_model* model) {
  return model == nullptr ? 0 : model->model->network().input().width;
}

size_t weir_feature_count(const weir_model* model) {
  return model == nullptr ? 0 : model->classifier->feature_values();
}

size_t weir_held_bytes(const weir_model* model) {
  return model == nullptr ? 0 : model->budget.usage().used_bytes;
}

size_t weir_peak_bytes(const weir_model* model) {
  return model == nullptr ? 0 : model->budget.usage().peak_bytes;
}

weir_status weir_workspace_new(weir_model* model, weir_workspace** workspace, weir_error* error) {
  return weir::Guarded(WEIR_INTERNAL, error, [&] {
    weir::Need(model != nullptr && workspace != nullptr, "weir_workspace_new: a pointer is null");
    *workspace = nullptr;
    weir::Lease lease = weir::Take(model->budget, weir::MemoryTag::kActivation,
                                   model->classifier->workspace_bytes(), "a workspace");
    *workspace = new weir_workspace{*model, std::move(lease), model->classifier->MakeWorkspace()};
  });
}

void weir_workspace_free(weir_workspace* workspace) { delete workspace; }

weir_status weir_classify(weir_workspace* workspace, const weir_picture* picture,
                          float* probabilities, weir_error* error) {
  return weir::Guarded(WEIR_BAD_PICTURE, error, [&] {
    weir::Need(workspace != nullptr && picture != nullptr && probabilities != nullptr,
               "weir_classify: a pointer is null");
    const weir::PaidImage read = weir::Read(workspace->model, *picture);
    workspace->model.classifier->Run(read.image.pixels.data(), *workspace->workspace,
                                     probabilities);
  });
}

weir_status weir_features(weir_workspace* workspace, const weir_picture* picture, float* features,
                          weir_error* error) {
  return weir::Guarded(WEIR_BAD_PICTURE, error, [&] {
    weir::Need(workspace != nullptr && picture != nullptr && features != nullptr,
               "weir_features: a pointer is null");
    const weir::PaidImage read = weir::Read(workspace->model, *picture);
    workspace->model.classifier->RunFeatures(read.image.pixels.data(), *workspace->workspace,
                                             features);
  });
}

int weir_top(const weir_model* model, const float* probabilities, int count,
             weir_prediction* predictions) {
  const int classes = weir_class_count(model);
  if (probabilities == nullptr || predictions == nullptr || count <= 0) return 0;
  const int given = std::min(count, classes);
  const auto is_before = [&](int a, int b) {
    return std::pair(-probabilities[a], a) < std::pair(-probabilities[b], b);
  };
  // Each is the best of those behind the one before it: no list is kept of all.
  int before = -1;
  for (int i = 0; i < given; ++i) {
    int best = -1;
    for (int c = 0; c < classes; ++c) {
      if (before >= 0 && !is_before(before, c)) continue;
      if (best < 0 || is_before(c, best)) best = c;
    }
    predictions[i] = {best, weir_class_name(model, best), probabilities[best]};
    before = best;
  }
  return given;
}
