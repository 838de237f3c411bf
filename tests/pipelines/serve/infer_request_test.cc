#include "pipelines/serve/infer_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/pipelines/serve/caught_refusal.h"

namespace weir {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

InferRequest Read(std::string body) { return ReadInferRequest(body); }

std::string WithInput(const std::string& members) {
  return R"({"inputs": [{"name": "image", )" + members + "}]}";
}

TEST(InferRequestTest, ReadsFilesInBase64) {
  const InferRequest request = Read(
      R"({"id": "a\"1", "parameters": {"data": [7], "id": "no"}, "inputs": [{"name": "image",
          "shape": [2], "datatype": "BYTES", "parameters": {"content_type": "base64"},
          "data": ["aGVsbG8=", "AP8A\n/w=="]}], "outputs": [{"name": "class"}]})");
  EXPECT_EQ(request.id, "a\"1");
  EXPECT_THAT(request.files, ElementsAre("hello", std::string("\0\xff\0\xff", 4)));
  EXPECT_EQ(request.count, 2U);
  EXPECT_THAT(request.outputs, ElementsAre("class"));
  EXPECT_THAT(request.pixels, IsEmpty());
}

TEST(InferRequestTest, ReadsPixelsHoweverTheyAreNested) {
  for (const char* data : {"[1,2,3,4,5,255]", "[[[[1,2,3],[4,5,2.55e2]]]]"}) {
    // What the data are may be said behind them.
    const InferRequest request = Read(WithInput(std::string("\"data\": ") + data +
                                                R"(, "shape": [1,1,2,3], "datatype": "UINT8")"));
    EXPECT_THAT(request.pixels, ElementsAre(1, 2, 3, 4, 5, 255));
    EXPECT_EQ(request.count, 1U);
    EXPECT_EQ(request.height, 1);
    EXPECT_EQ(request.width, 2);
    EXPECT_THAT(request.outputs, IsEmpty());
  }
}

TEST(InferRequestTest, SaysWhatIsWrong) {
  const auto refusal = [](const std::string& body) { return RefusalOf([&] { Read(body); }); };
  EXPECT_EQ(refusal("{\"inputs\": [x]}"), "400: the body is no JSON at byte 12: Invalid value.");
  EXPECT_THAT(refusal(""), StartsWith("400: the body is no JSON"));
  EXPECT_THAT(refusal(std::string(100'000, '[')), StartsWith("400: the body is nested too deeply"));
  EXPECT_EQ(refusal("{}"), "400: the request has no input: give `inputs` with one, `image`");
  EXPECT_EQ(refusal("[[[]]]"), "400: the request has no input: give `inputs` with one, `image`");
  EXPECT_EQ(refusal(R"({"inputs": [{"name": "input_1"}]})"),
            "400: the model has one input, `image`");
  EXPECT_EQ(refusal(R"({"inputs": [{"name": "image"}, {"name": "image"}]})"),
            "400: the model has one input, `image`");
  EXPECT_EQ(
      refusal(WithInput(R"("shape": [1], "datatype": "FP32", "data": [1])")),
      "400: the datatype of the input is FP32: give BYTES, files in base64, or UINT8, pixels");
  EXPECT_EQ(refusal(WithInput(R"("shape": [1], "data": [1])")),
            "400: the datatype of the input is missing: give BYTES, files in base64, or UINT8, "
            "pixels");
  EXPECT_EQ(refusal(WithInput(R"("shape": [1], "datatype": "BYTES", "data": ["a*b="])")),
            "400: the data of BYTES are no file in base64");
  EXPECT_EQ(refusal(WithInput(R"("shape": [1], "datatype": "BYTES", "data": [""])")),
            "400: the data of BYTES are no file in base64");
  EXPECT_EQ(refusal(WithInput(R"("shape": [2], "datatype": "BYTES", "data": ["aGk="])")),
            "400: the shape of BYTES is [files], as many as there are data");
  EXPECT_EQ(refusal(WithInput(R"("shape": [1], "datatype": "BYTES")")),
            "400: the input has no data");
  EXPECT_EQ(refusal(std::string("{}\0{", 4)), "400: the body is no JSON: it has a byte that is 0");
  EXPECT_EQ(refusal(WithInput(R"("shape": [1], "datatype": "BYTES", "data": ["aG=k"])")),
            "400: the data of BYTES are no file in base64");
  for (const char* wrong : {"null", "true"}) {
    EXPECT_EQ(refusal(WithInput(R"("shape": [1,1,1,3], "datatype": "UINT8", "data": [1,2,3,)" +
                                std::string(wrong) + "]")),
              "400: the data of the input hold what is no number");
  }
  EXPECT_EQ(
      refusal(WithInput(R"("shape": [1,1,1,3], "datatype": "UINT8", "data": {"a": [1,2,3]})")),
      "400: the shape of the input says so many values and its data are others: 0 came");
  EXPECT_EQ(refusal(WithInput(R"("shape": [1001,1,1,3], "datatype": "UINT8", "data": [0)" +
                              [] {
                                std::string more;
                                for (int i = 1; i < 1001 * 3; ++i) more += ",0";
                                return more;
                              }() +
                              "]")),
            "400: a request may have 1000 pictures");
  for (const char* wrong : {"-1", "256", "1.5", "1e400", "nan", "\"1\""}) {
    EXPECT_THAT(
        refusal(WithInput(std::string(R"("shape": [1,1,1,3], "datatype": "UINT8", "data": [)") +
                          wrong + "]")),
        StartsWith("400: the "))
        << wrong;
  }
  for (const char* shape :
       {"[1,1,3]", "[1,1,1,4]", "[0,1,1,3]", "[1,-1,1,3]", "[1,1.5,1,3]", "[1,1,4000000,3]"}) {
    EXPECT_EQ(refusal(WithInput(std::string(R"("datatype": "UINT8", "data": [1,2,3], "shape": )") +
                                shape)),
              "400: the shape of UINT8 is [pictures, height, width, 3]")
        << shape;
  }
  EXPECT_EQ(refusal(WithInput(R"("datatype": "UINT8", "data": [1,2,3], "shape": [2,1,1,3])")),
            "400: the shape of the input says so many values and its data are others: 3 came");
}

}  // namespace
}  // namespace weir
