#include "server/http/http_connection.h"

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/ssl/stream.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/write.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/http/error.hpp"
#include "boost/beast/http/parser.hpp"
#include "boost/beast/http/read.hpp"
#include "boost/beast/http/serializer.hpp"
#include "boost/beast/http/write.hpp"
#include "server/core/arguments.h"

namespace lapse {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Socket = HttpConnection::Socket;
using TlsStream = asio::ssl::stream<Socket>;

constexpr size_t kReadBytes = 4096;
// What is read and thrown away before a connection is closed.
constexpr size_t kMaxDrainBytes = 256 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// What a request that could not be read is answered with; nullopt: nothing, the client has gone.
std::optional<HttpResponse> ResponseTo(const error_code& error) {
  if (error == http::error::header_limit) {
    return ErrorResponse(HttpStatus::request_header_fields_too_large, "HEADER",
                         "the header is too large");
  }
  if (error == http::error::body_limit) {
    return ErrorResponse(HttpStatus::payload_too_large, "BODY", "the body is too large");
  }
  if (error == http::error::bad_version) {
    return ErrorResponse(HttpStatus::http_version_not_supported, "VERSION", "HTTP/1.1, please");
  }
  if (error.category() != http::make_error_code(http::error::bad_method).category() ||
      error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  return ErrorResponse(HttpStatus::bad_request, "HTTP", "the request is malformed");
}

template <typename Stream>
class ConnectionOver final : public HttpConnection,
                             public std::enable_shared_from_this<ConnectionOver<Stream>> {
 public:
  static constexpr bool kIsTls = std::is_same_v<Stream, TlsStream>;

  ConnectionOver(HttpShared& shared, Stream stream, HttpPeer peer,
                 std::function<void(HttpConnection*)> on_end)
      : shared_(shared),
        stream_(std::move(stream)),
        peer_(std::move(peer)),
        on_end_(std::move(on_end)),
        timer_(stream_.get_executor()) {
    peer_.secure = kIsTls;
  }
  ~ConnectionOver() override {
    if (on_end_) on_end_(this);
  }

  void Start() override {
    if constexpr (kIsTls) {
      SetDeadline(shared_.limits.handshake);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](const error_code& error) {
                                if (!error) self->AwaitRequest();
                              });
    } else {
      AwaitRequest();
    }
  }

  void Close() override {
    timer_.cancel();
    error_code ignored;
    socket().close(ignored);
  }

 private:
  Socket& socket() {
    if constexpr (kIsTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  // Ends whatever is under way when time is up; expired() then says that it was this.
  void SetDeadline(std::chrono::milliseconds after) {
    expired_ = false;
    timer_.expires_after(after);
    timer_.async_wait([self = this->weak_from_this(), number = ++deadline_](error_code error) {
      const auto connection = self.lock();
      if (error || connection == nullptr || connection->deadline_ != number) return;
      connection->expired_ = true;
      error_code ignored;
      connection->socket().cancel(ignored);
    });
  }

  void AwaitRequest() {
    parser_.emplace();
    parser_->header_limit(shared_.limits.header_bytes);
    parser_->body_limit(shared_.limits.body_bytes);
    if (buffer_.size() > 0) return ReadHeader();
    SetDeadline(shared_.limits.idle);
    stream_.async_read_some(
        buffer_.prepare(kReadBytes),
        [self = this->shared_from_this()](const error_code& error, size_t bytes) {
          if (error) return self->Close();
          self->buffer_.commit(bytes);
          self->ReadHeader();
        });
  }

  void ReadHeader() {
    SetDeadline(shared_.limits.request);
    header_bytes_ = 0;
    ParseHeader();
  }

  // The parser limits what it has not consumed yet, and it consumes field by field, so that many
  // short fields would pass: the sum is kept here.
  void ParseHeader() {
    error_code error;
    const size_t consumed = parser_->put(buffer_.data(), error);
    buffer_.consume(consumed);
    header_bytes_ += consumed;
    if (header_bytes_ > shared_.limits.header_bytes) error = http::error::header_limit;
    if (error && error != http::error::need_more) return Refuse(error);
    if (parser_->is_header_done()) return OnHeader();
    stream_.async_read_some(
        buffer_.prepare(kReadBytes),
        [self = this->shared_from_this()](const error_code& failure, size_t bytes) {
          if (failure) return self->Refuse(failure);
          self->buffer_.commit(bytes);
          self->ParseHeader();
        });
  }

  // A body that will be too large, or that waits to be asked for, is known of before it comes.
  void OnHeader() {
    const auto length = parser_->content_length();
    if (length && *length > shared_.limits.body_bytes) {
      return Refuse(http::make_error_code(http::error::body_limit));
    }
    const std::string_view expect = HeaderOf(parser_->get(), HttpField::expect);
    if (expect.empty() || parser_->is_done()) return ReadBody();
    if (!EqualsIgnoreCase(expect, "100-continue")) {
      return Respond(ErrorResponse(HttpStatus::expectation_failed, "EXPECT",
                                   "only 100-continue is understood"));
    }
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = this->shared_from_this()](const error_code& error, size_t) {
                        if (error) return self->Close();
                        self->ReadBody();
                      });
  }

