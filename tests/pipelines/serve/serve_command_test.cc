// `weir serve` as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/pipelines/serve/raw_client.h"
#include "tests/pipelines/training_run.h"
#include "tests/support/file_text.h"

namespace weir {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string BodyOf(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

// A server that is listening.
class Served {
 public:
  explicit Served(std::vector<std::string> arguments)
      : process_(Joined({"serve"}, Joined(std::move(arguments), {"--port", "0"}))) {
    for (std::string line; !(line = process_.ReadLine()).empty();) {
      said_ += line;
      if (!line.starts_with("listening on http://127.0.0.1:")) continue;
      port_ = std::stoi(line.substr(line.rfind(':') + 1));
      return;
    }
  }

  std::string Post(const std::string& path, const std::string& body) const {
    RawClient client(port_);
    client.Send("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.ReadAnswer();
  }
  std::string Get(const std::string& path) const {
    RawClient client(port_);
    client.Send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return client.ReadAnswer();
  }
  ProcessOutcome End() {
    process_.Signal(SIGTERM);
    return process_.Wait();
  }
  int port() const { return port_; }
  const std::string& said() const { return said_; }  // before it listened, and that line

 private:
  WeirProcess process_;
  int port_ = 0;
  std::string said_;
};

// One run for all of them.
class ServeCommandTest : public TrainingRun {
 protected:
  static void SetUpTestSuite() {
    scratch_of_all_ = new ScratchFolder();
    const fs::path config = scratch_of_all_->Write(
        "job.yaml", TrainingYaml({.source = "directory: {path: " + DrawnPictures<8>().string() +
                                            ", validation_split: 0.25}",
                                  .picture_stages = {"augment: {size: [48, 40], zoom: 0.3}",
                                                     "center_crop: {size: 32}"}}));
    ASSERT_EQ(Weir({"run", config.string(), "--out", Run()}).status, 0);
  }
  static void TearDownTestSuite() {
    delete scratch_of_all_;
    scratch_of_all_ = nullptr;
  }

  static std::string Run() { return *scratch_of_all_ / "run"; }
  static std::vector<std::string> Pictures() {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(DrawnPictures<8>())) {
      if (entry.path().extension() == ".jpg") paths.push_back(entry.path().string());
    }
    return paths;
  }

  static ScratchFolder* scratch_of_all_;
};

ScratchFolder* ServeCommandTest::scratch_of_all_ = nullptr;

TEST_F(ServeCommandTest, AnswersAsPredictDoes) {
  const std::vector<std::string> pictures = Pictures();
  ASSERT_FALSE(pictures.empty());
  std::istringstream predicted(Weir(Joined({"predict", Run(), "--json"}, pictures)).out);
  Served served({Run()});
  for (std::string line; std::getline(predicted, line);) {
    json expected = json::parse(line);
    const std::string picture = expected["path"];
    expected.erase("path");
    EXPECT_EQ(json::parse(BodyOf(served.Post("/predict", FileText(picture)))), expected);
  }
  const ProcessOutcome outcome = served.End();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  const std::string count = std::to_string(pictures.size());
  EXPECT_THAT(outcome.out, EndsWith("\nanswered " + count + " requests, " + count + " pictures\n"));
}

TEST_F(ServeCommandTest, SaysWhatItServesAndWhatTheCeilingIsFor) {
  Served served({Run(), "--memory", "256MiB", "--connections", "8", "--set", "threads=2"});
  EXPECT_THAT(served.said(), AllOf(StartsWith("run: "),
                                   HasSubstr("pictures of 32x32, float32, 2 at once\n"
                                             "256 MiB in all: "),
                                   HasSubstr("768 KiB connections")));
  EXPECT_THAT(served.Get("/v2/models/run/ready"), HasSubstr("{\"name\":\"run\",\"ready\":true}"));
  EXPECT_THAT(served.Get("/"), AllOf(HasSubstr("Content-Type: text/html; charset=utf-8\r\n"),
                                     HasSubstr("<title>weir</title>")));
  EXPECT_EQ(served.End().status, 0);
}

TEST_F(ServeCommandTest, ServesAModelThatLiesAlone) {
  fs::copy(fs::path(Run()) / "model", scratch_ / "insects");
  Served served({(scratch_ / "insects").string(), "--top", "1", "--threshold", "1"});
  EXPECT_THAT(served.Get("/v2/models/insects"), StartsWith("HTTP/1.1 200 "));
  const json answer = json::parse(BodyOf(served.Post("/predict", FileText(Pictures().front()))));
  EXPECT_EQ(answer["predictions"].size(), 1U);
  EXPECT_TRUE(answer["answer"].is_null());
}

TEST_F(ServeCommandTest, RefusesWhatItCannotDo) {
  const ProcessOutcome low = Weir({"serve", Run(), "--memory", "8MiB"});
  EXPECT_EQ(low.status, 3);
  EXPECT_THAT(low.err, AllOf(HasSubstr("a ceiling of 8.00 MiB is too low to serve this model"),
                             HasSubstr("Set memory.host to ")));
  Served served({Run()});
  const std::string port = std::to_string(served.port());
  const ProcessOutcome taken = Weir({"serve", Run(), "--port", port});
  EXPECT_EQ(taken.status, 2);
  EXPECT_THAT(taken.err, HasSubstr("cannot listen on 127.0.0.1:" + port + ": Address already"));
  const ProcessOutcome nowhere = Weir({"serve", (scratch_ / "none").string()});
  EXPECT_EQ(nowhere.status, 4);
  EXPECT_THAT(nowhere.err, HasSubstr("is not the folder of a run"));
}

}  // namespace
}  // namespace weir
