from figures import divisor, power


def test_divisor():
    assert divisor(3, 0) == 3
    assert divisor(35, 21) == 7


def test_power():
    assert power(1, 0) == 1
    assert power(2, 3) == 8
    assert power(3, 2) == 9
