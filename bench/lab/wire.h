// `lapse-lab wire`: servers compared as programs, over their sockets.
//
//   wire throughput   CPU time a command, operations a second and latency, at several pipelines
//   wire expiry       the expiry workloads that a server can be given from outside
//   wire limit        a bare server that parses and answers constants: what the wire alone costs
//
//      lapse-lab (core 1)                                   server (core 0)
//      generator, 50 connections, closed loop  --TCP-->     redis-server, lapse-server,
//      probe, 1 kHz on a schedule, open loop   --TCP-->     limit-asio, limit-epoll
//      CPU clock of the server's process       <--kernel--
//
// Why CPU time first: on a machine whose cores are shared, wall time says who else was running. The
// CPU time of the server's process per command is nearly blind to that, and servers take turns
// within a run (A B A B), so that what is left of it hits all of them.
//
// Why a limit: what a command costs is mostly the kernel's. The same requests against a server that
// stores nothing give the floor, and the ratio to it is what is ours to improve: `limit-asio` has
// the shape of server/net, `limit-epoll` does without Asio.
//
// Everything of this part is in namespace lapse::wire, in files wire*.
//
// Thread: the main thread, once.
#pragma once

#include <span>
#include <string>

namespace lapse {

// `words` are the command line's after `lapse-lab wire`. Returns the exit status.
int RunWire(std::span<const std::string> words);

}  // namespace lapse
