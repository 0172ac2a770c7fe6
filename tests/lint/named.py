# SPDX-License-Identifier: Apache-2.0
"""Tests that documents name: `tests/FILE`: "NAME", "NAME". Used by check-incidents.sh and check-semantics.sh."""
import os
import re


def _exists(path, name):
    """Is there a test of this name in this file, and is it run?"""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if path.endswith(".bats"):
        return '\n@test "%s" {' % name in text
    if path.endswith(".c"):
        return re.search(r"(?:cmocka_unit_test\w*|[A-Z_]*TEST)\(\s*%s\s*[,)]" % re.escape(name), text) is not None
    if path.endswith(".cases"):
        return "\n== %s\n" % name in text
    return name in text


def missing(text):
    """What is wrong with the tests that a text names, one line each."""
    for path, names in re.findall(r'`(tests/[^`]+)`((?:: |, )"[^"]*"(?:, "[^"]*")*)?', text):
        if path.startswith("tests/lint/"):
            continue
        if not os.path.exists(path):
            yield "%s is not there" % path
            continue
        names = re.findall(r'"([^"]*)"', names)
        if not names and path.endswith((".bats", ".c", ".cases")):
            yield "%s: no name of a test" % path
        for name in names:
            if not _exists(path, name):
                yield '%s: no test "%s"' % (path, name)
