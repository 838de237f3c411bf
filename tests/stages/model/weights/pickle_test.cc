#include "stages/model/weights/containers/pickle.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/stages/model/weights/pth_fixture.h"

namespace weir {
namespace {

using PickleTest = PthFixture;

TEST_F(PickleTest, NothingIsCalledAndWhatWouldBeIsNamed) {
  const std::string system = pickle::Global("os", "system") +
                             pickle::Tuple({pickle::Text("touch " + (folder_ / "ran").string())}) +
                             "R";
  EXPECT_EQ(Refusal(PthBytes(pickle::Dict({{"w", system}}), {})),
            "weights.pth: holds no tensors: 'w' is an object of os.system" + kLoadIt);
  const std::string eval = pickle::Text("builtins") + pickle::Text("eval") + "\x93" +
                           pickle::Tuple({pickle::Text("1")}) + "R";
  const std::string load_model =
      "\nload it where its classes are known and save its weights alone, by "
      "torch.save(torch.load(path, weights_only=False).state_dict(), new_path)";
  EXPECT_EQ(Refusal(PthBytes(eval, {})),
            "weights.pth: is an object of builtins.eval and no dictionary of tensors" + load_model);
  EXPECT_EQ(Refusal(PthBytes(pickle::Global("a\x1b[2J", "b") + ")\x81", {})),
            "weights.pth: is an object of a?[2J.b and no dictionary of tensors" + load_model);
  EXPECT_EQ(Read(PthBytes(pickle::Dict({{"w", Vector("FloatStorage", 1)}, {"x", system}}),
                          {{"0", Values<float>({5})}}),
                 "w"),
            (std::vector<float>{5}));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "ran"));
}

// A network saved whole: its state may hold tensors, but nobody looks into objects.
TEST_F(PickleTest, AWholeModelIsToldByItsClass) {
  const std::string model = pickle::Global("torchvision.models.mobilenetv2", "MobileNetV2") +
                            ")\x81" + pickle::Dict({{"w", Vector("FloatStorage", 1)}}) + "b";
  EXPECT_EQ(Refusal(PthBytes(pickle::Dict({{"epoch", pickle::Integer(1)}, {"model", model}}),
                             {{"0", Values<float>({5})}})),
            "weights.pth: holds no tensors: 'model' is an object of "
            "torchvision.models.mobilenetv2.MobileNetV2" +
                kLoadIt);
}

// Everything that pickles hold beside tensors: what every opcode leaves is a value or nothing.
TEST_F(PickleTest, ObjectsOfAnyClassHideNoTensor) {
  const std::string namespaces = pickle::Global("argparse", "Namespace") + ")\x81}(" +
                                 pickle::Text("lr") + "G" + LittleEndian<double>(0.1) + "ub";
  const std::string dtype = pickle::Global("numpy", "dtype") +
                            pickle::Tuple({pickle::Text("f8"), "\x89", "\x88"}) + "R" +
                            pickle::Tuple({pickle::Integer(3), pickle::Text("<")}) + "b";
  const std::string scalar = pickle::Global("numpy.core.multiarray", "scalar") +
                             pickle::Tuple({dtype, pickle::Text("8 bytes.")}) + "R";
  const std::string old_object = "(iargparse\nNamespace\n";  // protocol 0
  const std::string older_object = "(" + pickle::Global("argparse", "Namespace") + "o";
  const std::string with_names = pickle::Global("a", "b") + ")}\x92";
  const std::string set = "\x8f(" + pickle::Integer(1) + "\x90";
  const std::string text_lines = "(I01\nL12L\nF1.5\nS'a'\nVb\nt";
  const std::string defaults = pickle::Global("collections", "defaultdict") +
                               pickle::Tuple({pickle::Global("builtins", "list")}) + "R(" +
                               pickle::Text("w") + Vector("FloatStorage", 1) + "u";
  const std::string of_own_class =
      pickle::Global("my", "Dict") + ")\x81(" + pickle::Text("w") + Vector("FloatStorage", 1) + "u";
  const std::string python_2 = pickle::Global("collections", "OrderedDict") + "(](](" +
                               pickle::Text("w") + Vector("FloatStorage", 1) + "eetR";
  const std::string bytes = PthBytes(pickle::Dict({{"args", namespaces},
                                                   {"best", scalar},
                                                   {"old", old_object},
                                                   {"older", older_object},
                                                   {"names", with_names},
                                                   {"set", set},
                                                   {"lines", text_lines},
                                                   {"defaults", defaults},
                                                   {"own", of_own_class},
                                                   {"python 2", python_2}}),
                                     {{"0", Values<float>({5})}});
  for (const std::string name : {"defaults.w", "own.w", "python 2.w"}) {
    EXPECT_EQ(Read(bytes, name), (std::vector<float>{5})) << name;
  }
  EXPECT_EQ(Refusal(bytes, "args"),
            "weights.pth: tensor 'args' is an object of argparse.Namespace, which is not read" +
                kWholeAgain);
}

