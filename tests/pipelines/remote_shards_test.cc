// Shards on a server, as a person trains on them: the model of those on the disk, within the
// ceiling, without a secret in anything that is written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/memory/within_ceiling.h"
#include "tests/stages/sources/shards/tar_shards.h"
#include "tests/support/drawn_pictures.h"
#include "tests/support/file_text.h"
#include "tests/support/hard_cgroup.h"
#include "tests/support/range_server.h"
#include "tests/support/scoped_variable.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/training_job.h"
#include "tests/support/weir_process.h"

namespace weir {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RemoteShardsTest : public ::testing::Test {
 protected:
  RemoteShardsTest() {
    Members members;
    int number = 0;
    for (const std::filesystem::path& file : DrawnFiles<8>()) {
      char key[16];
      std::snprintf(key, sizeof key, "%06d", number++);
      members.emplace_back(std::string(key) + ".jpg", FileText(file));
      members.emplace_back(std::string(key) + ".cls", file.parent_path().filename());
    }
    const auto middle = members.begin() + static_cast<std::ptrdiff_t>(members.size() / 4 * 2);
    WriteTar(scratch_ / "s-0.tar", {members.begin(), middle});
    WriteTar(scratch_ / "s-1.tar", {middle, members.end()});
    std::map<std::string, std::string> files;
    for (const char* folder : {"/", "/photos/train/"}) {
      for (const char* name : {"s-0.tar", "s-1.tar"}) {
        files[std::string(folder) + name] = FileText(scratch_ / name);
      }
    }
    server_.emplace(std::move(files));
  }

  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  std::string Job(const std::string& shards, const std::string& remote = "") const {
    return scratch_
        .Write("c.yaml", TrainingYaml({.settings = "seed: 3\nthreads: 2\nmemory: {host: 256MiB}",
                                       .source = "webdataset: {shards: [\"" + shards +
                                                 "\"], validation_split: 0.25" + remote + "}",
                                       .picture_stages = {"augment: {size: [64, 64], zoom: 0.2}"},
                                       .training = "{epochs: 2}"}))
        .string();
  }

  std::string Model(const std::string& shards, const std::string& out,
                    const std::vector<std::string>& more = {},
                    const ProcessSetup& setup = {}) const {
    const ProcessOutcome outcome =
        Weir(Joined({"run", Job(shards), "--out", path(out)}, more), setup);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return FileText(path(out) + "/model/model.safetensors");
  }

