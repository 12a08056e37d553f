// Encrypted connections: certificates are verified unless one says otherwise.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fmt/format.h"
#include "remote/flush.h"
#include "tests/remote_wire/bed.h"

namespace lapse {
namespace {

using ::testing::HasSubstr;

// An authority, a server's certificate for localhost by it, and a client's.
constexpr std::string_view kMakeCertificates = R"(cd {} &&
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=Test-CA
  -keyout ca.key -out ca.crt &&
for name in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=$name
    -keyout $name.key -out $name.csr &&
  echo subjectAltName=DNS:localhost > ext &&
  openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2
    -extfile ext -out $name.crt || exit 1;
done)";

class RemoteTlsTest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_REDIS();
    if (!HaveProgram("openssl")) GTEST_SKIP() << "openssl is not installed";
    files_ = StartRedis();  // for its folder
    std::string script = fmt::format(fmt::runtime(kMakeCertificates), files_->dir());
    // A line that is indented goes on with the one before.
    for (size_t at; (at = script.find("\n  -")) != std::string::npos;) script.replace(at, 3, " ");
    for (size_t at; (at = script.find("\n    -")) != std::string::npos;) script.replace(at, 5, " ");
    int status = -1;
    const std::string output = RunShell(script, &status);
    ASSERT_EQ(status, 0) << output;
  }

  std::string File(const std::string& name) const { return files_->dir() + "/" + name; }

  void Start(const std::string& clients) {
    tls_port_ = FreePort();
    server_ = StartRedis({"--tls-port", std::to_string(tls_port_), "--tls-cert-file",
                          File("server.crt"), "--tls-key-file", File("server.key"),
                          "--tls-ca-cert-file", File("ca.crt"), "--tls-auth-clients", clients});
    if (!server_->running()) return;
    Fill(*server_, {.expired = 300});
  }

  RemoteFlushResult Flush(const RemoteTls& tls, const std::string& host = "localhost") const {
    RemoteFlushOptions options;
    options.connect.tls = tls;
    return FlushRemote(Target(fmt::format("rediss://{}:{}", host, tls_port_)), options, {}, {});
  }

  std::unique_ptr<ServerProcess> files_;
  std::unique_ptr<ServerProcess> server_;
  int tls_port_ = 0;
};

TEST_F(RemoteTlsTest, VerifiesTheCertificateAndTheName) {
  Start("no");
  if (!server_->running()) GTEST_SKIP() << "redis-server was built without TLS";
  const RemoteFlushResult strange = Flush({});
  EXPECT_EQ(strange.state, RemoteFlushState::kFailed);
  EXPECT_THAT(strange.reason, HasSubstr("certificate verify failed"));
  EXPECT_THAT(strange.reason, HasSubstr("self-signed certificate"));

  const RemoteFlushResult other_name = Flush({.ca_file = File("ca.crt")}, "127.0.0.1");
  EXPECT_EQ(other_name.state, RemoteFlushState::kFailed);
  EXPECT_THAT(other_name.reason, HasSubstr("certificate verify failed"));

  const RemoteFlushResult no_file = Flush({.ca_file = File("no-such-file")});
  EXPECT_THAT(no_file.reason, HasSubstr("cannot read CA file"));

  const RemoteFlushResult good = Flush({.ca_file = File("ca.crt")});
  EXPECT_EQ(good.state, RemoteFlushState::kSucceeded) << good.reason;
  EXPECT_EQ(good.expired, 300);

  Fill(*server_, {.expired = 300});
  const RemoteFlushResult named =
      Flush({.ca_file = File("ca.crt"), .server_name = "localhost"}, "127.0.0.1");
  EXPECT_EQ(named.expired, 300) << named.reason;
  const RemoteFlushResult unverified = Flush({.verify = false}, "127.0.0.1");
  EXPECT_EQ(unverified.state, RemoteFlushState::kSucceeded) << unverified.reason;
}

TEST_F(RemoteTlsTest, ShowsItsOwnCertificateWhereOneIsAskedFor) {
  Start("yes");
  if (!server_->running()) GTEST_SKIP() << "redis-server was built without TLS";
  const RemoteFlushResult without = Flush({.ca_file = File("ca.crt")});
  EXPECT_EQ(without.state, RemoteFlushState::kFailed);
  const RemoteFlushResult with = Flush(
      {.ca_file = File("ca.crt"), .cert_file = File("client.crt"), .key_file = File("client.key")});
  EXPECT_EQ(with.state, RemoteFlushState::kSucceeded) << with.reason;
  EXPECT_EQ(with.expired, 300);
}

TEST_F(RemoteTlsTest, APlainServerIsNoTlsServer) {
  const auto plain = StartRedis();
  tls_port_ = plain->port();
  RemoteFlushOptions options;
  options.connect.connect_timeout = std::chrono::milliseconds(500);
  const RemoteFlushResult result =
      FlushRemote(Target(fmt::format("rediss://localhost:{}", tls_port_)), options, {}, {});
  EXPECT_EQ(result.state, RemoteFlushState::kFailed);
  EXPECT_THAT(result.reason, HasSubstr("TLS"));
}

}  // namespace
}  // namespace lapse
