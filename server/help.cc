#include "server/help.h"

#include <string_view>

#include "fmt/format.h"
#include "server/core/config.h"

namespace lapse {
namespace {

constexpr size_t kColumns = 80;

constexpr std::string_view kUsage =
    R"(usage: lapse-server [configuration file] [--directive value ...]

A key-value server that speaks Redis's protocol, made for keys that expire.

  lapse-server                                 port 6379 on the loopback interface
  lapse-server --port 7000 --threads 2 --requirepass secret
  lapse-server /etc/lapse/lapse.conf --loglevel debug

Options:
  -h, --help             print this and exit
  -v, --version          print the version and exit
  --print-config-docs    print docs/configuration.md and exit
  --threads N            short for --io-threads N

Signals: SIGTERM and SIGINT stop the server, a second one at once. What it holds is
gone then.
Exit status: 0 after a stop that was asked for, 1 when it could not start (one line
on standard error says why).
Environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, as systemd sets them.

Directives have the names and the syntax of redis.conf: `name value` in the file,
`--name value` on the command line, which wins. In brackets the default.

)";

// Appends the words of `text` as lines of at most kColumns, indented by six.
void AppendWrapped(std::string& out, std::string_view text) {
  constexpr std::string_view kIndent = "      ";
  size_t column = kColumns + 1;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size() == text.size() ? word.size() : word.size() + 1);
    if (column + 1 + word.size() > kColumns) {
      out += column > kColumns ? kIndent : fmt::format("\n{}", kIndent);
      column = kIndent.size();
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  out += '\n';
}

}  // namespace

std::string HelpText() {
  const Config defaults;
  std::string text(kUsage);
  for (const ConfigRow& row : ConfigTable()) {
    if (row.effect != ConfigEffect::kWorks || !row.now_called.empty()) continue;
    const std::string value = row.get(defaults);
    text += fmt::format("  --{} [{}]\n", row.name, value.empty() ? "\"\"" : value);
    AppendWrapped(text, row.doc);
  }
  text += "\nSome more are taken for redis.conf's sake and change nothing: --print-config-docs.\n";
  return text;
}

}  // namespace lapse