TEST_F(PickleTest, OnlyATensorThatIsAskedForMustBeOfATypeThatIsRead) {
  const std::string tensor = Vector("FloatStorage", 1);
  const auto rebuilt = [](const std::string& function, const std::vector<std::string>& arguments) {
    return pickle::Global("torch._utils", function) + pickle::Tuple(arguments) + "R";
  };
  const std::string complex_vector = Vector("ComplexFloatStorage", 1);
  const std::string float8 =
      rebuilt("_rebuild_tensor_v3",
              {pickle::Storage("UntypedStorage", "1", 2), pickle::Integer(0), pickle::Integers({2}),
               pickle::Integers({1}), "\x89", "}", pickle::Global("torch", "float8_e4m3fn")});
  const std::string bytes = PthBytes(
      pickle::Dict(
          {{"w", tensor},
           {"complex", complex_vector},
           {"float8", float8},
           {"sparse", rebuilt("_rebuild_sparse_tensor", {tensor})},
           {"quantized", rebuilt("_rebuild_qtensor", {tensor})},
           {"with attributes",
            pickle::Global("torch._tensor", "_rebuild_from_type_v2") +
                pickle::Tuple({pickle::Global("torch._utils", "_rebuild_parameter"),
                               pickle::Global("torch", "Tensor"), pickle::Tuple({tensor}), "}"}) +
                "R"}}),
      {{"0", Values<float>({5, 6})}, {"1", "ab"}});
  EXPECT_EQ(Read(bytes, "w"), (std::vector<float>{5}));
  EXPECT_EQ(Read(bytes, "with attributes"), (std::vector<float>{5}));
  const auto unread = [&](const std::string& name) {
    const std::string text = Refusal(bytes, name);
    return text.substr(0, text.find(", which is not read"));
  };
  EXPECT_EQ(unread("complex"),
            "weights.pth: tensor 'complex' is a tensor of torch.ComplexFloatStorage");
  EXPECT_EQ(unread("float8"), "weights.pth: tensor 'float8' is a tensor of torch.float8_e4m3fn");
  EXPECT_EQ(unread("sparse"), "weights.pth: tensor 'sparse' is a sparse tensor");
  EXPECT_EQ(unread("quantized"), "weights.pth: tensor 'quantized' is a quantized tensor");
}

TEST_F(PickleTest, RefusesPicklesThatTorchSaveDoesNotWrite) {
  EXPECT_EQ(Refusal(PthBytes(std::string("\x82\x01", 2), {})),  // EXT1
            "weights.pth: the pickle uses opcode 130, which torch.save does not write" + kAgain);
  EXPECT_EQ(Refusal(PthBytes(")\x81", {})),
            "weights.pth: the pickle is damaged at byte 4" + kAgain);
  EXPECT_EQ(Refusal(PthBytes(pickle::Integer(1) + "NR", {})),
            "weights.pth: the pickle is damaged at byte 9" + kAgain);
}

