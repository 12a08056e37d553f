#include "tests/differential/agreement.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "server/core/arguments.h"

namespace lapse {
namespace {

constexpr int64_t kSecondsApart = 3;
constexpr int64_t kMillisecondsApart = 3000;

// Times -1 and -2 stand for "none" and "no key".
bool CloseTimes(const Reply& a, const Reply& b, int64_t apart) {
  if (a.type != ReplyType::kInteger || b.type != ReplyType::kInteger) return false;
  if (a.integer < 0 || b.integer < 0) return a.integer == b.integer;
  const auto [least, most] = std::minmax(a.integer, b.integer);
  return most - least <= apart;
}

std::vector<std::string> Sorted(const Reply& reply, size_t step) {
  std::vector<std::string> texts;
  for (size_t i = 0; i + step <= reply.size(); i += step) {
    std::string text = reply[i].ToString();
    if (step == 2) text += " => " + reply[i + 1].ToString();
    texts.push_back(std::move(text));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

bool SameElements(const Reply& a, const Reply& b, size_t step) {
  return a.IsCollection() && a.type == b.type && a.size() == b.size() &&
         Sorted(a, step) == Sorted(b, step);
}

bool SameGreeting(const Reply& a, const Reply& b) {
  if (!a.IsCollection() || a.type != b.type || a.size() != b.size()) return false;
  for (size_t i = 0; i + 1 < a.size(); i += 2) {
    if (!(a[i] == b[i])) return false;
    const bool own = a[i] == "version" || a[i] == "id";
    if (!own && !(a[i + 1] == b[i + 1])) return false;
  }
  return true;
}

constexpr std::string_view kAnyCommand;

struct Explanation {
  std::string_view command;
  bool (*fits)(const Request& request, const Reply& reference, const Reply& ours);
  std::string_view reason;
};

// Whether the texts are the same up to a zero byte in ours.
bool EndsAtZero(const Request&, const Reply& reference, const Reply& ours) {
  const size_t zero = ours.text.find('\0');
  return reference.IsError() && ours.IsError() && zero != std::string::npos &&
         reference.text.compare(0, zero, ours.text, 0, zero) == 0;
}

bool IsPackedSet(const Request&, const Reply& reference, const Reply& ours) {
  return reference == "hashtable" && ours == "listpack";
}

bool EqualButForTheSignOfZero(const Reply& reference, const Reply& ours) {
  const auto without_sign = [](const std::string& text) { return text == "-0" ? "0" : text; };
  if (without_sign(reference.text) != without_sign(ours.text) ||
      reference.elements.size() != ours.elements.size()) {
    return false;
  }
  for (size_t i = 0; i < ours.elements.size(); ++i) {
    if (!EqualButForTheSignOfZero(reference.elements[i], ours.elements[i])) return false;
  }
  return true;
}

constexpr Explanation kExplanations[] = {
    {"ZUNION",
     [](const Request&, const Reply& reference, const Reply& ours) {
       return EqualButForTheSignOfZero(reference, ours);
     },
     "the sign of a sum of weighed zeros depends on the order in which they are added"},
    {"OBJECT", IsPackedSet, "small sets are packed lists since Redis 7.2"},
    {kAnyCommand, EndsAtZero,
     "Redis's error texts quote a client's words as C strings, which end at a zero byte"},
    {"OBJECT",
     [](const Request&, const Reply& reference, const Reply& ours) {
       return reference == "quicklist" && ours == "listpack";
     },
     "Redis 7.0 has one encoding of lists; since 7.2 small ones are listpacks"},
    {"OBJECT",
     [](const Request&, const Reply& reference, const Reply& ours) {
       return reference == "skiplist" && ours == "listpack";
     },
     "a sorted set whose long or many members have gone stays unpacked in Redis"},
    {"EXPIRETIME",
     [](const Request&, const Reply& reference, const Reply& ours) {
       return reference.integer < -2 && ours.integer == INT64_MAX / 1000 + 1;
     },
     "Redis rounds a deadline to the nearest second by adding 500 ms, which overflows for one in "
     "the last half second of 64 bits"},
};

}  // namespace

bool Agree(Agreement agreement, const Answer& reference, const Answer& ours) {
  if (reference.bytes == ours.bytes) return true;
  const Reply& a = reference.reply;
  const Reply& b = ours.reply;
  if (a.IsError() || b.IsError()) return false;
  switch (agreement) {
    case Agreement::kExact:
      return false;
    case Agreement::kSeconds:
      return CloseTimes(a, b, kSecondsApart);
    case Agreement::kMilliseconds:
      return CloseTimes(a, b, kMillisecondsApart);
    case Agreement::kAnyOrder:
      return SameElements(a, b, 1);
    case Agreement::kAnyPairOrder:
      return SameElements(a, b, 2);
    case Agreement::kGreeting:
      return SameGreeting(a, b);
    case Agreement::kKind:
      return a.type == b.type;
    case Agreement::kErrors:
      return true;
  }
  return false;
}

std::string_view Explain(const Request& request, const Answer& reference, const Answer& ours) {
  for (const Explanation& explanation : kExplanations) {
    const bool about_it =
        explanation.command.empty() || EqualsIgnoreCase(request[0], explanation.command);
    if (about_it && explanation.fits(request, reference.reply, ours.reply)) {
      return explanation.reason;
    }
  }
  return {};
}

}  // namespace lapse
