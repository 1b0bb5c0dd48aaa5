import pkg

def test_pair():
    assert pkg.Made().pair(1, 2) == (1, 2, 1, 2)

def test_now():
    assert pkg.make("one", ["a", "c"], 1)(None, 3, 4) == (3, 4)

def test_row():
    assert pkg.Row(1, y=2)._asdict() == {"x": 1, "y": 2}

def test_eval():
    assert pkg.calc("row.x + row.y") == 3
