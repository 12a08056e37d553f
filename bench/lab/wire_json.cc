#include "bench/lab/wire_json.h"

#include <boost/json.hpp>
#include <cmath>

#include "fmt/format.h"

namespace lapse::wire {
namespace json = boost::json;
namespace {

// Six digits, for the file is to be read.
json::value NumberToJson(double value) {
  if (!std::isfinite(value)) return nullptr;
  return json::parse(fmt::format("{:.6g}", value));
}

json::value ValueToJson(const Value& value) {
  if (const auto* word = std::get_if<std::string>(&value)) return json::string(*word);
  if (const auto* number = std::get_if<double>(&value)) return NumberToJson(*number);
  const auto* series = std::get_if<Series>(&value);
  if (series == nullptr) return nullptr;
  json::array list;
  for (const double number : *series) list.push_back(NumberToJson(number));
  return list;
}

json::object RowToJson(const Row& row) {
  json::object object;
  for (const auto& [name, value] : row.fields()) object[name] = ValueToJson(value);
  return object;
}

std::string Text(const json::value& value) { return std::string(value.as_string()); }

Row RowFromJson(const json::object& object) {
  Row row;
  for (const auto& [name, value] : object) {
    if (value.is_string()) {
      row.Word(name, Text(value));
    } else if (value.is_array()) {
      Series series;
      for (const json::value& number : value.as_array()) {
        series.push_back(number.to_number<double>());
      }
      row.List(name, std::move(series));
    } else if (value.is_null()) {
      row.Figure(name, std::nullopt);
    } else {
      row.Figure(name, value.to_number<double>());
    }
  }
  return row;
}

}  // namespace

std::string ToJson(const Report& report) {
  json::object facts;
  for (const auto& [name, value] : report.facts) facts[name] = value;
  std::string text = "{\"facts\": " + json::serialize(facts) + ",\n\"tables\": [";
  for (size_t i = 0; i < report.tables.size(); ++i) {
    const Table& table = report.tables[i];
    text += fmt::format("{}\n{{\"title\": {},\n\"explanation\": {},\n\"rows\": [",
                        i == 0 ? "" : ",", json::serialize(json::string(table.title)),
                        json::serialize(json::string(table.explanation)));
    for (size_t j = 0; j < table.rows.size(); ++j) {
      text += (j == 0 ? "\n" : ",\n") + json::serialize(RowToJson(table.rows[j]));
    }
    text += "\n]}";
  }
  return text + "\n]}\n";
}

Report ReportFromJson(std::string_view run, std::string_view text) {
  const json::value value = json::parse(text);
  Report report{.run = std::string(run), .facts = {}, .tables = {}};
  for (const auto& [name, fact] : value.at("facts").as_object()) {
    report.facts.emplace_back(name, Text(fact));
  }
  for (const json::value& one : value.at("tables").as_array()) {
    Table table{
        .title = Text(one.at("title")), .explanation = Text(one.at("explanation")), .rows = {}};
    for (const json::value& row : one.at("rows").as_array()) {
      table.rows.push_back(RowFromJson(row.as_object()));
    }
    report.tables.push_back(std::move(table));
  }
  return report;
}

}  // namespace lapse::wire
