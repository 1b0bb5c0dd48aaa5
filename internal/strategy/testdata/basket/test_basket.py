import pytest

from basket import discount, price, shipping
from rates import rate_for, rounded


@pytest.mark.parametrize("weight, member, want", [(1, False, 500), (20, False, 500), (21, False, 800), (20, True, 300), (21, True, 800), (0, True, 300)])
def test_shipping(weight, member, want):
    assert shipping(weight, member) == want


@pytest.mark.parametrize("total, member, want", [(0, False, 0), (999, True, 49), (1000, False, 50), (5000, True, 750), (10000, False, 2000), (12000, True, 2400)])
def test_discount(total, member, want):
    assert discount(total, member) == want


@pytest.mark.parametrize("total, want", [(0, 0), (999, 0), (1000, 5), (4999, 5), (5000, 10), (9999, 10), (10000, 20)])
def test_rate(total, want):
    assert rate_for(total) == want


@pytest.mark.parametrize("cents, want", [(0, 0), (2, 0), (3, 5), (4, 5), (5, 5), (7, 5), (8, 10)])
def test_rounded(cents, want):
    assert rounded(cents) == want


def test_nothing_costs_nothing():
    assert price([]) == 0


def test_gifts_weigh_nothing():
    assert price([(0, 100)]) == 0
    assert price([(1200, 2), (-5, 50)]) == 1640


@pytest.mark.parametrize("items, member, want", [([(900, 3)], False, 1400), ([(900, 3)], True, 1155), ([(5000, 10), (5000, 15)], True, 8800), ([(6000, 5)], False, 5900)])
def test_price(items, member, want):
    assert price(items, member) == want
