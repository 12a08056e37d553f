// What Redis's key specifications say of commands with more than one kind of key, or with keys that
// are not simply in a row: for the rows of several families, by WithSpecs.
//
// Thread: constants.
#pragma once

#include "server/core/command.h"

namespace lapse {

inline constexpr KeySpecification kVariableKey[] = {
    {.access = KeyAccess::kReadWrite, .at = 1, .varies = true}};
inline constexpr KeySpecification kBitOpSpecs[] = {
    {.access = KeyAccess::kOverwrite, .at = 2},
    {.access = KeyAccess::kReadOnly, .at = 3, .last = -1}};
inline constexpr KeySpecification kSourceThenTarget[] = {
    {.access = KeyAccess::kReadOnly, .at = 1}, {.access = KeyAccess::kOverwrite, .at = 2}};
inline constexpr KeySpecification kScriptSpecs[] = {
    {.access = KeyAccess::kReadWrite, .at = 2, .form = KeyForm::kCounted}};
inline constexpr KeySpecification kReadScriptSpecs[] = {
    {.access = KeyAccess::kReadOnly, .at = 2, .form = KeyForm::kCounted}};
template <int8_t kAt>
inline constexpr KeySpecification kRadiusSpecs[] = {
    {.access = KeyAccess::kReadOnly, .at = 1},
    {.access = KeyAccess::kOverwrite, .at = kAt, .keyword = "STORE"},
    {.access = KeyAccess::kOverwrite, .at = kAt, .keyword = "STOREDIST"}};
inline constexpr KeySpecification kTargetThenSource[] = {{.access = KeyAccess::kOverwrite, .at = 1},
                                                         {.access = KeyAccess::kReadOnly, .at = 2}};
inline constexpr KeySpecification kMergeSpecs[] = {
    {.access = KeyAccess::kReadInsert, .at = 1},
    {.access = KeyAccess::kReadOnly, .at = 2, .last = -1}};
inline constexpr KeySpecification kRenameSpecs[] = {{.access = KeyAccess::kReadDelete, .at = 1},
                                                    {.access = KeyAccess::kOverwrite, .at = 2}};
inline constexpr KeySpecification kRenameNewSpecs[] = {{.access = KeyAccess::kReadDelete, .at = 1},
                                                       {.access = KeyAccess::kCreate, .at = 2}};
inline constexpr KeySpecification kMoveSpecs[] = {{.access = KeyAccess::kReadDelete, .at = 1},
                                                  {.access = KeyAccess::kInsert, .at = 2}};
template <int8_t kAt>
inline constexpr KeySpecification kCountedPops[] = {
    {.access = KeyAccess::kReadDelete, .at = kAt, .form = KeyForm::kCounted}};
inline constexpr KeySpecification kMigrateSpecs[] = {{.access = KeyAccess::kReadDelete, .at = 3},
                                                     {.access = KeyAccess::kReadDelete,
                                                      .at = -2,
                                                      .keyword = "KEYS",
                                                      .last = -1,
                                                      .incomplete = true}};
inline constexpr KeySpecification kCountedReads[] = {
    {.access = KeyAccess::kReadOnly, .at = 1, .form = KeyForm::kCounted}};
inline constexpr KeySpecification kUpdateFromAll[] = {
    {.access = KeyAccess::kUpdate, .at = 1}, {.access = KeyAccess::kReadOnly, .at = 2, .last = -1}};
inline constexpr KeySpecification kOverwriteFromAll[] = {
    {.access = KeyAccess::kOverwrite, .at = 1},
    {.access = KeyAccess::kReadOnly, .at = 2, .last = -1}};
inline constexpr KeySpecification kSortSpecs[] = {
    {.access = KeyAccess::kReadOnly, .at = 1},
    {.access = KeyAccess::kReadOnly, .form = KeyForm::kUnknown},
    {.access = KeyAccess::kOverwrite, .form = KeyForm::kUnknown}};
inline constexpr KeySpecification kReadSortSpecs[] = {
    {.access = KeyAccess::kReadOnly, .at = 1},
    {.access = KeyAccess::kReadOnly, .form = KeyForm::kUnknown}};
inline constexpr KeySpecification kOverwriteFromCounted[] = {
    {.access = KeyAccess::kOverwrite, .at = 1},
    {.access = KeyAccess::kReadOnly, .at = 2, .form = KeyForm::kCounted}};
template <int8_t kAt>
inline constexpr KeySpecification kStreamSpecs[] = {
    {.access = KeyAccess::kReadOnly, .at = kAt, .keyword = "STREAMS", .last = -1, .limit = 2}};

}  // namespace lapse
