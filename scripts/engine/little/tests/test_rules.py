from little import rules


def test_can_vote():
    assert rules.can_vote(18) is True
    assert rules.can_vote(17) is False
    assert rules.can_vote(40) is True


def test_ticket():
    assert rules.ticket(3) == 0
    assert rules.ticket(6) == 5
    assert rules.ticket(18) == 10


def test_is_weekend():
    assert rules.is_weekend('sat') is True
    assert rules.is_weekend('mon') is False
    assert rules.is_weekend('sun') is True


def test_grade():
    assert rules.grade(90) == 'A'
    assert rules.grade(60) == 'B'
    assert rules.grade(59) == 'C'


def test_triangle():
    assert rules.triangle(3, 4, 5) is True
    assert rules.triangle(1, 2, 3) is False
    assert rules.triangle(5, 1, 1) is False
    assert rules.triangle(1, 5, 1) is False


def test_in_range():
    assert rules.in_range(1, 1, 3) is True
    assert rules.in_range(3, 1, 3) is False
    assert rules.in_range(0, 1, 3) is False


def test_change():
    assert rules.change(10, 7) == 3
    assert rules.change(5, 7) is None
    assert rules.change(7, 7) == 0


def test_discount():
    assert rules.discount(100, True) == 90
    assert rules.discount(100, False) == 100


def test_password_ok():
    assert rules.password_ok('abcdefgh') is True
    assert rules.password_ok('12345678') is False
    assert rules.password_ok('abc') is False


def test_fits():
    assert rules.fits(3, 3) is True
    assert rules.fits(4, 3) is False
