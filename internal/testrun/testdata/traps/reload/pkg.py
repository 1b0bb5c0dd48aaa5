COUNT = 0

def one():
    return 1

def two():
    return 2

def three():
    return 3

if __name__ == "__main__":
    RESULT = three()
