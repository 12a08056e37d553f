// Replies back to bytes, for round trips, and random replies to send on them.
#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <utility>

#include "protocol/number.h"
#include "protocol/reply.h"
#include "protocol/reply_writer.h"

namespace lapse {

inline void WriteReply(const Reply& reply, ReplyWriter& writer) {
  switch (reply.type) {
    case ReplyType::kNull:
      return writer.Null();
    case ReplyType::kNullArray:
      return writer.NullArray();
    case ReplyType::kSimple:
      return writer.Simple(reply.text);
    case ReplyType::kError:
      return writer.Error(reply.text);
    case ReplyType::kInteger:
      return writer.Integer(reply.integer);
    case ReplyType::kBulk:
      return writer.Bulk(reply.text);
    case ReplyType::kDouble:
      return writer.Double(reply.number);
    case ReplyType::kBoolean:
      return writer.Boolean(reply.integer != 0);
    case ReplyType::kBigNumber:
      return writer.BigNumber(reply.text);
    case ReplyType::kVerbatim:
      return writer.Verbatim("txt", reply.text);
    case ReplyType::kArray:
      writer.Array(reply.size());
      break;
    case ReplyType::kMap:
      writer.Map(reply.size() / 2);
      break;
    case ReplyType::kSet:
      writer.Set(reply.size());
      break;
    case ReplyType::kPush:
      writer.Push(reply.size());
      break;
  }
  for (const Reply& element : reply.elements) WriteReply(element, writer);
}

// The reply that a RESP3 client reads back after WriteReply: texts on a line lose their line ends,
// a double has the writer's spelling, and there is one null.
inline Reply AsReadBack(Reply reply) {
  if (reply.type == ReplyType::kNullArray) reply.type = ReplyType::kNull;
  if (reply.type == ReplyType::kDouble) reply.text = FormatDouble(reply.number);
  if (reply.type == ReplyType::kError) {
    const size_t begin = reply.text.find_first_not_of("\r\n");
    reply.text = begin == std::string::npos
                     ? ""
                     : reply.text.substr(begin, reply.text.find_last_not_of("\r\n") - begin + 1);
  }
  if (reply.type == ReplyType::kSimple || reply.type == ReplyType::kError ||
      reply.type == ReplyType::kBigNumber) {
    for (char& c : reply.text) {
      if (c == '\r' || c == '\n') c = ' ';
    }
  }
  for (Reply& element : reply.elements) element = AsReadBack(std::move(element));
  return reply;
}

inline Reply RandomReply(std::mt19937_64& random, int depth = 0) {
  constexpr int kDeepest = 4;
  constexpr int kKinds = static_cast<int>(ReplyType::kNullArray) + 1;
  Reply reply;
  do {
    reply.type = static_cast<ReplyType>(random() % kKinds);
  } while (reply.IsCollection() && depth == kDeepest);
  if (reply.IsText()) {
    reply.text.resize(random() % 20 + (reply.type == ReplyType::kBigNumber ? 1 : 0));
    for (char& c : reply.text) c = static_cast<char>(random());
  }
  if (reply.type == ReplyType::kInteger) {
    reply.integer = static_cast<int64_t>(random()) >> (random() % 64);
  }
  if (reply.type == ReplyType::kBoolean) reply.integer = static_cast<int64_t>(random() % 2);
  if (reply.type == ReplyType::kDouble) {
    reply.number = static_cast<double>(static_cast<int64_t>(random())) / 1e6;
  }
  if (reply.IsCollection()) {
    reply.elements.resize(random() % 4 * (reply.type == ReplyType::kMap ? 2 : 1));
    for (Reply& element : reply.elements) element = RandomReply(random, depth + 1);
  }
  return reply;
}

}  // namespace lapse
