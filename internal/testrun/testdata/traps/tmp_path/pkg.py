import tempfile

def write(folder):
    (folder / "a").write_text("x")
    return sorted(p.name for p in folder.iterdir())

def made():
    return tempfile.mkdtemp(prefix="pkg")
