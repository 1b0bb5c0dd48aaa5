import pkg

def test_constant():
    assert pkg.TEN == 55

def test_cached_at_import():
    assert pkg.fib(9) == 34

def test_more():
    assert pkg.fib(12) == 144

def test_twice():
    assert pkg.twice(2) == 4
    assert pkg.twice.cache_info().currsize == 1
