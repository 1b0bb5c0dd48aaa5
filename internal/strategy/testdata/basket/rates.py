"""Steps of the discount."""


def rate_for(total):
    if total >= 10000:
        return 20
    if total >= 5000:
        return 10
    if total >= 1000:
        return 5
    return 0


def rounded(cents):
    if cents % 5 >= 3:
        return cents + 5 - cents % 5
    return cents - cents % 5
