// What the HTTP port serves, without a socket: from a request that has been read to its response.
//
//   target well formed? -> RPC? -> route or file? -> method? -> origin, content type -> login
//   -> JSON body -> the route's command, as the user -> response with the headers every one has
//
// Each step that fails ends it with a status of its own, before anything has been changed.
//
// Thread: Handle from any number of workers at once; it may wait for a command.
#pragma once

#include <span>
#include <string_view>

#include "server/console/console.h"
#include "server/core/instance.h"
#include "server/http/admission.h"
#include "server/http/message.h"
#include "server/http/rpc.h"
#include "server/http/target.h"
#include "server/services/executor.h"

namespace lapse {

class HttpSite {
 public:
  // Both outlive it. "/index.html" is also "/".
  HttpSite(Instance& instance, std::span<const ConsoleFile> files)
      : instance_(instance), files_(files) {}

  // The response, ready to be sent.
  HttpResponse Handle(const HttpRequest& request, const HttpPeer& peer);
  // Whether Handle runs no command, so that it may be called where nothing may wait.
  bool IsInstant(const HttpRequest& request) const;

  // Ends what Handle waits for, for the sake of a shutdown.
  void Interrupt() { executors_.Interrupt(); }

 private:
  HttpResponse Serve(const HttpRequest& request, const HttpPeer& peer);
  HttpResponse ServePath(const HttpRequest& request, const HttpPeer& peer,
                         const HttpTarget& target);
  HttpResponse ServeFile(const HttpRequest& request, const ConsoleFile& file) const;
  const ConsoleFile* FindFile(std::string_view path) const;

  Instance& instance_;
  const std::span<const ConsoleFile> files_;
  ExecutorPool executors_{instance_};
  Admission admission_{instance_, executors_};
  RpcService rpc_{instance_, executors_, admission_};
};

}  // namespace lapse
