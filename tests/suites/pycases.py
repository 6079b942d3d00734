# SPDX-License-Identifier: MIT
"""Runs the methods of one class of CPython's own tests, one line each on standard output.

usage: pycases.py --list MODULE            prints CLASS METHOD, line by line
       pycases.py MODULE CLASS [METHODS...]

Modules are loaded as unittest loads them (their load_tests functions complete the classes) and
then filtered. Resources that tests must ask for (network, much disk or time) are not granted.
"""
import os
import sys
import unittest

from test import support


def flatten(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flatten(test)
        else:
            yield test


def class_of(test):
    return type(test).__qualname__.replace(" ", "_")


def say(word, test=""):
    """On a line of its own, whatever else is printed; straight to the file."""
    name = getattr(test, "_testMethodName", None) or "-"
    os.write(1, f"\n@@{word} {name}\n".encode())


class Result(unittest.TestResult):
    """Prints the outcome of each method when it is known; subtests count as their method."""

    has_failed = was_skipped = False

    def startTest(self, test):
        super().startTest(test)
        self.has_failed = self.was_skipped = False
        say("start", test)

    def _failure(self, error):
        self.has_failed = True
        os.write(1, self._exc_info_to_string(error, self.test).encode(errors="replace"))

    test = unittest.FunctionTestCase(print)

    def addError(self, test, err):
        super().addError(test, err)
        self._failure(err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failure(err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failure(err)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.has_failed = True

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.was_skipped = True
        os.write(1, f"\nskipped: {reason}\n".encode(errors="replace"))

    def stopTest(self, test):
        super().stopTest(test)
        say("fail" if self.has_failed else "skip" if self.was_skipped else "pass", test)


def main():
    support.use_resources = []
    support.verbose = 0
    listing = sys.argv[1] == "--list"
    module = sys.argv[2] if listing else sys.argv[1]
    try:
        tests = list(flatten(unittest.TestLoader().loadTestsFromName("test." + module)))
    except unittest.SkipTest:
        return  # for another system
    if listing:
        for test in tests:
            if hasattr(test, "_testMethodName"):
                print(class_of(test), test._testMethodName)
        return
    name, methods = sys.argv[2], sys.argv[3:]
    mine = [t for t in tests if class_of(t) == name
            and (not methods or t._testMethodName in methods)]
    unittest.TestSuite(mine).run(Result())
    say("end")


main()
