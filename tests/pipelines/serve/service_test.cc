#include "pipelines/serve/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <latch>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stages/decode/vips/vips_decoder.h"
#include "tests/pipelines/serve/caught_refusal.h"
#include "tests/stages/decode/test_pictures.h"
#include "tests/support/caught_error.h"
#include "tests/support/drawn_model.h"
#include "tests/support/file_text.h"
#include "tests/support/scratch_folder.h"

namespace weir {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMib = std::size_t{1} << 20;
const ServerMemory kMemory{.ceiling_bytes = 64 * kMib,
                           .process_bytes = 16 * kMib,
                           .connections_bytes = kMib,
                           .workers = 2};

// A request that has come whole.
class Request final : public HttpRequest {
 public:
  Request(std::string method, std::string path, std::string body = "",
          std::vector<std::pair<std::string, std::string>> headers = {})
      : method_(std::move(method)),
        path_(std::move(path)),
        body_(std::move(body)),
        headers_(std::move(headers)) {
    if (method_ == "POST") head_.body_bytes = body_.size();
  }
  Request& Encoded() {
    head_.is_encoded = true;
    return *this;
  }
  Request& OfBytes(std::optional<std::uint64_t> bytes) {
    head_.body_bytes = bytes;
    return *this;
  }
  Request& With(const std::string& parameter, const std::string& value) {
    parameters_[parameter] = value;
    return *this;
  }

  const std::string& method() const override { return method_; }
  const std::string& path() const override { return path_; }
  std::optional<std::string> parameter(const std::string& name) const override {
    const auto found = parameters_.find(name);
    if (found == parameters_.end()) return std::nullopt;
    return found->second;
  }
  std::vector<std::string> headers(const std::string& name) const override {
    std::vector<std::string> values;
    for (const auto& [header, value] : headers_) {
      if (header == name) values.push_back(value);
    }
    return values;
  }
  const RequestHead& head() const override { return head_; }
  void ReadBody(std::span<char> to) override { std::memcpy(to.data(), body_.data(), to.size()); }
  bool IsSenderThere() const override { return true; }

 private:
  std::string method_, path_, body_;
  std::vector<std::pair<std::string, std::string>> headers_;
  RequestHead head_;
  std::map<std::string, std::string> parameters_;
};

class ServiceTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    StartVips();
    files_ = new ScratchFolder();
    SaveDrawnModel(*files_ / "model");
    Save(MakePhoto(300, 200), (*files_ / "photo.jpg").string());
    Save(MakePhoto(90, 120), (*files_ / "photo.png").string());
  }
  static void TearDownTestSuite() {
    delete files_;
    files_ = nullptr;
  }

  static std::string Photo(const char* name = "photo.jpg") { return FileText(*files_ / name); }
  static std::unique_ptr<ModelServer> Serve(const ServerMemory& memory) {
    SavedModel saved = LoadSavedModel(*files_ / "model");
    const YamlNode pictures = saved.use.pictures;
    const Precision precision = saved.use.precision;
    return std::make_unique<ModelServer>(std::move(saved), pictures, precision, memory);
  }

  json Ask(Request request) { return json::parse(service_.Respond(request).body); }
  std::string Refusal(Request request) {
    return RefusalOf([&] { service_.Respond(request); });
  }

  static ScratchFolder* files_;
  const std::unique_ptr<ModelServer> model_ = Serve(kMemory);
  bool is_ending_ = false;
  Service service_{*model_,
                   {.name = "insects",
                    .open_connections = [] { return 7; },
                    .is_ending = [this] { return is_ending_; }}};
};

ScratchFolder* ServiceTest::files_ = nullptr;

