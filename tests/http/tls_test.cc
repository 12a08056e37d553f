// HTTPS at a real socket, with a certificate made for the test.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "boost/asio/buffer.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/ssl/context.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/write.hpp"
#include "tests/http/bed.h"

namespace lapse {
namespace {

namespace asio = boost::asio;

// A key and a certificate signed by itself, in two files that go with the object.
class Certificate {
 public:
  Certificate() {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> pair(EVP_EC_gen("P-256"),
                                                                   &EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> paper(X509_new(), &X509_free);
    ASN1_INTEGER_set(X509_get_serialNumber(paper.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(paper.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(paper.get()), 3600);
    X509_set_pubkey(paper.get(), pair.get());
    X509_sign(paper.get(), pair.get(), EVP_sha256());
    std::FILE* file = std::fopen(key.c_str(), "we");
    PEM_write_PrivateKey(file, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    file = std::fopen(cert.c_str(), "we");
    PEM_write_X509(file, paper.get());
    std::fclose(file);
  }
  ~Certificate() {
    std::filesystem::remove(key);
    std::filesystem::remove(cert);
  }

  const std::string stem = testing::TempDir() + "lapse-tls-" + std::to_string(getpid());
  const std::string key = stem + ".key";
  const std::string cert = stem + ".pem";
};

Config WithTls(const Certificate& certificate) {
  Config config;
  config.http_tls_cert_file = certificate.cert;
  config.http_tls_key_file = certificate.key;
  return config;
}

// What one connection gets for these bytes; "" when there is no handshake.
std::string AskOverTls(int port, const std::string& bytes, int most_version = TLS1_3_VERSION) {
  asio::io_context io;
  asio::ssl::context context(asio::ssl::context::tls_client);
  SSL_CTX_set_max_proto_version(context.native_handle(), most_version);
  asio::ssl::stream<asio::ip::tcp::socket> stream(io, context);
  boost::system::error_code error;
  stream.next_layer().connect({asio::ip::address_v4::loopback(), static_cast<uint16_t>(port)},
                              error);
  stream.handshake(asio::ssl::stream_base::client, error);
  if (error) return "";
  asio::write(stream, asio::buffer(bytes), error);
  std::string answer;
  char block[4096];
  while (!error) {
    const size_t got = stream.read_some(asio::buffer(block), error);
    answer.append(block, got);
  }
  return answer;
}

TEST(HttpTlsTest, ServesOverTls) {
  const Certificate certificate;
  HttpServerBed bed({}, WithTls(certificate));
  const std::string answer = AskOverTls(
      bed.port(), "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_TRUE(answer.ends_with("ok\n"));
  const std::string info = AskOverTls(
      bed.port(), "GET /api/v1/info HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(StatusOf(info), 200);
}

TEST(HttpTlsTest, AnOriginIsHttps) {
  const Certificate certificate;
  HttpServerBed bed({}, WithTls(certificate));
  const auto status = [&](const std::string& origin) {
    return StatusOf(AskOverTls(bed.port(),
                               "POST /api/v1/flushes HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Type: application/json\r\nContent-Length: 0\r\n"
                               "Connection: close\r\nOrigin: " +
                                   origin + "\r\n\r\n"));
  };
  EXPECT_EQ(status("http://localhost"), 403);
  EXPECT_EQ(status("https://localhost"), 202);
}

TEST(HttpTlsTest, OldVersionsAndPlainRequestsGetNothing) {
  const Certificate certificate;
  HttpServerBed bed({}, WithTls(certificate));
  EXPECT_EQ(AskOverTls(bed.port(), "GET /healthz HTTP/1.1\r\n\r\n", TLS1_1_VERSION), "");
  RawClient plain(bed.port());
  plain.Send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(StatusOf(plain.ReadAll()), 0);
}

TEST(HttpTlsTest, ABadCertificateIsSaidAtTheStart) {
  Config config;
  config.http_tls_cert_file = "/nowhere/cert.pem";
  Db db(std::move(config));
  HttpServer::Options options;
  options.any_port = true;
  const auto server = HttpServer::Start(db.instance(), options);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.status().message().find("/nowhere/cert.pem"), absl::string_view::npos);
}

}  // namespace
}  // namespace lapse
