#include "stages/model/export/formats/torchscript/torchscript_module.h"

#include <algorithm>
#include <utility>

#include "stages/model/export/formats/torch_archive.h"

namespace weir {
namespace {

constexpr const char* kNamespace = "__torch__";

std::string Quoted(const std::string& name) { return '"' + name + '"'; }

}  // namespace

struct TorchscriptModule::Part {
  struct Tensor {
    std::string name;
    Shape shape;
    Role role = Role::kParameter;
    int index = 0;
  };

  std::string class_name;
  std::string name;  // in the module that it is a part of
  std::vector<Tensor> tensors{};
  std::vector<Part> parts{};
};

TorchscriptModule::TorchscriptModule(const std::string& class_name)
    : class_names_({class_name}), root_(new Part{.class_name = class_name, .name = {}}) {}

TorchscriptModule::~TorchscriptModule() = default;

std::string TorchscriptModule::Add(std::string_view name, const Shape& shape, Role role) {
  Part* part = root_.get();
  std::string expression = "self";
  std::size_t begin = 0;
  const auto read = [&expression](const std::string& attribute) {
    expression = "getattr(" + expression + ", " + Quoted(attribute) + ")";
  };
  for (std::size_t dot = 0; (dot = name.find('.', begin)) != name.npos; begin = dot + 1) {
    const std::string module(name.substr(begin, dot - begin));
    const auto found = std::ranges::find(part->parts, module, &Part::name);
    part = found != part->parts.end()
               ? &*found
               : &part->parts.emplace_back(
                     Part{.class_name = class_names_.Make(name.substr(0, dot)), .name = module});
    read(module);
  }
  const std::string attribute(name.substr(begin));
  part->tensors.push_back({attribute, shape, role, tensors_++});
  read(attribute);
  return expression;
}

std::string TorchscriptModule::ClassesText(const std::string& forward) const {
  std::string text;
  AppendClass(*root_, text);
  return text + forward;
}

// Those of its parts come first. Attributes are declared by their names in quotes, as one may be
// called "0".
void TorchscriptModule::AppendClass(const Part& part, std::string& text) const {
  for (const Part& each : part.parts) AppendClass(each, text);
  text += "class " + part.class_name + "(Module):\n";
  for (const auto& [list, role] :
       {std::pair{"__parameters__", Role::kParameter}, {"__buffers__", Role::kBuffer}}) {
    text += std::string("  ") + list + " = [";
    for (const Part::Tensor& tensor : part.tensors) {
      if (tensor.role == role) text += Quoted(tensor.name) + ", ";
    }
    text += "]\n";
  }
  text += "  __annotations__ = []\n";
  const auto declare = [&text](const std::string& name, const std::string& type) {
    text += "  __annotations__[" + Quoted(name) + "] = " + type + "\n";
  };
  for (const Part::Tensor& tensor : part.tensors) declare(tensor.name, "Tensor");
  for (const Part& each : part.parts) declare(each.name, kNamespace + ('.' + each.class_name));
  declare("training", "bool");
}

std::string TorchscriptModule::Pickle() const {
  PickleWriter pickle;
  AddObject(*root_, pickle);
  return pickle.Add(kStop).bytes();
}

void TorchscriptModule::AddObject(const Part& part, PickleWriter& pickle) const {
  pickle.AddGlobal(kNamespace, part.class_name).Add(kEmptyTuple).Add(kNewObj);
  pickle.Add(kEmptyDict).Add(kMark);
  for (const Part::Tensor& tensor : part.tensors) {
    pickle.AddText(tensor.name);
    AddTorchTensor(tensor.shape, tensor.index, pickle);
  }
  for (const Part& each : part.parts) {
    pickle.AddText(each.name);
    AddObject(each, pickle);
  }
  pickle.AddText("training").Add(kNewFalse).Add(kSetItems).Add(kBuild);
}

}  // namespace weir
