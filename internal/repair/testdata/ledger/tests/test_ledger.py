import pytest

from ledger import Ledger


@pytest.fixture
def ledger():
    book = Ledger()
    book.open("ann", 10)
    book.open("bob")
    return book


def test_balance(ledger):
    assert ledger.balance("ann") == 10
    assert ledger.balance("bob") == 0


def test_deposit(ledger):
    ledger.deposit("bob", 5)
    assert ledger.balance("bob") == 5


def test_deposit_of_nothing(ledger):
    with pytest.raises(ValueError):
        ledger.deposit("bob", 0)


def test_total(ledger):
    assert ledger.total() == 10


def test_total_of_nothing():
    assert Ledger().total() == 0


def test_names(ledger):
    assert ledger.names() == ["ann", "bob"]
    with pytest.raises(ValueError):
        ledger.open("ann")
