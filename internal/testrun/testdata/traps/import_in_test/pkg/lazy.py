VALUE = 5

def get():
    return VALUE
