FAST = True

class Box:
    SIZES = [n * 2 for n in range(3)]
    total = 0
    for _n in SIZES:
        total += _n

    class Lid:
        def shut(self):
            return "shut"

    if FAST:
        def speed(self):
            return 9
    else:
        def speed(self):
            return 1