// torch_reference.py wrote these files.
constexpr const char* kTorchFiles = "tests/stages/model/weights/torch_files/";

std::vector<float> ReadFrom(WeightsFile& file, const std::string& name) {
  const TensorInfo* tensor = file.Find(name);
  if (!tensor) return {};
  std::vector<float> values(static_cast<std::size_t>(tensor->values()));
  file.Read(*tensor, values);
  return values;
}

TEST(TorchFiles, WhatPyTorchSavesBesideTheWeightsHidesNothing) {
  for (const std::string name :
       {"objects_1", "objects_2", "objects_5", "old", "unread", "attributes"}) {
    const auto file = WeightsFile::Open(kTorchFiles + name + ".pth");
    EXPECT_EQ(ReadFrom(*file, "state_dict.w"), (std::vector<float>{1, -2, 3.5f})) << name;
  }
  for (const std::string name : {"objects_1", "objects_2", "objects_5", "old"}) {
    const auto file = WeightsFile::Open(kTorchFiles + name + ".pth");
    EXPECT_EQ(ReadFrom(*file, "best_acc1"), (std::vector<float>{71.8f})) << name;
    EXPECT_EQ(ReadFrom(*file, "sgd.state.0.momentum_buffer"), (std::vector<float>{1, 1})) << name;
    EXPECT_EQ(ReadFrom(*file, "adam.state.0.step"), (std::vector<float>{1})) << name;
  }
}

TEST(TorchFiles, EachTypeThatIsNotReadIsTold) {
  const auto file = WeightsFile::Open(std::string(kTorchFiles) + "unread.pth");
  std::vector<std::string> told;
  for (const TensorInfo& tensor : file->tensors()) {
    if (!tensor.unread.empty()) told.push_back(tensor.name + " " + tensor.unread);
  }
  const auto is_not_read = [](const std::string& what) { return what + ", which is not read"; };
  EXPECT_EQ(
      told,
      (std::vector<std::string>{
          is_not_read("complex is a tensor of torch.ComplexFloatStorage"),
          is_not_read("compressed is a sparse tensor"),
          is_not_read("conjugate is a tensor that is still to be negated or conjugated"),
          "expanded has more values than its storage: expanded tensors are not read",
          is_not_read("float8 is a tensor of torch.float8_e4m3fn"),
          is_not_read("meta is a tensor without values"),
          is_not_read("negative is a tensor that is still to be negated or conjugated"),
          is_not_read("nested is a nested tensor"), is_not_read("quantized is a quantized tensor"),
          is_not_read("sparse is a sparse tensor"),
          is_not_read("uint16 is a tensor of torch.uint16")}));
}

TEST_F(PickleTest, BombsAreBounded) {
  // Lists of lists of lists, each twice: 2^60 of them if anybody followed them all.
  std::string doubling = "]q" + std::string(1, '\0');
  for (char i = 0; i < 60; ++i) {
    const std::string inner = "h" + std::string(1, i);
    doubling += "](" + inner + inner + "eq" + std::string(1, static_cast<char>(i + 1)) + "a";
  }
  EXPECT_EQ(Refusal(PthBytes(pickle::Dict({{"state_dict", doubling}}), {})),
            "weights.pth: holds no dictionary of tensors\nsave the weights alone, by "
            "torch.save(model.state_dict(), path)");
  EXPECT_EQ(Refusal(PthBytes(std::string(200'001, '('), {})),
            "weights.pth: the pickle has more than 200000 opcodes" + kAgain);
  // A dictionary that holds itself.
  const std::string itself =
      "}q" + std::string(1, '\0') + pickle::Text("state_dict") + "h" + std::string(1, '\0') + "s";
  EXPECT_EQ(Refusal(PthBytes(itself, {})),
            "weights.pth: holds no dictionary of tensors\nsave the weights alone, by "
            "torch.save(model.state_dict(), path)");
}

}  // namespace
}  // namespace weir
