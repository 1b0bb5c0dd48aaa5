"""What a shop offers."""


class Item:
    def __init__(self, name, price, stock=0, hidden=False):
        self.name = name
        self.price = price
        self.stock = stock
        self.hidden = hidden


def offered(items):
    """The names of what can be bought, cheapest first."""
    chosen = []
    for item in items:
        if item.stock > 0 and not item.hidden and item.price > 100:
            chosen.append(item)
    return [item.name for item in sorted(chosen, key=price_of)]


def price_of(item):
    return item.price


def worth(items):
    """What is in stock, at its price."""
    return sum(item.price * item.stock for item in items)
