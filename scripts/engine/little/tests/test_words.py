from little import words


def test_shout():
    assert words.shout('hi') == 'HI!'
    assert words.shout('') == '!'


def test_initials():
    assert words.initials('Ada Lovelace') == 'AL'
    assert words.initials('Bo') == 'B'


def test_is_palindrome():
    assert words.is_palindrome('level') is True
    assert words.is_palindrome('ab') is False


def test_count_vowels():
    assert words.count_vowels('banana') == 3
    assert words.count_vowels('xyz') == 0


def test_longest():
    assert words.longest(['a', 'abc', 'ab']) == 'abc'
    assert words.longest([]) == ''
    assert words.longest(['x', 'y']) == 'x'


def test_repeat():
    assert words.repeat('ab', 2) == 'abab'
    assert words.repeat('x', 0) == ''


def test_starts_with():
    assert words.starts_with('hello', 'he') is True
    assert words.starts_with('hello', 'lo') is False


def test_join():
    assert words.join(['a', 'b']) == 'a b'
    assert words.join([]) == ''


def test_strip_dot():
    assert words.strip_dot('end.') == 'end'
    assert words.strip_dot('end') == 'end'


def test_quote():
    assert words.quote('a') == "'a'"
    assert words.quote('') == "''"