  void ReadBody() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = this->shared_from_this()](const error_code& error, size_t) {
                       if (error) return self->Refuse(error);
                       self->Answer();
                     });
  }

  void Refuse(const error_code& error) {
    if (expired_) {
      return Respond(ErrorResponse(HttpStatus::request_timeout, "TIMEOUT",
                                   "the request took too long to arrive"));
    }
    std::optional<HttpResponse> response = ResponseTo(error);
    if (!response) return Close();
    Respond(*std::move(response));
  }

  // The last response of the connection, to what was not read to its end.
  void Respond(HttpResponse response) {
    FinishResponse(response);
    Write(std::move(response));
  }

  void Answer() {
    timer_.cancel();
    request_ = parser_->release();
    if (shared_.site.IsInstant(request_)) return Write(shared_.site.Handle(request_, peer_));
    // The worker hands its hold on the connection over, so that it never ends on that thread.
    shared_.workers.Post([self = this->shared_from_this()]() mutable {
      HttpResponse response = self->shared_.site.Handle(self->request_, self->peer_);
      const auto executor = self->stream_.get_executor();
      asio::post(executor, [self = std::move(self), response = std::move(response)]() mutable {
        self->Write(std::move(response));
      });
    });
  }

  void Write(HttpResponse response) {
    response_ = std::move(response);
    SetDeadline(shared_.limits.write);
    const auto on_written = [self = this->shared_from_this()](const error_code& error, size_t) {
      if (error) return self->Close();
      if (!self->response_.keep_alive()) return self->Finish();
      self->AwaitRequest();
    };
    http::async_write(stream_, response_, on_written);
  }

  // Says that nothing more will come, and reads on until the other side has said so, too.
  void Finish() {
    SetDeadline(shared_.limits.drain);
    if constexpr (kIsTls) {
      stream_.async_shutdown(
          [self = this->shared_from_this()](const error_code&) { self->FinishSocket(); });
    } else {
      FinishSocket();
    }
  }

  void FinishSocket() {
    error_code ignored;
    socket().shutdown(Socket::shutdown_send, ignored);
    Drain();
  }

  void Drain() {
    buffer_.clear();
    socket().async_read_some(
        buffer_.prepare(kReadBytes),
        [self = this->shared_from_this()](const error_code& error, size_t bytes) {
          self->drained_ += bytes;
          if (error || self->drained_ > kMaxDrainBytes) return self->Close();
          self->Drain();
        });
  }

  HttpShared& shared_;
  Stream stream_;
  HttpPeer peer_;
  std::function<void(HttpConnection*)> on_end_;
  asio::steady_timer timer_;
  uint64_t deadline_ = 0;  // the number of the latest; an older one is void
  bool expired_ = false;
  boost::beast::flat_buffer buffer_;
  size_t header_bytes_ = 0;  // of the request that is being read
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  HttpResponse response_;
  size_t drained_ = 0;
};

}  // namespace

std::shared_ptr<HttpConnection> HttpConnection::Make(HttpShared& shared, Socket socket,
                                                     HttpPeer peer,
                                                     std::function<void(HttpConnection*)> on_end) {
  if (shared.tls != nullptr) {
    return std::make_shared<ConnectionOver<TlsStream>>(
        shared, TlsStream(std::move(socket), *shared.tls), std::move(peer), std::move(on_end));
  }
  return std::make_shared<ConnectionOver<Socket>>(shared, std::move(socket), std::move(peer),
                                                  std::move(on_end));
}

}  // namespace lapse
