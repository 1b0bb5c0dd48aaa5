package bug

import "testing"

func TestWhichRedTestsCanBeCalledWithoutPytest(t *testing.T) {
	const mixin = "import unittest\n\nclass M:\n    def test_it(self):\n        self.assertTrue(0)\n\nclass T(unittest.TestCase, M):\n    pass\n"
	for _, c := range []struct {
		code, test string
		want       bool
	}{
		{"def test_it():\n    assert 0\n", "t.py::test_it", true},
		{"def test_it(tmp_path):\n    assert 0\n", "t.py::test_it", false},
		{"async def test_it():\n    assert 0\n", "t.py::test_it", false},
		{"import pytest\n\n@pytest.mark.parametrize('a', [1])\ndef test_it(a):\n    assert 0\n", "t.py::test_it[1]", false},
		{"def setup_module():\n    pass\n\ndef test_it():\n    assert 0\n", "t.py::test_it", false},
		{mixin, "t.py::T::test_it", true},
		{mixin, "t.py::Other::test_it", false},
		{mixin, "t.py::T::Inner::test_it", false},
		{"class T:\n    def test_it(self):\n        assert 0\n", "t.py::T::test_it", true},
		{"class T:\n    def test_it(self, tmp_path):\n        assert 0\n", "t.py::T::test_it", false},
		{"class T:\n    async def test_it(self):\n        assert 0\n", "t.py::T::test_it", false},
		{"class T:\n    def setup_method(self):\n        pass\n    def test_it(self):\n        assert 0\n", "t.py::T::test_it", false},
		{"import unittest\n\nclass T(unittest.TestCase):\n    @unittest.expectedFailure\n    def test_it(self):\n        assert 0\n", "t.py::T::test_it", false},
		{"import pytest\n\nclass T:\n    def test_it(self):\n        assert 0\n", "t.py::T::test_it", false},
	} {
		if got := (RedTest{Code: c.code, Test: c.test}).Callable(); got != c.want {
			t.Errorf("%s of\n%s: %v", c.test, c.code, got)
		}
	}
}
