// Addresses, and the signature of what is asked of S3.
#include "stages/files/remote/remote_address.h"

#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "stages/files/remote/remote_file.h"
#include "stages/files/sha256.h"
#include "tests/support/caught_error.h"
#include "tests/support/range_server.h"
#include "tests/support/scoped_variable.h"

namespace weir {
namespace {

// The AWS variables, for one test.
class RemoteAddressTest : public testing::Test {
 protected:
  void Set(const char* name, const char* value) {
    set_.push_back(std::make_unique<ScopedVariable>(name, value));
  }

  RemoteAddressTest() {
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION",
          "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"}) {
      Set(name, "");
    }
  }

  ~RemoteAddressTest() override {
    while (!set_.empty()) set_.pop_back();  // a variable may have been set twice
  }

  std::vector<std::unique_ptr<ScopedVariable>> set_;
};

TEST_F(RemoteAddressTest, KnowsWhatLiesOnAServer) {
  for (const char* name : {"http://h/a", "HTTPS://h/a", "s3://b/k"}) {
    EXPECT_TRUE(IsRemote(name)) << name;
  }
  for (const char* name : {"a.tar", "/http://h", "ftp://h/a", "s3:/b/k", ""}) {
    EXPECT_FALSE(IsRemote(name)) << name;
  }
}

TEST_F(RemoteAddressTest, FindsBuckets) {
  EXPECT_EQ(AddressOf("s3://photos/a b/c+d.tar").url,
            "https://photos.s3.us-east-1.amazonaws.com/a%20b/c%2Bd.tar");
  EXPECT_EQ(AddressOf("s3://photos/a.tar").credentials, nullptr);
  EXPECT_EQ(AddressOf("s3://my.photos/a.tar").url,
            "https://s3.us-east-1.amazonaws.com/my.photos/a.tar");
  Set("AWS_DEFAULT_REGION", "eu-west-1");
  EXPECT_EQ(AddressOf("s3://photos/a.tar").url, "https://photos.s3.eu-west-1.amazonaws.com/a.tar");
  Set("AWS_REGION", "cn-north-1");
  EXPECT_EQ(AddressOf("s3://photos/a.tar").url,
            "https://photos.s3.cn-north-1.amazonaws.com.cn/a.tar");
  Set("AWS_ENDPOINT_URL", "http://other:9000");
  Set("AWS_ENDPOINT_URL_S3", "http://minio:9000/");
  EXPECT_EQ(AddressOf("s3://photos/a.tar").url, "http://minio:9000/photos/a.tar");
}

TEST_F(RemoteAddressTest, RefusesWhatIsNone) {
  const auto refusal = [](const std::string& name) {
    return CaughtError([&] { AddressOf(name); });
  };
  EXPECT_EQ(refusal("https:///a.tar"),
            "https:///a.tar: it has no host\nWrite it as https://host/folder/shard.tar.");
  EXPECT_EQ(refusal("s3:///a.tar"),
            "s3:///a.tar: it has no bucket\nWrite it as s3://bucket/folder/shard.tar.");
  EXPECT_EQ(refusal("s3://photos/"),
            "s3://photos/: it has no key\nWrite it as s3://bucket/folder/shard.tar.");
  EXPECT_EQ(refusal("https://me:secret@host/a.tar"),
            "https://...@host/a.tar: a password does not belong into an address\n"
            "Serve the shards where none is asked for, or from S3 with AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY. An @ of the path itself is written %40.");
  Set("AWS_ACCESS_KEY_ID", "key");
  EXPECT_EQ(refusal("s3://photos/a.tar"),
            "s3://photos/a.tar: the environment has AWS_ACCESS_KEY_ID and no "
            "AWS_SECRET_ACCESS_KEY\nSet both, or none for a bucket that anybody may read.");
}