  std::atomic<int> asked_{0};  // before the server, whose threads count
  ScratchFolder scratch_;
  const ScopedVariable cache_{"WEIR_CACHE", (scratch_ / "cache").c_str()};
  std::optional<RangeServer> server_;
};

TEST_F(RemoteShardsTest, GiveTheModelOfThoseOnTheDisk) {
  const std::string expected = Model(path("s-{0..1}.tar"), "disk");
  ASSERT_FALSE(expected.empty());
  EXPECT_TRUE(Model(server_->url("/s-{0..1}.tar"), "http") == expected);
  EXPECT_TRUE(Model(server_->url("/s-{0..1}.tar"), "threads", {"--set", "threads=1"}) == expected);
  // A server that breaks off, is busy and lies every now and then.
  server_->set_bend([](const RangeServer::Request& request, RangeServer::Answer& answer) {
    if (request.number % 5 == 1) answer.sent_bytes = answer.body.size() / 2;
    if (request.number % 7 == 2) answer.headers["Content-Range"] = "bytes 1-2/3";
  });
  EXPECT_TRUE(Model(server_->url("/s-{0..1}.tar"), "bad") == expected);
  const ProcessOutcome evaluated =
      Weir({"evaluate", path("disk"), server_->url("/s-{0..1}.tar"), "--json"});
  EXPECT_EQ(evaluated.status, 0) << evaluated.err;
  EXPECT_EQ(evaluated.out, Weir({"evaluate", path("disk"), path("s-{0..1}.tar"), "--json"}).out);
}

TEST_F(RemoteShardsTest, InABucketShowNobodyTheSecret) {
  const ProcessSetup setup{
      .environment = {"AWS_ENDPOINT_URL_S3=" + server_->url(), "AWS_ACCESS_KEY_ID=AKIAEXAMPLE",
                      "AWS_SECRET_ACCESS_KEY=the-secret-of-it", "AWS_SESSION_TOKEN=the-token-of-it",
                      "AWS_REGION=eu-west-1"}};
  EXPECT_TRUE(Model("s3://photos/train/s-{0..1}.tar", "s3", {}, setup) ==
              Model(path("s-{0..1}.tar"), "disk"));
  EXPECT_THAT(server_->requests().front().head, HasSubstr("Credential=AKIAEXAMPLE/"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path("s3"))) {
    if (!entry.is_regular_file()) continue;
    const std::string text = FileText(entry.path());
    for (const char* secret : {"AKIAEXAMPLE", "the-secret-of-it", "the-token-of-it"}) {
      EXPECT_THAT(text, Not(HasSubstr(secret))) << entry.path();
    }
  }
  server_->set_bend([](const RangeServer::Request&, RangeServer::Answer& answer) {
    answer = {.status = "403 Forbidden",
              .body =
                  "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIAEXAMPLE"
                  "</AWSAccessKeyId></Error>"};
    answer.headers["Content-Length"] = std::to_string(answer.body.size());
  });
  const ProcessOutcome refused = Weir({"run", path("c.yaml"), "--out", path("no")}, setup);
  EXPECT_EQ(refused.status, 4);
  EXPECT_THAT(Weir({"plan", Job("s3://photos/train/s-{0..1}.tar")}, setup).err,
              HasSubstr("s3://photos/train/s-0.tar cannot be read: the server answered 403 "
                        "Forbidden (SignatureDoesNotMatch)"));
  EXPECT_THAT(refused.err + refused.out, Not(HasSubstr("AKIAEXAMPLE")));
}

TEST_F(RemoteShardsTest, AreInThePlan) {
  const ProcessOutcome planned =
      Weir({"plan", Job(server_->url("/s-{0..1}.tar"), ", remote: {read_ahead: 12MiB}")});
  EXPECT_EQ(planned.status, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("read-ahead from servers"));
  EXPECT_THAT(planned.out, HasSubstr("connections to servers"));
  EXPECT_THAT(Weir({"plan", Job(path("s-{0..1}.tar"))}).out, Not(HasSubstr("servers")));
}

TEST_F(RemoteShardsTest, StayWithinTheSmallestCeilingThatIsPlanned) {
  if (const auto reason = HardCgroup::Unavailable()) GTEST_SKIP() << *reason;
  const std::string job = Job(server_->url("/s-{0..1}.tar"));
  const SmallestCeilings smallest = SmallestCeilingsOf(job);
  ASSERT_GT(smallest.run, 0u);
  const ProcessOutcome outcome = WithinCeiling({"run", job, "--out", path("small")}, smallest.run);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

// Whatever it waits for.
TEST_F(RemoteShardsTest, CtrlCEndsARunWhoseServerIsSilent) {
  for (const bool while_listed : {true, false}) {
    asked_ = 0;
    server_->set_bend(
        [this, while_listed](const RangeServer::Request&, RangeServer::Answer& answer) {
          if (++asked_ <= (while_listed ? 0 : 2)) return;
          answer.sent_bytes = 0;
          answer.stalls = true;
        });
    WeirProcess process({"run", Job(server_->url("/s-{0..1}.tar")), "--out",
                         path(while_listed ? "listed" : "run")});
    while (asked_ <= (while_listed ? 0 : 2)) std::this_thread::yield();
    process.Signal(SIGINT);
    EXPECT_EQ(process.Wait().status, 130) << while_listed;
  }
}

}  // namespace
}  // namespace weir
