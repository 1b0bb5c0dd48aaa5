def can_vote(age):
    return age >= 18


def ticket(age):
    if age < 6:
        return 0
    if age < 18:
        return 5
    return 10


def is_weekend(day):
    return day == "sat" or day == "sun"


def grade(points):
    if points >= 90:
        return "A"
    if points >= 60:
        return "B"
    return "C"


def triangle(a, b, c):
    return a + b > c and a + c > b and b + c > a


def in_range(n, low, high):
    return low <= n and n < high


def change(paid, price):
    if paid < price:
        return None
    return paid - price


def discount(price, member):
    if member:
        return price * 9 // 10
    return price


def password_ok(text):
    return len(text) >= 8 and not text.isdigit()


def fits(size, limit):
    return size <= limit
