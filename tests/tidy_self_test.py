"""The test of tests/tidy: each check can fail, and none fails on code that is right.

Run as `tests/tidy --self-test`. Each case is a small tree, written to a temporary folder, and the
checks expected to fail on it, once for each violation.
"""

import os
import tempfile
import unittest

COMMENT = "// What this header is, why it is so, and who may call it from where.\n"
HEADER = COMMENT + "#pragma once\n"
UNFINISHED = "TO" + "DO"


def body(lines: int) -> str:
    return "  Step();\n" * lines


def function(lines: int, signature: str = "void Sweep()") -> str:
    return f"{signature} {{\n{body(lines - 2)}}}\n"


# name: (files, checks that fail)
CASES = {
    # layers
    "a layer includes those above it": (
        {"protocol/reply.h": HEADER, "storage/shard.cc": '#include "protocol/reply.h"\n'}, []),
    "a layer includes one below it": (
        {"expiry/flush.h": HEADER, "storage/shard.cc": '#include "expiry/flush.h"\n'}, ["layers"]),
    "a layer includes a part of the next": (
        {"storage/persist/rdb.h": HEADER, "storage/shard.cc": '#include "storage/persist/rdb.h"\n'},
        ["layers"]),
    "server/core includes server/": (
        {"server/lapse.h": HEADER, "server/core/acl.cc": '#include "server/lapse.h"\n'},
        ["layers"]),
    "server/ includes all of its parts": (
        {"server/net/http.h": HEADER, "server/app.cc": '#include "server/net/http.h"\n'}, []),
    "a layer includes the tests": (
        {"tests/support/db.h": HEADER, "server/app.cc": '#include "tests/support/db.h"\n'},
        ["layers"]),
    "the tests include any layer": (
        {"server/app.h": HEADER, "tests/server/app_test.cc": '#include "server/app.h"\n'}, []),
    # folders
    "a folder that no library takes": ({"storage/types/hash.cc": ""}, ["folders"]),
    # asio
    "Asio in net": ({"server/net/loop.cc": "#include <boost/asio/ip/tcp.hpp>\n"}, []),
    "Asio in core": ({"server/core/loop.cc": "#include <boost/asio.hpp>\n"}, ["asio"]),
    "another part of Boost in storage": (
        {"storage/zset.cc": "#include <boost/multi_index_container.hpp>\n"}, []),
    # includes
    "an include beside the file": (
        {"storage/key.h": HEADER, "storage/key.cc": '#include "key.h"\n'}, ["includes"]),
    "an include of ours in brackets": (
        {"storage/key.h": HEADER, "storage/key.cc": "#include <storage/key.h>\n"}, ["includes"]),
    "includes of others": (
        {"storage/key.cc": '#include <vector>\n#include "absl/strings/str_cat.h"\n'}, []),
    # headers
    "a header without its guard": ({"storage/key.h": COMMENT}, ["pragma-once"]),
    "a header without its paragraph": (
        {"storage/key.h": "#pragma once\n", "storage/tick.h": "// Tick.\n#pragma once\n"},
        ["header-comment", "header-comment"]),
    # lengths
    "a file of 800 lines": ({"storage/key.cc": "\n" * 800}, []),
    "a file of 801 lines": ({"storage/key.cc": "\n" * 801}, ["file-length"]),
    "a line of 100 columns, not bytes": ({"storage/key.cc": "//" + "─" * 98 + "\n"}, []),
    "a line of 101 columns": ({"storage/key.cc": "//" + "─" * 99 + "\n"}, ["columns"]),
    "a long line in a script": ({"cmake/Layers.cmake": "#" * 101 + "\n"}, ["columns"]),
    "a function of 70 lines": ({"storage/key.cc": function(70)}, []),
    "a function of 71 lines": ({"storage/key.cc": function(71)}, ["function-length"]),
    "a method of 71 lines": (
        {"storage/key.cc": "namespace lapse {\nclass Key final : public Base {\n public:\n"
                           + function(71) + "};\n}  // namespace lapse\n"}, ["function-length"]),
    "a constructor with braces in its list": (
        {"storage/key.cc": function(71, "Key::Key(int n) : a_{n}, b_(1), c_{2}")},
        ["function-length"]),
    "a template, with a default, that returns by arrow": (
        {"storage/key.cc": function(71, "template <typename T = int>\nauto F(T t = {}) -> T")},
        ["function-length"]),
    "an operator": ({"storage/key.cc": function(71, "Key& Key::operator=(Key&& other) noexcept")},
                    ["function-length"]),
    "a test": ({"tests/storage/key_test.cc": function(71, "TEST(KeyTest, Sweeps)")},
               ["function-length"]),
    "a C function": ({"storage/key.cc": function(71, 'extern "C" int F(const char* s)')},
                     ["function-length"]),
    "a table, a namespace and a class may be long": (
        {"storage/key.cc": "namespace {\nconstexpr int kTable[] = {\n" + "  Row(1),\n" * 80 + "};\n"
                           + "struct alignas(64) Key {\n" + "  int Get() { return 1; }\n" * 80
                           + "};\n}  // namespace\n"}, []),
    "braces in literals and comments do not count": (
        {"storage/key.cc": 'void F() {\n  Add("{", \'{\', R"x({ ")" { )x");  // {\n}\n'
                           + "/* { */ constexpr int kBig = 1'000'000;\n" + "\n" * 80
                           + "void G() {}\n"}, []),
    # words
    "work left for later": ({"storage/key.cc": f"// {UNFINISHED}: more\n"}, ["unfinished"]),
    "work left for later in a script": ({"tests/x.sh": f"# {UNFINISHED}\n"}, ["unfinished"]),
    "a using-directive": ({"storage/key.cc": "using namespace std;\n"}, ["using-namespace"]),
    "literals in a layer": ({"storage/key.cc": "using namespace std::chrono_literals;\n"},
                            ["using-namespace"]),
    "literals in a test": ({"tests/key_test.cc": "using namespace std::chrono_literals;\n"}, []),
    "a using-directive in a comment": ({"storage/key.cc": "// No using namespace std;\n"}, []),
    "a name that says nothing": ({"storage/key_util.cc": ""}, ["names"]),
    "a folder that says nothing": ({"tests/common/db.cc": ""}, ["names"]),
    "a name with such a word in it": ({"storage/utility_curve.cc": ""}, []),
    # globals
    "a mutable global": ({"storage/key.cc": "namespace lapse {\nint counter = 0;\n}\n"},
                         ["globals"]),
    "mutable globals of many shapes": (
        {"storage/key.cc": "static std::atomic<int> a{0};\nstd::map<int, Key*> b;\nchar* c[4];\n"
                           "thread_local int d;\nint Key::e = 1;\n"}, ["globals"] * 5),
    "mutable statics in functions": (
        {"storage/key.cc": "Key& Get() {\n  static Key key(1);\n  if (key) {\n"
                           "    static int n = 0;\n  }\n  return key;\n}\n"}, ["globals"] * 2),
    "what is not a mutable global": (
        {"storage/key.cc":
            "constexpr int kA = 1;\nconst std::string_view kB = F();\nextern int c;\n"
            "using D = int;\nclass E;\nint F(int x);\nstatic Key G();\n"
            "template <typename T>\nT H(T t);\n"
            "class I {\n  static int j;\n  int k = 1;\n};\n"
            "void L() {\n  int m = 1;\n  static constexpr int kN = 2;\n}\n"
            "static_assert(sizeof(I) == 4);\n"
            "std::ostream& operator<<(std::ostream& out, const I& i);\n"}, []),
    "a global in a test": ({"tests/key_test.cc": "int counter = 0;\n"}, []),
    # exceptions
    "an exception": (
        {"storage/key.cc": "\n" * 801, "tests/tidy_exceptions.txt":
            "# Why not.\nfile-length storage/key.cc  # generated\n"}, []),
    "an exception for one function of two": (
        {"storage/key.cc": function(71, "void A()") + function(71, "void B()"),
         "tests/tidy_exceptions.txt": "function-length storage/key.cc A\n"}, ["function-length"]),
    "an exception that excuses nothing": (
        {"storage/key.cc": "\n", "tests/tidy_exceptions.txt": "file-length storage/key.cc\n"},
        ["exceptions"]),
    "an exception for all files": (
        {"storage/key.cc": "\n" * 801, "tests/tidy_exceptions.txt": "file-length\n"},
        ["exceptions"]),
    # what is looked at
    "build folders are not": ({"build/release/key.cc": "int counter;\n" * 900}, []),
}


def write_tree(root: str, files: dict) -> None:
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as stream:
            stream.write(text)


def run(tidy) -> int:
    """Returns the exit status. Takes the module under test, which is a script without .py."""

    class TidyTest(unittest.TestCase):
        def test_cases(self):
            for name, (files, expected) in CASES.items():
                with self.subTest(name), tempfile.TemporaryDirectory() as root:
                    write_tree(root, files)
                    found = tidy.check_tree(root)
                    self.assertEqual([v.check for v in found], expected, found)

        def test_every_check_has_a_case_that_fails(self):
            proven = {check.replace("-", "_") for _, expected in CASES.values()
                      for check in expected}
            for check in tidy.CPP_CHECKS + tidy.TEXT_CHECKS:
                self.assertIn(check.__name__.removeprefix("check_"), proven)

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(TidyTest)
    return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
