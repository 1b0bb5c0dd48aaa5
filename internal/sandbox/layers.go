package sandbox

// Layers implements Sandbox.
func (b *bubblewrap) Layers() []Layer { return nil }
