import unittest
import pkg

class Tests(unittest.TestCase):
    def test_even(self):
        for n in range(4):
            with self.subTest(n=n):
                self.assertEqual(pkg.even(n), n in (0, 2))

    def test_sign(self):
        with self.subTest("only"):
            self.assertEqual(pkg.sign(-3), -1)
        self.assertEqual(pkg.sign(3), 1)
