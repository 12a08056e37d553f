// Results: rows of named figures, merged over rounds, printed as a Markdown table and kept as JSON.
//
// Why rows that name their own columns: each part measures other things, and a figure should be
// named once, where it is taken. Columns are those of a table's first row, in its order; words
// identify a row (test, server), numbers are figures, and series are for the JSON alone. Figures
// named "quiet ms:p50", "quiet ms:p99" share a column, "quiet ms: p50 / p99".
//
// Each run writes wire-<run>.json and .md, then puts wire.json and wire.md together from whatever
// runs left there, so that throughput and expiry may be repeated apart; with --append, even parts
// of them.
//
// Thread: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"

namespace lapse::wire {

using Series = std::vector<double>;
// Nothing: not measured, or not within the timeout.
using Value = std::variant<std::monostate, std::string, double, Series>;

class Row {
 public:
  Row& Word(std::string_view name, std::string_view value) { return Add(name, std::string(value)); }
  Row& Figure(std::string_view name, double value) { return Add(name, value); }
  Row& Figure(std::string_view name, std::optional<double> value) {
    return value ? Add(name, *value) : Add(name, std::monostate());
  }
  Row& List(std::string_view name, Series values) { return Add(name, std::move(values)); }

  const std::vector<std::pair<std::string, Value>>& fields() const { return fields_; }
  const Value* Find(std::string_view name) const;
  // The figure of that name; nothing if it is absent.
  std::optional<double> Number(std::string_view name) const;
  // Its words in a row, which tell it from other rows of its table.
  std::string Identity() const;

 private:
  Row& Add(std::string_view name, Value value) {
    fields_.emplace_back(name, std::move(value));
    return *this;
  }

  std::vector<std::pair<std::string, Value>> fields_;
};

// The middle value, the mean of the two middle ones for an even number; nothing for none.
std::optional<double> Median(Series values);

// Rows of one identity become one, in the order of their first: the median of each figure. A figure
// that most of them lack is lacking.
std::vector<Row> MergeRounds(const std::vector<Row>& rows);

struct Table {
  std::string title;
  std::string explanation;  // one paragraph: units, and what was done
  std::vector<Row> rows;
};

// `level`: of its heading, as "##".
std::string Markdown(const Table& table, std::string_view level = "##");

struct Report {
  std::string run;  // throughput, expiry
  std::vector<std::pair<std::string, std::string>> facts;
  std::vector<Table> tables;
};

// What a figure depends on beside the code: processor, kernel, commit, date.
std::vector<std::pair<std::string, std::string>> MachineFacts();

// Puts what a later run of parts of it has yielded in the place of the same rows, or at the end.
void Amend(Report& old, const Report& fresh);

// What an earlier run of that name left in the directory.
std::optional<Report> ReadReport(std::string_view run, const std::string& directory);
// Creates the directory if need be. `append`: amends what is there.
absl::Status WriteReport(const Report& fresh, const std::string& directory, bool append);

}  // namespace lapse::wire
