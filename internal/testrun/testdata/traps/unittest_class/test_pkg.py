import unittest
import pkg

def setUpModule():
    global SHARED
    SHARED = pkg.Engine()

class Tests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = SHARED.start()

    @classmethod
    def tearDownClass(cls):
        cls.engine.stop()

    def setUp(self):
        self.addCleanup(self.engine.start)

    def test_speed(self):
        self.assertEqual(self.engine.speed(), 5)

    def test_still(self):
        self.engine.stop()
        self.assertEqual(self.engine.speed(), 0)

    @unittest.expectedFailure
    def test_expected(self):
        self.assertEqual(self.engine.speed(), 6)

    @unittest.skipIf(pkg.Engine().speed() == 0, "it stands")
    def test_skipped(self):
        pass

class TestAfter(unittest.TestCase):
    def test_stopped(self):
        self.assertFalse(SHARED.on)
