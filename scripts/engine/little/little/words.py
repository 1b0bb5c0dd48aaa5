def shout(text):
    return text.upper() + "!"


def initials(name):
    return "".join(word[0] for word in name.split())


def is_palindrome(text):
    return text == text[::-1]


def count_vowels(text):
    n = 0
    for letter in text:
        if letter in "aeiou":
            n += 1
    return n


def longest(words):
    best = ""
    for word in words:
        if len(word) > len(best):
            best = word
    return best


def repeat(text, times):
    return text * times


def starts_with(text, start):
    return text[:len(start)] == start


def join(words):
    return " ".join(words)


def strip_dot(text):
    if text.endswith("."):
        return text[:-1]
    return text


def quote(text):
    return "'" + text + "'"
