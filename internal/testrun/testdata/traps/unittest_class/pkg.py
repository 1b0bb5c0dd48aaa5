class Engine:
    def __init__(self):
        self.on = False

    def start(self):
        self.on = True
        return self

    def speed(self):
        return 5 if self.on else 0

    def stop(self):
        self.on = False
