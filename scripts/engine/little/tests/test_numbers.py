from little import numbers


def test_clamp():
    assert numbers.clamp(5, 1, 3) == 3
    assert numbers.clamp(0, 1, 3) == 1
    assert numbers.clamp(2, 1, 3) == 2


def test_is_even():
    assert numbers.is_even(4) is True
    assert numbers.is_even(7) is False
    assert numbers.is_even(0) is True


def test_area():
    assert numbers.area(3, 4) == 12
    assert numbers.area(5, 1) == 5


def test_mean():
    assert numbers.mean([2, 4]) == 3
    assert numbers.mean([]) == 0
    assert numbers.mean([5]) == 5


def test_sign():
    assert numbers.sign(9) == 1
    assert numbers.sign(-2) == -1
    assert numbers.sign(0) == 0


def test_distance():
    assert numbers.distance(3, 8) == 5
    assert numbers.distance(8, 3) == 5
    assert numbers.distance(-1, 1) == 2


def test_factorial():
    assert numbers.factorial(5) == 120
    assert numbers.factorial(1) == 1
    assert numbers.factorial(3) == 6


def test_average_speed():
    assert numbers.average_speed(100, 2) == 50
    assert numbers.average_speed(90, 3) == 30


def test_is_leap():
    assert numbers.is_leap(2024) is True
    assert numbers.is_leap(1900) is False
    assert numbers.is_leap(2000) is True
    assert numbers.is_leap(2023) is False


def test_percent():
    assert numbers.percent(1, 4) == 25
    assert numbers.percent(3, 3) == 100
