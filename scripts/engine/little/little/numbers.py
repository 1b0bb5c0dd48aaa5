def clamp(value, low, high):
    if value < low:
        return low
    if value > high:
        return high
    return value


def is_even(n):
    return n % 2 == 0


def area(width, height):
    return width * height


def mean(values):
    if not values:
        return 0
    return sum(values) / len(values)


def sign(n):
    if n > 0:
        return 1
    if n < 0:
        return -1
    return 0


def distance(a, b):
    return abs(a - b)


def factorial(n):
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


def average_speed(distance, hours):
    return distance / hours


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def percent(part, whole):
    return 100 * part / whole
