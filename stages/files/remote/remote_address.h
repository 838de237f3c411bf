// Where a file on a server is, and what the server is shown to be let in.
//
//   http://host/a.tar, https://host/a.tar     as they are; no credentials
//   s3://bucket/folder/a.tar                  by the S3 protocol, signed (AWS Signature Version 4)
//                                             where the environment has credentials
//
// For S3 the environment is read by its usual names: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_SESSION_TOKEN; AWS_REGION or AWS_DEFAULT_REGION, us-east-1 without; AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL for a server that is not Amazon's. What is said of an address has no secret in
// it, nor what follows its `?`.
//
// Pure but for the environment, which nobody sets while weir runs; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace weir {

struct S3Credentials {
  std::string key_id;
  std::string secret;
  std::string session_token;  // empty where there is none
};

struct RemoteAddress {
  std::string url;    // what is asked for
  std::string shown;  // what it is called: as the user wrote it, without what follows `?`
  bool is_s3 = false;
  std::string region{};
  std::shared_ptr<const S3Credentials> credentials{};  // null: the question is not signed
};

// Whether a name begins with http://, https:// or s3://, in any case.
bool IsRemote(std::string_view name);

// A name as it is shown: a remote one without what follows `?` or `#`, and without a password. Any
// other as it is, in one line.
std::string ShownRemote(std::string_view name);

// The url without what signs it for a while, which is another for each run: the parameters of
// Amazon, Google, CloudFront and Azure. Those that say which file is meant stay.
std::string UnsignedUrl(std::string_view url);

// Throws Error(kData), beginning with the name, where there is no host, no bucket or no key, where
// a password stands in it, or where the environment has only half of the credentials.
RemoteAddress AddressOf(const std::string& name);

}  // namespace weir
