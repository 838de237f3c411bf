// A module of TorchScript with modules inside it, each of which holds tensors: from the names of
// these, where a dot stands between the modules that lead to one, as in `state_dict()`.
//
//   TorchscriptModule module("Classifier");
//   module.Add("features.0.0.weight", {32, 3, 3, 3}, TorchscriptModule::Role::kParameter);
//
// makes self.features, in that "0", in that another "0", which has `weight`. A class is written for
// each module, as one may hold what no other does. Holds names and shapes. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/shape.h"
#include "stages/model/export/formats/torchscript/torchscript_names.h"
#include "stages/model/weights/containers/pickle_writer.h"

namespace weir {

class TorchscriptModule {
 public:
  enum class Role { kParameter, kBuffer };

  explicit TorchscriptModule(const std::string& class_name);
  ~TorchscriptModule();

  // Gives the expression that reads the tensor in `forward`. It is that of the archive's next
  // WriteTensor(). No name is that of a module, too.
  std::string Add(std::string_view name, const Shape& shape, Role role);

  // Declares the classes; that of the outermost module ends with `forward`, the text of its method.
  std::string ClassesText(const std::string& forward) const;

  // The pickle of the module.
  std::string Pickle() const;

 private:
  struct Part;

  void AppendClass(const Part& part, std::string& text) const;
  void AddObject(const Part& part, PickleWriter& pickle) const;

  TorchscriptNames class_names_;
  std::unique_ptr<Part> root_;
  int tensors_ = 0;
};

}  // namespace weir
