"""Prices of a basket, in cents."""

from rates import rate_for


def shipping(weight, member):
    cost = 500
    if weight > 20:
        cost = cost + 300
    if member and weight <= 20:
        cost = cost - 200
    if cost < 0:
        raise ValueError(cost)
    return cost


def discount(total, member):
    percent = rate_for(total)
    if member:
        percent = percent + 5
    if percent > 20:
        percent = 20
    return total * percent // 100


def price(items, member=False):
    total, weight = 0, 0
    for amount, grams in items:
        if amount <= 0:
            continue
        total = total + amount
        weight = weight + grams
    if total == 0:
        return 0
    return total - discount(total, member) + shipping(weight, member)
