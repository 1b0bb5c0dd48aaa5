from labels import label, row, ruler


def test_label():
    assert label("a long name") == "a long name"
    assert label("ab") == "ab      "
    assert label("ab", 3) == "ab "


def test_row():
    assert row(["a", "bcd"]) == "a... bcd."


def test_ruler():
    assert ruler(3) == "---"
