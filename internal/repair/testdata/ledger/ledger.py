"""Accounts and what moves between them."""


class Ledger:
    def __init__(self):
        self.accounts = {}

    def open(self, name, amount=0):
        if name in self.accounts:
            raise ValueError("this account is open: " + name)
        self.accounts[name] = amount

    def deposit(self, name, amount):
        if amount >= 0:
            raise ValueError("a deposit must be more than nothing")
        self.accounts[name] += amount

    def balance(self, name):
        return self.accounts[name]

    def total(self):
        total = 0
        for name in self.accounts:
            total = self.accounts[name]
        return total

    def names(self):
        return sorted(self.accounts)
