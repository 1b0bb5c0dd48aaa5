import unittest

from figures import spins, total


def test_asserts():
    assert total(1) == 1
    assert total(4) == 10


def check(candidate):
    for n, wanted in [(0, 0), (1, 1), (3, 6)]:
        assert candidate(n) == wanted


def test_helper():
    check(total)


class TestMethods(unittest.TestCase):
    def setUp(self):
        self.n = 1

    def test_equal(self):
        self.assertEqual(1, total(self.n))
        self.assertEqual(total(2), 3)


def test_hangs():
    assert spins(1) == 2
    assert spins(2) == 4
    assert spins(4) == 5


def test_given(tmp_path):
    assert total(1) == 1
    assert total(4) == 10
