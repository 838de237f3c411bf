// libweir for C++17: weir.h with objects that end by themselves and errors that are thrown.
//
//   libweir::Model model("first/model", 64 << 20);
//   libweir::Workspace workspace(model);  // one a thread
//   for (const libweir::Prediction& each : model.Top(workspace.Classify("photo.jpg"), 3))
//     std::printf("%s %.3f\n", each.name, each.probability);
#ifndef WEIR_WEIR_HPP_
#define WEIR_WEIR_HPP_

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "weir.h"

namespace libweir {

using Prediction = weir_prediction;

class Error : public std::runtime_error {
 public:
  Error(weir_status status, const weir_error& error)
      : std::runtime_error(error.text), status_(status) {}
  weir_status status() const { return status_; }

 private:
  weir_status status_;
};

class Model {
 public:
  Model(const std::string& folder, std::size_t budget_bytes) {
    weir_error error;
    weir_model* opened = nullptr;
    const weir_status status = weir_open(folder.c_str(), budget_bytes, &opened, &error);
    if (status != WEIR_OK) throw Error(status, error);
    model_.reset(opened);
  }

  weir_model* get() const { return model_.get(); }
  std::size_t classes() const { return static_cast<std::size_t>(weir_class_count(get())); }
  std::size_t features() const { return weir_feature_count(get()); }

  // The `count` most probable classes. Their names end with the model.
  std::vector<Prediction> Top(const std::vector<float>& probabilities, int count) const {
    std::vector<Prediction> top(static_cast<std::size_t>(count > 0 ? count : 0));
    top.resize(static_cast<std::size_t>(weir_top(get(), probabilities.data(), count, top.data())));
    return top;
  }

 private:
  struct Close {
    void operator()(weir_model* model) const { weir_close(model); }
  };
  std::unique_ptr<weir_model, Close> model_;
};

// Ends before its model.
class Workspace {
 public:
  explicit Workspace(const Model& model) : model_(&model) {
    weir_error error;
    weir_workspace* made = nullptr;
    const weir_status status = weir_workspace_new(model.get(), &made, &error);
    if (status != WEIR_OK) throw Error(status, error);
    workspace_.reset(made);
  }

  std::vector<float> Classify(const weir_picture& picture) const {
    return Call(weir_classify, picture, model_->classes());
  }
  std::vector<float> Classify(const std::string& path) const {
    return Classify(weir_picture_at(path.c_str()));
  }
  std::vector<float> Features(const weir_picture& picture) const {
    return Call(weir_features, picture, model_->features());
  }

 private:
  template <class Function>
  std::vector<float> Call(Function function, const weir_picture& picture, std::size_t count) const {
    weir_error error;
    std::vector<float> values(count);
    const weir_status status = function(workspace_.get(), &picture, values.data(), &error);
    if (status != WEIR_OK) throw Error(status, error);
    return values;
  }

  struct Free {
    void operator()(weir_workspace* workspace) const { weir_workspace_free(workspace); }
  };
  const Model* model_;
  std::unique_ptr<weir_workspace, Free> workspace_;
};

}  // namespace libweir

#endif  // WEIR_WEIR_HPP_