TEST_F(ServiceTest, ClassifiesAPicture) {
  const json answer = Ask({"POST", "/predict", Photo()});
  ASSERT_EQ(answer["predictions"].size(), 3U);
  double sum = 0, last = 1;
  for (const json& each : answer["predictions"]) {
    EXPECT_LE(each["probability"], last);
    last = each["probability"];
    sum += last;
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_FALSE(answer.contains("answer"));
  EXPECT_EQ(Ask(Request("POST", "/predict", Photo()).With("top", "1"))["predictions"].size(), 1U);
  const json sure = Ask(Request("POST", "/predict", Photo()).With("threshold", "0"));
  EXPECT_EQ(sure["answer"], answer["predictions"][0]["class"]);
  EXPECT_TRUE(Ask(Request("POST", "/predict", Photo()).With("threshold", "1"))["answer"].is_null());
}

TEST_F(ServiceTest, RefusesWhatIsNoPicture) {
  EXPECT_EQ(Refusal({"POST", "/predict", "one two three"}),
            "422: the picture is text, which weir does not read");
  EXPECT_THAT(Refusal({"POST", "/predict", Photo().substr(0, 100)}),
              StartsWith("422: the picture "));
}

TEST_F(ServiceTest, NamesWhatIsWrongWithARequest) {
  EXPECT_EQ(Refusal({"POST", "/predict", ""}), "400: the request has an empty body");
  EXPECT_EQ(Refusal(Request("POST", "/predict").OfBytes({})), "411: the request has no body");
  EXPECT_EQ(Refusal(Request("POST", "/predict").OfBytes(~std::uint64_t{0})),
            "413: the body is too large");
  EXPECT_THAT(Refusal(Request("POST", "/predict").OfBytes(std::uint64_t{1} << 40)),
              StartsWith("413: the request takes "));
  EXPECT_EQ(Refusal(Request("POST", "/predict", "body").Encoded()),
            "411: send the length of the body ahead of it, in Content-Length");
  EXPECT_EQ(Refusal({"POST", "/predict", "body", {{"Content-Encoding", "gzip"}}}),
            "415: send the body as it is, not packed");
  for (const char* top : {"0", "1001", "x", "", "1.5"}) {
    EXPECT_EQ(Refusal(Request("POST", "/predict", Photo()).With("top", top)),
              std::string("400: top is ") + top + ": give a number from 1 to 1000");
  }
  EXPECT_THAT(Refusal(Request("POST", "/predict", Photo()).With("threshold", "nan")),
              StartsWith("400: threshold is nan"));
  EXPECT_EQ(Refusal({"GET", "/predict"}), "405: give it a POST");
  EXPECT_EQ(Refusal({"DELETE", "/"}), "405: give it a GET");
  EXPECT_EQ(Refusal({"GET", "/nothing"}), "404: there is nothing at /nothing");
  EXPECT_EQ(Refusal({"GET", "/v2/models/others"}), "404: there is nothing at /v2/models/others");
}

TEST_F(ServiceTest, ClassifiesTheFilesOfAForm) {
  const auto file = [](const std::string& name, const std::string& content) {
    return "--cut\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" + name +
           "\"\r\n\r\n" + content + "\r\n";
  };
  const json answer = Ask({"POST",
                           "/predict",
                           file("a.jpg", Photo()) + file("b \xff.txt", "text") +
                               file("c.png", Photo("photo.png")) + "--cut--",
                           {{"Content-Type", "multipart/form-data; boundary=cut"}}});
  ASSERT_EQ(answer["pictures"].size(), 3U);
  EXPECT_EQ(answer["pictures"][0]["path"], "a.jpg");
  EXPECT_EQ(answer["pictures"][0]["predictions"],
            Ask({"POST", "/predict", Photo()})["predictions"]);
  EXPECT_EQ(answer["pictures"][1]["error"], "is text, which weir does not read");
  EXPECT_EQ(answer["pictures"][2]["predictions"],
            Ask({"POST", "/predict", Photo("photo.png")})["predictions"]);
  EXPECT_EQ(Refusal({"POST",
                     "/predict",
                     "--cut\r\n\r\nfield\r\n--cut--",
                     {{"Content-Type", "multipart/form-data; boundary=cut"}}}),
            "400: the form has no file");
}

TEST_F(ServiceTest, SpeaksKServesProtocol) {
  EXPECT_EQ(Ask({"GET", "/v2"})["name"], "weir");
  EXPECT_EQ(Ask({"GET", "/v2/health/live"}), json({{"live", true}}));
  EXPECT_EQ(Ask({"HEAD", "/v2/health/ready"}), json({{"ready", true}}));
  EXPECT_EQ(Ask({"GET", "/v2/models/insects/ready"}), json({{"name", "insects"}, {"ready", true}}));
  const json about = Ask({"GET", "/v2/models/insects"});
  EXPECT_EQ(about["inputs"][0]["datatype"], "BYTES");
  EXPECT_EQ(about["outputs"][0]["shape"], json({-1, 3}));
  // A PNG of one grey pixel.
  const std::string png =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg="
      "=";
  const std::string tail =
      R"("datatype": "BYTES", "shape": [2], "data": [")" + png + "\",\"" + png + "\"]}]";
  const json both = Ask({"POST", "/v2/models/insects/infer",
                         R"({"id": "9", "inputs": [{"name": "image", )" + tail + "}"});
  EXPECT_EQ(both["id"], "9");
  EXPECT_EQ(both["model_name"], "insects");
  ASSERT_EQ(both["outputs"].size(), 2U);
  EXPECT_EQ(both["outputs"][0]["shape"], json({2, 3}));
  const std::vector<float> values = both["outputs"][0]["data"];
  ASSERT_EQ(values.size(), 6U);
  const std::vector<std::string> names = both["outputs"][1]["data"];
  const auto best = std::max_element(values.begin(), values.begin() + 3) - values.begin();
  EXPECT_EQ(names[0], model_->classes()[static_cast<std::size_t>(best)]);
  const json one =
      Ask({"POST", "/v2/models/insects/infer",
           R"({"inputs": [{"name": "image", )" + tail + R"(, "outputs": [{"name": "class"}]})"});
  ASSERT_EQ(one["outputs"].size(), 1U);
  EXPECT_EQ(one["outputs"][0]["name"], "class");
  EXPECT_EQ(Refusal({"POST", "/v2/models/insects/infer",
                     R"({"inputs": [{"name": "image", )" + tail +
                         R"(, "outputs": [{"name": "logits"}]})"}),
            "400: the model has no output of that name: give probabilities or class");
  EXPECT_EQ(Refusal({"POST", "/v2/models/insects/infer",
                     R"({"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], )"
                     R"("data": ["b25l"]}]})"}),
            "400: picture 1 of 1 is text, which weir does not read");
  is_ending_ = true;
  Request ready("GET", "/v2/health/ready");
  EXPECT_EQ(service_.Respond(ready).status, 503);
}