TEST_F(RemoteAddressTest, NeverShowsAPassword) {
  for (const char* name :
       {"https://me:se@cret@host/a.tar", "https://me:se/cret@host/a.tar",
        "https://me:se#cret@host/a.tar", "https://me:se?cret@host/a.tar",
        "https://me:12/cret@host/a.tar", "https://cret?x@host/a.tar", "http://me:cr@et/cret@h/a",
        "s3://me:se/cret@bucket/a.tar", "s3://se@cret@bucket/a.tar", "https://me:cret@h?a@cret"}) {
    const std::string refused = CaughtError([&] { AddressOf(name); });
    EXPECT_NE(refused.find("a password does not belong"), std::string::npos) << name;
    EXPECT_EQ(refused.find("cr"), std::string::npos) << refused;
    EXPECT_EQ(ShownRemote(name).find("cr"), std::string::npos) << ShownRemote(name);
  }
  for (const char* name : {"https://host/@v2/a@b.tar", "http://[::1]:80/a.tar?by=me@there",
                           "s3://bucket/a@b.tar", "https://host:80/a%40b.tar"}) {
    EXPECT_EQ(CaughtError([&] { AddressOf(name); }), "nothing was thrown");
  }
}

TEST_F(RemoteAddressTest, ShowsNamesWithoutWhatFollowsTheQuestionMark) {
  EXPECT_EQ(ShownRemote("https://h/a.tar?token=secret"), "https://h/a.tar");
  EXPECT_EQ(ShownRemote("s3://b/a?b#c.tar"), "s3://b/a?b#c.tar") << "there it is of the key";
  EXPECT_EQ(ShownRemote("a folder?/b#c.tar"), "a folder?/b#c.tar") << "as it is of a file's name";
}

TEST_F(RemoteAddressTest, KnowsWhatOnlySigns) {
  EXPECT_EQ(UnsignedUrl("https://h/a.tar"), "https://h/a.tar");
  EXPECT_EQ(UnsignedUrl("https://h/a?X-Amz-Date=1&id=2&x-goog-signature=3&versionId=4"),
            "https://h/a?id=2&versionId=4");
  EXPECT_EQ(UnsignedUrl("https://h/a?sv=1&se=2&sig=a%3D&"), "https://h/a?sv=1");
  EXPECT_EQ(UnsignedUrl("https://h/a?Expires=1&Signature=2&Key-Pair-Id=3"), "https://h/a");
}

// --- Signature Version 4, worked out once more from what the server gets -------------------------
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

std::string Digest(const std::string& text) {
  Sha256 sha256;
  sha256.Add(std::as_bytes(std::span(text)));
  return sha256.Finish();
}

