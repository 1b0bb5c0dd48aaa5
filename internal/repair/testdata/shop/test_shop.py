import unittest

from shop import Item, offered, worth


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.items = [Item("desk", 240, 2), Item("lamp", 35, 4), Item("chair", 120), Item("old lamp", 5, 1, hidden=True)]

    def test_offered(self):
        self.assertEqual(offered(self.items), ["lamp", "desk"])

    def test_nothing_offered(self):
        self.assertEqual(offered([]), [])

    def test_hidden(self):
        self.assertNotIn("old lamp", offered(self.items))

    def test_worth(self):
        self.assertEqual(worth(self.items), 625)