TEST_F(ServiceTest, TakesPixelsAsTheyAre) {
  std::string pixels = "[";
  for (int i = 0; i < 64 * 64 * 3; ++i) pixels += (i > 0 ? "," : "") + std::to_string(i * 7 % 256);
  const json answer = Ask({"POST", "/v2/models/insects/infer",
                           R"({"inputs": [{"name": "image", "datatype": "UINT8", )"
                           R"("shape": [1, 64, 64, 3], "data": )" +
                               pixels + "]}]}"});
  std::vector<std::uint8_t> same;
  for (int i = 0; i < 64 * 64 * 3; ++i) same.push_back(static_cast<std::uint8_t>(i * 7 % 256));
  std::vector<float> probabilities(3);
  const PixelView view(same.data(), 64, 64);
  const auto answers =
      model_->Classify(std::span(&view, 1), probabilities.data(), [] { return true; });
  EXPECT_FALSE(answers.front());
  EXPECT_EQ(answer["outputs"][0]["data"].get<std::vector<float>>(), probabilities);
}

TEST_F(ServiceTest, RefusesWhatCanNeverFitAndWhatDoesNotNow) {
  const std::size_t room = model_->bill().requests;
  EXPECT_THAT(RefusalOf([&] { (void)model_->LeaseRequest(room + 1); }), StartsWith("413: "));
  {
    const Lease most = model_->LeaseRequest(room);
    HttpRefusal refusal{0, ""};
    try {
      (void)model_->LeaseRequest(1);
    } catch (const HttpRefusal& caught) {
      refusal = caught;
    }
    EXPECT_EQ(refusal.status, 429);
    EXPECT_TRUE(model_->is_short());
    EXPECT_EQ(refusal.headers, (decltype(refusal.headers){{"Retry-After", "1"}}));
  }
  (void)model_->LeaseRequest(1);
  EXPECT_EQ(model_->request_usage().used_bytes, 0U);
}

TEST_F(ServiceTest, ComputesNothingThatNobodyWaitsFor) {
  const std::string photo = Photo();
  const std::vector<ImageFile> files(5, FileInMemory(photo.data(), photo.size()));
  std::vector<float> rows(15, -1);
  EXPECT_EQ(RefusalOf([&] { model_->Classify(files, rows.data(), [] { return false; }); }),
            "400: nobody waits for the answer");
  EXPECT_EQ(rows, std::vector<float>(15, -1));
}

TEST_F(ServiceTest, GivesEachCallerTheAnswerOfItsOwnPicture) {
  const std::vector<std::string> photos = {Photo(), Photo("photo.png")};
  const std::vector<json> alone = {Ask({"POST", "/predict", photos[0]}),
                                   Ask({"POST", "/predict", photos[1]})};
  std::vector<std::thread> callers;
  std::latch begins(8);
  for (std::size_t i = 0; i < 8; ++i) {
    callers.emplace_back([&, i] {
      begins.arrive_and_wait();
      for (int again = 0; again < 5; ++again) {
        EXPECT_EQ(Ask({"POST", "/predict", photos[i % 2]}), alone[i % 2]);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(model_->picture_usage().used_bytes, 0U);
  EXPECT_EQ(model_->waiting(), 0U);
}

TEST_F(ServiceTest, CountsWhatItDoes) {
  Ask({"POST", "/predict", Photo()});
  Refusal({"POST", "/predict", "text"});
  Refusal({"GET", "/a/path/of/somebody"});
  Request metrics("GET", "/metrics");
  const std::string text = service_.Respond(metrics).body;
  EXPECT_THAT(text, HasSubstr("weir_requests_total{route=\"/predict\",code=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_requests_total{route=\"/predict\",code=\"422\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_requests_total{route=\"other\",code=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_pictures_total{result=\"unreadable\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("weir_connections 7\n"));
  EXPECT_THAT(text, HasSubstr("weir_memory_bytes{part=\"requests\"} 0\n"));
}

TEST_F(ServiceTest, HasABillThatAddsUp) {
  const ServerBill& bill = model_->bill();
  EXPECT_EQ(bill.process + bill.model + bill.workspaces + bill.connections + bill.requests +
                bill.pictures,
            kMemory.ceiling_bytes);
  ServerMemory low = kMemory;
  low.ceiling_bytes = 33 * kMib;
  EXPECT_THAT(CaughtError([&] { Serve(low); }),
              testing::AllOf(StartsWith("a ceiling of 33.0 MiB is too low to serve this model: "
                                        "16.0 MiB are the process's"),
                             HasSubstr("\nSet memory.host to ")));
}

}  // namespace
}  // namespace weir