std::string Hmac(const std::string& key, const std::string& text) {
  std::array<unsigned char, 32> mac;
  unsigned size = mac.size();
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

std::string Between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

// The value of a header in the head of a request; its name is compared in lower case.
std::string HeaderIn(const std::string& head, const std::string& name) {
  std::string lower = head;
  std::transform(lower.begin(), lower.end(), lower.begin(), ::tolower);
  const std::size_t at = lower.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

struct SignedParts {
  std::string method = "GET", path, head, secret;
};

std::string SignatureOf(const SignedParts& parts) {
  const std::string authorization = HeaderIn(parts.head, "authorization");
  const std::string names = Between(authorization, "SignedHeaders=", ",");
  const std::string credential = Between(authorization, "Credential=", ",");
  const std::string scope = credential.substr(credential.find('/') + 1);
  std::string canonical = parts.method + "\n" + parts.path + "\n\n";
  for (std::size_t begin = 0; begin < names.size();) {
    const std::size_t end = std::min(names.find(';', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    canonical += name + ":" + HeaderIn(parts.head, name) + "\n";
    begin = end + 1;
  }
  canonical += "\n" + names + "\n" + HeaderIn(parts.head, "x-amz-content-sha256");
  const std::string text = "AWS4-HMAC-SHA256\n" + HeaderIn(parts.head, "x-amz-date") + "\n" +
                           scope + "\n" + Digest(canonical);
  std::string key = "AWS4" + parts.secret;
  for (std::size_t begin = 0; begin < scope.size();) {
    const std::size_t end = std::min(scope.find('/', begin), scope.size());
    key = Hmac(key, scope.substr(begin, end - begin));
    begin = end + 1;
  }
  const std::string mac = Hmac(key, text);
  return Hexadecimal(std::as_bytes(std::span(mac)));
}

// The first example of that page: what works the signature out here agrees with Amazon.
TEST_F(RemoteAddressTest, AmazonsOwnExampleHasTheSignatureThatItSays) {
  const SignedParts example{
      .path = "/test.txt",
      .head =
          "GET /test.txt HTTP/1.1\r\n"
          "Host: examplebucket.s3.amazonaws.com\r\n"
          "Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/"
          "s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
          "Signature=\r\n"
          "Range: bytes=0-9\r\n"
          "x-amz-content-sha256: "
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\r\n"
          "x-amz-date: 20130524T000000Z\r\n",
      .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  EXPECT_EQ(SignatureOf(example),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(RemoteAddressTest, WhatIsAskedOfS3IsSigned) {
  RangeServer server(RangeServer::Files{{"/photos/a%20b/c%2Bd~.tar", "the content"}});
  Set("AWS_ENDPOINT_URL_S3", server.url().c_str());
  Set("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
  Set("AWS_SECRET_ACCESS_KEY", "wJalr:XUtnFEMI/K7MDENG");
  Set("AWS_SESSION_TOKEN", "a/token+of==");
  Set("AWS_REGION", "eu-central-1");
  const auto client = std::make_shared<RemoteClient>(RemoteSettings{}, [] { return false; });
  RemoteFile file(client, "s3://photos/a b/c+d~.tar", 1000);
  std::string content(7, '?');
  file.Read(4, content.data(), content.size());
  EXPECT_EQ(content, "content");
  ASSERT_EQ(server.requests().size(), 2u);
  for (const RangeServer::Request& request : server.requests()) {
    const std::string authorization = HeaderIn(request.head, "authorization");
    EXPECT_EQ(
        Between(authorization, "Signature=", "\r"),
        SignatureOf(
            {.path = request.path, .head = request.head, .secret = "wJalr:XUtnFEMI/K7MDENG"}));
    const std::string names = Between(authorization, "SignedHeaders=", ",");
    for (const char* name :
         {"host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}) {
      EXPECT_NE(names.find(name), std::string::npos) << names;
    }
    EXPECT_NE(authorization.find("/eu-central-1/s3/aws4_request"), std::string::npos);
    EXPECT_EQ(HeaderIn(request.head, "x-amz-security-token"), "a/token+of==");
    EXPECT_EQ(request.head.find("wJalr"), std::string::npos);
  }
}

// libcurl refuses what is longer than 8 MB, and would send the password in another way then.
TEST_F(RemoteAddressTest, WithoutASignatureNothingIsAsked) {
  RangeServer server(RangeServer::Files{{"/photos/a.tar", "the content"}});
  Set("AWS_ENDPOINT_URL", server.url().c_str());
  Set("AWS_ACCESS_KEY_ID", "id");
  Set("AWS_SECRET_ACCESS_KEY", "secret");
  Set("AWS_REGION", std::string(9'000'000, 'x').c_str());
  const auto client = std::make_shared<RemoteClient>(RemoteSettings{}, [] { return false; });
  EXPECT_EQ(CaughtError([&] { RemoteFile(client, "s3://photos/a.tar", 1000); }),
            "s3://photos/a.tar cannot be read: libcurl refuses to sign for it\n"
            "Check AWS_REGION, and that libcurl was built with AWS Signature Version 4.");
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(RemoteAddressTest, WhatIsSignedDoesNotFollowARedirect) {
  RangeServer server(RangeServer::Files{});
  server.set_bend([](const RangeServer::Request&, RangeServer::Answer& answer) {
    answer.status = "301 Moved Permanently";
    answer.headers["Location"] = "http://127.0.0.1:1/elsewhere";
    answer.headers["x-amz-bucket-region"] = "eu-west-3";
    answer.body = "<Error><Code>PermanentRedirect</Code></Error>";
    answer.headers["Content-Length"] = std::to_string(answer.body.size());
  });
  Set("AWS_ENDPOINT_URL", server.url().c_str());
  Set("AWS_ACCESS_KEY_ID", "id");
  Set("AWS_SECRET_ACCESS_KEY", "secret");
  const auto client = std::make_shared<RemoteClient>(RemoteSettings{}, [] { return false; });
  EXPECT_EQ(CaughtError([&] { RemoteFile(client, "s3://photos/a.tar", 1000); }),
            "s3://photos/a.tar cannot be read: the server answered 301 Moved Permanently "
            "(PermanentRedirect)\nSet AWS_REGION to the region of the bucket, eu-west-3.");
}

}  // namespace
}  // namespace weir
