// Where a file on a server is, and what the server is shown to be let in.
//
//   http://host/a.tar, https://host/a.tar     as they are; no credentials
//   s3://bucket/folder/a.tar                  by the S3 protocol, signed (AWS Signature Version 4)
//                                             where the environment has credentials
//
// For S3 the environment is read by its usual names: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
// AWS_SESSION_TOKEN; AWS_REGION or AWS_DEFAULT_REGION, us-east-1 without; AWS_ENDPOINT_URL_S3 or
// AWS_ENDPOINT_URL for a server that is not Amazon's. No message ever has a secret in it, nor what
// follows the `?` of an address.
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

// A remote name as it is shown: without what follows `?` or `#`.
std::string ShownRemote(std::string_view name);

// Throws Error(kData), beginning with the name, where there is no host, no bucket or no key, where
// a password stands in it, or where the environment has only half of the credentials.
RemoteAddress AddressOf(const std::string& name);

}  // namespace weir
