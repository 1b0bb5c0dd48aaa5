import random
import uuid
import pkg

def test_same_items():
    assert sorted(pkg.shuffled(range(50))) == list(range(50))

def test_moves():
    assert pkg.shuffled(range(50)) != list(range(50))

def test_tokens():
    assert pkg.token() != pkg.token()

def test_uuid():
    assert pkg.in_child() != str(uuid.uuid4())

def test_seeded():
    random.seed(1)
    a = pkg.shuffled(range(20))
    random.seed(1)
    assert a == pkg.shuffled(range(20))
